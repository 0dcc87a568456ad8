package release

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/remember"
)

// damagedCache is a build cache with one output, of the action whose ID is the
// hash of name, and with another content than its name says.
func damagedCache(t *testing.T, name string) (dir string, action actions.ID) {
	t.Helper()
	dir = t.TempDir()
	action, output := actions.ID(sha256.Sum256([]byte(name))), actions.ID(sha256.Sum256([]byte("content")))
	for file, text := range map[string]string{
		action.String() + "-a": fmt.Sprintf("v1 %s %s %20d %20d\n", action, output, 7, 1),
		output.String() + "-d": "damaged",
	} {
		file = filepath.Join(dir, file[:2], file)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, action
}

// TestDamageReturns: a cache that is damaged again after it was mended is no
// matter of the source or the compiler, and says so.
func TestDamageReturns(t *testing.T) {
	cache, action := damagedCache(t, "a")
	known := &remember.Store{Dir: t.TempDir(), Secret: []byte("0123456789abcdef")}
	p := &pipeline{session: &session{Config: &Config{}, known: known}}
	site := &execute.Site{Name: "first", Place: &toolchain.Place{GoCache: cache}, Out: t.TempDir()}
	u := &plan.Unit{Profile: "release", Platform: "linux/amd64"}
	found, err := actions.FindDamage(t.Context(), cache, nil)
	if err != nil || len(found) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	if p.touches(site, []string{action.Short()}) {
		t.Error("known before it was found")
	}
	line, err := p.drop(u, site, found, nil)
	if err != nil || !strings.Contains(line, "the build cache of the first place was damaged") {
		t.Fatalf("%q, %v", line, err)
	}
	// Mended: what comes next is what it is.
	broken := fmt.Errorf("main.go:1: syntax error")
	if err := p.unlessDamaged(t.Context(), u, site, broken); err != broken {
		t.Errorf("%v", err)
	}
	if err := p.unlessDamaged(t.Context(), u, site, nil); err != nil {
		t.Errorf("%v", err)
	}
	// Whatever was made from it is suspect: in this run, and in the next.
	next := &pipeline{session: &session{Config: &Config{}, known: known}}
	for _, p := range []*pipeline{p, next} {
		if !p.touches(site, []string{"x", action.Short()}) || p.touches(site, []string{"x"}) {
			t.Error("the damage is forgotten, or of something else")
		}
	}
	// Damaged again.
	again, _ := damagedCache(t, "a")
	site.Place.GoCache = again
	for _, err := range []error{p.unlessDamaged(t.Context(), u, site, nil), p.unlessDamaged(t.Context(), u, site, broken)} {
		if err == nil || !strings.Contains(err.Error(), "built from once more") || !strings.Contains(hintOf(err), "the disk or the memory of this machine is at fault") {
			t.Errorf("%v, hint %q", err, hintOf(err))
		}
		if c, ok := err.(interface{ ExitCode() int }); !ok || c.ExitCode() != ExitError {
			t.Errorf("%v: its exit code is not %d", err, ExitError)
		}
	}
}
