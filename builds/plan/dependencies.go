package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// Use is what a module that go.mod requires is needed for, the first that is so of this order.
type Use string

// Uses of a module.
const (
	UseLinked Use = "linked" // a planned program has packages of it
	UseTests  Use = "tests"  // tests of the module's packages import it, of what is linked none
	UseTools  Use = "tools"  // a tool of go.mod is of it or imports it
	UseNone   Use = "none"   // none of these: other platforms or tags need it, or nobody
)

// Dependency is a module that go.mod requires.
type Dependency struct {
	Path       string   `json:"path"`
	Version    string   `json:"version"`
	Indirect   bool     `json:"indirect,omitempty"` // no package of the main module imports it
	Replaced   string   `json:"replaced,omitempty"` // by this: PATH@VERSION, or a directory
	Use        Use      `json:"use"`
	Packages   int      `json:"packages"`             // that are linked, of any unit
	Majors     []string `json:"majors,omitempty"`     // other major versions of it that a unit has beside it
	License    string   `json:"license"`              // as SPDX has it, or LicenseUnknown
	Retracted  []string `json:"retracted,omitempty"`  // why its author has taken this version back
	Deprecated string   `json:"deprecated,omitempty"` // what its author says in its place
}

// Dependencies are the modules of a source, and what is to be said of its go.mod and
// its vendor directory.
type Dependencies struct {
	Modules []Dependency `json:"modules"`
	// Tidy is what go mod tidy would change, as a diff; "" is nothing, unless NotChecked
	// says that it was not asked.
	Tidy   string  `json:"tidy,omitempty"`
	Vendor *Vendor `json:"vendor,omitempty"` // nil without a vendor directory
	// NotChecked says what could not be checked, and why.
	NotChecked []string `json:"not_checked,omitempty"`
}

// Vendor is what is to be said of a vendor directory.
type Vendor struct {
	Packages int            `json:"packages"`
	Bytes    int64          `json:"bytes"`          // of all files of the packages
	Idle     []IdlePackage  `json:"idle,omitempty"` // packages that no unit links, the largest first; tests may need them
	Differs  []VendorDiffer `json:"differs,omitempty"`
}

// IdleBytes are those of all idle packages.
func (v *Vendor) IdleBytes() (n int64) {
	for _, p := range v.Idle {
		n += p.Bytes
	}
	return n
}

// IdlePackage is a vendored package that is in no program.
type IdlePackage struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// VendorDiffer is a file that go mod vendor would write otherwise: "changed", "missing"
// or "extra".
type VendorDiffer struct {
	File string `json:"file"`
	How  string `json:"how"`
}

