package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/secret"
)

// needRsync skips where there is no rsync.
func needRsync(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("rsync"); err != nil {
		t.Skip("no rsync: the real thing is not tested")
	}
}

// mirror is a directory that a real rsync reaches.
type mirror struct {
	top string // the directory of all releases, here
	cfg Config
}

// daemonPassword is asked for by one module of a daemon.
const daemonPassword = "canary-0123-daemon"

// newDaemon starts a daemon with a module for everybody, one for who knows the password,
// and one that takes nothing.
func newDaemon(t *testing.T) (m *mirror, address string) {
	t.Helper()
	needRsync(t)
	dir := t.TempDir()
	top := filepath.Join(dir, "www")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	_, port, _ := strings.Cut(address, ":")
	text := "use chroot = false\nlog file = " + filepath.Join(dir, "log") + "\nmotd file = " + filepath.Join(dir, "motd") + "\n"
	if os.Geteuid() == 0 {
		text += "uid = root\ngid = root\n" // else it is nobody
	}
	for module, more := range map[string]string{"www": "read only = false", "closed": "read only = true", "guarded": "read only = false\nauth users = alice\nsecrets file = " + filepath.Join(dir, "secrets")} {
		text += "[" + module + "]\npath = " + top + "\n" + more + "\n"
	}
	for name, content := range map[string]string{"conf": text, "motd": "welcome\n", "secrets": "alice:" + daemonPassword + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(top, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("rsync", "--daemon", "--no-detach", "--config="+filepath.Join(dir, "conf"), "--address=127.0.0.1", "--port="+port)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return newMirror(t, top, "rsync://"+address+"/www"), address
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the daemon does not answer: %s", &said)
	return nil, ""
}

// newMirror is a mirror that is there.
func newMirror(t *testing.T, top, target string, env ...string) *mirror {
	t.Helper()
	parsed, err := ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	return &mirror{top, Config{
		Target: parsed, Env: append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...),
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}}
}

// newShell is a mirror at the other end of a remote shell, which splits its command line
// as that of ssh does; a home directory is there, and releases are below it. Each run of
// it is a line in the file said.
func newShell(t *testing.T, below string) (m *mirror, said string) {
	t.Helper()
	needRsync(t)
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	said = filepath.Join(dir, "said")
	script := "#!/bin/sh\n" + `while [ "${1#-}" != "$1" ]; do [ "$1" != -l ] || shift; shift; done` + "\n" +
		"echo \"$*\" >>'" + said + "'\nshift\ncd '" + home + "' && exec sh -c \"$*\"\n"
	shell := filepath.Join(dir, "shell")
	if err := errors.Join(os.WriteFile(shell, []byte(script), 0o755), os.Mkdir(home, 0o755)); err != nil {
		t.Fatal(err)
	}
	return newMirror(t, filepath.Join(home, below), "rsync:user@host:"+below, "RSYNC_RSH="+shell), said
}

// complete says what is there of a release, and demands that the list is there only with
// all the rest.
func (m *mirror) complete(t *testing.T, r *Release, what string) (published bool) {
	t.Helper()
	dir := filepath.Join(m.top, testTag)
	if _, err := os.Lstat(filepath.Join(dir, "checksums.txt")); errors.Is(err, fs.ErrNotExist) {
		return false
	}
	got := content(t, dir)
	for name, want := range r.want() {
		if got[name] != want {
			t.Errorf("%s: checksums.txt is there, and %s is %q", what, name, got[name])
		}
	}
	return true
}

// exactly demands that what is there is a release and nothing else.
func (m *mirror) exactly(t *testing.T, r *Release, what string) {
	t.Helper()
	if got := content(t, m.top); !maps.Equal(got, r.want()) {
		t.Errorf("%s: %q", what, got)
	}
}

// whole is a release with all kinds of files.
func whole(t *testing.T) *Release {
	return release(t, "checksums.txt.sigstore.json", "release.json", "small_windows_amd64.zip")
}

// TestRsync: a release is published as it is, over a daemon and a remote shell; once more,
// it is there already, and nothing is written.
func TestRsync(t *testing.T) {
	t.Parallel()
	daemon, _ := newDaemon(t)
	shell, said := newShell(t, "srv/my releases") // which no shell is to see
	deep := *daemon
	deep.top = filepath.Join(daemon.top, "a b", "c")
	deep.cfg.Target.Path += "/a b/c"
	for name, m := range map[string]*mirror{"daemon": daemon, "daemon, deep": &deep, "shell": shell} {
		t.Run(name, func(t *testing.T) {
			r := whole(t)
			if err := os.Chmod(filepath.Join(r.Dir, "small_linux_amd64.tar.gz"), 0o600); err != nil {
				t.Fatal(err)
			}
			m.cfg.Draft = true
			res, err := Publish(t.Context(), r, m.cfg)
			if err != nil || res.State != Drafted || len(res.Files) != len(r.Files)-1 || m.complete(t, r, "draft") {
				t.Fatalf("draft: %+v, %v", res, err)
			}
			if _, err := Same(t.Context(), r, m.cfg, testTag); err == nil || !strings.Contains(err.Error(), "is a draft") {
				t.Errorf("a draft: %v", err)
			}
			m.cfg.Draft = false
			if res, err = Publish(t.Context(), r, m.cfg); err != nil || res.State != Published || len(res.Files) != len(r.Files) || res.Files[0].There || !res.Files[1].There {
				t.Fatalf("%+v, %v", res, err)
			}
			dir := filepath.Join(m.top, testTag)
			for name, want := range map[string]fs.FileMode{"": fs.ModeDir | 0o755, "small_linux_amd64.tar.gz": 0o644, "checksums.txt": 0o644} {
				if fi, err := os.Stat(filepath.Join(dir, name)); err != nil || fi.Mode() != want {
					t.Errorf("%s: %v, %v", name, fi, err)
				}
			}
			before := modTimes(t, dir)
			if res, err = Publish(t.Context(), r, m.cfg); err != nil || res.State != Already {
				t.Fatalf("again: %+v, %v", res, err)
			}
			if after := modTimes(t, dir); !maps.Equal(before, after) {
				t.Errorf("again: %v, before %v", after, before)
			}
			if res, err = Same(t.Context(), r, m.cfg, testTag); err != nil || res.State != Already {
				t.Errorf("Same: %+v, %v", res, err)
			}
			got := t.TempDir()
			if err := Fetch(t.Context(), m.cfg, testTag, got); err != nil || !maps.Equal(content(t, got), r.want()) {
				t.Errorf("fetched %q, %v", content(t, got), err)
			}
			if got := content(t, dir); !maps.Equal(got, r.want()) {
				t.Errorf("%q", got)
			}
			if err := Fetch(t.Context(), m.cfg, "v9", t.TempDir()); err == nil || !strings.Contains(err.Error(), "has published nothing as v9") {
				t.Errorf("another tag: %v", err)
			}
		})
	}
	if data, err := os.ReadFile(said); err != nil || !strings.HasPrefix(string(data), "host rsync --server ") || strings.Contains(string(data), "releases") {
		t.Errorf("the remote shell was told %q, %v", data, err)
	}
}

// modTimes are when what is in a directory was written.
func modTimes(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	all := map[string]time.Time{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		fi, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = fi.ModTime()
	}
	return all
}

// wire is between rsync and a daemon, and breaks.
type wire struct {
	net.Listener
	to    string
	cutIn int   // the connection that breaks; 0: none
	after int64 // bytes
	gone  bool  // after that, nobody answers

	mu   sync.Mutex
	n    int           // connections so far
	sent map[int]int64 // bytes to the daemon, by connection
	wait sync.WaitGroup
}

func newWire(t *testing.T, to string, in int, after int64, gone bool) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, to: to, cutIn: in, after: after, gone: gone, sent: map[int]int64{}}
	w.wait.Add(1)
	go func() {
		defer w.wait.Done()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.mu.Lock()
			w.n++
			n := w.n
			w.mu.Unlock()
			w.wait.Add(1)
			go func() {
				defer w.wait.Done()
				w.carry(c, n)
			}()
		}
	}()
	return w
}

