package workspace

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Runs that begin at the same time must not take each other's directories for
// those of dead runs.
func TestWorkspacesAtOnce(t *testing.T) {
	cache := t.TempDir()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				w, err := Open(cache)
				if err != nil {
					t.Error(err)
					return
				}
				if err := os.WriteFile(filepath.Join(w.Dir, "mine"), nil, 0o644); err != nil {
					t.Error(err)
				}
				w.Close()
			}
		})
	}
	wg.Wait()
	left, err := os.ReadDir(filepath.Join(cache, "work"))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("%d files left, such as %s", len(left), left[0].Name())
	}
}

func TestSweep(t *testing.T) {
	cache := t.TempDir()
	parent := filepath.Join(cache, "work")
	alive, err := Open(cache)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	dead := filepath.Join(parent, "run-1")
	orphan := filepath.Join(parent, "run-2.lock")
	young := filepath.Join(parent, "run-3.lock")
	if err := os.MkdirAll(filepath.Join(dead, "first"), 0o755); err != nil {
		t.Fatal(err)
	}
	claims := `{"schema":"` + ClaimSchema + `","dir":"run-1"}` + "\n"
	for name, text := range map[string]string{dead + ".lock": claims, orphan: "", young: ""} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The name shows nothing, nor does a claim of another directory.
	theirs := []string{"run-5", "run-6.lock", "run-7", "run-7.lock"}
	for _, name := range theirs {
		name = filepath.Join(parent, name)
		if filepath.Ext(name) == "" {
			err = os.Mkdir(name, 0o755)
		} else {
			err = errors.Join(os.WriteFile(name, []byte(claims), 0o644), os.Chtimes(name, time.Unix(0, 0), time.Unix(0, 0)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(orphan, old, old); err != nil {
		t.Fatal(err)
	}
	sweep(parent)
	for _, name := range []string{dead, dead + ".lock", orphan} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%s is still there", filepath.Base(name))
		}
	}
	for _, name := range theirs {
		if _, err := os.Stat(filepath.Join(parent, name)); err != nil {
			t.Errorf("%s is gone, which nobody has shown to be ours", name)
		}
	}
	for _, name := range []string{alive.Dir, young} {
		if _, err := os.Stat(name); err != nil {
			t.Errorf("%s is gone", filepath.Base(name))
		}
	}
}
