package execute

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
)

// LinkEdge says that the linker kept a symbol because another refers to it.
type LinkEdge struct{ From, To string }

// LinkEdges are what the linker says of a link, in its order: for each symbol the
// first reference that reached it.
type LinkEdges struct {
	Edges []LinkEdge
	// Marked are the functions that look up methods by reflection, in the order in
	// which they were reached. One that is reached makes the linker keep every
	// exported method of every type that is used as an interface.
	Marked []string
}

// LinkEdges builds a unit with -dumpdep and returns what the linker says. The binary
// is not the unit's: its build ID differs.
func (l *Local) LinkEdges(ctx context.Context, u *plan.Unit, p int) (*LinkEdges, error) {
	if err := os.MkdirAll(l.output(u), 0o755); err != nil {
		return nil, fmt.Errorf("%s: %w", u.ID(), err)
	}
	with := *u
	with.Flags = slices.Clone(u.Flags)
	found := false
	for i, f := range with.Flags {
		if strings.HasPrefix(f, "-ldflags=") {
			with.Flags[i], found = f+" -dumpdep", true
		}
	}
	if !found {
		with.Flags = append(with.Flags, "-ldflags=-dumpdep")
	}
	c := l.command(&with, Pace{P: p})
	c.Limit = maxEdges
	res, err := toolchain.Run(ctx, c)
	if err != nil {
		var exit *toolchain.ExitError
		if errors.As(err, &exit) {
			exit.Output = toolchain.Relative(exit.Output, l.View.Path(l.Dir))
			err = toolchain.Explain(exit)
		}
		return nil, fmt.Errorf("%s: %w", u.ID(), err)
	}
	return parseEdges(string(res.Stderr)), nil
}

// maxEdges bounds what -dumpdep says: a line for every symbol.
const maxEdges = 1 << 30

// parseEdges reads what -dumpdep prints.
func parseEdges(text string) *LinkEdges {
	x := &LinkEdges{}
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), " -> ")
		if !ok {
			continue
		}
		e := LinkEdge{plainSymbol(from), plainSymbol(to)}
		x.Edges = append(x.Edges, e)
		if strings.Contains(to[len(e.To):], " <ReflectMethod>") && !seen[e.To] {
			seen[e.To] = true
			x.Marked = append(x.Marked, e.To)
		}
	}
	return x
}

// plainSymbol drops what the linker adds to a name: <UsedInIface>, <ReflectMethod>.
func plainSymbol(s string) string {
	for {
		i := strings.LastIndex(s, " <")
		if i < 0 || !strings.HasSuffix(s, ">") {
			return s
		}
		s = s[:i]
	}
}
