package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/patch"
)

// ParsePatch reads a patch of a toolchain: a unified diff against GOROOT, with names
// such as src/cmd/link/main.go, or a/src/… and b/src/…. Everything wrong is an error
// of usage, with its place.
func ParsePatch(name string, data []byte) (*patch.Patch, error) {
	p, err := patch.Parse(name, data)
	if err != nil {
		return nil, err
	}
	// What is not below src is no source: binaries, and the version that all of it
	// is known by.
	if err := p.Below("src"); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(p.Files, func(f *patch.File) bool { return source(f.Path) }) {
		return nil, fault.Usagef("", "%s: it changes no file that a build reads: tests alone", name)
	}
	return p, nil
}

// source reports whether a build reads that file of GOROOT, or what is built to run
// in it does.
func source(name string) bool {
	return needed(name) || strings.HasPrefix(name, "src/cmd/") && !unread(name)
}

// buildTools are the tools of a toolchain that go build runs (cmd/go/internal/work).
func buildTools() []string {
	return []string{"asm", "cgo", "compile", "cover", "link", "preprofile"}
}

// Modify makes a toolchain of the release and the patch in dir, which does not exist
// yet: all its files are unpacked and checked, the patch is applied, and each
// program that go build is or runs is built anew if a package of it was changed, by the
// release itself. Its build cache must be that of no other toolchain: the go command
// knows tools by their version, which stays ([Toolchain.DirName] is a name for it). In
// place the release's own build cache is used, whose compiles go by the content of
// their files.
//
// The programs that come out were changed by whoever wrote the patch: nothing but a
// confined build may run them.
func (t *Toolchain) Modify(ctx context.Context, dir string, p *patch.Patch, place *Place) (_ *Goroot, err error) {
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		} else if err != nil {
			err = fmt.Errorf("%s, modified: %w", t.Version, err)
		}
	}()
	if t.Sum == "" {
		return nil, errors.New("no hash to check it against")
	}
	if t.modified != nil {
		return nil, errors.New("it is modified already")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if err := t.unpack(ctx, dir, source); err != nil {
		return nil, err
	}
	m := modification{&fact.Modification{Patch: p.SHA256}}
	g := &Goroot{Dir: dir, Toolchain: &Toolchain{Toolchain: t.Toolchain, zip: t.zip, modified: m.Modification}}
	if err := m.apply(dir, p); err != nil {
		return nil, err
	}
	return g, m.build(ctx, g, place)
}

// Modification says what is different from the release; nil for the release.
func (t *Toolchain) Modification() *fact.Modification { return t.modified }

// modification is one in the making.
type modification struct{ *fact.Modification }

// apply changes the files of a GOROOT. All that does not fit is told.
func (m modification) apply(dir string, p *patch.Patch) error {
	var errs []error
	for _, f := range p.Files {
		if !source(f.Path) {
			m.Left = append(m.Left, f.Path)
			continue
		}
		m.Files = append(m.Files, f.Path)
		errs = append(errs, applyFile(dir, f))
	}
	slices.Sort(m.Files)
	slices.Sort(m.Left)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	// The headers that assembly includes are copies (cmd/dist, install).
	for _, name := range m.Files {
		include := filepath.Join(dir, "pkg", "include", path.Base(name))
		if _, err := os.Stat(include); path.Dir(name) == "src/runtime" && err == nil {
			if err := os.Remove(include); err != nil {
				return err
			}
			if _, _, err := files.Copy(context.Background(), filepath.Join(dir, filepath.FromSlash(name)), include, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func applyFile(dir string, f *patch.File) error {
	name := filepath.Join(dir, filepath.FromSlash(f.Path))
	if f.Created {
		switch _, err := os.Lstat(name); {
		case err == nil:
			return fmt.Errorf("%s: %s: is there already", f.At(), f.Path)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		data, err := f.Apply(nil)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(name), 0o755)
		}
		if err == nil {
			err = files.Write(name, data, 0o644)
		}
		return err
	}
	old, err := files.Read(name, maxSums)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %s: this release has no such file", f.At(), f.Path)
	}
	if err != nil {
		return err
	}
	data, err := f.Apply(old)
	if err != nil {
		return err
	}
	if f.Deleted {
		return os.Remove(name)
	}
	return files.Replace(name, 0o644, func(w *os.File) error {
		_, err := w.Write(data)
		return err
	})
}

// build builds the programs anew that a changed package is part of.
func (m modification) build(ctx context.Context, g *Goroot, place *Place) error {
	exe := ""
	if runtime.GOOS == "windows" {
		exe = ".exe"
	}
	dirs := filepath.Join(g.Dir, "pkg", "tool", runtime.GOOS+"_"+runtime.GOARCH)
	programs := map[string]string{"cmd/go": g.Go()}
	args := []string{"list", "-f={{.ImportPath}} {{join .Deps \" \"}}", "-buildvcs=false", "cmd/go"}
	for _, tool := range buildTools() {
		file := filepath.Join(dirs, tool+exe)
		if _, err := os.Stat(file); err == nil {
			programs["cmd/"+tool] = file
			args = append(args, "cmd/"+tool)
		}
	}
	run := func(write string, args ...string) ([]byte, error) {
		// GOTOOLCHAIN=local and the rest are of the place; cgo would make what comes out
		// depend on this machine.
		res, err := Run(ctx, Command{
			Path: g.Go(), Args: args, Dir: place.Empty,
			Env: place.Env([]string{"CGO_ENABLED=0"}, "off"), Confine: place.Confine(write),
		})
		return res.Stdout, err
	}
	list, err := run(place.Tmp, args...)
	if err != nil {
		return fmt.Errorf("which programs are of it: %w", err)
	}
	changed := map[string]bool{}
	for _, name := range m.Files {
		// The files of a package are in its directory, or below: those it embeds.
		for d := path.Dir(strings.TrimPrefix(name, "src/")); d != "."; d = path.Dir(d) {
			changed[d] = true
			if ext := path.Ext(name); ext == ".go" || ext == ".s" || ext == ".h" {
				break
			}
		}
	}
	for line := range strings.Lines(string(list)) {
		words := strings.Fields(line)
		if len(words) > 0 && programs[words[0]] != "" && slices.ContainsFunc(words, func(w string) bool { return changed[w] }) {
			m.Tools = append(m.Tools, words[0])
		}
	}
	slices.Sort(m.Tools)
	// All are built by the release, so that none of them replaces another meanwhile.
	out := filepath.Join(g.Dir, "pkg", "modified")
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	for _, tool := range m.Tools {
		// The tools of a distribution are trimmed as well (cmd/dist).
		to := filepath.Join(out, path.Base(tool)+exe)
		if _, err := run(out, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o="+to, tool); err != nil {
			return fmt.Errorf("building %s: %w", tool, err)
		}
	}
	for _, tool := range m.Tools {
		to := programs[tool]
		if err := os.Remove(to); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(out, path.Base(tool)+exe), to); err != nil {
			return err
		}
	}
	return files.RemoveTree(out)
}
