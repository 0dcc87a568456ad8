package sizes

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortBy(t *testing.T) {
	t.Parallel()
	type x struct{ a, b, c uint32 }
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		list := make([]x, n)
		for i := range list {
			list[i] = x{rnd.Uint32N(uint32(n)) << 20, rnd.Uint32N(3), uint32(i)}
		}
		want := slices.Clone(list)
		slices.SortStableFunc(want, func(p, q x) int { return cmp.Or(cmp.Compare(p.a, q.a), cmp.Compare(p.b, q.b)) })
		sortBy(list, func(p *x) uint32 { return p.a }, func(p, q x) int { return cmp.Compare(p.b, q.b) })
		if !slices.Equal(list, want) {
			t.Fatalf("%d: %v, want %v", n, list, want)
		}
	}
}
