package builds

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
)

// Imports are the imports of the packages of a unit and of everything they
// import, by import path, as go list resolves them for the unit's platform.
func (l *Loader) Imports(ctx context.Context, u *Unit) (map[string][]string, error) {
	args := []string{"list", "-deps", "-json=ImportPath,Imports,ImportMap"}
	for _, f := range u.Flags {
		if strings.HasPrefix(f, "-tags=") || strings.HasPrefix(f, "-mod=") {
			args = append(args, f)
		}
	}
	args = append(args, "--")
	for _, m := range u.Mains {
		args = append(args, m.Package)
	}
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	env := append(l.Place.FetchEnv(l.Settings), u.Env...)
	env = append(env, "GOCACHE="+l.Place.GoCache, "GOMODCACHE="+l.Place.ModCache, "GOPATH="+filepath.Join(l.Place.Home, "go"))
	res, err := toolchain.Run(ctx, toolchain.Command{Path: l.Goroot.Go(), Args: args, Dir: l.Dir, Env: env, Confine: l.confine()})
	if err != nil {
		return nil, explainList(err)
	}
	out := map[string][]string{}
	dec := json.NewDecoder(bytes.NewReader(res.Stdout))
	for {
		var p struct {
			ImportPath string
			Imports    []string
			ImportMap  map[string]string
		}
		if err := dec.Decode(&p); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		for i, imp := range p.Imports {
			if to, ok := p.ImportMap[imp]; ok {
				p.Imports[i] = to
			}
		}
		slices.Sort(p.Imports)
		out[p.ImportPath] = p.Imports
	}
}

// LinkEdge says that the linker kept a symbol because another refers to it.
type LinkEdge struct{ From, To string }

// LinkEdges builds a unit with -dumpdep and returns what the linker says, in
// its order: for each symbol the first reference that reached it. The binary is
// not the unit's: its build ID differs.
func (s *Site) LinkEdges(ctx context.Context, u *Unit, p int) ([]LinkEdge, error) {
	if err := os.MkdirAll(s.output(u), 0o755); err != nil {
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
	c := s.command(&with, Pace{P: p})
	c.Limit = 1 << 30 // a line for every symbol
	res, err := toolchain.Run(ctx, c)
	if err != nil {
		var exit *toolchain.ExitError
		if errors.As(err, &exit) {
			exit.Output = shorten(exit.Output, s.Dir)
			err = explainList(exit)
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