// Dependencies looks at the modules of the checkout with the network: what the planned
// units have of them, whether go.mod and the vendor directory are what the go command
// makes of the sources, and what their authors say of them today.
func (l *Loader) Dependencies(ctx context.Context, units []*Unit) (*Dependencies, error) {
	if l.Kind == fact.SourceModule {
		return nil, errors.New("the source is a module of the module proxy, whose go.mod is as it is")
	}
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	data, err := files.Read(filepath.Join(l.Dir, "go.mod"), maxSourceFile)
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, err
	}
	d := &Dependencies{}
	linked := map[string]map[string]bool{} // module → packages
	majors := map[string]map[string]bool{}
	for _, u := range units {
		graph, err := l.Imports(ctx, u)
		if err != nil {
			return nil, err
		}
		here := map[string]bool{}
		for p, x := range graph {
			if x.Module == "" || x.Own {
				continue
			}
			here[x.Module] = true
			add(linked, x.Module, p)
		}
		for m := range here {
			for other := range here {
				if m != other && sameModule(m, other) {
					add(majors, m, other)
				}
			}
		}
	}
	var tests, tools map[string]bool
	if tests, err = l.modulesOf(ctx, units[0], "-test", "./..."); err != nil {
		d.fail(ctx, "which modules tests need", err)
	}
	if len(mod.Tool) > 0 {
		if tools, err = l.modulesOf(ctx, units[0], "tool"); err != nil {
			d.fail(ctx, "which modules tools need", err)
		}
	}
	states, err := l.moduleStates(ctx, mod)
	if err != nil {
		d.fail(ctx, "whether a version is retracted", err)
	}
	vendored := exists(filepath.Join(l.Dir, "vendor", "modules.txt"))
	for _, r := range mod.Require {
		x := Dependency{Path: r.Mod.Path, Version: r.Mod.Version, Indirect: r.Indirect, Use: UseNone, Packages: len(linked[r.Mod.Path]), License: LicenseUnknown}
		switch {
		case x.Packages > 0:
			x.Use = UseLinked
		case tests[x.Path]:
			x.Use = UseTests
		case tools[x.Path]:
			x.Use = UseTools
		}
		for _, by := range mod.Replace {
			if by.Old.Path == x.Path && (by.Old.Version == "" || by.Old.Version == x.Version) {
				x.Replaced = strings.TrimSuffix(by.New.String(), "@")
			}
		}
		x.Majors = slices.Sorted(maps.Keys(majors[x.Path]))
		s := states[x.Path]
		x.Retracted, x.Deprecated = s.Retracted, s.Deprecated
		for _, e := range []string{s.err()} {
			if e != "" {
				d.NotChecked = append(d.NotChecked, "whether "+x.Path+" is retracted: "+l.shorten(e))
			}
		}
		dir := s.Dir
		if vendored {
			dir = filepath.Join(l.Dir, "vendor", filepath.FromSlash(x.Path))
		}
		if dir != "" {
			x.License = licenseOf(dir)
		}
		d.Modules = append(d.Modules, x)
	}
	slices.SortFunc(d.Modules, func(a, b Dependency) int { return strings.Compare(a.Path, b.Path) })
	if d.Tidy, err = l.tidyDiff(ctx); err != nil {
		d.fail(ctx, "go mod tidy -diff", err)
	}
	if vendored {
		if err := l.vendor(ctx, d, linked); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return d, nil
}

// fail notes what could not be checked.
func (d *Dependencies) fail(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
		if exit, ok := errors.AsType[*toolchain.ExitError](err); ok {
			if out := strings.TrimSpace(exit.Output); out != "" {
				line, _, _ = strings.Cut(out, "\n")
			}
		}
		d.NotChecked = append(d.NotChecked, what+": "+line)
	}
}

func add(m map[string]map[string]bool, key, value string) {
	if m[key] == nil {
		m[key] = map[string]bool{}
	}
	m[key][value] = true
}

