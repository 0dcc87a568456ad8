package startup

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestEvict: a file that was just written is in the page cache, and not after evict.
func TestEvict(t *testing.T) {
	dir := t.TempDir()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := os.WriteFile(from, make([]byte, 4*mib), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := copyFile(from, to); err != nil {
		t.Fatal(err)
	}
	if in, all, err := resident(to); err != nil || in != all || all != 4*mib/os.Getpagesize() {
		t.Errorf("written: %d of %d pages, %v", in, all, err)
	}
	if fs.Type == unix.TMPFS_MAGIC || fs.Type == unix.RAMFS_MAGIC {
		wantError(t, evictable(to), "stay in the page cache")
		return
	}
	if err := evictable(to); err != nil {
		t.Error(err)
	}
	if in, all, err := resident(to); err != nil || in != 0 {
		t.Errorf("evicted: %d of %d pages, %v", in, all, err)
	}
	if err := evict(to + "-missing"); err == nil {
		t.Error("a missing file was evicted")
	}
}
