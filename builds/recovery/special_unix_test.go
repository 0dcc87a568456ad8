//go:build unix

package recovery

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSpecial: what is no file and cannot be read is said to be so, and the others are
// looked at, whether they were named or lie in a directory.
func TestSpecial(t *testing.T) {
	dir, err := os.MkdirTemp("", "mm") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := syscall.Mkfifo(at("fifo"), 0o600); err != nil {
		t.Skip(err)
	}
	l, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	for name, mode := range map[string]os.FileMode{"tool": 0o755, "closed": 0} {
		if err := os.WriteFile(at(name), []byte("\x7fELF"), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(at("empty/empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, names := range [][]string{{dir}, {at("fifo"), at("socket"), at("empty"), at("closed"), at("tool")}} {
		found, err := Collect(t.Context(), names, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, in := range found.Inputs {
			got[filepath.Base(in.Name)] = in.Skip
		}
		if got["fifo"] != KindSpecial.why() || got["socket"] != KindSpecial.why() || got["tool"] != "" || len(found.Inputs) < 4 {
			t.Errorf("%q: %q", names, got)
		}
		if os.Getuid() != 0 && got["closed"] != "not looked at: open: permission denied" {
			t.Errorf("%q: %q", names, got["closed"])
		}
	}
}
