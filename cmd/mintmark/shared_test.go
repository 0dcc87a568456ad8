package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestKeepOnly: what is kept keeps its files, and what an older toolchain left is
// removed, though the directories of module caches cannot be written.
func TestKeepOnly(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"old", "new"} {
		sub := filepath.Join(dir, name, "sub")
		if err := os.MkdirAll(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sub, "file"), nil, 0o444); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "old", "sub"), 0o555); err != nil {
		t.Fatal(err)
	}
	if err := keepOnly(dir, "new"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "new", "sub", "file")); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "old")); !os.IsNotExist(err) {
		t.Errorf("old is still there: %v", err)
	}
}
