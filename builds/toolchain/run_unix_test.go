//go:build unix

package toolchain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/confine"
)

func TestMain(m *testing.M) {
	if pidFile := os.Getenv("MINTMARK_TEST_RUN"); pidFile != "" {
		// A helper that runs a command which ends only with it.
		Run(context.Background(), Command{Path: "/bin/sh", Args: []string{"-c", `echo $$ >"$0.tmp"; mv "$0.tmp" "$0"; exec sleep 1000`, pidFile},
			Env: []string{"PATH=/usr/bin:/bin"}, SetUmask: true, Umask: 0o022, Confine: confine.Limits{Write: []string{filepath.Dir(pidFile)}}})
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// command is one that may write in the directories among its arguments.
func command(script string, args ...string) Command {
	c := Command{Path: "/bin/sh", Args: append([]string{"-c", script}, args...), Env: []string{"PATH=/usr/bin:/bin"}}
	for _, a := range args {
		if fi, err := os.Stat(a); err == nil && fi.IsDir() {
			c.Confine.Write = append(c.Confine.Write, a)
		}
	}
	return c
}

func TestRunEnvironmentIsAllOfIt(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "secret")
	for _, c := range []Command{{}, {SetUmask: true, Umask: 0o27}} {
		c.Path, c.Env = "/usr/bin/env", []string{"A=1", "B=2", "A=3"}
		res, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Fields(string(res.Stdout))
		// Some shells that set the umask export what they find out themselves.
		got = slices.DeleteFunc(got, func(kv string) bool {
			name, _, _ := strings.Cut(kv, "=")
			return c.SetUmask && (name == "PWD" || name == "OLDPWD" || name == "SHLVL" || name == "_")
		})
		if slices.Sort(got); !slices.Equal(got, []string{"A=3", "B=2"}) {
			t.Errorf("umask %v: %q", c.SetUmask, got)
		}
	}
}

// To os/exec no environment is this process's.
func TestRunNoEnvironmentIsNone(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "secret")
	for _, env := range [][]string{nil, {}} {
		if res, err := Run(t.Context(), Command{Path: "/usr/bin/env", Env: env}); err != nil || len(res.Stdout) > 0 {
			t.Errorf("%q, %v", res.Stdout, err)
		}
	}
}

func TestRunUmask(t *testing.T) {
	for _, umask := range []int{0o022, 0o027, 0o077, 0} {
		dir := t.TempDir()
		c := command(`: >"$0/file"; mkdir "$0/dir"`, dir)
		c.SetUmask, c.Umask = true, umask
		if _, err := Run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		for name, mode := range map[string]os.FileMode{"file": 0o666, "dir": 0o777} {
			fi, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := fi.Mode().Perm(), mode&^os.FileMode(umask); got != want {
				t.Errorf("umask %o: %s has mode %o, want %o", umask, name, got, want)
			}
		}
	}
}

func TestRunWrappedArguments(t *testing.T) {
	args := []string{"-n", "a b", "", `"$(id)"`, "'", "*", "\n", "--"}
	c := command(`for a; do printf '<%s>' "$a"; done`, append([]string{"sh"}, args...)...)
	c.SetUmask, c.Umask = true, 0o27
	res, err := Run(t.Context(), c)
	if want := "<" + strings.Join(args, "><") + ">"; err != nil || string(res.Stdout) != want {
		t.Errorf("got %q, %v", res.Stdout, err)
	}
	if err := wrappedFailure(t); err == nil || err.Error() != "sh: exit status 7\nsorry" {
		t.Errorf("got %v", err)
	}
}

func wrappedFailure(t *testing.T) error {
	c := command("echo sorry >&2; exit 7")
	c.SetUmask = true
	_, err := Run(t.Context(), c)
	return err
}

// TestPlaceConfines: a command in a place writes the place's own directories,
// and neither the modules, which outlive it, nor anything else.
func TestPlaceConfines(t *testing.T) {
	p := testPlace(t)
	p.Confined = &confine.Log{}
	out := t.TempDir()
	for _, tt := range []struct {
		dir  string
		want bool
	}{{p.Home, true}, {p.Tmp, true}, {p.GoCache, true}, {out, true}, {p.ModCache, false}, {p.Empty, false}, {t.TempDir(), false}} {
		c := command(`: >"$0/file"`, tt.dir)
		c.Confine = p.Confine(out)
		res, err := Run(t.Context(), c)
		if !res.Confined.Writes.Held {
			t.Skipf("SKIPPED: %s", res.Confined)
		}
		if (err == nil) != tt.want {
			t.Errorf("%s: %v", tt.dir, err)
		}
	}
	if p.Confined.Runs() != 7 || !p.Confined.State().Writes.Held {
		t.Errorf("the place knows of %d commands: %s", p.Confined.Runs(), p.Confined.State())
	}
}

func TestRunHostname(t *testing.T) {
	if !CanSetHostname(t.Context(), t.TempDir()) {
		t.Skip("SKIPPED: this system does not permit a command a host name of its own")
	}
	before, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	c := command("cat /proc/sys/kernel/hostname; umask")
	c.Hostname, c.SetUmask, c.Umask = "mintmark-test", true, 0o27
	res, err := Run(t.Context(), c)
	if err != nil || string(res.Stdout) != "mintmark-test\n0027\n" {
		t.Errorf("got %q, %v", res.Stdout, err)
	}
	if after, err := os.Hostname(); err != nil || after != before {
		t.Errorf("the host itself is now called %s (%v)", after, err)
	}
}

