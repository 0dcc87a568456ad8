package profiles

import (
	"fmt"
	"strings"
)

// didYouMean is the hint for an unknown word: the known word nearest to it, or
// what people elsewhere call it, or else the whole list if that is short.
func didYouMean(word string, known []string, elsewhere map[string]string) string {
	if w, ok := elsewhere[strings.ToLower(word)]; ok {
		return fmt.Sprintf("did you mean %s?", w)
	}
	if w := nearest(word, known); w != "" {
		return fmt.Sprintf("did you mean %s?", w)
	}
	if len(known) > 0 && len(known) <= 32 {
		return "known: " + strings.Join(known, ", ")
	}
	return ""
}

// nearest returns the word of known with the smallest edit distance to word,
// the first of several, or "" if none is near.
func nearest(word string, known []string) string {
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

// DidYouMean is the hint for a word that is none of known: the nearest of
// them, or all if they are few, or nothing.
func DidYouMean(word string, known []string) string { return didYouMean(word, known, nil) }
