package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/files"
)

// Imported is a package of a program, as go list resolves it for a platform.
type Imported struct {
	Imports  []string // import paths, sorted; those that cgo adds among them
	Module   string   // path of its module; "" for the standard library
	Own      bool     // it is of the main module
	Standard bool
	dir      string
	files    []string // what the compiler reads, in dir
	sources  map[string][]string
}

// Imports are the packages of a unit and of everything they import, by import path.
func (l *Loader) Imports(ctx context.Context, u *Unit) (map[string]*Imported, error) {
	args := []string{"list", "-deps", "-json=ImportPath,Dir,GoFiles,CgoFiles,Standard,Imports,ImportMap,Module"}
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
	res, err := toolchain.Run(ctx, toolchain.Command{Path: l.Goroot.Go(), Args: args, Dir: l.Dir, Env: l.env(u.Env), Confine: l.confine()})
	if err != nil {
		return nil, toolchain.Explain(err)
	}
	out := map[string]*Imported{}
	dec := json.NewDecoder(bytes.NewReader(res.Stdout))
	for {
		var p struct {
			ImportPath, Dir   string
			GoFiles, CgoFiles []string
			Standard          bool
			Imports           []string
			ImportMap         map[string]string
			Module            *struct {
				Path string
				Main bool
			}
		}
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		x := &Imported{Standard: p.Standard, dir: p.Dir, files: slices.Concat(p.GoFiles, p.CgoFiles), sources: map[string][]string{}}
		if p.Module != nil {
			x.Module, x.Own = p.Module.Path, p.Module.Main
		}
		for _, imp := range p.Imports {
			written := imp
			if to, ok := p.ImportMap[imp]; ok {
				imp = to
			}
			x.Imports = append(x.Imports, imp)
			x.sources[imp] = append(x.sources[imp], written)
			if imp == "C" {
				// cmd/go's load.addImport: what cgo writes imports these.
				for _, needed := range []string{"runtime/cgo", "syscall", "unsafe"} {
					if needed != p.ImportPath {
						x.Imports = append(x.Imports, needed)
						x.sources[needed] = append(x.sources[needed], written)
					}
				}
			}
		}
		slices.Sort(x.Imports)
		x.Imports = slices.Compact(x.Imports)
		out[p.ImportPath] = x
	}
	for _, x := range out {
		// "C" is no package, and for a Go that has no cgo the others are none either.
		x.Imports = slices.DeleteFunc(x.Imports, func(imp string) bool { return out[imp] == nil })
	}
	return out, nil
}

// Sites are where a package of the main module imports another, as FILE:LINE with
// the file relative to the module's directory. A file that cannot be read or parsed
// has none.
func (l *Loader) Sites(p *Imported, imported string) (sites []string) {
	if !p.Own {
		return nil
	}
	for _, name := range p.files {
		full := filepath.Join(p.dir, name)
		data, err := files.Read(full, maxSourceFile)
		if err != nil {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, full, data, parser.ImportsOnly)
		if err != nil {
			continue
		}
		for _, s := range f.Imports {
			imp, err := strconv.Unquote(s.Path.Value)
			if err == nil && slices.Contains(p.sources[imported], imp) {
				sites = append(sites, fmt.Sprintf("%s:%d", l.inModule(full), set.Position(s.Pos()).Line))
			}
		}
	}
	slices.Sort(sites)
	return sites
}

// inModule is a file's path in the module, slash-separated.
func (l *Loader) inModule(file string) string {
	dirs := []string{l.Dir}
	if real, err := filepath.EvalSymlinks(l.Dir); err == nil {
		dirs = append(dirs, real)
	}
	for _, dir := range dirs {
		if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.Base(file)
}

// env is the environment of a go command that loads packages, for a unit's variables.
func (l *Loader) env(unitEnv []string) []string {
	env := append(l.Place.FetchEnv(l.Settings), unitEnv...)
	// The modules' caches are the place's own, whatever the user's settings.
	return append(env, "GOCACHE="+l.Place.GoCache, "GOMODCACHE="+l.Place.ModCache, "GOPATH="+filepath.Join(l.Place.Home, "go"))
}