func (w *wire) close() {
	w.Close()
	w.wait.Wait()
}

// carry brings bytes to and fro, as far as it is to.
func (w *wire) carry(c net.Conn, n int) {
	defer c.Close()
	limit := int64(-1)
	if n == w.cutIn {
		limit = w.after
	}
	if w.cutIn > 0 && n > w.cutIn && w.gone {
		return
	}
	d, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer d.Close()
	ended := make(chan struct{})
	go func() {
		io.Copy(c, d)
		c.Close()
		close(ended)
	}()
	var from io.Reader = c
	if limit >= 0 {
		from = io.LimitReader(c, limit)
	}
	sent, _ := io.Copy(d, from)
	w.mu.Lock()
	w.sent[n] = sent
	w.mu.Unlock()
	if limit < 0 {
		d.(*net.TCPConn).CloseWrite()
	} else {
		d.Close()
		c.Close()
	}
	<-ended
}

// TestRsyncBreaks breaks each connection in turn, where each file goes over it, once and
// for good: then the same command ends well, and at no time there is a list of digests
// without all that it lists.
func TestRsyncBreaks(t *testing.T) {
	t.Parallel()
	daemon, address := newDaemon(t)
	r := whole(t)
	run := func(t *testing.T, name string, in int, after int64, gone bool) (w *wire, err error) {
		w = newWire(t, address, in, after, gone)
		m := newMirror(t, filepath.Join(daemon.top, name), "rsync://"+w.Addr().String()+"/www/"+name)
		what := fmt.Sprintf("connection %d broken after %d bytes, for good %t", in, after, gone)
		_, err = Publish(t.Context(), r, m.cfg)
		w.close()
		if published := m.complete(t, r, what); err == nil && !published {
			t.Errorf("%s: no error, and it is not published", what)
		}
		if err != nil {
			if fault.Hint(err) == "" {
				t.Errorf("%s: no hint: %v", what, err)
			}
			m.cfg.Target.Base = "//" + address
			if _, err := Publish(t.Context(), r, m.cfg); err != nil {
				t.Errorf("%s: again: %v", what, err)
			}
		}
		m.exactly(t, r, what)
		return w, err
	}
	whole, err := run(t, "whole", 0, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	var mended, stopped atomic.Int32
	t.Run("breaks", func(t *testing.T) {
		for in := 1; in <= whole.n; in++ {
			points := []int64{0, whole.sent[in] / 2}
			if whole.sent[in] > 400 { // files
				for i := range int64(len(r.Files)) {
					points = append(points, 200+(whole.sent[in]-200)*i/int64(len(r.Files)))
				}
			}
			for i, after := range points {
				t.Run(fmt.Sprintf("%d-%d", in, i), func(t *testing.T) {
					t.Parallel()
					if _, err := run(t, fmt.Sprintf("%d-%d", in, i), in, after, i%2 == 1); err != nil {
						stopped.Add(1)
					} else {
						mended.Add(1)
					}
				})
			}
		}
	})
	t.Logf("%d connections; %d runs ended well by themselves, %d by another one", whole.n, mended.Load(), stopped.Load())
	if mended.Load() == 0 || stopped.Load() == 0 {
		t.Error("nothing was mended, or nothing stopped")
	}
}

// TestRsyncStops stops a publication before each run of rsync, as if it was killed, and
// leaves unfinished files at the other end: then it ends well.
func TestRsyncStops(t *testing.T) {
	t.Parallel()
	r := whole(t)
	steps := 0
	for stop := 0; stop == 0 || stop <= steps; stop++ {
		m, _ := newShell(t, "www")
		n := 0
		m.cfg.Say = func(e Event) {
			if m.complete(t, r, fmt.Sprintf("before step %d", n)); e.Method == "" {
				return
			}
			if n++; n == stop {
				panic(errStopped)
			}
		}
		func() {
			defer func() {
				if e := recover(); e != nil && e != errStopped {
					panic(e)
				}
			}()
			if _, err := Publish(t.Context(), r, m.cfg); err != nil {
				t.Error(err)
			}
		}()
		if stop == 0 {
			steps = n
		}
		m.cfg.Say = nil
		if fi, err := os.Stat(filepath.Join(m.top, testTag)); err == nil && fi.IsDir() && !m.complete(t, r, "stopped") {
			for _, name := range []string{".report.md.Ab0Zz9", ".checksums.txt.xxxxxx"} {
				if err := os.WriteFile(filepath.Join(m.top, testTag, name), []byte("half"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := Publish(t.Context(), r, m.cfg); err != nil {
			t.Fatalf("stopped before step %d of %d: again: %v", stop, steps, err)
		}
		m.exactly(t, r, fmt.Sprintf("stopped before step %d", stop))
	}
	if steps < 6 {
		t.Errorf("%d steps", steps)
	}
}

// TestRsyncRefused: what cannot be published as it is is an error with what to do, and is
// left as it is.
func TestRsyncRefused(t *testing.T) {
	t.Parallel()
	daemon, _ := newDaemon(t)
	shell, _ := newShell(t, "www")
	programs := func(script string) string {
		dir := t.TempDir()
		if script != "" {
			if err := os.WriteFile(filepath.Join(dir, "rsync"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return "PATH=" + dir
	}
	module := func(name string) func(t *testing.T, m *mirror) {
		return func(_ *testing.T, m *mirror) { m.cfg.Target.Path = name + strings.TrimPrefix(m.cfg.Target.Path, "www") }
	}
	put := func(name, content string) func(t *testing.T, m *mirror) {
		return func(t *testing.T, m *mirror) {
			dir := filepath.Join(m.top, testTag)
			if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, tt := range []struct {
		name string
		on   *mirror
		set  func(t *testing.T, m *mirror)
		want string
		code int
		hint string
	}{
		{"another digest", daemon, put("report.md", "content of REPORT.MD\n"), "report.md has the digest", fault.Refused, "delete it by hand"},
		{"another size", shell, put("report.md", "another"), "report.md has 7 bytes there, and ", fault.Refused, "delete it by hand"},
		{"a file too many", daemon, put("x y", "x"), `"x y" is there, and is no file of the release`, fault.Refused, "delete it by hand"},
		{"a hidden file", shell, put(".htaccess", "x"), `".htaccess" is there, and is no file of the release`, fault.Refused, "delete it by hand"},
		{"another one, published", daemon, put("checksums.txt", "x"), "it is another release", fault.Refused, "release another version"},
		{"a directory", shell, func(t *testing.T, m *mirror) {
			if err := os.MkdirAll(filepath.Join(m.top, testTag, "report.md"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, `report.md leads elsewhere, to "a directory"`, fault.Refused, "delete it by hand"},
		{"a link", daemon, func(t *testing.T, m *mirror) {
			dir := filepath.Join(m.top, testTag)
			if err := errors.Join(os.MkdirAll(dir, 0o755), os.Symlink("/etc/passwd", filepath.Join(dir, "report.md"))); err != nil {
				t.Fatal(err)
			}
		}, `report.md leads elsewhere, to "a symbolic link"`, fault.Refused, "delete it by hand"},
		{"a file in its place", shell, func(t *testing.T, m *mirror) {
			if err := errors.Join(os.MkdirAll(m.top, 0o755), os.WriteFile(filepath.Join(m.top, testTag), nil, 0o644)); err != nil {
				t.Fatal(err)
			}
		}, "is no directory", fault.Failed, "move it away"},
		{"a link in its place", daemon, func(t *testing.T, m *mirror) {
			if err := errors.Join(os.MkdirAll(m.top, 0o755), os.WriteFile(filepath.Join(m.top, "elsewhere"), nil, 0o644), os.Symlink("elsewhere", filepath.Join(m.top, testTag))); err != nil {
				t.Fatal(err)
			}
		}, "is no directory", fault.Failed, "move it away"},
		{"a module that takes nothing", daemon, module("closed"), "rsync: exit status", fault.Failed, "read only = false"},
		{"no such module", daemon, module("wwww"), "Unknown module 'wwww'", fault.Failed, "to have the module"},
		{"a module that asks", daemon, module("guarded"), "auth failed on module guarded", fault.Failed, "the password in RSYNC_PASSWORD"},
		{"a wrong password", daemon, func(t *testing.T, m *mirror) {
			module("guarded")(t, m)
			m.cfg.Target.Base = strings.Replace(m.cfg.Target.Base, "//", "//alice@", 1)
			m.cfg.Env = append(m.cfg.Env, "RSYNC_PASSWORD="+daemonPassword+"x")
		}, "auth failed on module guarded", fault.Failed, "the password in RSYNC_PASSWORD"},
		{"the right password", daemon, func(t *testing.T, m *mirror) {
			module("guarded")(t, m)
			m.cfg.Target.Base = strings.Replace(m.cfg.Target.Base, "//", "//alice@", 1)
			m.cfg.Env = append(m.cfg.Env, "RSYNC_PASSWORD="+daemonPassword)
		}, "", 0, ""},
		{"no daemon", daemon, func(_ *testing.T, m *mirror) { m.cfg.Target.Base = "//127.0.0.1:1" }, "127.0.0.1", fault.Failed, "a daemon has to answer at rsync://127.0.0.1:1"},
		{"no remote shell", shell, func(_ *testing.T, m *mirror) { m.cfg.Env = append(m.cfg.Env, "RSYNC_RSH=false") }, "rsync: exit status", fault.Failed, "what RSYNC_RSH names has to reach user@host"},
		{"no rsync", shell, func(_ *testing.T, m *mirror) { m.cfg.Env = append(m.cfg.Env, programs("")) }, "not found", fault.Failed, "install rsync 3.1 or newer"},
		{"an old rsync", shell, func(_ *testing.T, m *mirror) {
			m.cfg.Env = append(m.cfg.Env, programs("echo 'rsync  version 3.0.9  protocol version 30'"))
		}, "is version 3.0", fault.Failed, "install rsync 3.1 or newer"},
		{"another rsync", shell, func(_ *testing.T, m *mirror) {
			m.cfg.Env = append(m.cfg.Env, programs("echo 'openrsync: protocol version 29'; echo 'rsync version 2.6.9 compatible'"))
		}, "is version 2.6", fault.Failed, "brew install rsync"},
		{"a list that is none", shell, func(_ *testing.T, m *mirror) {
			m.cfg.Env = append(m.cfg.Env, programs("echo 'rsync  version 3.2.7  protocol version 31'"))
		}, "which is no line of a list", fault.Failed, "run the same command again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := *tt.on
			m.top = filepath.Join(m.top, fmt.Sprint(i))
			m.cfg.Target.Path += "/" + fmt.Sprint(i)
			var said []Event
			m.cfg.Say = func(e Event) { said = append(said, e) }
			r := whole(t)
			tt.set(t, &m)
			before := content(t, tt.on.top)
			res, err := Publish(t.Context(), r, m.cfg)
			if text := fmt.Sprintf("%+v %+v %v %v", said, res, err, fault.Hint(err)); strings.Contains(text, daemonPassword) {
				t.Errorf("the password is in %s", text)
			}
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				m.exactly(t, r, tt.name)
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || fault.ExitCode(err) != tt.code || !strings.Contains(secret.Redact(fault.Hint(err)), tt.hint) {
				t.Errorf("error %v\nhint %q\nexit code %d", err, fault.Hint(err), fault.ExitCode(err))
			}
			if after := content(t, tt.on.top); !maps.Equal(after, before) {
				t.Errorf("it was changed: %q, before %q", after, before)
			}
		})
	}
}

// TestRsyncReplacesNothing: what somebody else puts there in the meantime stays, and is
// found when all is read back.
func TestRsyncReplacesNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before string // the run of rsync that comes too late
		path   string
		want   string
	}{
		"a file":                  {"./report.md", testTag + "/report.md", "report.md has "},
		"the list":                {" ./checksums.txt ", testTag + "/checksums.txt", "it is another release"},
		"a file as the directory": {" ./" + testTag + " ", testTag, "rsync: exit status"},
	} {
		m, _ := newShell(t, "www")
		m.cfg.Target.Path, m.top = ".", filepath.Dir(m.top)
		done := false
		m.cfg.Say = func(e Event) {
			if !done && e.Method != "" && strings.Contains(e.URL, tt.before) {
				done = true
				if err := os.WriteFile(filepath.Join(m.top, tt.path), []byte("somebody else's"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := Publish(t.Context(), whole(t), m.cfg); err == nil || !strings.Contains(err.Error(), tt.want) || !done {
			t.Errorf("%s: %v", name, err)
		}
		if data, err := os.ReadFile(filepath.Join(m.top, tt.path)); err != nil || string(data) != "somebody else's" {
			t.Errorf("%s: it is %q, %v", name, data, err)
		}
	}
}

// TestRsyncSendsMore: another end that lists small files and sends large ones does not fill
// this machine's disk. That end is played by a program that takes rsync's place, as what
// comes over the wire does not say beforehand how long it is.
func TestRsyncSendsMore(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"a large file":    `dd if=/dev/zero of=.report.md.Ab0Zz9 bs=1024 count=4096; exec sleep 60`,
		"a file too many": `i=0; while [ $i -lt 1100 ]; do : >$i; i=$((i+1)); done; exec sleep 60`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, _ := newShell(t, "www")
			r := whole(t)
			if _, err := Publish(t.Context(), r, m.cfg); err != nil {
				t.Fatal(err)
			}
			theirs, err := exec.LookPath("rsync")
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			text := "#!/bin/sh\ncase \"$*\" in *--max-size=*) " + script + ";; esac\nexec '" + theirs + "' \"$@\"\n"
			if err := os.WriteFile(filepath.Join(dir, "rsync"), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
			m.cfg.Env = append(m.cfg.Env, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
			if _, err := Same(t.Context(), r, m.cfg, testTag); fault.ExitCode(err) != fault.Refused || !strings.Contains(err.Error(), "sends more than the") {
				t.Errorf("exit code %d: %v", fault.ExitCode(err), err)
			}
		})
	}
}

// TestRsyncDryRun asks, and writes nothing; what it says is what is then done.
func TestRsyncDryRun(t *testing.T) {
	t.Parallel()
	m, _ := newShell(t, "www")
	r := whole(t)
	var runs []string
	m.cfg.Say = func(e Event) {
		if e.Method != "" {
			runs = append(runs, e.URL)
		}
	}
	m.cfg.DryRun = true
	if res, err := Publish(t.Context(), r, m.cfg); err != nil || res.State != Rehearsed || len(content(t, filepath.Dir(m.top))) > 0 {
		t.Fatalf("%+v, %v, %q", res, err, content(t, filepath.Dir(m.top)))
	}
	would := runs
	runs = nil
	m.cfg.DryRun = false
	if _, err := Publish(t.Context(), r, m.cfg); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(would, runs) || len(runs) != 10 {
		t.Errorf("said\n%s\ndone\n%s", strings.Join(would, "\n"), strings.Join(runs, "\n"))
	}
}

// FuzzReadListing: what the other end lists is an error, or names without a directory in
// them.
func FuzzReadListing(f *testing.F) {
	const at = " 2026/11/30 17:21:56 "
	for _, text := range []string{
		"drwxr-xr-x        4096" + at + "a\ndrwxr-xr-x        4096" + at + "a/v1\n-rw-r--r--           2" + at + "a/v1/b c\nlrwxrwxrwx           4" + at + "a/v1/l\n",
		"-rw-r--r--           2" + at + "a/v1\n", "lrwxrwxrwx           2" + at + "a\n", "drwxr-xr-x        4096" + at + ".\n", "", "x\n", "drwxr-xr-x 4,096" + at + "a/v1\n", "-rw-r--r-- 2" + at + "a/v1/../x\n",
		"drwxr-xr-x 4096" + at + "a/v1\n-rw-r--r-- 99999999999999999999" + at + "a/v1/x\n", "drwxr-xr-x 4096" + at + "a/v1\n-rw-r--r-- 2" + at + "a/v1/new\\#012line\r\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, there, err := readListing(text, "a/v1")
		if err != nil && list != nil || !there && len(list) > 0 || there && !strings.Contains(text, "a/v1") {
			t.Errorf("%q: %v, %t, %v", text, list, there, err)
		}
		ids := map[string]asset{}
		for _, a := range list {
			if a.Name == "" || strings.ContainsAny(a.Name, "/\n") || (a.Size < 0) != (a.Link != "") {
				t.Errorf("%q: %+v", text, a)
			}
			if b, ok := ids[a.ID]; ok && (b.Name != a.Name || b.Link == "" && a.Link == "" && b.Size != a.Size) {
				t.Errorf("%q: %+v and %+v", text, a, b)
			}
			ids[a.ID] = a
		}
	})
}
