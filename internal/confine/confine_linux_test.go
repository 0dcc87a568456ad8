package confine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/confine/forbid"
	"github.com/mintmark/mintmark/internal/fact"
	"golang.org/x/sys/unix"
)

// The test binary is also what is confined, and who confines it as another user
// or where the system forbids it: see TestMain.
const (
	envTry  = "MINTMARK_TEST_CONFINE_TRY"  // what to try, as JSON
	envRun  = "MINTMARK_TEST_CONFINE_RUN"  // run that within limits
	envView = "MINTMARK_TEST_CONFINE_VIEW" // run a script with a view: a sight as JSON
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(envView) != "":
		var s sight
		if err := json.Unmarshal([]byte(os.Getenv(envView)), &s); err != nil {
			panic(err)
		}
		json.NewEncoder(os.Stdout).Encode(s.see())
		os.Exit(0)
	case os.Getenv(envTry) != "" && os.Getenv(envRun) == "":
		var t targets
		if err := json.Unmarshal([]byte(os.Getenv(envTry)), &t); err != nil {
			panic(err)
		}
		json.NewEncoder(os.Stdout).Encode(t.try())
		os.Exit(0)
	case os.Getenv(envRun) != "":
		var t targets
		json.Unmarshal([]byte(os.Getenv(envTry)), &t)
		r, err := confined(t)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		json.NewEncoder(os.Stdout).Encode(r)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// targets are what a hostile command would like to reach.
type targets struct {
	Inside   string // a directory that it may write
	Outside  string // one that it may not, with a file named victim
	TCP, UDP string // addresses where somebody listens
	Abstract string // the name of a socket
	PID      int    // of a process outside
}

// result is what came of a confined run.
type result struct {
	State   fact.Confinement
	Done    map[string]string // attempt → "done", or the error
	Printed string
}

// try tries everything and says what came of it.
func (t targets) try() map[string]string {
	victim, own := filepath.Join(t.Outside, "victim"), filepath.Join(t.Inside, "own")
	at := func(dir, name string) string { return filepath.Join(dir, name) }
	out := map[string]string{}
	try := func(what string, f func() error) {
		out[what] = "done"
		if err := f(); err != nil {
			out[what] = cause(err).Error()
		}
	}
	write := func(name string, flags int) func() error {
		return func() error {
			f, err := os.OpenFile(name, flags, 0o644)
			if err == nil {
				_, err = f.WriteString("x")
				f.Close()
			}
			return err
		}
	}
	connect := func(network, addr string) func() error {
		return func() error {
			c, err := net.DialTimeout(network, addr, 2*time.Second)
			if err == nil {
				_, err = c.Write([]byte("x"))
				c.Close()
			}
			return err
		}
	}
	try("inside: create", write(own, os.O_CREATE|os.O_WRONLY))
	try("inside: truncate", func() error { return os.Truncate(own, 0) })
	try("inside: mkdir", func() error { return os.Mkdir(at(t.Inside, "dir"), 0o755) })
	try("inside: move", func() error { return os.Rename(own, at(t.Inside, "dir/own")) })
	try("inside: remove", func() error { return os.Remove(at(t.Inside, "dir/own")) })
	try("null", write(os.DevNull, os.O_WRONLY))
	try("read", func() error { _, err := os.ReadFile(victim); return err })

	try("create", write(at(t.Outside, "new"), os.O_CREATE|os.O_WRONLY))
	try("append", write(victim, os.O_APPEND|os.O_WRONLY))
	try("open truncated", write(victim, os.O_TRUNC|os.O_WRONLY))
	try("truncate", func() error { return os.Truncate(victim, 0) })
	try("remove", func() error { return os.Remove(victim) })
	try("move away", func() error { return os.Rename(victim, at(t.Inside, "victim")) })
	try("link in", func() error { return os.Link(victim, at(t.Inside, "victim2")) })
	try("mkdir", func() error { return os.Mkdir(at(t.Outside, "dir"), 0o755) })
	try("symlink", func() error { return os.Symlink("/", at(t.Outside, "link")) })
	try("fifo", func() error { return syscall.Mkfifo(at(t.Outside, "fifo"), 0o644) })
	// By a way that was made inside.
	try("through a link", func() error {
		if err := os.Symlink(t.Outside, at(t.Inside, "way")); err != nil {
			return err
		}
		return write(at(t.Inside, "way/victim"), os.O_WRONLY)()
	})
	try("by a child", func() error {
		return exec.Command("/bin/sh", "-c", `echo x >>"$0"`, victim).Run()
	})
	try("tcp", connect("tcp", t.TCP))
	try("listen", func() error {
		l, err := net.Listen("tcp", strings.Split(t.TCP, ":")[0]+":0")
		if err == nil {
			l.Close()
		}
		return err
	})
	try("udp", connect("udp", t.UDP))
	try("abstract", connect("unix", t.Abstract))
	try("signal", func() error { return syscall.Kill(t.PID, 0) })
	try("namespace", func() error { return unix.Setns(mustOpen(fmt.Sprintf("/proc/%d/ns/net", t.PID)), unix.CLONE_NEWNET) })
	return out
}

func mustOpen(name string) int {
	fd, _ := syscall.Open(name, syscall.O_RDONLY, 0)
	return fd
}

// confined runs the attempts within limits.
func confined(t targets) (*result, error) {
	text, _ := json.Marshal(t)
	var out, errs bytes.Buffer
	_, state, err := Run(Limits{Write: []string{t.Inside}}, func() *exec.Cmd {
		cmd := exec.Command("/proc/self/exe")
		cmd.Path, _ = os.Executable()
		cmd.Env = []string{envTry + "=" + string(text)}
		cmd.Stdout, cmd.Stderr = &out, &errs
		return cmd
	})
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, errs.Bytes())
	}
	r := &result{State: state}
	return r, json.Unmarshal(out.Bytes(), &r.Done)
}