// sameModule reports whether two paths are of one module but for the major version.
func sameModule(a, b string) bool {
	p, _, ok := module.SplitPathVersion(a)
	q, _, also := module.SplitPathVersion(b)
	return ok && also && p == q
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// run is the go command in the checkout, as the fetch phase runs it.
func (l *Loader) run(ctx context.Context, unitEnv []string, args ...string) (toolchain.Result, error) {
	return toolchain.Run(ctx, toolchain.Command{Path: l.Goroot.Go(), Args: args, Dir: l.Dir, Env: l.env(unitEnv), Confine: l.confine()})
}

// modulesOf are the modules of the packages that go list -deps gives for these patterns.
func (l *Loader) modulesOf(ctx context.Context, u *Unit, patterns ...string) (map[string]bool, error) {
	args := []string{"list", "-e", "-deps", "-json=Module"}
	for _, f := range u.Flags {
		if strings.HasPrefix(f, "-tags=") || strings.HasPrefix(f, "-mod=") {
			args = append(args, f)
		}
	}
	res, err := l.run(ctx, u.Env, append(args, patterns...)...)
	if err != nil {
		return nil, err
	}
	set := map[string]bool{}
	dec := json.NewDecoder(bytes.NewReader(res.Stdout))
	for {
		var p struct{ Module *struct{ Path string } }
		if err := dec.Decode(&p); err == io.EOF {
			return set, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if p.Module != nil {
			set[p.Module.Path] = true
		}
	}
}

// moduleState is what go list -m says of a module.
type moduleState struct {
	Path, Dir, Deprecated string
	Retracted             []string
	Error                 *struct{ Err string }
}

func (s moduleState) err() string {
	if s.Error == nil {
		return ""
	}
	return s.Error.Err
}

// moduleStates asks the proxy about all required modules.
func (l *Loader) moduleStates(ctx context.Context, mod *modfile.File) (map[string]moduleState, error) {
	args := []string{"list", "-m", "-e", "-u", "-retracted", "-mod=readonly", "-json=Path,Dir,Deprecated,Retracted,Error"}
	if len(mod.Require) == 0 {
		return nil, nil
	}
	for _, r := range mod.Require {
		args = append(args, r.Mod.Path)
	}
	res, err := l.run(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	states := map[string]moduleState{}
	dec := json.NewDecoder(bytes.NewReader(res.Stdout))
	for {
		var s moduleState
		if err := dec.Decode(&s); err == io.EOF {
			return states, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list -m: %w", err)
		}
		states[s.Path] = s
	}
}

// tidyDiff is what go mod tidy would change in go.mod and go.sum.
func (l *Loader) tidyDiff(ctx context.Context) (string, error) {
	if v := l.Goroot.Toolchain.Version; version.Compare(v, "go1.23") < 0 {
		return "", fmt.Errorf("%s has no -diff, which came with go1.23", v)
	}
	res, err := l.run(ctx, nil, "mod", "tidy", "-diff")
	// With a difference it prints that and fails, and says nothing else.
	if diff := string(res.Stdout); err != nil && strings.HasPrefix(diff, "diff ") {
		return l.shorten(diff), nil
	}
	return "", err
}

// vendor compares the vendor directory with what go mod vendor makes, and adds up what
// of it no unit links.
func (l *Loader) vendor(ctx context.Context, d *Dependencies, linked map[string]map[string]bool) error {
	dir := filepath.Join(l.Dir, "vendor")
	data, err := files.Read(filepath.Join(dir, "modules.txt"), maxSourceFile)
	if err != nil {
		return err
	}
	in := map[string]bool{}
	for _, packages := range linked {
		for p := range packages {
			in[p] = true
		}
	}
	v := &Vendor{}
	d.Vendor = v
	for line := range strings.Lines(string(data)) {
		p := strings.TrimSpace(line)
		if p == "" || strings.HasPrefix(p, "#") || module.CheckImportPath(p) != nil {
			continue
		}
		n, err := filesIn(filepath.Join(dir, filepath.FromSlash(p)))
		if err != nil {
			return err
		}
		v.Packages++
		v.Bytes += n
		if !in[p] {
			v.Idle = append(v.Idle, IdlePackage{p, n})
		}
	}
	slices.SortStableFunc(v.Idle, func(a, b IdlePackage) int { return int(b.Bytes - a.Bytes) })
	fresh, err := os.MkdirTemp(l.Place.Tmp, "vendor-")
	if err != nil {
		return err
	}
	defer files.RemoveTree(fresh)
	if _, err := l.run(ctx, nil, "mod", "vendor", "-e", "-o", filepath.Join(fresh, "vendor")); err != nil {
		d.fail(ctx, "whether vendor is what go mod vendor makes", err)
		return nil
	}
	have, err := digests(ctx, dir)
	if err != nil {
		return err
	}
	want, err := digests(ctx, filepath.Join(fresh, "vendor"))
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if sum, ok := have[name]; !ok {
			v.Differs = append(v.Differs, VendorDiffer{"vendor/" + name, "missing"})
		} else if sum != want[name] {
			v.Differs = append(v.Differs, VendorDiffer{"vendor/" + name, "changed"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[name]; !ok {
			v.Differs = append(v.Differs, VendorDiffer{"vendor/" + name, "extra"})
		}
	}
	return nil
}

// filesIn are the bytes of the files in a directory, not below it.
func filesIn(dir string) (n int64, err error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // it is reported as missing
	}
	for _, e := range list {
		if fi, err := e.Info(); err == nil && fi.Mode().IsRegular() {
			n += fi.Size()
		}
	}
	return n, err
}

// digests are those of all files below a directory, by slash-separated path; none if
// there is no such directory.
func digests(ctx context.Context, dir string) (map[string]string, error) {
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == dir {
			return nil
		}
		if err != nil || e.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		sum := "no regular file"
		if e.Type().IsRegular() {
			if sum, _, err = files.Digest(ctx, name); err != nil {
				return err
			}
		}
		all[filepath.ToSlash(rel)] = sum
		return nil
	})
	return all, err
}
