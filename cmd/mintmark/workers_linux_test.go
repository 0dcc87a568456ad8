package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
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
)

// fleetBench is a small product that is released on real workers: what is released on
// them is what one machine makes.
type fleetBench struct {
	t     *testing.T
	dir   string // of all
	bin   string // a mintmark that needs nothing of its machine
	path  string // directories before PATH
	env   []string
	plain map[string]string // the release of this machine

	platforms []string // an archive of each is released
}

// newFleetBench skips where the programs are not there.
func newFleetBench(t *testing.T, platforms []string, programs ...string) *fleetBench {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: builds")
	}
	for _, name := range append(programs, "git", "go") {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s: the real thing is not tested", name)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("not root: neither sshd nor dockerd starts")
	}
	dir, err := os.MkdirTemp("", "fleet-") // short: paths of sockets are
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		makeWritable(dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	b := &fleetBench{t: t, dir: dir, platforms: platforms, bin: filepath.Join(dir, "bin", "mintmark"), path: filepath.Join(dir, "bin")}
	settings := goEnv(t)
	b.env = append(os.Environ(), "HOME="+filepath.Join(dir, "home"), "MINTMARK_CACHE="+sharedCache(t), "MINTMARK_PASSWORD=", "MINTMARK_LEDGER_KEY="+provenSecret,
		"PATH="+b.path+string(os.PathListSeparator)+os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "GOPROXY="+settings["GOPROXY"], "GOSUMDB="+settings["GOSUMDB"],
		"GOMODCACHE="+filepath.Join(filepath.Dir(sharedCache(t)), "modcache"),
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	for name, text := range map[string]string{
		"go.mod":        "module example.com/hello\n\ngo 1.24.0\n",
		"main.go":       "package main\n\nfunc main() { println(\"hello\") }\n",
		".gitignore":    "/dist*/\n",
		"mintmark.yaml": "version: 1\nproject: hello\nsign: none\ngo: " + toolchain + "\nprofiles:\n  release:\n    archive: tar.gz\n    platforms: [" + strings.Join(platforms, ", ") + "]\n",
	} {
		name = filepath.Join(b.product(), name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	buildStatic(t, b.bin, runtime.GOARCH)
	for _, args := range [][]string{{"git", "init", "-q", "-b", "main", "."}, {"git", "add", "-A"}, {"git", "commit", "-q", "-m", "commit"}, {"git", "tag", "v1.0.0"}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.Env = b.product(), b.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	r := b.start("here")
	if err := r.wait(); err != nil {
		t.Fatalf("here: %v\n%s", err, &r.said)
	}
	b.plain = r.published()
	return b
}

// twoPlatforms are enough for machines to have something to do beside each other.
func twoPlatforms() []string { return []string{"linux/amd64", "linux/arm64"} }

func (b *fleetBench) product() string { return filepath.Join(b.dir, "hello") }

// fleetRun is one release on machines.
type fleetRun struct {
	*fleetBench
	cmd  *exec.Cmd
	out  string
	said bytes.Buffer
	done chan error
}

// start begins a release on these machines.
func (b *fleetBench) start(on ...string) *fleetRun {
	b.t.Helper()
	out, err := os.MkdirTemp(b.dir, "out-")
	if err != nil {
		b.t.Fatal(err)
	}
	r := &fleetRun{fleetBench: b, out: filepath.Join(out, "dist"), done: make(chan error, 1)}
	r.cmd = exec.Command(b.bin, "release", "-on="+strings.Join(on, ","), "-out="+r.out)
	r.cmd.Dir, r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = b.product(), b.env, &r.said, &r.said
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	go func() { r.done <- r.cmd.Wait() }()
	return r
}

func (r *fleetRun) wait() error {
	select {
	case err := <-r.done:
		return err
	case <-time.After(10 * time.Minute):
		syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
		<-r.done
		return errors.New("it did not end")
	}
}

func (r *fleetRun) published() map[string]string {
	r.t.Helper()
	return readRelease(r.t, r.out)
}

// same expects the release to be that of one machine.
func (r *fleetRun) same(name string) {
	r.t.Helper()
	if err := r.wait(); err != nil {
		r.t.Fatalf("%s: %v\n%s", name, err, &r.said)
	}
	got := r.published()
	n := 0
	for file, text := range r.plain {
		if strings.HasPrefix(file, "hello") {
			n++
			if got[file] != text {
				r.t.Errorf("%s: %s is not what one machine makes", name, file)
			}
		}
	}
	if n != len(r.platforms) {
		r.t.Errorf("%s: %d archives were compared", name, n)
	}
}

// failed expects an error that says all this, and nothing of a release.
func (r *fleetRun) failed(name string, want ...string) {
	r.t.Helper()
	if err := r.wait(); err == nil {
		r.t.Errorf("%s: it is released\n%s", name, &r.said)
	}
	for _, w := range want {
		if !strings.Contains(r.said.String(), w) {
			r.t.Errorf("%s: %q is not in\n%s", name, w, &r.said)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(r.out)); err != nil || len(left) > 0 {
		r.t.Errorf("%s: left: %v %v", name, left, err)
	}
}

// process is a process that runs.
type process struct {
	pid     int
	parent  int
	start   string // tells it from a later one of the same number
	command string
	env     []byte
}

// processes are all that run.
func processes() (list []process) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		p := process{}
		p.pid, _ = strconv.Atoi(filepath.Base(dir))
		stat, err := os.ReadFile(dir + "/stat")
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if fields[0] == "Z" {
			continue
		}
		p.parent, _ = strconv.Atoi(fields[1])
		p.start = fields[19]
		cmdline, _ := os.ReadFile(dir + "/cmdline")
		p.command = strings.ReplaceAll(string(cmdline), "\x00", " ")
		p.env, _ = os.ReadFile(dir + "/environ")
		list = append(list, p)
	}
	return list
}

// below are the processes that descend from one.
func below(pid int) (list []process) {
	all := processes()
	of := []int{pid}
	for i := 0; i < len(of); i++ {
		for _, p := range all {
			if p.parent == of[i] {
				of, list = append(of, p.pid), append(list, p)
			}
		}
	}
	return list
}

// compiling waits until one of the processes compiles.
func (r *fleetRun) compiling(which func() []process) {
	r.t.Helper()
	for {
		for _, p := range which() {
			if strings.Contains(p.command, "/compile -o ") {
				return
			}
		}
		select {
		case err := <-r.done:
			r.t.Fatalf("it ended before anything was compiled there: %v\n%s", err, &r.said)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// none waits until there are no such processes any more.
func none(t *testing.T, what string, which func() []process) {
	t.Helper()
	var left []process
	for range 200 {
		if left = which(); len(left) == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	for _, p := range left {
		t.Errorf("%s: still runs: %d %.200s", what, p.pid, p.command)
	}
}

// sshServer is a real sshd on this machine, for a user with a home of his own.
type sshServer struct {
	address string
	home    string
	cmd     *exec.Cmd
}

// startSSH starts sshd, with keys that are for this alone, and has ssh use them: the
// user's own configuration is neither read nor changed.
func (b *fleetBench) startSSH() *sshServer {
	b.t.Helper()
	sshd, err := exec.LookPath("sshd") // which wants to be called by its path
	if err != nil {
		b.t.Fatal(err)
	}
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		b.t.Fatal(err)
	}
	dir := filepath.Join(b.dir, "ssh")
	s := &sshServer{home: filepath.Join(b.dir, "there")}
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Mkdir(s.home, 0o700)); err != nil {
		b.t.Fatal(err)
	}
	if _, err := os.Stat("/run/sshd"); err != nil {
		if err := os.Mkdir("/run/sshd", 0o755); err != nil {
			b.t.Skipf("sshd has no directory: %v", err)
		}
		b.t.Cleanup(func() { os.Remove("/run/sshd") })
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr)
	l.Close()
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, key)).CombinedOutput(); err != nil {
			b.t.Fatalf("%v\n%s", err, out)
		}
	}
	host, err := os.ReadFile(filepath.Join(dir, "host.pub"))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, text := range map[string]string{
		"sshd_config": fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %[2]s/host\nAuthorizedKeysFile %[2]s/user.pub\nPidFile none\nUsePAM no\nStrictModes no\n"+
			"PasswordAuthentication no\nPermitRootLogin prohibit-password\nSetEnv HOME=%[3]s XDG_CACHE_HOME=%[3]s/.cache\n", at.Port, dir, s.home),
		"ssh_config": fmt.Sprintf("IdentityFile %[1]s/user\nIdentitiesOnly yes\nUserKnownHostsFile %[1]s/known\nGlobalKnownHostsFile none\nStrictHostKeyChecking yes\n"+
			"Host mirror\nHostName 127.0.0.1\nPort %[2]d\nUser root\n", dir, at.Port),
		"known":      fmt.Sprintf("[127.0.0.1]:%d %s", at.Port, host),
		"../bin/ssh": fmt.Sprintf("#!/bin/sh\nexec %s -F %s/ssh_config \"$@\"\n", ssh, dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(b.path, "ssh"), 0o755); err != nil {
		b.t.Fatal(err)
	}
	s.address = fmt.Sprintf("ssh://root@127.0.0.1:%d", at.Port)
	s.cmd = exec.Command(sshd, "-D", "-e", "-f", filepath.Join(dir, "sshd_config"))
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	s.cmd.Stderr = &said
	if err := s.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		s.stop()
		s.cmd.Wait()
		for _, p := range s.processes() {
			syscall.Kill(p.pid, syscall.SIGKILL)
		}
		if b.t.Failed() {
			b.t.Logf("sshd: %s", &said)
		}
	})
	for range 100 {
		if c, err := net.Dial("tcp", at.String()); err == nil {
			c.Close()
			return s
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("sshd does not answer: %s", &said)
	return nil
}

// processes are those that a worker there has started, and the worker.
func (s *sshServer) processes() []process {
	return slices.DeleteFunc(processes(), func(p process) bool {
		return p.pid == os.Getpid() || !strings.Contains(p.command, s.home) && !bytes.Contains(p.env, []byte(s.home))
	})
}

// cut ends all connections, as a machine does that goes away: it says nothing any more.
func (s *sshServer) cut() {
	for _, p := range below(s.cmd.Process.Pid) {
		if strings.HasPrefix(p.command, "sshd") {
			syscall.Kill(p.pid, syscall.SIGKILL)
		}
	}
}

func (s *sshServer) stop() {
	s.cmd.Process.Kill()
	s.cut()
}

// mirrored brings a release to the machine with rsync, over ssh as everybody has it, into a
// path that a shell would split.
func (b *fleetBench) mirrored(s *sshServer, dir string) {
	b.t.Helper()
	if _, err := exec.LookPath("rsync"); err != nil {
		b.t.Log("no rsync: that over a real sshd is not tested")
		return
	}
	target := "rsync:mirror:" + s.home + "/our releases"
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"nothing was written", []string{"publish", dir, "-unsigned", "-to=" + target, "-dry-run"}},
		{" uploaded, 0 there before, all compared", []string{"publish", dir, "-unsigned", "-to=" + target}},
		{"already: the same ", []string{"publish", dir, "-unsigned", "-to=" + target}},
		{" with these digests, and no others", []string{"verify", "-unsigned", "-published=" + target + "@v1.0.0"}},
	} {
		cmd := exec.Command(b.bin, tt.args...)
		cmd.Dir, cmd.Env = b.product(), b.env
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), tt.want) {
			b.t.Errorf("%q: %v\n%s", tt.args, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(s.home, "our releases", "v1.0.0", "checksums.txt")); err != nil {
		b.t.Error(err)
	}
}

