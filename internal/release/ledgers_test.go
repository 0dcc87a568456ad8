package release

import (
	"bytes"
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/ledger"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

// meanwhile has something done whenever it is asked whether it has ended.
type meanwhile struct {
	context.Context
	do func()
}

func (m meanwhile) Err() error { m.do(); return m.Context.Err() }

// TestLedgerIsNotCleared: while ledgers are looked through, nobody clears them.
func TestLedgerIsNotCleared(t *testing.T) {
	cfg := run.Config{Cache: t.TempDir(), Secret: bytes.Repeat([]byte("s"), 32), Now: time.Now()}
	l, err := ledger.Open(ledger.Config{Dir: ledgerDir(cfg.Cache), Toolchain: "go", Sum: "h1:sum", Secret: cfg.Secret, Now: cfg.Now, Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	id := actions.ID(sha256.Sum256([]byte("x")))
	if err := l.Add(t.Context(), "x", "linux/amd64", id, id, 1, file); err != nil {
		t.Fatal(err)
	}
	asked := 0
	found, err := Ledger(meanwhile{t.Context(), func() {
		asked++
		w, err := workspace.Open(cfg.Cache)
		if err != nil {
			t.Error(err)
			return
		}
		defer w.Close()
		if err := w.Clear([]string{"ledger"}); err == nil || !strings.Contains(err.Error(), "another mintmark is using") {
			t.Errorf("cleared: %v", err)
		}
	}}, cfg, LedgerOptions{})
	if err != nil || len(found.Ledgers) != 1 || asked == 0 {
		t.Errorf("%+v, %v, asked %d times", found, err, asked)
	}
}
