package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// ended TEXT waits until no process has TEXT in its environment or command
// line: every process of a build knows the script's directory.
func ended(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ended text")
	}
	var left []string
	for range 100 {
		left = nil
		procs, err := filepath.Glob("/proc/[0-9]*")
		ts.Check(err)
		for _, p := range procs {
			if p == "/proc/"+strconv.Itoa(os.Getpid()) {
				continue
			}
			cmdline, _ := os.ReadFile(p + "/cmdline")
			env, _ := os.ReadFile(p + "/environ")
			if bytes.Contains(env, []byte(args[0])) || bytes.Contains(cmdline, []byte(args[0])) {
				left = append(left, p+" "+strings.ReplaceAll(string(cmdline), "\x00", " "))
			}
		}
		if len(left) == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("still running:\n%s", strings.Join(left, "\n"))
}
