package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
		return nil, toolchain.Explain(err)
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
