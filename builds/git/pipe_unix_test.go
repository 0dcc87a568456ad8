//go:build unix

package git_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/git"
)

// Git opens what lies in a repository before anybody has looked at it.
func TestPipeInRepository(t *testing.T) {
	tr := newTrap(t)
	dir, _ := tr.make()
	pipe := filepath.Join(dir, ".git", "packed-refs")
	if err := os.RemoveAll(pipe); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	g := git.New(tr.git, tr.env, t.TempDir())
	g.SetPatience(time.Second)
	if _, err := g.Borrow(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "is a file of the repository a pipe?") {
		t.Errorf("got %v", err)
	}
}
