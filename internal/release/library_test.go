package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
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
		p := &pipeline{session: &session{Config: &Config{Cache: dir}, plan: &plan.Plan{Project: "p"}, version: "1.0.0"}}
		u := &unit{Unit: &plan.Unit{
			Profile: "release", Platform: "linux/amd64", Flags: []string{"-buildmode=c-shared"}, Mains: []fact.Main{{Package: "example.com/p", Binary: "p"}},
		}}
		u.builds[0] = []execute.Built{{Path: "p.so", Header: paths[0]}}
		u.builds[1] = []execute.Built{{Path: "p.so", Header: paths[1]}}
		made := u.products()
		if len(made) != 2 || made[0].name != "p.so" || !made[1].header || made[1].name != "p.h" {
			t.Fatalf("%s: made %+v", tt.name, made)
		}
		pr := made[1]
		if err := p.compare(t.Context(), u, pr); err != nil {
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
