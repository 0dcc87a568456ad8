package sizes

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// matchMoves finds packages of b that are packages of a under another path:
// new path → old path. Candidates are packages that only one side has; they
// match when most of their code is in functions of the same names, or, with few
// functions, when also the last element of the path is the same.
func matchMoves(a, b *side) map[string]string {
	onlyIn := func(x, y *side) []string {
		var out []string
		for p := range x.kinds {
			if y.kinds[p] == nil && p != "" {
				out = append(out, p)
			}
		}
		slices.Sort(out)
		return out
	}
	olds, news := onlyIn(a, b), onlyIn(b, a)
	// Only packages that share a function name are compared.
	by := map[string][]int{}
	for i, p := range olds {
		for f := range a.funcs[p] {
			if f != "init" {
				by[f] = append(by[f], i)
			}
		}
	}
	type match struct {
		from, to string
		score    float64
	}
	var matches []match
	for _, to := range news {
		cand := map[int]bool{}
		for f := range b.funcs[to] {
			if len(by[f]) <= 64 { // a name that everybody has tells nothing
				for _, i := range by[f] {
					cand[i] = true
				}
			}
		}
		for i, from := range olds {
			suffix := path.Base(from) == path.Base(to)
			if !cand[i] && !(suffix && len(b.funcs[to]) == 0 && len(a.funcs[from]) == 0) {
				continue
			}
			s := max(alike(a.funcs[from], b.funcs[to]), 0.6*contained(a.funcs[from], b.funcs[to]))
			if suffix {
				s += 0.3 * commonSuffix(from, to)
			}
			if s >= 0.5 {
				matches = append(matches, match{from, to, s})
			}
		}
	}
	slices.SortFunc(matches, func(x, y match) int {
		return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(x.to, y.to), cmp.Compare(x.from, y.from))
	})
	out, taken := map[string]string{}, map[string]bool{}
	for _, m := range matches {
		if _, ok := out[m.to]; !ok && !taken[m.from] {
			out[m.to] = m.from
			taken[m.from] = true
		}
	}
	return out
}

// contained is the share of x's code in functions that y has, too; 0 for
// packages so small that a few usual names would decide.
func contained(x, y map[string]int64) float64 {
	var common, total int64
	for f, n := range x {
		total += n
		if _, ok := y[f]; ok {
			common += n
		}
	}
	if total < 2048 || 10*common < 7*total {
		return 0
	}
	return float64(common) / float64(total)
}

// partFrom finds, for packages that only b has and that are no other package
// moved, one that both have and whose functions went there: it shrank, has a
// path that ends alike, and had at least half of the new one's functions or lost
// most of its code, about as much as the new one has.
func partFrom(a, b *side, moved map[string]string) map[string]string {
	byBase := map[string][]string{}
	for p := range a.kinds {
		if b.kinds[p] != nil && p != "" {
			byBase[path.Base(p)] = append(byBase[path.Base(p)], p)
		}
	}
	out := map[string]string{}
	for to := range b.kinds {
		if a.kinds[to] != nil || moved[to] != "" {
			continue
		}
		best := 0.0
		for _, from := range byBase[path.Base(to)] {
			was := map[string]int64{} // what from had and lost
			for f, n := range a.funcs[from] {
				if _, ok := b.funcs[from][f]; !ok {
					was[f] = n
				}
			}
			s := alike(was, b.funcs[to])
			if s < 0.5 && shrankBy(a.kinds[from], b.kinds[from], b.kinds[to]) {
				s = 0.5 // its types were renamed on the way
			}
			if s >= 0.5 && (s > best || s == best && from < out[to]) {
				best, out[to] = s, from
			}
		}
	}
	return out
}

// shrankBy reports whether a package lost most of its code, and a new one has
// about as much.
func shrankBy(old, now, added *[numKinds]int64) bool {
	lost := old[Text] - now[Text]
	return 2*lost > old[Text] && lost > 1024 && added[Text] > lost/3 && added[Text] < 3*lost
}

// alike is the share of code, from 0 to 1, in functions that both have.
func alike(x, y map[string]int64) float64 {
	var common, total int64
	for f, n := range x {
		total += n
		if k, ok := y[f]; ok {
			common += n + k
		}
	}
	for _, n := range y {
		total += n
	}
	if total == 0 {
		return 0
	}
	return float64(common) / float64(total)
}

// commonSuffix is the share of path elements at the end that two paths have in common.
func commonSuffix(x, y string) float64 {
	a, b := strings.Split(x, "/"), strings.Split(y, "/")
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return float64(n) / float64(min(len(a), len(b)))
}
