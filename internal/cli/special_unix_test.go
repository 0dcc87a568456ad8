//go:build unix

package cli

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/ui"
)

// special makes one of everything that is no regular file, and returns names.
// Nobody is at the other end of the pipe and of the socket.
func special(t *testing.T) map[string]string {
	dir, err := os.MkdirTemp("", "special") // a socket's name may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	at := func(name string) string { return filepath.Join(dir, name) }
	l, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := errors.Join(
		syscall.Mkfifo(at("pipe"), 0o600), os.Mkdir(at("directory"), 0o700),
		os.Symlink("nowhere", at("dangling")), os.Symlink("loop", at("loop")), os.Symlink("pipe", at("to-pipe")),
	); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"pipe": at("pipe"), "link to a pipe": at("to-pipe"), "directory": at("directory"), "device": "/dev/zero",
		"socket": at("socket"), "dangling link": at("dangling"), "loop of links": at("loop"),
	}
}

// TestSpecialFiles gives every verb everything that is no regular file, in every
// place where it takes the name of one. It must end and say which file it was.
func TestSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "me")
	cache := filepath.Join(dir, "cache")
	env := func(more ...string) []string {
		return append([]string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "MINTMARK_CACHE=" + cache, "MINTMARK_PASSWORD=", "MINTMARK_LEDGER_KEY=0123456789abcdef"}, more...)
	}
	private, public := plainKey(t)
	if err := errors.Join(os.WriteFile(key+".key", private, 0o600), os.WriteFile(key+".pub", public, 0o600)); err != nil {
		t.Fatal(err)
	}
	mod := smallModule(t, dir)
	self := filepath.Join(dir, "program")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", self, ".")
	build.Dir = mod
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	// X is the name. Verbs that need a checkout come last: they start programs.
	light := []string{
		"inspect X", "size X", "size SELF -twin=X", "size SELF -old=X", "diff X X", "diff X SELF", "diff SELF X",
		"pgo merge new.pgo X", "pgo merge new.pgo -in=X SELF", "bench X", "bench -files=X", "bench SELF -stdin=X",
		"verify -unsigned X", "verify -key=X DIR", "report X", "report -key=X DIR", "KEY=X attest -key=me.pub DIR",
		"size SELF -svg=X", "size SELF -sql=X",
	}
	heavy := []string{"plan -config=X -dir=MOD", "KEY=X release -dir=MOD", "KEY=ME attest -key=X DIR", "rebuild X", "rebuild -key=X SELF", "rebuild -like=X X", "size -waterfall -config=X MOD"}
	for kind, name := range special(t) {
		commands := light
		if slices.Contains([]string{"pipe", "device"}, kind) {
			commands = slices.Concat(light, heavy)
		}
		if testing.Short() && kind != "pipe" {
			continue
		}
		for _, command := range commands {
			if testing.Short() && command == "KEY=X release -dir=MOD" {
				continue // it fetches a toolchain; attest reads the same variable
			}
			t.Run(kind+"/"+command, func(t *testing.T) {
				var with []string
				words := strings.Fields(command)
				if value, ok := strings.CutPrefix(words[0], "KEY="); ok {
					value = strings.NewReplacer("X", name, "ME", key+".key").Replace(value)
					with, words = []string{"MINTMARK_KEY=" + value}, words[1:]
				}
				for i, w := range words {
					words[i] = strings.NewReplacer("X", name, "SELF", self, "DIR", dir, "MOD", mod, "me.pub", key+".pub", "new.pgo", filepath.Join(dir, "new.pgo")).Replace(w)
				}
				// A pipe that is waited for never ends; release may fetch a toolchain first,
				// since it says all that is wrong.
				ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Minute, errors.New("too slow"))
				defer cancel()
				code, out := runVerb(ctx, env(with...), words...)
				if ctx.Err() != nil {
					t.Fatalf("it does not end: %s", out)
				}
				if kind == "directory" && (command == "verify -unsigned X" || command == "report X") {
					if code != 4 { // it is what they take, and nothing is in it
						t.Errorf("exit code %d:\n%s", code, out)
					}
				} else if code != 1 && code != 2 || !strings.Contains(out, name) {
					t.Errorf("exit code %d, want 1 or 2, and the name %s in\n%s", code, name, out)
				}
			})
		}
	}
}

// smallModule makes a repository with one program.
func smallModule(t *testing.T, dir string) string {
	t.Helper()
	mod := filepath.Join(dir, "mod")
	if err := os.Mkdir(mod, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": "module example.com/m\n\ngo 1.24.0\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(mod, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "x"}, {"tag", "v1.0.0"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = mod
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("git %v: %v\n%s", args, err, out)
		}
	}
	return mod
}

// runVerb runs a command line in this process.
func runVerb(ctx context.Context, env []string, words ...string) (code int, output string) {
	var out bytes.Buffer
	d := &app{term: ui.New(strings.NewReader(""), &out, &out, nil), env: env}
	return d.main(ctx, words), out.String()
}

// TestAwait: a verb that listens to nobody does not keep the process alive.
func TestAwait(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("SIGTERM")
	started, never := make(chan bool), make(chan bool)
	defer close(never)
	ended := make(chan error, 1)
	go func() {
		ended <- await(ctx, 10*time.Millisecond, func() error {
			close(started)
			<-never
			return nil
		})
	}()
	<-started
	select {
	case err := <-ended:
		t.Fatalf("ended before it was told to: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	cancel(why)
	if err := <-ended; !errors.Is(err, why) {
		t.Error(err)
	}
	// One that listens may say what it has to say.
	said := errors.New("cleaned up")
	if err := await(ctx, time.Minute, func() error { return said }); !errors.Is(err, said) {
		t.Error(err)
	}
}
