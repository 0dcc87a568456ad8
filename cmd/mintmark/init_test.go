package main

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// nextSteps FILE follows what init said is to be done next, to the letter: each line
// below "Next:" that is no comment is a command for a shell. Without the time for it,
// it stops before what builds.
func nextSteps(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: nextsteps file")
	}
	_, steps, ok := strings.Cut(ts.ReadFile(args[0]), "\nNext:\n")
	if !ok {
		ts.Fatalf("%s does not say what is next", args[0])
	}
	n := 0
	for line := range strings.Lines(steps) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if testing.Short() && strings.HasPrefix(line, "mintmark release") {
			break
		}
		ts.Logf("next: %s", line)
		ts.Check(ts.Exec("sh", "-c", line))
		n++
	}
	if n < 4 {
		ts.Fatalf("only %d steps", n)
	}
}