// newTargets are a file, listeners and this process.
func newTargets(t *testing.T) targets {
	t.Helper()
	dir, err := os.MkdirTemp("", "confine-") // not t.TempDir: other users may enter it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	x := targets{Inside: filepath.Join(dir, "in side"), Outside: filepath.Join(dir, "outside"), PID: os.Getpid(), Abstract: fmt.Sprintf("@mintmark-test-%d-%d", os.Getpid(), time.Now().UnixNano())}
	for _, d := range []string{x.Inside, x.Outside} {
		if err := errors.Join(os.Mkdir(d, 0o777), os.Chmod(d, 0o777)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.WriteFile(filepath.Join(x.Outside, "victim"), []byte("as it was"), 0o666), os.Chmod(filepath.Join(x.Outside, "victim"), 0o666)); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a, err := net.Listen("unix", x.Abstract)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); u.Close(); a.Close() })
	x.TCP, x.UDP = l.Addr().String(), u.LocalAddr().String()
	return x
}

// outsideOnly are attempts that a confined command must fail at.
var (
	writesOutside = []string{"create", "append", "open truncated", "truncate", "remove", "move away", "link in", "mkdir", "symlink", "fifo", "through a link", "by a child"}
	connections   = []string{"tcp", "udp"}
	permitted     = []string{"inside: create", "inside: truncate", "inside: mkdir", "inside: move", "inside: remove", "null", "read"}
)

// check holds what was tried against what the run says held it.
func check(t *testing.T, x targets, r *result) {
	t.Helper()
	for _, what := range permitted {
		if r.Done[what] != "done" {
			t.Errorf("%s: %s", what, r.Done[what])
		}
	}
	for _, wall := range []struct {
		hold  fact.Hold
		tried []string
	}{{r.State.Writes, writesOutside}, {r.State.Network, connections}} {
		if wall.hold.Held == (wall.hold.Reason != "") {
			t.Errorf("%+v", wall.hold)
		}
		for _, what := range wall.tried {
			if got, ok := r.Done[what]; !ok || wall.hold.Held && got == "done" {
				t.Errorf("%s: %q, although it says %+v", what, got, wall.hold)
			}
		}
	}
	if r.State.Writes.Held {
		if data, err := os.ReadFile(filepath.Join(x.Outside, "victim")); err != nil || string(data) != "as it was" {
			t.Errorf("the victim: %q, %v", data, err)
		}
		if files, err := os.ReadDir(x.Outside); err != nil || len(files) != 1 {
			t.Errorf("outside there is %v, %v", files, err)
		}
	}
}

// TestConfined: a command tries to write outside of its place and to connect,
// and is refused, as far as its State says.
func TestConfined(t *testing.T) {
	x := newTargets(t)
	r, err := confined(x)
	if err != nil {
		t.Fatal(err)
	}
	check(t, x, r)
	if !r.State.Held() {
		t.Skipf("SKIPPED in part: this system does not permit all: %s", r.State)
	}
	// What is more than State says, on this kernel.
	t.Logf("abstract socket: %s; signal: %s; %s", r.Done["abstract"], r.Done["signal"], r.State)
	if got := r.Done["abstract"]; got == "done" {
		t.Errorf("it connected to an abstract socket outside of its network namespace")
	}
	if got := r.Done["namespace"]; got == "done" {
		t.Errorf("it entered our network namespace")
	}
}

