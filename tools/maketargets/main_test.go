package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/mintmark/mintmark/internal/cli"
)

// TestCurrent: the targets in the repository are those of the verbs.
func TestCurrent(t *testing.T) {
	want, err := targets(cli.Verbs())
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", "targets", "targets.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("targets/targets.go is not what the verbs say: run go generate ./targets")
	}
}
