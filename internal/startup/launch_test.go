package startup

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
)

func TestReadyKinds(t *testing.T) {
	path := build(t, "fixture")
	ctx := t.Context()

	o, err := start(t, path, "exit", "print=x").run(ctx)
	if err != nil || string(o.stdout) != "x\ndone\n" || o.took <= 0 || o.cpu <= 0 {
		t.Errorf("exit: %+v, %v", o, err)
	}
	// What is ready long before its end must not be waited for: a minute would
	// be an error by the timeout.
	for _, c := range []struct{ ready, args string }{
		{"first-byte", "print=x sleep=60s"},
		{"stdout:ready (to|for) serve", "print=starting sleep=1ms print=ready_to_serve print=x sleep=60s"},
	} {
		l := start(t, path, c.ready, strings.Fields(c.args)...)
		for i := range l.args {
			l.args[i] = strings.ReplaceAll(l.args[i], "_", " ")
		}
		if o, err := l.run(ctx); err != nil || o.took <= 0 || !strings.Contains(string(o.stdout), "x\n") && c.ready == "first-byte" {
			t.Errorf("%s: %+v, %v", c.ready, o, err)
		}
	}
	port := freePort(t)
	if o, err := start(t, path, "tcp:"+port, "listen=127.0.0.1:"+port).run(ctx); err != nil || o.took <= 0 {
		t.Errorf("tcp: %+v, %v", o, err)
	}
	// The same port again: the one before has ended.
	if _, err := start(t, path, "tcp:127.0.0.1:"+port, "sleep=20ms", "listen=127.0.0.1:"+port).run(ctx); err != nil {
		t.Errorf("tcp again: %v", err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// TestReadyOrder: a program that pauses before it is ready takes longer to be
// ready than its pause, and its pause afterwards does not count.
func TestReadyOrder(t *testing.T) {
	path := build(t, "fixture")
	const pause = 300 * time.Millisecond
	before, err := start(t, path, "stdout:ready", "print=x", "sleep=300ms", "print=ready").run(t.Context())
	if err != nil || before.took < pause {
		t.Errorf("%v, %v: ready before its pause of %v was over", before.took, err, pause)
	}
	after, err := start(t, path, "first-byte", "print=x", "sleep=60s").run(t.Context())
	if err != nil || after.took > 30*time.Second {
		t.Errorf("%v, %v", after.took, err)
	}
}

func TestLaunchFailures(t *testing.T) {
	path := build(t, "fixture")
	ctx := t.Context()

	_, err := start(t, path, "exit", "complain=no_such_thing", "exit=3").run(ctx)
	wantError(t, err, "exit status 3, want exit status 0; it wrote: no_such_thing")
	if fault.Hint(err) == "" {
		t.Error("no hint")
	}
	l := start(t, path, "exit", "exit=3")
	l.exit = 3
	if _, err := l.run(ctx); err != nil {
		t.Errorf("the status it should end with: %v", err)
	}
	_, err = start(t, path, "stdout:never", "print=x").run(ctx)
	wantError(t, err, "it ended (exit status 0) before it was ready (stdout:never)")
	_, err = start(t, path, "tcp:"+freePort(t)).run(ctx)
	wantError(t, err, "before it was ready")

	for _, ready := range []string{"exit", "first-byte", "stdout:x", "tcp:" + freePort(t)} {
		l := start(t, path, ready, "sleep=60s")
		l.timeout = 50 * time.Millisecond
		_, err := l.run(ctx)
		wantError(t, err, "not ready after 50ms")
	}
	for _, ready := range []string{"exit", "first-byte"} {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(50*time.Millisecond, cancel)
		l := start(t, path, ready, "sleep=60s")
		l.capture = false
		if _, err := l.run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: canceled: %v", ready, err)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = start(t, path, "tcp:"+taken.Addr().String(), "sleep=60s").run(ctx)
	wantError(t, err, "before the program is started")

	l = start(t, path, "exit")
	l.stdin = filepath.Join(l.work, "missing")
	_, err = l.run(ctx)
	wantError(t, err, "standard input")
	l = start(t, path+"-missing", "exit")
	if _, err := l.run(ctx); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing program: %v", err)
	}
	if runtime.GOOS != "windows" {
		// A child that holds the output open is no reason to wait for it.
		if o, err := start(t, path, "exit", "leave=60s").run(ctx); err != nil || string(o.stdout) != "done\n" {
			t.Errorf("left a child: %+v, %v", o, err)
		}
	}
}

// TestIsolation: a program sees the declared environment and input, and nothing else.
func TestIsolation(t *testing.T) {
	t.Setenv("MINTMARK_TEST_SECRET", "x")
	path := build(t, "fixture")
	l := start(t, path, "exit", "env", "cat")
	l.env = []string{"A=1", "B=x y"}
	l.stdin = filepath.Join(l.work, "in")
	if err := os.WriteFile(l.stdin, []byte("input\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	o, err := l.run(t.Context())
	if err != nil || runtime.GOOS != "windows" && string(o.stdout) != "A=1\nB=x y\ninput\ndone\n" {
		t.Errorf("%q, %v", o.stdout, err)
	}
}

func TestParseReady(t *testing.T) {
	for text, want := range map[string]string{
		"": "exit", "exit": "exit", "first-byte": "first-byte", "stdout:^listening": "stdout:^listening",
		"stdout:a:b": "stdout:a:b", "tcp:80": "tcp:127.0.0.1:80", "tcp:localhost:8080": "tcp:localhost:8080", "tcp:[::1]:1": "tcp:[::1]:1",
	} {
		r, err := ParseReady(text)
		if err != nil || r.String() != want {
			t.Errorf("%q: %s, %v, want %s", text, r, err, want)
		}
	}
	for _, text := range []string{
		"exit:", "first-byte:1", "stdout", "stdout:", "stdout:(", "stdout:x*", "tcp", "tcp:", "tcp:0", "tcp:65536", "tcp:a:b:c", "tcp:x", "udp:1", "EXIT",
	} {
		if r, err := ParseReady(text); err == nil || fault.Hint(err) == "" {
			t.Errorf("%q is taken for %s, %v", text, r, err)
		}
	}
	if (Ready{}).String() != "exit" {
		t.Error("the zero value is not exit")
	}
}

func FuzzParseReady(f *testing.F) {
	for _, s := range []string{"exit", "first-byte", "stdout:^a", "tcp:80", "tcp:[::1]:80", "stdout:(?i)x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseReady(s)
		if err != nil {
			return
		}
		again, err := ParseReady(r.String())
		if err != nil || again.String() != r.String() || again.Kind() != r.Kind() {
			t.Errorf("%q is %q, which is %q, %v", s, r, again, err)
		}
	})
}
