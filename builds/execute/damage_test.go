package execute

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/memo"
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
	known := &memo.Store{Dir: t.TempDir(), Secret: []byte("0123456789abcdef")}
	place := func(cache string) *Local {
		return &Local{Label: "first", Place: &toolchain.Place{GoCache: cache}, Out: t.TempDir(), Care: Care{Known: known}}
	}
	l := place(cache)
	u := &plan.Unit{Profile: "release", Platform: "linux/amd64"}
	found, err := actions.FindDamage(t.Context(), cache, nil)
	if err != nil || len(found) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	if l.touches([]string{action.Short()}) {
		t.Error("known before it was found")
	}
	line, err := l.drop(u, found, nil)
	if err != nil || !strings.Contains(line, "the build cache of the first place was damaged") {
		t.Fatalf("%q, %v", line, err)
	}
	// Mended: what comes next is what it is.
	if err := l.Sound(t.Context(), u); err != nil {
		t.Errorf("%v", err)
	}
	// Whatever was made from it is suspect: in this run, and in the next.
	for _, l := range []*Local{l, place(cache)} {
		if !l.touches([]string{"x", action.Short()}) || l.touches([]string{"x"}) {
			t.Error("the damage is forgotten, or of something else")
		}
	}
	// Damaged again.
	again, _ := damagedCache(t, "a")
	l.Place.GoCache = again
	err = l.Sound(t.Context(), u)
	var h interface{ Hint() string }
	if err == nil || !strings.Contains(err.Error(), "built from once more") || !errors.As(err, &h) || !strings.Contains(h.Hint(), "the disk or the memory of this machine is at fault") {
		t.Errorf("%v", err)
	}
}
