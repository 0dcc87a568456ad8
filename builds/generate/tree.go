package generate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// node is what a tree has under a name.
type node struct {
	mode fs.FileMode
	size int64
	time time.Time
	sum  string // of a regular file
	link string // of a symbolic link
}

// tree is all that is below a directory, directories left out, by slash-separated path.
type tree map[string]node

func (t tree) names() []string { return slices.Sorted(maps.Keys(t)) }

// scan reads a tree with the digests of its files.
func scan(ctx context.Context, dir string) (tree, error) {
	t, err := look(ctx, dir)
	if err != nil {
		return nil, err
	}
	for name, n := range t {
		if n.mode.IsRegular() {
			if n.sum, _, err = files.Digest(ctx, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				return nil, err
			}
			t[name] = n
		}
	}
	return t, nil
}

// look reads a tree without looking into files. No link is followed.
func look(ctx context.Context, dir string) (tree, error) {
	t := tree{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		n := node{mode: fi.Mode(), size: fi.Size(), time: fi.ModTime()}
		if fi.Mode()&fs.ModeSymlink != 0 {
			if n.link, err = os.Readlink(name); err != nil {
				return err
			}
		}
		t[filepath.ToSlash(rel)] = n
		return nil
	})
	return t, err
}

// copyTree copies a source to a new directory, all but what is git's. All files get
// one time, so that none is newer for a command than another.
func copyTree(ctx context.Context, from, to string, when time.Time) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case rel == ".git" && d.IsDir():
			return fs.SkipDir
		case rel == ".git":
			return nil
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(name)
			if err == nil {
				err = os.Symlink(link, target)
			}
			return err
		case !d.Type().IsRegular():
			return &files.NotRegularError{Path: name, Mode: d.Type()}
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		if _, _, err := files.Copy(ctx, name, target, modeOf(fi.Mode())); err != nil {
			return err
		}
		return os.Chtimes(target, when, when)
	})
	return err
}

// modeOf is one of the two modes that files have in a commit.
func modeOf(mode fs.FileMode) fs.FileMode {
	if mode&0o100 != 0 {
		return 0o755
	}
	return 0o644
}

func clean(glob string) string { return path.Clean(glob) }

// output reports whether a path in the module is one that a command declares.
func output(c plan.Generate, name string) bool {
	return slices.ContainsFunc(c.Outputs, func(glob string) bool { return files.Match(clean(glob), name) })
}

// age makes the files of the commit that a command is to make older than what they
// are made of: what it writes anew can then be told from what it leaves as it is.
func (r *run) age(c plan.Generate) error {
	t, err := look(context.Background(), r.made.Dir)
	if err != nil {
		return err
	}
	before := r.src.Time.Add(-time.Second)
	for name, n := range t {
		if _, made := r.by[name]; n.mode.IsRegular() && !made && output(c, name) {
			if err := os.Chtimes(filepath.Join(r.made.Dir, filepath.FromSlash(name)), before, before); err != nil {
				return err
			}
		}
	}
	return nil
}

// take finds out what a command did to the tree, and takes what it was to make.
func (r *run) take(ctx context.Context, n int, c plan.Generate, before tree) error {
	after, err := look(ctx, r.Work)
	if err != nil {
		return err
	}
	t := &taken{run: r, n: n, c: c, matched: make([]bool, len(c.Outputs))}
	for _, name := range after.names() {
		old, was := before[name]
		if err := t.file(ctx, name, old, was, after[name]); err != nil {
			return err
		}
	}
	for _, name := range before.names() {
		in, inside := r.inModule(name)
		if _, there := after[name]; !there && !(inside && output(c, in)) {
			t.strays = append(t.strays, name+" (removed)")
		}
	}
	return t.err()
}

// inModule is a path in the copy as one in the module's directory.
func (r *run) inModule(name string) (rel string, ok bool) {
	if r.Module == "" {
		return name, true
	}
	return strings.CutPrefix(name, r.Module+"/")
}

// taken is what came of one command.
type taken struct {
	*run
	n       int
	c       plan.Generate
	matched []bool   // outputs that came
	strays  []string // what is no output, and was written all the same
	errs    []error
}

// file looks at one file of the copy after the command, and before it if it was there.
func (t *taken) file(ctx context.Context, name string, old node, was bool, now node) error {
	rel, inside := t.inModule(name)
	declared := inside && output(t.c, rel)
	if declared {
		for i, glob := range t.c.Outputs {
			t.matched[i] = t.matched[i] || files.Match(clean(glob), rel)
		}
	}
	file := filepath.Join(t.Work, filepath.FromSlash(name))
	touched := !was || old.mode != now.mode || old.size != now.size || old.link != now.link || declared && !old.time.Equal(now.time)
	if declared && touched && now.mode.IsRegular() {
		if t.bytes += now.size; t.bytes > MaxBytes || len(t.by) >= MaxFiles {
			return fault.Errorf("narrow outputs to what is compiled or published", "it makes more than %d bytes or %d files", MaxBytes, MaxFiles)
		}
	}
	if !touched || declared && now.mode.IsRegular() {
		if !now.mode.IsRegular() {
			return nil // a link that stayed
		}
		sum, size, err := files.Digest(ctx, file)
		if err != nil {
			return err
		}
		if !touched && sum == old.sum {
			return nil
		}
		if declared {
			t.made1(rel, fact.GeneratedFile{Name: rel, Size: size, SHA256: sum, Mode: fmt.Sprintf("%04o", modeOf(now.mode)), Command: t.n})
			return nil
		}
	}
	switch {
	case declared:
		t.errs = append(t.errs, fault.Errorf("have the command write files: what leads elsewhere is not the same everywhere", "%s is %s, and outputs are regular files", rel, files.Kind(now.mode)))
	case was:
		t.strays = append(t.strays, name+" (changed)")
	default:
		t.strays = append(t.strays, name)
	}
	return nil
}

// made1 takes one file that the command has made.
func (t *taken) made1(name string, f fact.GeneratedFile) {
	if before, ok := t.by[name]; ok {
		t.errs = append(t.errs, fault.Errorf("let one command make it", "%s is made by command %d and by command %d", name, before.Command, f.Command))
		return
	}
	if why := fact.NeverGenerated(name); why != "" {
		t.errs = append(t.errs, fault.Errorf("narrow outputs, and have the command leave it", "%s cannot be generated: %s", name, why))
		return
	}
	t.by[name] = f
}

const shown = 12 // names in one error

// err is everything that is wrong with what came.
func (t *taken) err() error {
	if n := len(t.strays); n > 0 {
		names, more := t.strays, ""
		if n > shown {
			names, more = names[:shown], fmt.Sprintf("\n… and %d more", n-shown)
		}
		t.errs = append(t.errs, fault.Errorf("declare them under outputs, or have the command write what is only its own into $TMPDIR or $HOME",
			"it wrote outside of its outputs:\n%s%s", strings.Join(names, "\n"), more))
	}
	for i, ok := range t.matched {
		if !ok {
			t.errs = append(t.errs, fault.Errorf("outputs are relative to the module's directory, in which the command runs", "the output %s did not come", t.c.Outputs[i]))
		}
	}
	return errors.Join(t.errs...)
}
