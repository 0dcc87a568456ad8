package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

// publish PROXY DIR VERSION serves the module in DIR, as it is, from the
// GOPROXY directory PROXY as that version.
func publish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: publish proxy dir version")
	}
	from, version := ts.MkAbs(args[1]), args[2]
	gomod, err := os.ReadFile(filepath.Join(from, "go.mod"))
	ts.Check(err)
	m := module.Version{Path: modfile.ModulePath(gomod), Version: version}
	dir := filepath.Join(ts.MkAbs(args[0]), filepath.FromSlash(m.Path), "@v")
	ts.Check(os.MkdirAll(dir, 0o755))
	for name, data := range map[string]string{
		version + ".info": fmt.Sprintf(`{"Version":%q,"Time":"2026-01-02T03:04:05Z"}`, version),
		version + ".mod":  string(gomod),
	} {
		ts.Check(os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644))
	}
	list, err := os.OpenFile(filepath.Join(dir, "list"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	ts.Check(err)
	fmt.Fprintln(list, version)
	ts.Check(list.Close())
	f, err := os.Create(filepath.Join(dir, version+".zip"))
	ts.Check(err)
	ts.Check(modzip.CreateFromDir(f, m, from))
	ts.Check(f.Close())
}
