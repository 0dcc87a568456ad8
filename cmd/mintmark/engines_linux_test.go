package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// engine is a Docker daemon of its own, with all that it keeps below one directory.
type engine struct {
	t       *testing.T
	dir     string
	address string
	cmd     *exec.Cmd
	said    bytes.Buffer
}

// startEngine starts a daemon that needs no network, no registry and no configuration.
func (b *fleetBench) startEngine(name string) *engine {
	b.t.Helper()
	e := &engine{t: b.t, dir: filepath.Join(b.dir, name)}
	if err := os.Mkdir(e.dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	socket := "unix://" + filepath.Join(e.dir, "sock")
	e.address = "docker+" + socket
	e.cmd = exec.Command("dockerd", "--data-root", filepath.Join(e.dir, "data"), "--exec-root", filepath.Join(e.dir, "exec"), "--pidfile", filepath.Join(e.dir, "pid"),
		"--config-file", filepath.Join(e.dir, "none.json"), "-H", socket, "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs")
	if err := os.WriteFile(filepath.Join(e.dir, "none.json"), []byte("{}"), 0o644); err != nil {
		b.t.Fatal(err)
	}
	e.cmd.Stdout, e.cmd.Stderr = &e.said, &e.said
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := e.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(e.remove)
	for range 600 {
		if exec.Command("docker", "-H", socket, "version").Run() == nil {
			return e
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.t.Skipf("dockerd does not start here: %s", &e.said)
	return nil
}

// working are the processes of builds: all below the daemon but its own.
func (e *engine) working() []process {
	return slices.DeleteFunc(below(e.cmd.Process.Pid), func(p process) bool { return strings.Contains(p.command, "containerd") })
}

// kill ends the daemon as a machine ends that loses its power: with all that it runs.
func (e *engine) kill() {
	all := below(e.cmd.Process.Pid)
	e.cmd.Process.Kill()
	for _, p := range all {
		syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

// remove ends the daemon and removes what it kept; what it mounted, first.
func (e *engine) remove() {
	all := below(e.cmd.Process.Pid)
	e.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan struct{})
	go func() { e.cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		e.cmd.Process.Kill()
		<-ended
	}
	for _, p := range processes() {
		if slices.ContainsFunc(all, func(q process) bool { return p.pid == q.pid && p.start == q.start }) {
			syscall.Kill(p.pid, syscall.SIGKILL)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		e.t.Error(err)
	}
	var at []string
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], e.dir+"/") {
			at = append(at, fields[4])
		}
	}
	slices.Sort(at)
	for _, m := range slices.Backward(at) {
		if err := syscall.Unmount(m, syscall.MNT_DETACH); err != nil {
			e.t.Errorf("%s: %v", m, err)
		}
	}
	makeWritable(e.dir)
	if err := os.RemoveAll(e.dir); err != nil {
		e.t.Error(err)
	}
	if e.t.Failed() {
		said := e.said.String()
		e.t.Logf("dockerd: %s", said[max(0, len(said)-4000):])
	}
}

// newEngineBench skips where no daemon can be started, or docker cannot build with it.
func newEngineBench(t *testing.T) *fleetBench {
	t.Helper()
	for _, name := range []string{"docker", "dockerd", "containerd", "runc"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s: Debian's docker.io, containerd and runc have it; they may be unpacked anywhere on PATH", name)
		}
	}
	help := exec.Command("docker", "build", "--help")
	help.Env = append(os.Environ(), "DOCKER_BUILDKIT=1")
	if out, err := help.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--output")) {
		t.Skip("docker build has no BuildKit here")
	}
	return newFleetBench(t, twoPlatforms(), "docker", "dockerd", "containerd", "runc")
}

// TestEngines: a release on two Docker daemons is that of one machine, also when one of
// them is killed in the middle; and an interrupted one leaves nothing running.
func TestEngines(t *testing.T) {
	b := newEngineBench(t)
	first, second := b.startEngine("a"), b.startEngine("b")

	r := b.start(first.address, second.address)
	r.same("two daemons")
	for _, e := range []*engine{first, second} {
		if !strings.Contains(r.said.String(), " build at "+e.address+": done in ") {
			t.Errorf("nothing was built by %s:\n%s", e.address, &r.said)
		}
	}

	r = b.start(first.address)
	r.compiling(first.working)
	syscall.Kill(r.cmd.Process.Pid, syscall.SIGINT)
	r.failed("interrupted")
	none(t, "interrupted", first.working)

	r = b.start(first.address, second.address)
	r.compiling(second.working)
	second.kill()
	r.same("one daemon was killed")
	if !strings.Contains(r.said.String(), " build at "+second.address+": lost after ") {
		t.Errorf("it does not say what was lost:\n%s", &r.said)
	}

	r = b.start(first.address)
	r.compiling(first.working)
	first.kill()
	r.failed("the only daemon was killed", "no site is left", first.address+" gave no answer")
}

// TestMergedExecutions: an engine that merges two builds into one execution, and gives
// both its result, is found out: the receipt is of one of them only. The engine is real
// and merges what is equal; a docker that leaves out what makes them unequal provokes it.
func TestMergedExecutions(t *testing.T) {
	b := newEngineBench(t)
	e := b.startEngine("a")
	docker, err := exec.LookPath("docker")
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(b.dir, "merge")
	if err := os.Mkdir(state, 0o755); err != nil {
		t.Fatal(err)
	}
	// The second of two builds is sent with the nonce and the files of the first.
	script := fmt.Sprintf(`#!/bin/sh
docker=%s
state=%s
case "$*" in *MINTMARK_NONCE=docker-*|*version*) exec $docker "$@" ;; esac
if mkdir $state/first 2>/dev/null; then
	cat >$state/context.new
	for a; do case "$a" in MINTMARK_NONCE=*) echo "$a" >$state/nonce ;; esac; done
	mv $state/context.new $state/context
	answer=$state/answer-1
else
	cat >/dev/null
	while [ ! -e $state/context ]; do sleep 0.05; done
	answer=$state/answer-$$
fi
set -- "$@" end
while [ "$1" != end ]; do
	case "$1" in
	MINTMARK_NONCE=*) set -- "$@" "$(cat $state/nonce)" ;;
	type=local,dest=*) dest=${1#type=local,dest=}; set -- "$@" "$1" ;;
	*) set -- "$@" "$1" ;;
	esac
	shift
done
shift
$docker "$@" <$state/context || exit
cp "$dest/answer.tar" $answer
`, docker, state)
	if err := os.WriteFile(filepath.Join(b.path, "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	r := b.start(e.address)
	r.failed("merged", "of another execution")
	answers, err := filepath.Glob(filepath.Join(state, "answer-*"))
	if err != nil || len(answers) < 2 {
		t.Fatalf("%d builds were answered: %v\n%s", len(answers), err, &r.said)
	}
	one, err1 := os.ReadFile(answers[0])
	other, err2 := os.ReadFile(answers[1])
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	// Times and costs are in an answer: two executions do not have the same.
	t.Logf("the engine ran two equal builds once: %v", bytes.Equal(one, other))
}
