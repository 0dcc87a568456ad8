package main

import (
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mintmark/mintmark/internal/upx/upxtest"
)

// installupx DIR puts UPX 3.94 into a directory; a script asks [upx] before.
func installupx(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: installupx dir")
	}
	path, err := upxtest.Find()
	ts.Check(err)
	b, err := os.ReadFile(path)
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, "upx"), b, 0o755))
}
