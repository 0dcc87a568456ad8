package carry

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/execute/remote"
	"github.com/mintmark/mintmark/internal/fault"
)

// standIn writes a shell script of that name, and returns its directory.
func standIn(t *testing.T, name, script string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in is a shell script")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// staticProgram is a file that needs nothing to be loaded.
func staticProgram(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "mintmark")
	var file bytes.Buffer
	h := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT), Ehsize: 64,
	}
	if err := errors.Join(binary.Write(&file, binary.LittleEndian, h), os.WriteFile(name, file.Bytes(), 0o755)); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestOpen: what is no address of a worker is refused before anything is started, and the
// hint says what is one.
func TestOpen(t *testing.T) {
	cfg := Config{Self: staticProgram(t), System: "linux/amd64"}
	for _, tt := range []struct{ address, want string }{
		{"ssh://host", ""},
		{"ssh://me@host:2222", ""},
		{"ssh://host?mintmark=/usr/bin/mintmark", ""},
		{"docker://", ""},
		{"docker://far", ""},
		{"docker+unix:///run/docker.sock", ""},
		{"buildx://many", ""},
		{"host", "not the address"},
		{"ftp://host", "nothing is known of ftp://"},
		{"ssh://", "no host"},
		{"ssh://host/path", "no host"},
		{"ssh://host?mintmark=relative", "mintmark"},
		{"ssh://host?other=/x", "other"},
		{"ssh://me:secret@host", "password"},
		{"ssh://-oProxyCommand=x", "begins with -"},
		{"ssh://-l@host", "begins with -"},
		{"docker://-H", "begins with -"},
		{"docker+unix://host/sock", "no socket"},
		{"docker+unix://", "no socket"},
		{"buildx://", "no builder"},
	} {
		c, err := Open(cfg, tt.address)
		switch {
		case tt.want == "" && (err != nil || c.String() != tt.address):
			t.Errorf("%s: %v", tt.address, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || fault.ExitCode(err) != fault.Usage || fault.Hint(err) == ""):
			t.Errorf("%s: %v, exit code %d, hint %q", tt.address, err, fault.ExitCode(err), fault.Hint(err))
		}
		if strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("it repeats the password: %v", err)
		}
	}
}

// TestUnreachable: where ssh or docker say that they reach nobody, their words are
// passed on, with a command that shows the same.
func TestUnreachable(t *testing.T) {
	for address, want := range map[string]string{
		"ssh://me@far.example:2222": "ssh -T -o BatchMode=yes -o ServerAliveInterval=15 -o ServerAliveCountMax=4 -p 2222 -l me -- far.example true",
		"docker://far":              "docker --context far version --format",
	} {
		name, _, _ := strings.Cut(address, ":")
		cfg := Config{Self: staticProgram(t), System: "linux/amd64", Dir: t.TempDir(), Path: standIn(t, name, "printf 'nobody there\\r\\n' >&2; exit 255")}
		c, err := Open(cfg, address)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Carry(t.Context(), "", strings.NewReader(""), io.Discard)
		if err == nil || !strings.Contains(err.Error(), "nobody there") || strings.Contains(err.Error(), "\r") || !strings.Contains(fault.Hint(err), want) {
			t.Errorf("%s: %q, hint %q", address, err, fault.Hint(err))
		}
	}
}

// TestInterpreter: a program that the container cannot load is found before it is sent.
func TestInterpreter(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs a program of Linux that is linked dynamically")
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	needs, err := interpreter(shell)
	if err != nil || !filepath.IsAbs(needs) {
		t.Skipf("%s is linked statically: %q %v", shell, needs, err)
	}
	_, err = Open(Config{Self: shell, System: "linux/amd64"}, "docker://")
	if err == nil || !strings.Contains(err.Error(), needs) || !strings.Contains(fault.Hint(err), "CGO_ENABLED=0") {
		t.Errorf("%v, hint %q", err, fault.Hint(err))
	}
	if needs, err := interpreter(staticProgram(t)); needs != "" || err != nil {
		t.Errorf("%q %v", needs, err)
	}
	if _, err := Open(Config{Self: "carry_test.go", System: "linux/amd64"}, "docker://"); err == nil {
		t.Error("a text was taken for a program")
	}
}

