package recovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/sizes"
)

// Directories are those that a program without -trimpath was built in, by the names of
// the source files in its function table. "" is one that it does not name: of a program
// without dependencies, the module cache.
type Directories struct {
	Source   string `json:"source,omitempty"` // of the main module
	Goroot   string `json:"goroot,omitempty"`
	ModCache string `json:"modcache,omitempty"`
	// Elsewhere is why it was not built in these directories here; "" if it was.
	Elsewhere string `json:"elsewhere,omitempty"`
}

// String names them for people, without the reason.
func (d *Directories) String() string {
	var parts []string
	for _, p := range []struct{ what, dir string }{{"source", d.Source}, {"GOROOT", d.Goroot}, {"module cache", d.ModCache}} {
		if p.dir != "" {
			parts = append(parts, p.what+" "+p.dir)
		}
	}
	return strings.Join(parts, ", ")
}

// elsewhere has the builds of a program without -trimpath see the directories that it
// was built in. What keeps them from that is said in [Result.Directories]; an error is
// about this machine.
func (b *subject) elsewhere(ctx context.Context, r *recipe, src *tree, installed bool) error {
	d, err := readDirectories(b.bin, r.claim, src.dir)
	b.Directories = d
	if err != nil {
		d.Elsewhere = oneLine(err.Error())
		return nil
	}
	v, err := d.view(r.at.Goroot.Dir, r.at.Place.ModCache, src, installed)
	if err != nil || len(v.Mounts) == 0 {
		if err != nil {
			d.Elsewhere = oneLine(err.Error())
		}
		return nil
	}
	if v.Mounter, err = b.mounter(ctx, r.at.Goroot); err != nil {
		return err
	}
	r.at.View = v
	if err := r.at.Sees(ctx); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.at.View = nil
		d.Elsewhere = oneLine(err.Error())
		if none, ok := errors.AsType[*confine.ViewError](err); ok {
			d.Elsewhere = none.Reason
		}
	}
	return nil
}

// mounter compiles the program that shows a build its directories.
func (e *engine) mounter(ctx context.Context, g *toolchain.Goroot) (string, error) {
	return share(e, "mounter "+g.Dir, func(dir string) (string, error) {
		return g.Compile(ctx, e.Place, dir, "mounter", confine.MounterSource)
	})
}

// view is how the directories come to be where the program says. Of a program that was
// installed as PATH@VERSION the source is in the module cache.
func (d *Directories) view(goroot, modCache string, src *tree, installed bool) (*confine.View, error) {
	v := &confine.View{}
	see := func(from, at string, foreign bool) {
		if at != "" && at != from {
			v.Mounts = append(v.Mounts, confine.Mount{From: from, At: at, Foreign: foreign})
		}
	}
	see(goroot, d.Goroot, false)
	see(modCache, d.ModCache, true)
	if !installed && d.Source != "" {
		at := d.Source
		rel, err := filepath.Rel(src.root, src.dir)
		if err != nil {
			return nil, err
		}
		if rel = filepath.ToSlash(rel); rel != "." {
			var ok bool
			if at, ok = strings.CutSuffix(at, "/"+rel); !ok {
				return nil, fmt.Errorf("the module is in %s of its source, and was built in %.80q", rel, d.Source)
			}
		}
		see(src.root, at, true)
	}
	for _, m := range v.Mounts {
		if !strings.HasPrefix(m.At, "/") {
			return nil, fmt.Errorf("%.80q is a path of Windows, and directories are shown at other paths on Linux only", m.At)
		}
	}
	return v, nil
}

// readDirectories finds the directories in the names of source files. dir has the
// module's source.
func readDirectories(f *gobin.File, c *Claim, dir string) (*Directories, error) {
	d := &Directories{}
	tab, err := f.PCLNTab()
	var names []string
	if err == nil {
		names, err = tab.Files()
	}
	if err != nil {
		return d, fmt.Errorf("the names of its source files could not be read: %w", err)
	}
	for i, name := range names {
		names[i] = strings.ReplaceAll(name, `\`, "/")
	}
	d.Goroot, d.ModCache = gobin.FindGoroot(names), gobin.FindModCache(names, f.BuildInfo)
	if d.Source, err = sourceDir(f, c, dir); err == nil && d.Source == "" && d.Goroot == "" {
		err = errors.New("it names no directory")
	}
	return d, err
}

// sourceDir is the directory of the main module, as most functions of its packages say.
func sourceDir(f *gobin.File, c *Claim, dir string) (string, error) {
	t, err := f.Functions()
	if err != nil {
		return "", err
	}
	main, known := c.MainDir()
	main = strings.TrimSuffix(strings.TrimPrefix(main, "./"), "/")
	votes, named := map[string]int{}, map[string]int{}
	for i := range t.Len() {
		fn, err := t.Func(i)
		if err != nil {
			return "", err
		}
		pkg := sizes.PackageOf(string(fn.Name))
		below, ours := strings.CutPrefix(pkg, c.Module)
		if pkg != "main" && (!ours || below != "" && below[0] != '/') {
			continue
		}
		file := strings.ReplaceAll(t.File(fn), `\`, "/")
		if !gobin.Absolute(file) {
			continue // made by cgo, or by a //line
		}
		switch at := path.Dir(file); {
		case pkg == "main" && !known:
			named[file]++
		case pkg == "main":
			vote(votes, at, main)
		default:
			vote(votes, at, strings.TrimPrefix(below, "/"))
		}
	}
	if len(votes) == 0 {
		// The files of a program that was built from named ones may be anywhere in it.
		for file, n := range named {
			parts := strings.Split(file, "/")
			for k := 1; k < len(parts); k++ { // the longest way that is there
				fi, err := os.Lstat(filepath.Join(dir, filepath.Join(parts[k:]...)))
				if err == nil && fi.Mode().IsRegular() {
					votes[strings.Join(parts[:k], "/")] += n
					break
				}
			}
		}
	}
	best := ""
	for at, n := range votes {
		if best == "" || cmp.Or(cmp.Compare(n, votes[best]), strings.Compare(best, at)) > 0 {
			best = at
		}
	}
	return best, nil
}

// vote counts for the directory of a module one of whose packages, in rel of it, is at.
func vote(votes map[string]int, at, rel string) {
	if rel != "" {
		var ok bool
		if at, ok = strings.CutSuffix(at, "/"+rel); !ok {
			return
		}
	}
	votes[at]++
}
