// Command imports makes docs/reports/imports.md: it fetches the modules that
// docs/reports/imports.txt lists from the module proxy, imports the release configuration
// that is in each, and writes into a table how many of its keys could be kept, and
// whether check accepts the file.
//
//	go run ./tools/imports -update
//
// Without -update the page is printed. Arguments are files: each is imported as if
// it stood in an empty module, and its line is printed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing/fstest"
	"time"

	"github.com/mintmark/mintmark/internal/importer"
	"github.com/mintmark/mintmark/internal/lint"
	runs "github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/profiles"
)

const (
	listFile = "docs/reports/imports.txt"
	pageFile = "docs/reports/imports.md"
)

func main() {
	update := flag.Bool("update", false, "write "+pageFile)
	only := flag.String("only", "", "only modules whose path contains this")
	check := flag.String("check", ".", "of which modules check is asked, as a regular expression; it fetches what their programs import")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *update, *check, *only, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "imports:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, update bool, check, only string, names []string) error {
	if len(names) > 0 {
		var rows []row
		for _, name := range names {
			r, err := alone(name)
			if err != nil {
				return err
			}
			rows = append(rows, *r)
		}
		_, err := os.Stdout.WriteString(table(rows))
		return err
	}
	list, err := os.ReadFile(listFile)
	if err != nil {
		return fmt.Errorf("%w (run it at the repository's root)", err)
	}
	asked, err := regexp.Compile(check)
	if err != nil {
		return err
	}
	var rows []row
	for line := range strings.Lines(string(list)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" || !strings.Contains(line, only) {
			continue
		}
		r, err := module(ctx, line, asked.MatchString(line))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // the proxy's, or of a configuration that cannot be read: said in its line
			r = &row{name: line, check: err.Error()}
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", line, r.check)
		rows = append(rows, *r)
	}
	page := render(rows)
	if !update {
		_, err := os.Stdout.WriteString(page)
		return err
	}
	return os.WriteFile(pageFile, []byte(page), 0o644)
}

// row is one line of the table.
type row struct {
	name   string // of the module or file
	source string
	result *importer.Result
	check  string
}

// alone imports a file as that of an empty module.
func alone(name string) (*row, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	as := filepath.Base(name)
	if importer.Kind(as) == "" {
		as = ".goreleaser.yaml"
	}
	r, err := importer.Import(importer.Source{Name: as, Tree: fstest.MapFS{as: {Data: data}}, Module: "example.com/module", Sign: "none"})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &row{name: filepath.Base(name), source: as, result: r}, nil
}

// module fetches PATH@VERSION, imports what is in it, and asks check of the module as
// the proxy serves it.
func module(ctx context.Context, pathVersion string, ask bool) (*row, error) {
	path, _, ok := strings.Cut(pathVersion, "@")
	if !ok {
		return nil, fmt.Errorf("want PATH@VERSION")
	}
	work, err := os.MkdirTemp("", "mintmark-imports-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", pathVersion)
	cmd.Dir, cmd.Env = work, append(os.Environ(), "GOWORK=off", "GO111MODULE=on")
	out, err := cmd.Output()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v: %s\n", pathVersion, err, out)
		return nil, errors.New("the module proxy does not serve it")
	}
	var m struct{ Dir, Version string }
	if err := json.Unmarshal(out, &m); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(m.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	tree := root.FS()
	pathVersion = path + "@" + m.Version
	r := &row{name: pathVersion, source: find(tree)}
	if r.source == "" {
		r.check = "no configuration is in its zip"
		return r, nil
	}
	r.result, err = importer.Import(importer.Source{Name: r.source, Tree: tree, Module: path, Remote: importer.ProgramName(path), Sign: "none"})
	if err != nil {
		return nil, err
	}
	if !ask {
		r.check = "not asked"
		return r, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	switch err := checked(ctx, m.Dir, filepath.Join(work, "src"), m.Version, r.result.Text); {
	case ctx.Err() != nil:
		r.check = fmt.Sprintf("not known: it took more than %s", patience)
	case err != nil:
		first, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
		r.check = "no: " + strings.ReplaceAll(first, work+string(filepath.Separator), "")
	default:
		r.check = "accepted"
	}
	return r, nil
}

// patience is how long check may take for one module: it fetches all that the
// programs import.
const patience = 3 * time.Minute

// checked asks check of a repository that holds the module and the file, with a tag
// of the version.
func checked(ctx context.Context, from, dir, version, file string) error {
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		return err
	}
	if err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error { // the module cache is read-only
		if err != nil {
			return err
		}
		return os.Chmod(name, map[bool]fs.FileMode{true: 0o755, false: 0o644}[d.IsDir()])
	}); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "mintmark.yaml"), []byte(file), 0o644); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A", "-f"}, {"commit", "-q", "-m", "imported"}, {"tag", version}} {
		cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "user.name=imports", "-c", "user.email=imports@example.com"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", args[0], err, out)
		}
	}
	cache := os.Getenv("MINTMARK_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		cache = filepath.Join(user, "mintmark")
	}
	_, err := lint.Check(ctx, runs.Config{Cache: cache, Environ: os.Environ(), Dir: dir})
	return err
}

// find is the configuration in a tree; "" for none.
func find(tree fs.FS) string {
	for _, name := range append(profiles.GoReleaserFiles(), ".promu.yml", "Makefile") {
		if fi, err := fs.Stat(tree, name); err == nil && fi.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

func render(rows []row) string {
	return "# Imported configurations\n\nWritten by `go run ./tools/imports -update`: the modules of [imports.txt](imports.txt) as the module proxy serves them, each with the release configuration that is in it. The keys are those that hold a value; of each, `mintmark init` says the line and what became of it ([init.md](../init.md)). `check` is that of a repository with the module and the imported file in one commit; where it says no, that is its first error.\n\n" + table(rows)
}

func table(rows []row) string {
	var b strings.Builder
	b.WriteString("| source | file | keys | kept | so by default | changed | cannot | most of what cannot be kept | check |\n|---|---|---:|---:|---:|---:|---:|---|---|\n")
	for _, r := range rows {
		if r.result == nil {
			fmt.Fprintf(&b, "| %s | | | | | | | | %s |\n", r.name, cell(r.check))
			continue
		}
		fmt.Fprintf(&b, "| %s | `%s` | %d | %d | %d | %d | %d | %s | %s |\n", r.name, r.source, r.result.Total(), r.result.Count(importer.Kept),
			r.result.Count(importer.Default), r.result.Count(importer.Changed), r.result.Count(importer.Cannot), parts(r.result), cell(r.check))
	}
	return b.String()
}

// parts are the keys of the file that most of what cannot be kept is in, with how many.
func parts(r *importer.Result) string {
	counts := r.CountBy(importer.Cannot, func(l importer.Line) string {
		top, _, _ := strings.Cut(l.Key, ".")
		top, _, _ = strings.Cut(top, "[")
		return top
	})
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	const most = 4
	var list []string
	for _, name := range names[:min(most, len(names))] {
		list = append(list, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(list, ", ")
}

// cell keeps a text within its column.
func cell(s string) string {
	s = regexp.MustCompile(`\bhttps?://[^\s:]+`).ReplaceAllString(s, "the module proxy")
	s = strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(s)
	const most = 160
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}
