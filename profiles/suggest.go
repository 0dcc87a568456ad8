package profiles

import (
	"fmt"
	"strings"
)

// didYouMean is the hint for an unknown word: the known word nearest to it, or
// what people elsewhere call it, or else the whole list if that is short.
func didYouMean(word string, known []string, elsewhere map[string]string) string {
	if w := meant(word, known, elsewhere); w != "" {
		return fmt.Sprintf("did you mean %s?", w)
	}
	if len(known) > 0 && len(known) <= 32 {
		return "known: " + strings.Join(known, ", ")
	}
	return ""
}

// meant is what people elsewhere call word, or the known word nearest to it, or "".
func meant(word string, known []string, elsewhere map[string]string) string {
	if w, ok := elsewhere[strings.ToLower(word)]; ok {
		return w
	}
	return Nearest(word, known)
}

// suggested is the hint that names the first of the candidates that check
// takes; without one it is otherwise. Whatever a check of this package suggests
// in place of a value goes through here, so that it is not refused next.
func suggested(check func(string) error, otherwise string, candidates ...string) string {
	for _, c := range candidates {
		if check(c) == nil {
			return fmt.Sprintf("did you mean %s?", c)
		}
	}
	return otherwise
}

// Nearest returns the word of known with the smallest edit distance to word,
// the first of several, or "" if none is near.
func Nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	best, bestDistance := "", 1+max(1, len(word)/3)
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), strings.ToLower(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func editDistance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
