package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// splitPlan has these numbers of units, of one compile each, of these many programs.
func splitPlan(groups, units, mains int, cgo bool) *Plan {
	p := &Plan{}
	for g := range groups {
		env := []string{fmt.Sprintf("GOARCH=%d", g), "CGO_ENABLED=0"}
		if cgo && g%2 == 0 {
			env[1] = "CGO_ENABLED=1"
		}
		for i := range units {
			u := &Unit{Profile: fmt.Sprintf("p%d", i), Platform: fmt.Sprintf("linux/%d", g), Env: env, Flags: []string{fmt.Sprintf("-ldflags=%d", i)}}
			for range 1 + (i+g)%mains {
				u.Mains = append(u.Mains, fact.Main{})
			}
			p.Units = append(p.Units, u)
		}
	}
	return p
}

// cost is what the builds of a shard are taken to cost.
func cost(units []*Unit) (sum int) {
	compiled := map[string]bool{}
	for _, u := range units {
		compile, link := u.estimate()
		sum += link
		if key := u.CompileKey(); !compiled[key] {
			compiled[key] = true
			sum += compile
		}
	}
	return sum
}

// TestSplit: each unit is in exactly one shard, whoever splits; and no shard waits for
// another longer than compiles that were not worth doing twice, and a unit, take.
func TestSplit(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		p := splitPlan(1+rnd.IntN(30), 1+rnd.IntN(6), 1+rnd.IntN(5), i%2 == 0)
		n := 1 + rnd.IntN(12)
		shards := p.Split(n)
		if len(shards) != n {
			t.Fatalf("%d shards of %d", len(shards), n)
		}
		seen := map[*Unit]int{}
		slack, least, most := 0, cost(shards[0]), 0
		for s, units := range shards {
			for j, u := range units {
				seen[u]++
				if j > 0 && slices.Index(p.Units, u) < slices.Index(p.Units, units[j-1]) {
					t.Errorf("shard %d is not in the order of the plan", s)
				}
			}
			least, most = min(least, cost(units)), max(most, cost(units))
			if again := (Shard{s + 1, n}).Units(p); !slices.Equal(again, units) {
				t.Errorf("shard %d is another one when it is asked for again", s)
			}
		}
		for _, u := range p.Units {
			if seen[u] != 1 {
				t.Errorf("%s is in %d shards", u.ID(), seen[u])
			}
			compile, link := u.estimate()
			slack = max(slack, 2*compile+link)
		}
		if most-least > slack {
			t.Errorf("%d units in %d shards: the loads are between %d and %d, and at most %d apart is balanced", len(p.Units), n, least, most, slack)
		}
	}
}

// TestSplitTogether: what shares its compiles is not spread without need, and what is
// too much for one shard is.
func TestSplitTogether(t *testing.T) {
	for _, tt := range []struct {
		groups, units, n int
		used, compiles   int // shards that have units, and compiles in all of them
	}{
		{5, 3, 5, 5, 5},
		{10, 2, 5, 5, 10},
		{1, 3, 5, 1, 1},
		{1, 100, 5, 5, 5},
		{2, 1, 5, 2, 2}, // more shards than units
		{7, 1, 1, 1, 7},
	} {
		used, compiles := 0, 0
		for _, units := range splitPlan(tt.groups, tt.units, 1, false).Split(tt.n) {
			keys := map[string]bool{}
			for _, u := range units {
				keys[u.CompileKey()] = true
			}
			compiles += len(keys)
			if len(units) > 0 {
				used++
			}
		}
		if used != tt.used || compiles != tt.compiles {
			t.Errorf("%d times %d units in %d shards: %d are used and compile %d times, want %d and %d", tt.groups, tt.units, tt.n, used, compiles, tt.used, tt.compiles)
		}
	}
}

func TestParseShard(t *testing.T) {
	if s, err := ParseShard("2/5"); err != nil || s != (Shard{2, 5}) || s.String() != "2/5" {
		t.Errorf("%v, %v", s, err)
	}
	for _, text := range []string{"", "2", "/", "0/5", "6/5", "-1/5", "+1/5", "01/5", "1/0", "1/1001", "a/b", "1/5/6", " 1/5", "1/99999999999999999999"} {
		if s, err := ParseShard(text); err == nil {
			t.Errorf("%q is %v", text, s)
		}
	}
}