// TestSSHWorker: a release with a machine that is reached over a real sshd is the release
// of one machine. When the way to it is cut, what was built there is built here; and a
// worker whose asker is gone, by whatever way, leaves nothing running.
func TestSSHWorker(t *testing.T) {
	b := newFleetBench(t, twoPlatforms(), "sshd", "ssh", "ssh-keygen")
	s := b.startSSH()
	there := func() []process { return s.processes() }

	r := b.start("here", s.address)
	r.same("here and there")
	if !strings.Contains(r.said.String(), " build at "+s.address+": done in ") {
		t.Errorf("it does not say what was built there:\n%s", &r.said)
	}
	if data, err := os.ReadFile(filepath.Join(r.out, "release.json")); err != nil || strings.Contains(string(data), "127.0.0.1") {
		t.Errorf("the address of a machine is published: %v", err)
	}
	none(t, "a release that has ended", there)
	b.mirrored(s, r.out)

	r = b.start("here", s.address)
	r.compiling(there)
	s.cut()
	r.same("cut")
	if !strings.Contains(r.said.String(), " build at "+s.address+": lost after ") || !strings.Contains(r.said.String(), ", once more: done in ") {
		t.Errorf("it does not say what was lost there and built again:\n%s", &r.said)
	}
	none(t, "whoever asked was cut off", there)

	r = b.start(s.address)
	r.compiling(there)
	syscall.Kill(r.cmd.Process.Pid, syscall.SIGINT)
	r.failed("interrupted")
	none(t, "interrupted", there)

	r = b.start(s.address)
	r.compiling(there)
	syscall.Kill(r.cmd.Process.Pid, syscall.SIGKILL)
	r.wait()
	none(t, "whoever asked was killed", there)

	r = b.start(s.address)
	r.compiling(there)
	s.stop()
	r.failed("the only machine is gone", "no site is left", s.address+" gave no answer")
	none(t, "the only machine is gone", there)

	b.start(s.address).failed("it does not answer", s.address+" gave no answer", "Connection refused")
}
