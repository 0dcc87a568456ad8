package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/run"
)

// TestHeaderCompared: two headers that differ are different, whatever the
// libraries are, and the finding says where.
func TestHeaderCompared(t *testing.T) {
	for _, tt := range []struct {
		name, first, second string
		verdict             fact.Verdict
		evidence            string
	}{
		{"the same", "#line 3 \"main.go\"\n", "#line 3 \"main.go\"\n", fact.Identical, ""},
		{"another line", "#line 3 \"main.go\"\n", "#line 4 \"main.go\"\n", fact.Different, "line 1: "},
		{"a function more", "x\n", "x\nextern int F(void);\n", fact.Different, `line 2: "" in the first, "extern int F(void);" in the second`},
	} {
		dir := t.TempDir()
		paths := []string{filepath.Join(dir, "first.h"), filepath.Join(dir, "second.h")}
		for i, text := range []string{tt.first, tt.second} {
			if err := os.WriteFile(paths[i], []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		u := &plan.Unit{
			Profile: "release", Platform: "linux/amd64", Flags: []string{"-buildmode=c-shared"}, Mains: []fact.Main{{Package: "example.com/p", Binary: "p"}},
		}
		p := &Prepared{Of: &fetch.Planned{
			Copied: &fetch.Copied{Subject: &fetch.Subject{Run: &run.Run{Config: &run.Config{Cache: dir}}, Version: "1.0.0"}}, Plan: &plan.Plan{Project: "p"},
		}}
		c := &compared{outcomes: outcomes{unit: u}}
		pr := &product{header: true, name: "p.h", paths: paths}
		for i, name := range []string{"first", "second"} {
			sum, size, err := files.Digest(t.Context(), paths[i])
			if err != nil {
				t.Fatal(err)
			}
			c.all = append(c.all, &execute.Outcome{By: name, Products: []execute.Product{{Header: true, Path: paths[i], SHA256: sum, Size: size}}})
		}
		if err := p.compareProduct(t.Context(), c, pr, c.all[0].Products[0]); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		a := pr.artifact
		if a.Verdict != tt.verdict || a.Stage != fact.Header || a.Package != "" {
			t.Errorf("%s: %+v", tt.name, a)
		}
		if tt.evidence == "" {
			continue
		}
		if len(a.Findings) != 1 || a.Findings[0].Cause != "unknown" || !strings.Contains(strings.Join(a.Findings[0].Evidence, "\n"), tt.evidence) {
			t.Errorf("%s: findings %+v", tt.name, a.Findings)
		}
		if _, err := os.Stat(filepath.Join(dir, "different", "p-1.0.0", u.Key(), "second", "p.h")); err != nil {
			t.Errorf("%s: the headers are not kept: %v", tt.name, err)
		}
	}
}
