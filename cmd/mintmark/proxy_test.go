package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

// goproxy DIR VERSION serves this repository, as it is, as a published version
// of mintmark: a GOPROXY directory.
func goproxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: goproxy dir version")
	}
	m := module.Version{Path: "github.com/mintmark/mintmark", Version: args[1]}
	dir := filepath.Join(ts.MkAbs(args[0]), filepath.FromSlash(m.Path), "@v")
	ts.Check(os.MkdirAll(dir, 0o755))
	gomod, err := os.ReadFile(filepath.Join(repository, "go.mod"))
	ts.Check(err)
	for name, data := range map[string]string{
		"list":              m.Version + "\n",
		m.Version + ".info": fmt.Sprintf(`{"Version":%q,"Time":"2026-01-02T03:04:05Z"}`, m.Version),
		m.Version + ".mod":  string(gomod),
	} {
		ts.Check(os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644))
	}
	f, err := os.Create(filepath.Join(dir, m.Version+".zip"))
	ts.Check(err)
	ts.Check(modzip.CreateFromDir(f, m, repository))
	ts.Check(f.Close())
}
