package workspace

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

func TestUsage(t *testing.T) {
	cache := t.TempDir()
	put := func(name string, n int) {
		t.Helper()
		path := filepath.Join(cache, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, n), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("first/go/a", 10)
	put("first/modcache/b", 5)
	put("costs.json", 3)
	put("somebody's", 1000) // not ours: not counted
	parts, err := Usage(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range parts {
		got = append(got, p.Name)
		if want := map[string]int64{"first": 15, "costs.json": 3}[p.Name]; p.Bytes != want {
			t.Errorf("%s: %d bytes, want %d", p.Name, p.Bytes, want)
		}
	}
	if want := []string{"first", "costs.json"}; !slices.Equal(got, want) {
		t.Errorf("parts %q, want %q", got, want)
	}
}

func TestClear(t *testing.T) {
	cache := t.TempDir()
	for _, name := range []string{"first/modcache/m", "second/toolchains", "somebody's"} {
		if err := os.MkdirAll(filepath.Join(cache, filepath.FromSlash(name)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(cache, "first", "modcache", "m"), 0o555); err != nil { // as the go command does
		t.Fatal(err)
	}
	there := func(name string) bool { _, err := os.Lstat(filepath.Join(cache, name)); return err == nil }
	w, err := Open(cache)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()

	for _, name := range []string{"work", "locks", "somebody's", "..", ""} {
		if err := w.Clear([]string{"first", name}); fault.ExitCode(err) != fault.Usage || !there("first") {
			t.Errorf("%q: %v, first is there: %t", name, err, there("first"))
		}
	}
	other, err := Open(cache)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Clear([]string{"first"}); err == nil || !strings.Contains(err.Error(), "another mintmark") || !there("first") {
		t.Errorf("beside another run: %v, first is there: %t", err, there("first"))
	}
	other.Close()
	if err := w.Clear([]string{"first", "ledger"}); err != nil {
		t.Fatal(err)
	}
	if there("first") || !there("second") || !there("somebody's") {
		t.Errorf("first %t, second %t, somebody's %t", there("first"), there("second"), there("somebody's"))
	}
}

// What leads elsewhere is not followed, and nothing is removed.
func TestClearLeadsElsewhere(t *testing.T) {
	cache, elsewhere := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(elsewhere, "mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(cache, "first")); err != nil {
		t.Skip(err)
	}
	w, err := Open(cache)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Clear([]string{"first"}); err == nil {
		t.Error("cleared")
	}
	if _, err := os.Stat(filepath.Join(elsewhere, "mine")); err != nil {
		t.Error(err)
	}
}

// TestCheckWorker: what a worker was sent may have links, and what it keeps may not.
func TestCheckWorker(t *testing.T) {
	for name, ok := range map[string]bool{
		"worker/runs/0123/first/src/link": true, "worker/toolchains/go/goroot/link": true,
		"worker/runs": false, "worker/runs/0123": false, "worker/inputs/link": false, "worker/inputs": false, "worker/toolchains/go": false, "worker/toolchains/go/goroot": false, "worker": false,
	} {
		cache := t.TempDir()
		link := filepath.Join(cache, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(t.TempDir(), link); err != nil {
			t.Skip(err)
		}
		if err := Check(cache); (err == nil) != ok {
			t.Errorf("%s is a link: %v", name, err)
		}
	}
}