// TestEngineSystem: an engine on another system than this program's is refused before
// anything is sent to it.
func TestEngineSystem(t *testing.T) {
	for _, tt := range []struct {
		address, says string
		want          string // "": it is asked to build
	}{
		{"docker://far", "linux/amd64", ""},
		{"docker://far", "linux/arm64", "runs linux/arm64, and this mintmark is for linux/amd64"},
		{"docker://far", "windows/amd64", "runs windows/amd64"},
		{"buildx://many", "Name: a\nPlatforms: linux/arm64, linux/arm/v7\nName: b\nPlatforms: linux/amd64*, linux/386", ""},
		{"buildx://many", "Platforms: linux/arm64, linux/arm/v7", "runs linux/arm64, linux/arm/v7"},
	} {
		dir := t.TempDir()
		script := fmt.Sprintf("echo \"$@\" >>%s/asked\ncase \"$*\" in *build\\ *--output*) exit 3;; esac\ncat <<'X'\n%s\nX\n", dir, tt.says)
		cfg := Config{Self: staticProgram(t), System: "linux/amd64", Path: standIn(t, "docker", script), Dir: dir, Env: os.Environ()}
		c, err := Open(cfg, tt.address)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			err = c.Carry(t.Context(), "n", strings.NewReader("request"), io.Discard)
		}
		asked, _ := os.ReadFile(filepath.Join(dir, "asked"))
		lines := strings.Split(strings.TrimSpace(string(asked)), "\n")
		built := len(lines) - 1
		if tt.want == "" {
			if err == nil || !strings.Contains(err.Error(), "exit status 3") || built != 2 {
				t.Errorf("%s %q: %v, asked %q", tt.address, tt.says, err, lines)
			}
			if tt.address == "buildx://many" && !strings.Contains(lines[1], "--platform linux/amd64") {
				t.Errorf("any node may build: %q", lines[1])
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || fault.Hint(err) == "" || built != 0 {
			t.Errorf("%s %q: %v, asked %q", tt.address, tt.says, err, lines)
		}
	}
}

// TestSSHBrings: mintmark is brought once, to a machine of its own system, and it is said
// where it does not run.
func TestSSHBrings(t *testing.T) {
	self := standIn(t, "mintmark", "case $1 in worker) head -c 7 >/dev/null; echo answer;; version) [ -z \"$UNFIT\" ] || { echo no loader >&2; exit 126; };; *) exit 9;; esac\n")
	for _, tt := range []struct {
		name, uname, setup string
		want, hint         string
	}{
		{"brings", "Linux x86_64", "", "", ""},
		{"another system", "Darwin arm64", "", "it cannot be brought along", "?mintmark="},
		{"cannot say what it is", "", "", "it cannot be brought along", "?mintmark="},
		{"does not run there", "Linux x86_64", "export UNFIT=yes\n", "does not run there; it said: no loader", "?mintmark="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := t.TempDir()
			script := "for cmd; do :; done\necho \"$cmd\" >>" + home + "/asked\nuname() { echo '" + tt.uname + "'; }\nHOME=" + home + "\nunset XDG_CACHE_HOME\n" + tt.setup + "eval \"$cmd\"\n"
			cfg := Config{Self: filepath.Join(self, "mintmark"), System: "linux/amd64", Path: standIn(t, "ssh", script), Dir: t.TempDir(), Env: os.Environ()}
			var carriers []remote.Carrier
			for range 2 { // the second one finds it
				c, err := Open(cfg, "ssh://far")
				if err != nil {
					t.Fatal(err)
				}
				carriers = append(carriers, c)
			}
			for _, c := range carriers {
				var answer strings.Builder
				err := c.Carry(t.Context(), "n", strings.NewReader("request"), &answer)
				if tt.want == "" {
					if err != nil || answer.String() != "answer\n" {
						t.Errorf("%q %v", answer.String(), err)
					}
					continue
				}
				if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(fault.Hint(err), tt.hint) {
					t.Errorf("%v, hint %q", err, fault.Hint(err))
				}
			}
			asked, _ := os.ReadFile(filepath.Join(home, "asked"))
			puts := strings.Count(string(asked), "cat >")
			if want := map[bool]int{true: 1, false: 0}[tt.want == ""]; tt.uname == "Linux x86_64" && tt.setup == "" && puts != want {
				t.Errorf("brought %d times: %s", puts, asked)
			}
		})
	}
}

// TestMissingProgram: a program that is not installed is named.
func TestMissingProgram(t *testing.T) {
	for _, address := range []string{"ssh://far", "docker://far"} {
		c, err := Open(Config{Self: staticProgram(t), System: "linux/amd64", Path: t.TempDir(), Dir: t.TempDir()}, address)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Carry(t.Context(), "n", strings.NewReader(""), io.Discard)
		name, _, _ := strings.Cut(address, ":")
		if err == nil || !strings.Contains(err.Error(), name) || fault.Hint(err) == "" {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestCarryEnds: what was started to reach a worker ends with who asked.
func TestCarryEnds(t *testing.T) {
	if _, err := exec.LookPath("ps"); err != nil {
		t.Skip(err)
	}
	path := standIn(t, "ssh", "for cmd; do :; done\ncase \"$cmd\" in *worker*) sleep 1000 & echo $! >\"$PIDS\"; wait;; uname*) echo Linux x86_64; echo there;; esac\n")
	dir := t.TempDir()
	cfg := Config{Self: staticProgram(t), System: "linux/amd64", Path: path, Dir: dir, Env: append(slices.Clone(os.Environ()), "PIDS="+filepath.Join(dir, "pids"))}
	c, err := Open(cfg, "ssh://far")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	ended := make(chan error, 1)
	r, w := io.Pipe()
	defer w.Close()
	go func() { ended <- c.Carry(ctx, "n", r, io.Discard) }()
	pids := filepath.Join(dir, "pids")
	for {
		if data, err := os.ReadFile(pids); err == nil && strings.HasSuffix(string(data), "\n") {
			cancel(stop)
			if err := <-ended; !errors.Is(err, stop) {
				t.Errorf("%v", err)
			}
			for range 100 { // whoever is killed may take a moment, and nobody may ask for its status
				state, _ := exec.Command("ps", "-o", "stat=", "-p", strings.TrimSpace(string(data))).Output()
				if s := strings.TrimSpace(string(state)); s == "" || s[0] == 'Z' {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.Error("its child still runs")
			return
		}
		select {
		case err := <-ended:
			t.Fatalf("it ended by itself: %v", err)
		default:
		}
	}
}