// TestUnconfined: the attempts are worth something, since without limits all of
// them succeed.
func TestUnconfined(t *testing.T) {
	x := newTargets(t)
	text, _ := json.Marshal(x)
	var out bytes.Buffer
	log := &Log{}
	_, state, err := Run(Limits{Waived: "to see", Log: log}, func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Path, _ = os.Executable()
		cmd.Env, cmd.Stdout = []string{envTry + "=" + string(text)}, &out
		return cmd
	})
	if err != nil || state.Held() || state.String() != "not confined: to see" || log.Runs() != 0 {
		t.Fatalf("%v, %+v, %d", err, state, log.Runs())
	}
	done := map[string]string{}
	if err := json.Unmarshal(out.Bytes(), &done); err != nil {
		t.Fatal(err)
	}
	for what, got := range done {
		switch what {
		case "move away", "link in": // the file has been removed by then
		case "through a link", "by a child", "namespace": // makes it anew, or needs rights
		default:
			if got != "done" && !(what == "truncate" && got == "done") {
				t.Errorf("%s: %s", what, got)
			}
		}
	}
}

// TestConfinedAsUser: an ordinary user can confine too, through a user namespace.
func TestConfinedAsUser(t *testing.T) {
	x := newTargets(t)
	r := elsewhere(t, x, "")
	check(t, x, r)
	t.Log(r.State)
}

// TestForbidden: where the system forbids what confines, the run says so, and
// the command runs all the same.
func TestForbidden(t *testing.T) {
	for _, tt := range []struct{ forbid, want string }{
		{"landlock", "not confined: writes: no Landlock: this kernel has none (Linux 5.13 does), or a container hides it (no network)"},
		{"network", "not confined: network: no network namespace: operation not permitted; Landlock refuses TCP, and nothing else (writes only below its own place)"},
		{"landlock network", "not confined: writes: no Landlock: this kernel has none (Linux 5.13 does), or a container hides it; network: no network namespace: operation not permitted"},
	} {
		x := newTargets(t)
		r := elsewhere(t, x, tt.forbid)
		check(t, x, r)
		if free, err := confined(newTargets(t)); err != nil || !free.State.Held() {
			t.Skipf("SKIPPED: nothing to forbid here: %v", err)
		}
		if got := r.State.String(); got != tt.want {
			t.Errorf("without %s: %q, want %q", tt.forbid, got, tt.want)
		}
		if r.State.Writes.Held == strings.Contains(tt.forbid, "landlock") || r.State.Network.Held == strings.Contains(tt.forbid, "network") {
			t.Errorf("without %s: %+v", tt.forbid, r.State)
		}
		if strings.Contains(tt.forbid, "landlock") && r.Done["append"] != "done" {
			t.Errorf("without Landlock, to append: %s; the filter forbids something else", r.Done["append"])
		}
		if tt.forbid == "network" && (r.Done["tcp"] == "done" || r.Done["udp"] != "done") {
			t.Errorf("without a namespace: tcp %s, udp %s", r.Done["tcp"], r.Done["udp"])
		}
	}
}

