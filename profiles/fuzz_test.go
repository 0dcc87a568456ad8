package profiles

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzLoad: no input makes Load panic; what it reports lies inside the file;
// and every platform of a file that loads can be resolved and expanded.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/load/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "testdata/design.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Load("m.yaml", data)
		var problems []Problem
		if err != nil {
			ps, ok := err.(Problems)
			if !ok || len(ps) == 0 {
				t.Fatalf("%T: %v", err, err)
			}
			if errs, _ := ps.split(); len(errs) == 0 {
				t.Error("nothing but warnings")
			}
			problems = ps
		} else {
			problems = file.Warnings()
		}
		if len(problems) > maxProblems+1 {
			t.Errorf("%d problems", len(problems))
		}
		lines := newSource("", data).lines
		for _, p := range problems {
			if p.Message == "" || p.Pos.File != "m.yaml" || p.Pos.Line < 0 || p.Pos.Line > len(lines)+1 {
				t.Errorf("%+v", p)
			}
			if p.Pos.Line > 0 && p.Pos.Line <= len(lines) && p.Pos.Column > utf8.RuneCountInString(lines[p.Pos.Line-1])+1 {
				t.Errorf("column outside the line: %+v", p)
			}
			if s := p.Format(); strings.ContainsAny(s, "\x1b\x00\r") {
				t.Errorf("control character in %q", s)
			}
		}
		if err != nil {
			return
		}
		for _, p := range file.Profiles {
			for i, pl := range p.Platforms {
				if i > 0 && comparePlatforms(p.Platforms[i-1], pl) >= 0 {
					t.Errorf("%s: platforms are not sorted: %v", p.Name, p.Platforms)
				}
				if p.Pos(pl, "platforms").Line == 0 {
					t.Errorf("%s: %s has no position", p.Name, pl)
				}
				s, err := p.Expand(pl, sample)
				if err != nil {
					continue
				}
				if strings.HasPrefix(s.LinkerFlags(), "'") || strings.HasPrefix(s.LinkerFlags(), `"`) {
					t.Errorf("cmd/go refuses -ldflags=%s", s.LinkerFlags())
				}
				if _, ok := splitQuoted(s.LinkerFlags()); !ok {
					t.Errorf("cmd/go cannot split -ldflags=%s", s.LinkerFlags())
				}
				s.BuildFlags(file.Go)
				p.Explain(pl)
			}
		}
	})
}
