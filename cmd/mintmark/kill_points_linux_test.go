package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// points ends releases by SIGKILL and by a signal that is caught, at each line and between
// some of them, and looks at what is left each time: no directory that could be
// taken for a release, nothing of the user's altered, no process and no file
// outside of the cache. Then the next release is made as if nothing had been.
func (b *killBench) points(version string) {
	t := b.t
	tl := b.undisturbed(version)
	lines := len(tl.lines)
	if lines < 8 {
		t.Fatalf("a release says only %d lines:\n%s", lines, strings.Join(tl.lines, "\n"))
	}
	var at []point
	for n := range lines {
		at = append(at, point{lines: n})
	}
	at = append(at, point{lines: tl.line("building"), delay: 100 * time.Millisecond},
		point{lines: tl.line("signing"), delay: 20 * time.Millisecond}) // while it signs and publishes
	// What is ignored here, as under nohup, would be ignored in the children too.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	defer signal.Stop(caught)
	// Each point meets the signal that nobody can catch, and one of those that are caught.
	caughtOnes := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}
	b.userFiles()
	ended := map[string]int{}
	began := time.Now()
	for i, p := range at {
		for j, sig := range []syscall.Signal{syscall.SIGKILL, caughtOnes[i%len(caughtOnes)]} {
			if (i+j)%2 == 0 { // half of them have no release before them
				if err := os.RemoveAll(b.killed.out); err != nil {
					t.Fatal(err)
				}
			}
			ended[b.signal(version, p, sig)]++
			if t.Failed() {
				t.Fatalf("%v at %+v", sig, p)
			}
		}
		b.finish(version)
	}
	n := 2 * len(at)
	t.Logf("%d signals at %d points in %s: %v", n, len(at), time.Since(began).Round(time.Second), ended)
	if n < 20 || ended["killed"]+ended["stopped"] < n/2 {
		t.Errorf("%v of %d signals, want at least 20, and half of them before the end", ended, n)
	}
}

// userFiles puts files of the user's where a careless cleaning would find them.
func (b *killBench) userFiles() {
	b.t.Helper()
	tmp := filepath.Join(b.killed.home, "tmp")
	for name, text := range map[string]string{
		filepath.Join(filepath.Dir(b.killed.out), "NOTES.txt"): "mine", filepath.Join(tmp, "mine.tmp"): "mine", filepath.Join(b.killed.home, ".config", "own"): "mine",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	b.killed.env = append(b.killed.env, "TMPDIR="+tmp)
}

// signal begins a release, sends it a signal at that point, checks what is
// left, and says how it ended.
func (b *killBench) signal(version string, at point, sig syscall.Signal) string {
	t := b.t
	t.Helper()
	outBefore := b.listing(b.killed.out, "")
	before := b.all()
	cmd := b.command(b.killed, "mintmark", "release", "-profile=release,unstripped", "-out="+b.killed.out)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	said, err := untilPoint(cmd, at, sig)
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	how := "finished"
	switch {
	case status.Signaled() && sig == syscall.SIGKILL:
		how = "killed"
	case status.ExitStatus() == 1 && strings.Contains(said, "stopped") && strings.Contains(said, "nothing was published"):
		how = "stopped"
	case err != nil && sig == syscall.SIGKILL:
		t.Errorf("%v\n%s", err, said)
	case status.Signaled(): // before it had caught the signal
		how = "killed"
	case err != nil:
		t.Errorf("%v: %v\n%s", sig, err, said)
	}
	if how == "killed" {
		b.killAll() // what it had started ends by itself, but not at once
	} else if pids := b.processes(); len(pids) > 0 {
		t.Errorf("%v at %+v: %s, and processes %v go on", sig, at, how, pids)
	}

	outAfter := b.listing(b.killed.out, "")
	unfinished, _ := filepath.Glob(b.killed.out + ".unfinished-*")
	old, _ := filepath.Glob(b.killed.out + ".unfinished-*-old")
	switch {
	case how == "finished":
		b.verify(b.killed, version)
	case how == "stopped" && (!slices.Equal(outAfter, outBefore) || len(unfinished) > 0):
		t.Errorf("%v at %+v: stopped, and %v is left beside\n%s\nbefore it was\n%s", sig, at, unfinished, strings.Join(outAfter, "\n"), strings.Join(outBefore, "\n"))
	case slices.Equal(outAfter, outBefore):
	case len(outAfter) > 0: // a release, since it is not the earlier one: all of it
		b.verify(b.killed, version)
	case len(old) != 1: // between the two renames: the next one puts it back
		t.Errorf("%v at %+v: the earlier release is gone, and not beside: %v", sig, at, unfinished)
	}
	for _, dir := range unfinished { // has a name that nobody takes for a release, and never the key
		for _, line := range b.listing(dir, "") {
			if strings.Contains(line, "me.key") {
				t.Errorf("%s: %s", dir, line)
			}
		}
	}
	if after := b.all(); !slices.Equal(after, before) {
		t.Errorf("%v at %+v: files of the user's, before\n%s\nafter\n%s", sig, at, strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	if how == "stopped" {
		if left, err := os.ReadDir(filepath.Join(b.killed.cache, "work")); err != nil || len(left) > 0 {
			t.Errorf("%v at %+v: stopped, and left in the work directory: %v %v", sig, at, left, err)
		}
	}
	return how
}

// untilPoint runs a command that prints lines on standard error, and sends it a
// signal when it is at the point.
func untilPoint(cmd *exec.Cmd, at point, sig syscall.Signal) (said string, err error) {
	errOut, err := cmd.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	var all strings.Builder
	sc := bufio.NewScanner(errOut)
	for n := 0; ; n++ {
		if n == at.lines {
			time.Sleep(at.delay)
			cmd.Process.Signal(sig)
		}
		if !sc.Scan() {
			break
		}
		all.WriteString(sc.Text() + "\n")
	}
	err = cmd.Wait()
	return all.String(), err
}

// processes are those that know the killed user's cache.
func (b *killBench) processes() (pids []string) {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		env, _ := os.ReadFile(p + "/environ")
		if bytes.Contains(env, []byte(b.killed.cache)) && filepath.Base(p) != fmt.Sprint(os.Getpid()) {
			pids = append(pids, filepath.Base(p))
		}
	}
	return pids
}

// all lists what is the user's: the checkout, the keys, and the home directory
// without the cache and the output directory.
func (b *killBench) all() []string {
	b.t.Helper()
	list := b.listing(b.mod, "")
	for _, name := range []string{b.key + ".key", b.key + ".pub"} {
		list = append(list, b.listing(name, "")...)
	}
	return append(list, b.listing(b.killed.home, b.killed.out)...)
}

// listing is the files below a directory with their modes and digests, without
// the cache, the go command's counters of its own use, and what begins with
// skip. What is not there has none.
func (b *killBench) listing(dir, skip string) (list []string) {
	b.t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err) && name == dir:
			return fs.SkipAll
		case err != nil:
			return err
		case name == b.killed.cache || name == filepath.Join(b.killed.home, ".config", "go") || skip != "" && strings.HasPrefix(name, skip):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		line := fi.Mode().String() + " " + name
		if fi.Mode().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(data)
			line += " " + hex.EncodeToString(sum[:8])
		}
		list = append(list, line)
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}
