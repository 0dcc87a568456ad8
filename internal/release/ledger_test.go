package release

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/ledger"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

// What no release has used for long is forgotten, at most once a week.
func TestTidyLedgers(t *testing.T) {
	now := time.Now()
	s := &run.Run{Config: &run.Config{Cache: t.TempDir(), Secret: bytes.Repeat([]byte("s"), 32), Now: now}, Workspace: &workspace.Workspace{Dir: "run-1"}}
	file := filepath.Join(t.TempDir(), "f")
	remember := func(text string, used time.Time) {
		t.Helper()
		l, err := ledger.Open(ledgerConfig(s, "archives", "archives"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		id := actions.ID(sha256.Sum256([]byte(text)))
		if err := l.Add(t.Context(), text, "linux/amd64", id, id, int64(len(text)), file); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(ledgerDir(s.Cache), "archives", "objects", id.String()[:2], id.String())
		if err := os.Chtimes(name, used, used); err != nil {
			t.Fatal(err)
		}
	}
	known := func(text string) bool {
		t.Helper()
		l, err := ledger.Open(ledgerConfig(s, "archives", "archives"))
		if err != nil {
			t.Fatal(err)
		}
		_, p, ok := l.Lookup(t.Context(), sha256.Sum256([]byte(text)))
		return ok && p.Executions == 2
	}
	tidyLedgers(t.Context(), s) // there is none
	remember("old", now.Add(-keepUnused-time.Hour))
	remember("new", now.Add(-keepUnused+time.Hour))
	tidyLedgers(t.Context(), s)
	if known("old") || !known("new") {
		t.Errorf("old: %v, new: %v", known("old"), known("new"))
	}
	remember("old again", now.Add(-keepUnused-time.Hour))
	s.Now = now.Add(24 * time.Hour)
	tidyLedgers(t.Context(), s)
	if !known("old again") {
		t.Error("tidied after a day")
	}
}