// elsewhere confines in another process: as another user where we may become
// one, and under a seccomp filter that makes the system forbid something, as
// those of containers do.
func elsewhere(t *testing.T, x targets, what string) *result {
	t.Helper()
	text, _ := json.Marshal(x)
	r := &result{}
	if err := json.Unmarshal(rerun(t, filepath.Dir(x.Inside), what, envTry+"="+string(text), envRun+"=1"), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// rerun runs this program again, with what there is to do in its environment, as
// another user where we may become one and nothing is forbidden. It returns what
// that printed. dir is for a copy of the program.
func rerun(t *testing.T, dir, what string, env ...string) []byte {
	t.Helper()
	// Not os.Args[0], which other users may not reach.
	self := filepath.Join(dir, "test")
	data, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(self, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if os.Geteuid() == 0 && what == "" {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	done := make(chan error)
	onThread(func() {
		var err error
		if what != "" {
			err = forbid.ThisThread(what)
		}
		if err == nil {
			err = cmd.Run()
		}
		done <- err
	})
	if err := <-done; err != nil {
		t.Fatalf("%v\n%s", err, errs.Bytes())
	}
	return out.Bytes()
}

// TestThisProcessStaysFree: no thread of ours is restricted, neither during
// confined runs nor afterwards, however many there are at once.
func TestThisProcessStaysFree(t *testing.T) {
	x := newTargets(t)
	var confining, writing sync.WaitGroup
	stop := make(chan struct{})
	for i := range 4 * runtime.GOMAXPROCS(0) { // more goroutines than threads so far
		writing.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				name := filepath.Join(x.Outside, fmt.Sprint(i, "-", n))
				if err := errors.Join(os.WriteFile(name, nil, 0o644), os.Remove(name)); err != nil {
					t.Errorf("outside of a confined command: %v", err)
					return
				}
				// Blocking calls have the runtime make threads.
				time.Sleep(time.Millisecond)
			}
		})
	}
	for range 8 {
		confining.Go(func() {
			for range 5 {
				_, _, err := Run(Limits{Write: []string{x.Inside}}, func() *exec.Cmd { return exec.Command("/bin/sh", "-c", "sleep 0.01") })
				if err != nil {
					t.Error(err)
				}
				if err := os.WriteFile(filepath.Join(x.Outside, "mine"), nil, 0o644); err != nil {
					t.Errorf("after a confined command: %v", err)
				}
			}
		})
	}
	confining.Wait()
	close(stop)
	writing.Wait()
	for i := range 200 { // a thread that has ended may take a moment to go
		restricted := restrictedThreads(t)
		if len(restricted) == 0 {
			return
		}
		if i == 199 {
			t.Errorf("threads with no_new_privs are left: %v", restricted)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// restrictedThreads are those that have been confined, which begins with no_new_privs.
func restrictedThreads(t *testing.T) (list []string) {
	t.Helper()
	if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || n != 0 {
		t.Skip("SKIPPED: the whole process has no_new_privs")
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		data, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
		if err == nil && strings.Contains(string(data), "NoNewPrivs:\t1") {
			list = append(list, task.Name())
		}
	}
	return list
}

// TestMainThread: the main thread is never the one that is confined.
func TestMainThread(t *testing.T) {
	for range 200 {
		tid := make(chan int)
		onThread(func() { tid <- unix.Gettid() })
		if got := <-tid; got == os.Getpid() {
			t.Fatal("on the main thread")
		}
	}
}

func TestHandled(t *testing.T) {
	for version, want := range map[int]string{1: "", 2: "refer", 3: "truncate", 4: "connect_tcp", 5: "ioctl_dev", 6: "abstract_unix_socket", 9: "resolve_unix", 10: "connect_send_udp"} {
		fs, net, scoped := handled(version, true)
		now := fmt.Sprint(fs, net, scoped)
		fs, net, scoped = handled(version-1, true)
		if before := fmt.Sprint(fs, net, scoped); want != "" && (!strings.Contains(now, want) || strings.Contains(before, want)) {
			t.Errorf("version %d: %s; before: %s", version, now, before)
		}
		if strings.Contains(now, "read") || strings.Contains(now, "execute") {
			t.Errorf("version %d takes away reading: %s", version, now)
		}
	}
	if _, _, scoped := handled(7, false); strings.Contains(scoped.String(), "signal") {
		t.Error("signals are refused on a kernel that refuses them among our own threads, too")
	}
}

func TestMissing(t *testing.T) {
	ran := false
	_, _, err := Run(Limits{Write: []string{filepath.Join(t.TempDir(), "missing")}}, func() *exec.Cmd { ran = true; return exec.Command("/bin/true") })
	if !errors.Is(err, os.ErrNotExist) || ran {
		t.Errorf("a directory that is not there: %v, ran %v", err, ran)
	}
	log := &Log{}
	_, state, err := Run(Limits{Log: log}, func() *exec.Cmd { return exec.Command("/no/such/program") })
	if !errors.Is(err, os.ErrNotExist) || state.Held() || log.Runs() != 0 || log.State().Held() {
		t.Errorf("a program that is not there: %v, %+v, %d", err, state, log.Runs())
	}
}

func TestExitStatus(t *testing.T) {
	cmd, _, err := Run(Limits{}, func() *exec.Cmd { return exec.Command("/bin/sh", "-c", "exit "+strconv.Itoa(7)) })
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("got %v", err)
	}
}

// TestNothingIsPermitted: limits that say nothing permit nothing.
func TestNothingIsPermitted(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	_, state, err := Run(Limits{}, func() *exec.Cmd { return exec.Command("/bin/sh", "-c", `: >"$0"`, name) })
	if !state.Writes.Held {
		t.Skipf("SKIPPED: %s", state)
	}
	if _, serr := os.Stat(name); err == nil || serr == nil {
		t.Errorf("it wrote a file: %v, %v", err, serr)
	}
}
