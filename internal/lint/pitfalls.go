package lint

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/internal/files"
)

// pitfalls finds what does not keep mintmark from building, but makes other
// builds of the same commit differ, or leaves out what the maintainer may think
// is in the release. Each warning names what to do.
func (l *Linted) pitfalls(ctx context.Context) ([]string, error) {
	if l.Repo == nil {
		return nil, nil // a module from the proxy has no surroundings
	}
	var out []string
	warn := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }

	for dir := l.Dir; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			warn("%s: mintmark builds without it (GOWORK=off), plain go build with it: other module versions and godebug settings; GOWORK=off go build gives what mintmark builds", filepath.Join(dir, "go.work"))
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}

	if fi, err := os.Lstat(filepath.Join(l.Repo.Root(), ".git")); err == nil && fi.Mode().IsRegular() {
		warn("%s: a worktree or submodule: plain go build stamps no version here, and says nothing; mintmark builds in a clone of its own and does", l.Repo.Root())
	}

	if rel, err := filepath.Rel(l.Repo.Root(), l.Out); err == nil && filepath.IsLocal(rel) {
		ok, err := l.Repo.IsIgnored(ctx, filepath.ToSlash(rel)+"/x")
		if err != nil {
			return nil, err
		}
		if !ok {
			warn("%s lies in the tree and git does not ignore it: plain go build stamps +dirty after a release; add /%s/ to .gitignore", l.Out, filepath.ToSlash(rel))
		}
	}

	embedded := l.Planner.Embedded()
	if text := slices.DeleteFunc(embedded, func(name string) bool { return !isText(filepath.Join(l.Checkout, filepath.FromSlash(name))) }); len(text) > 0 {
		unset, err := l.Repo.WithoutEOL(ctx, text)
		if err != nil {
			return nil, err
		}
		if len(unset) > 0 {
			warn("%s is embedded, and .gitattributes says nothing of its line ends: a checkout with core.autocrlf=true embeds other bytes; add a line such as *%s text eol=lf", firstFew(unset), filepath.Ext(unset[0]))
		}
	}

	if l.Plan != nil {
		risks, err := l.cRisks(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range risks {
			warn("%s", r)
		}
	}

	name, data := l.goreleaserFile()
	for _, trap := range recovery.GoReleaserTraps(data) {
		warn("%s:%s", name, trap)
	}
	for _, dir := range []string{".", "magefiles"} {
		if _, err := os.Stat(filepath.Join(l.Dir, dir, "mage_output_file.go")); err == nil {
			warn("%s is mage's (mage -keep): it makes plain go build stamp +dirty; remove it", filepath.Join(dir, "mage_output_file.go"))
		}
	}
	return out, nil
}

// cRisks are what of the C code of all units makes builds differ, each once.
func (l *Linted) cRisks(ctx context.Context) ([]plan.CRisk, error) {
	var out []plan.CRisk
	for _, u := range l.Plan.Units {
		risks, err := l.Planner.CRisks(ctx, u)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", u.ID(), err)
		}
		for _, r := range risks {
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// firstFew names the first of several files.
func firstFew(names []string) string {
	const show = 3
	if len(names) <= show {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:show], ", "), len(names)-show)
}

// isText looks for a zero byte at the beginning, as git does.
func isText(name string) bool {
	f, err := files.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	buf := make([]byte, 8000)
	n, _ := f.Read(buf)
	return n > 0 && !slices.Contains(buf[:n], 0) && slices.Contains(buf[:n], '\n')
}
