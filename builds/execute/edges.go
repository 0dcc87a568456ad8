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

// LinkEdges builds a unit with -dumpdep and returns what the linker says, in
// its order: for each symbol the first reference that reached it. The binary is
// not the unit's: its build ID differs.
func (l *Local) LinkEdges(ctx context.Context, u *plan.Unit, p int) ([]LinkEdge, error) {
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
	c.Limit = 1 << 30 // a line for every symbol
	res, err := toolchain.Run(ctx, c)
	if err != nil {
		var exit *toolchain.ExitError
		if errors.As(err, &exit) {
			exit.Output = toolchain.Relative(exit.Output, l.Dir)
			err = toolchain.Explain(exit)
		}
		return nil, fmt.Errorf("%s: %w", u.ID(), err)
	}
	var edges []LinkEdge
	for line := range strings.Lines(string(res.Stderr)) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), " -> ")
		if ok {
			edges = append(edges, LinkEdge{plainSymbol(from), plainSymbol(to)})
		}
	}
	return edges, nil
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
