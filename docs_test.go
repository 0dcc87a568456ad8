package main_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The pages name tests as what holds a promise, and link to each other. A test
// that was renamed or is gone, and a link that leads nowhere, hold nothing.
func TestPagesNameWhatIsThere(t *testing.T) {
	pages := []string{"README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d pages, %v", pattern, len(found), err)
		}
		pages = append(pages, found...)
	}
	tests := declaredTests(t)
	name := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w*`)
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	named, linked := 0, 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range name.FindAllString(string(text), -1) {
			if named++; !tests[n] {
				t.Errorf("%s names %s, and there is no such test", page, n)
			}
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			linked++
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
	if named == 0 || linked == 0 {
		t.Errorf("%d names of tests and %d links found: the patterns are wrong", named, linked)
	}
}

// TestMerged: what git writes where two changes meet is in no page and no source.
func TestMerged(t *testing.T) {
	read := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() || d.Name() == ".git" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		read++
		for n, line := range bytes.Split(text, []byte("\n")) {
			for _, mark := range []string{"<<<<<<" + "< ", ">>>>>>" + "> "} {
				if bytes.HasPrefix(line, []byte(mark)) {
					t.Errorf("%s:%d: %s", name, n+1, line)
				}
			}
		}
		return nil
	})
	if err != nil || read < 100 {
		t.Errorf("%d files: %v", read, err)
	}
}

// TestRoomsAreOnTheMap: docs/ARCHITECTURE.md lists every package of this module,
// and no other. The first word of a line that is indented by nothing and ends in a
// slash is one; a further one may be behind it.
func TestRoomsAreOnTheMap(t *testing.T) {
	text, err := os.ReadFile("docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = bytes.Cut(text, []byte("## Rooms"))
	text, _, _ = bytes.Cut(text, []byte("## What may import what"))
	there, named := map[string]bool{}, map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)(?:^|; )([a-z0-9]+(?:/[a-z0-9]+)*)/ `).FindAllSubmatch(text, -1) {
		named[string(m[1])] = true
	}
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || path != "." && d.Name()[0] == '.'):
			return fs.SkipDir
		case !d.IsDir() && filepath.Ext(path) == ".go" && filepath.Dir(path) != ".":
			there[filepath.ToSlash(filepath.Dir(path))] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range there {
		if !named[room] {
			t.Errorf("docs/ARCHITECTURE.md does not say what %s/ is", room)
		}
	}
	for room := range named {
		if !there[room] {
			t.Errorf("docs/ARCHITECTURE.md says what %s/ is, and it is not there", room)
		}
	}
}

// declaredTests are the names of all tests in this module.
func declaredTests(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			tests[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}