func TestRunLimit(t *testing.T) {
	c := command("yes | head -c 5000000")
	c.Limit = 1000
	res, err := Run(t.Context(), c)
	if len(res.Stdout) != 1000 || err == nil || err.Error() != "sh: printed more than 1000 bytes" {
		t.Errorf("%d bytes, %v", len(res.Stdout), err)
	}
	c = command("yes | head -c 1000")
	c.Limit = 1000
	if res, err := Run(t.Context(), c); len(res.Stdout) != 1000 || err != nil {
		t.Errorf("%d bytes, %v", len(res.Stdout), err)
	}
	// Only the beginning of much stderr is kept, and that is no error.
	c = command("(yes no | head -c 5000000) >&2; printf fine")
	c.Limit = 1000
	if res, err := Run(t.Context(), c); err != nil || len(res.Stderr) != 1000 || string(res.Stdout) != "fine" {
		t.Errorf("%d bytes, %v", len(res.Stderr), err)
	}
}

func TestRunSignal(t *testing.T) {
	_, err := Run(t.Context(), command("echo last words >&2; kill -9 $$"))
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != -1 || err.Error() != "sh: signal: killed\nlast words" {
		t.Errorf("got %q", err)
	}
}

// When ctx ends, nothing of the group is left: neither the command nor what it
// started, even if that ignores signals and has let go of the output.
func TestRunCancelKillsTheGroup(t *testing.T) {
	dir := t.TempDir()
	script := `
trap '' INT TERM HUP
(trap '' INT TERM HUP; exec sleep 1000) &
(trap '' INT TERM HUP; exec sleep 1000) >/dev/null 2>&1 &
sh -c 'sleep 1000 & wait' &
echo $$ >"$0/pid.tmp"; mv "$0/pid.tmp" "$0/pid"
wait`
	cause := errors.New("the user pressed ctrl-C")
	for _, umask := range []bool{false, true} {
		ctx, cancel := context.WithCancelCause(t.Context())
		c := command(script, dir)
		c.SetUmask = umask
		done := make(chan error, 1)
		go func() {
			_, err := Run(ctx, c)
			done <- err
		}()
		pgid := waitPID(t, filepath.Join(dir, "pid"))
		if err := syscall.Kill(-pgid, 0); err != nil {
			t.Fatalf("no process group %d: %v", pgid, err)
		}
		cancel(cause)
		if err := <-done; !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
		waitGone(t, -pgid)
		remove(t, filepath.Join(dir, "pid"))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := Run(ctx, command("exit 0")); err == nil {
		t.Error("ran although ctx had ended")
	}
}

// A command that leaves a process with its output behind must not hang us, nor
// stay.
func TestRunLeftBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("waits five seconds")
	}
	dir := t.TempDir()
	_, err := Run(t.Context(), command(`sleep 1000 & echo $$ >"$0/pid"`, dir))
	if !errors.Is(err, exec.ErrWaitDelay) {
		t.Errorf("got %v", err)
	}
	waitGone(t, -waitPID(t, filepath.Join(dir, "pid")))
}

func TestRunLeavesNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		Run(ctx, command("sleep 1000"))
		Run(ctx, command("exit 1"))
		cancel()
		if _, err := Run(t.Context(), command("exit 0")); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 200 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestDiesWithUs(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: only Linux has a parent-death signal")
	}
	pidFile := filepath.Join(t.TempDir(), "pid")
	helper := exec.Command(os.Args[0])
	helper.Env = []string{"MINTMARK_TEST_RUN=" + pidFile}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	pid := waitPID(t, pidFile)
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the command does not run: %v", err)
	}
	if err := helper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	helper.Wait()
	waitGone(t, pid)
}

func waitPID(t *testing.T, name string) int {
	t.Helper()
	for range 1000 {
		if data, err := os.ReadFile(name); err == nil {
			pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the command did not start")
	return 0
}

// waitGone waits until no process of that id (of that group, if negative) is
// left. A killed process that nobody has waited for yet is gone, too.
func waitGone(t *testing.T, id int) {
	t.Helper()
	var left []string
	for range 1000 {
		if left = alive(t, id); len(left) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("still there: %q", left)
	syscall.Kill(id, syscall.SIGKILL)
}

func alive(t *testing.T, id int) []string {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=,pgid=,stat=,comm=").Output()
	if err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return aliveProc(id)
		}
		t.Fatal(err)
	}
	var left []string
	sc := bufio.NewScanner(strings.NewReader(string(out)))
	for sc.Scan() {
		var pid, pgid int
		var stat string
		if n, _ := fmt.Sscan(sc.Text(), &pid, &pgid, &stat); n == 3 && (pid == id || pgid == -id) && !strings.HasPrefix(stat, "Z") {
			left = append(left, sc.Text())
		}
	}
	return left
}

// aliveProc is for systems without ps.
func aliveProc(id int) []string {
	var left []string
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		data, _ := io.ReadAll(f)
		f.Close()
		text := string(data)
		var pid, ppid, pgid int
		var state string
		fmt.Sscan(text, &pid)
		if i := strings.LastIndex(text, ")"); i >= 0 {
			fmt.Sscan(text[i+1:], &state, &ppid, &pgid)
		}
		if (pid == id || pgid == -id) && state != "Z" && state != "X" {
			left = append(left, text)
		}
	}
	return left
}

// TestErrorsHaveNoSecrets has a command repeat an address with a password, as
// git and the go command do.
func TestErrorsHaveNoSecrets(t *testing.T) {
	_, err := Run(t.Context(), command(`echo "fatal: unable to access '$0': refused" >&2; exit 128`, "https://user:CanaryToken@example.com/x"))
	if err == nil || strings.Contains(err.Error(), "Canary") || !strings.Contains(err.Error(), "https://***@example.com/x") {
		t.Errorf("%v", err)
	}
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 128 || strings.Contains(exit.Output, "Canary") {
		t.Errorf("%+v", exit)
	}
}
