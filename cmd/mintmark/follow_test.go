package main

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// hints counts the hints that scripts have followed.
type hints struct {
	mu       sync.Mutex
	followed map[string]bool
}

// newHints says how many there were when the test ends.
func newHints(t *testing.T) *hints {
	h := &hints{followed: map[string]bool{}}
	t.Cleanup(func() { t.Logf("%d hints followed by scripts", len(h.followed)) })
	return h
}

// said is what the last program that exits ran wrote to standard error.
const said = ".said"

// exits CODE COMMAND... runs a program that ends with this exit code. What it says
// is kept for follow and hint, whatever runs in between.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	ts.Check(os.WriteFile(ts.Getenv("WORK")+"/"+said, []byte(ts.ReadFile("stderr")), 0o644))
}

// follow REGEXP [COMMAND...] does what a hint of the program that exits ran last
// says, one that it gave once. What REGEXP matches there, or its first group, is a command line,
// and sh runs it; or COMMAND is what to do, with the match in place of {}. A
// script goes on with the program that had complained.
func (h *hints) follow(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: follow regexp [command...]")
	}
	text := h.find(ts, args[0])
	command := []string{"sh", "-c", text}
	if len(args) > 1 {
		command = nil
		for _, a := range args[1:] {
			command = append(command, strings.ReplaceAll(a, "{}", text))
		}
	}
	if err := ts.Exec(command[0], command[1:]...); (err != nil) != neg {
		ts.Fatalf("%q: %v", command, err)
	}
}

// hint REGEXP is follow where commands of the script do what the hint says.
func (h *hints) hint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hint regexp")
	}
	h.find(ts, args[0])
}

func (h *hints) find(ts *testscript.TestScript, expr string) string {
	re, err := regexp.Compile(expr)
	ts.Check(err)
	var found []string
	all := hintsOf(ts.ReadFile(ts.Getenv("WORK") + "/" + said))
	for _, text := range all {
		if m := re.FindStringSubmatch(text); m != nil {
			found = append(found, m[len(m)-1])
			h.mu.Lock()
			h.followed[text] = true
			h.mu.Unlock()
		}
	}
	if len(found) != 1 {
		ts.Fatalf("%d hints match %q, want one; the hints are:\n%s", len(found), expr, strings.Join(all, "\n"))
	}
	return found[0]
}

// hintsOf are the hints in what mintmark writes to standard error, each without
// the indentation it has there. A hint goes on until another error, warning, hint
// or source line.
func hintsOf(stderr string) (list []string) {
	const mark = "hint: "
	open := false
	for line := range strings.Lines(stderr) {
		ours, own := strings.CutPrefix(line, "mintmark: ")
		if !own {
			ours = strings.TrimPrefix(line, "    ")
		}
		switch {
		case strings.HasPrefix(ours, mark):
			list = append(list, strings.TrimPrefix(ours, mark))
			open = true
		case open && !own && ours != line:
			list[len(list)-1] += ours
		default:
			open = false
		}
	}
	for i := range list {
		list[i] = strings.TrimSuffix(list[i], "\n")
	}
	return list
}
