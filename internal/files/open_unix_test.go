//go:build unix

package files

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOpenSpecial names everything that is no regular file. Nobody is at the
// other end of the pipes: who opens one as usual waits for ever.
func TestOpenSpecial(t *testing.T) {
	dir, err := os.MkdirTemp("", "files") // a socket's name may not be long
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for name, target := range map[string]string{"dangling": "nowhere", "loop": "loop", "to pipe": "pipe"} {
		if err := os.Symlink(target, at(name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		at("pipe"): "is a pipe", at("socket"): "is a socket", dir: "is a directory", "/dev/zero": "is a device",
		"/dev/null": "is a device", at("dangling"): "no such file", at("loop"): "too many", at("to pipe"): "is a pipe",
	} {
		done := make(chan error, 1)
		go func() {
			_, err := Read(name, 100)
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: still waiting", name)
		}
		if f, err := OpenOwn(name, os.O_RDWR|os.O_CREATE, 0o600); err == nil {
			t.Errorf("%s: opened for writing", name)
			f.Close()
		}
	}
	if _, err := os.Lstat(at("nowhere")); err == nil {
		t.Error("a file was made where a link leads")
	}
	var e *NotRegularError
	if _, err := Open(at("pipe")); !errors.As(err, &e) || !strings.Contains(e.Hint(), "<(…)") {
		t.Errorf("no hint for who writes <(…): %v", err)
	}
}
