package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
)

// OnTwoMachines reports whether every unit was built on two machines, and it is
// recorded.
func OnTwoMachines(list []checksums.UnitIndependence) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(u checksums.UnitIndependence) bool { return u.Independence != fact.TwoMachines })
}

// Systems are those of the hosts of all units whose hosts had different ones, sorted.
func Systems(list []checksums.UnitIndependence) (systems []string) {
	for _, u := range list {
		systems = append(systems, u.Systems...)
	}
	slices.Sort(systems)
	return slices.Compact(systems)
}

// Machines says in one sentence on how many machines units were built, so many times
// each, and on which systems where they differed; "" where it is not recorded.
func Machines(executions int, list []checksums.UnitIndependence) string {
	if len(list) == 0 {
		return ""
	}
	var parts []string
	mixed := 0 // units whose hosts had different systems
	for _, word := range fact.Independences() {
		n := 0
		for _, u := range list {
			if u.Independence == word {
				n++
			}
		}
		switch {
		case n == len(list):
			parts = append(parts, "each unit was built "+word.On(executions))
		case n > 0 && len(parts) == 0:
			parts = append(parts, fmt.Sprintf("%d of %s built %s", n, fact.Count(len(list), "unit"), word.On(executions)))
		case n > 0:
			parts = append(parts, fmt.Sprintf("%d %s", n, word.On(executions)))
		}
	}
	for _, u := range list {
		if len(u.Systems) > 0 {
			mixed++
		}
	}
	text := strings.Join(parts, ", ")
	systems := strings.Join(Systems(list), ", ")
	switch {
	case mixed == len(list):
		text += ", on different systems (" + systems + ")"
	case mixed > 0:
		text += fmt.Sprintf("; %d on different systems (%s)", mixed, systems)
	}
	return text
}

// independence is the table of how far the builds of each unit were apart, where that
// is not the same of all.
func independence(m *checksums.Manifest) (parts []Part) {
	list := m.Rebuild.Independence
	same := func(u checksums.UnitIndependence) bool {
		return u.Independence == list[0].Independence && slices.Equal(u.Systems, list[0].Systems)
	}
	if !slices.ContainsFunc(list, func(u checksums.UnitIndependence) bool { return !same(u) }) {
		return nil
	}
	t := Table{Columns: []Column{{Title: "profile"}, {Title: "platform"}, {Title: "built"}, {Title: "different systems"}}}
	for _, u := range list {
		t.Rows = append(t.Rows, []string{u.Profile, u.Platform, u.Independence.On(m.Rebuild.Executions), strings.Join(u.Systems, ", ")})
	}
	return []Part{{Title: "How far the builds of each unit were apart: " + fact.Count(len(list), "unit"), Tables: []Table{t}}}
}
