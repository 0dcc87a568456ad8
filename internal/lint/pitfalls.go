package lint

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/internal/fetch"
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
	// What was generated is in no checkout of anybody.
	if text := slices.DeleteFunc(slices.Clone(embedded), func(name string) bool {
		return !l.Repo.Tracked(name) && l.Generates(name) || !isText(filepath.Join(l.Checkout, filepath.FromSlash(name)))
	}); len(text) > 0 {
		unset, err := l.Repo.WithoutEOL(ctx, text)
		if err != nil {
			return nil, err
		}
		if len(unset) > 0 {
			is, its := "is", "its"
			if len(unset) > 1 {
				is, its = "are", "their"
			}
			warn("%s %s embedded, and .gitattributes says nothing of %s line ends: a checkout with core.autocrlf=true embeds other bytes; add to .gitattributes beside go.mod: %s", fetch.FirstFew(unset), is, its, strings.Join(eolLines(unset), ", "))
		}
	}
	ignored, err := l.ignoredEmbeds(ctx)
	if err != nil {
		return nil, err
	}
	out = append(out, ignored...)

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

// eolLines are lines of a .gitattributes that settle the line ends of these files and
// of none that may be no text: by extension, else by name.
func eolLines(names []string) []string {
	var lines []string
	for _, name := range names {
		pattern := "*" + path.Ext(name)
		if pattern == "*" || strings.TrimSuffix(path.Base(name), path.Ext(name)) == "" {
			pattern = "/" + name
		}
		if strings.ContainsAny(pattern, " \t\"\\") {
			pattern = strconv.Quote(pattern)
		}
		if line := pattern + " text eol=lf"; !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
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
