package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/internal/workspace"
)

// TestClearBesideWorker: the worker's part of the cache is not cleared while a worker
// runs, and is afterwards.
func TestClearBesideWorker(t *testing.T) {
	home := t.TempDir()
	cache := filepath.Join(home, "cache")
	env := map[string]string{"HOME": home, "USERPROFILE": home, "PATH": os.Getenv("PATH"), "MINTMARK_CACHE": cache}
	d := &app{}
	for name, value := range env {
		d.env = append(d.env, name+"="+value)
	}
	request, ask := io.Pipe()
	var answer, said bytes.Buffer
	d.term = ui.New(request, &answer, &said, func(name string) string { return env[name] })
	ended := make(chan int)
	go func() { ended <- d.main(t.Context(), []string{"worker"}) }()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Lstat(filepath.Join(cache, "worker")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no worker: %s", said.String())
		}
	}
	left := filepath.Join(cache, "worker", "inputs", "left")
	if err := os.MkdirAll(left, 0o755); err != nil {
		t.Fatal(err)
	}
	w, err := workspace.Open(cache)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Clear([]string{"worker"}); err == nil || !strings.Contains(err.Error(), "another mintmark is using") {
		t.Errorf("cleared while a worker runs: %v", err)
	}
	if _, err := os.Lstat(left); err != nil {
		t.Error(err)
	}
	ask.Close()
	if code := <-ended; code != 0 || !strings.Contains(answer.String(), "request.json: ") {
		t.Errorf("exit code %d, %q\n%s", code, answer.String(), said.String())
	}
	if err := w.Clear([]string{"worker"}); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(cache, "worker")); err == nil {
		t.Error("it is still there")
	}
}
