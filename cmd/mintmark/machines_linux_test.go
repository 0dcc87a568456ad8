package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	gotoolchain "github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
)

// machine is a stranger's machine, as far as one machine can be two: another
// user, root directory of everything, HOME, host name, caches and host Go.
type machine struct {
	t      *testing.T
	dir    string
	goroot string // of its host Go
	binary string // its mintmark
}

const nobody = 65534

// newMachine copies the host Go and builds mintmark for it. goarch is that of the host.
func newMachine(t *testing.T, hostGo, goarch string) *machine {
	t.Helper()
	for _, name := range []string{"unshare", "setpriv", "git"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s", name)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("not root: another user and host name cannot be had")
	}
	// Not t.TempDir, whose parents other users may not enter.
	dir, err := os.MkdirTemp("", "machine-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		makeWritable(dir)
		os.RemoveAll(dir)
	})
	m := &machine{t: t, dir: dir, goroot: filepath.Join(dir, "goroot"), binary: filepath.Join(dir, "mintmark")}
	for _, sub := range []string{"home", "release"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copyToolchain(t, hostGo, goarch, m.goroot)
	buildStatic(t, m.binary, goarch)
	return m
}

// buildStatic builds a mintmark that needs no file of the machine that it runs on. For
// this architecture it is linked of the packages that all tests have compiled.
func buildStatic(t *testing.T, to, goarch string) {
	t.Helper()
	flag, env := "-trimpath", []string{"CGO_ENABLED=0"} // as other tests build for it
	if _, err := exec.LookPath("gcc"); err == nil && goarch == runtime.GOARCH {
		flag, env = "-ldflags=-linkmode=external -extldflags=-static", nil
	}
	build := exec.Command("go", "build", flag, "-o", to, ".")
	build.Env = append(append(os.Environ(), "GOOS=linux", "GOARCH="+goarch), env...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// copyToolchain puts a Go toolchain for Linux into a directory, ready to run.
func copyToolchain(t *testing.T, version, goarch, to string) {
	t.Helper()
	module := "golang.org/toolchain@v0.0.1-" + version + ".linux-" + goarch
	out, err := exec.Command("go", "mod", "download", "-json", module).Output()
	var mod struct{ Dir, Error string }
	if jerr := json.Unmarshal(out, &mod); jerr != nil || mod.Dir == "" {
		t.Skipf("%s cannot be fetched: %v %s", module, err, mod.Error)
	}
	if err := os.CopyFS(to, os.DirFS(mod.Dir)); err != nil {
		t.Fatal(err)
	}
	for _, tools := range []string{"bin", "pkg/tool"} { // zips of modules keep no modes
		walk(t, filepath.Join(to, tools), func(name string) error { return os.Chmod(name, 0o755) })
	}
}

func walk(t *testing.T, dir string, do func(string) error) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return do(name)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// give hands a file or directory to the machine's user, under its base name.
func (m *machine) give(from string) {
	m.t.Helper()
	to := filepath.Join(m.dir, filepath.Base(from))
	if err := exec.Command("cp", "-r", "--no-preserve=mode", from, to).Run(); err != nil {
		m.t.Fatal(err)
	}
}

// run runs mintmark there, without a network if offline.
func (m *machine) run(offline bool, args ...string) string {
	m.t.Helper()
	walk(m.t, m.dir, func(name string) error { return os.Lchown(name, nobody, nobody) })
	spaces := []string{"--uts"}
	if offline {
		spaces = append(spaces, "--net")
	}
	env := []string{
		"HOME=" + filepath.Join(m.dir, "home"), "PATH=" + filepath.Join(m.goroot, "bin") + ":/usr/bin:/bin",
		"SSL_CERT_FILE=" + os.Getenv("SSL_CERT_FILE"), "SSL_CERT_DIR=" + os.Getenv("SSL_CERT_DIR"),
	}
	for name, value := range goEnv(m.t) {
		if name == "GOPROXY" || name == "GOSUMDB" {
			env = append(env, name+"="+value)
		}
	}
	inner := append([]string{"-c", `hostname stranger && cd "$0" && exec "$@"`, m.dir,
		"setpriv", fmt.Sprintf("--reuid=%d", nobody), fmt.Sprintf("--regid=%d", nobody), "--clear-groups", "env", "-i"}, env...)
	inner = append(append(inner, m.binary), args...)
	cmd := exec.CommandContext(m.t.Context(), "unshare", append(append(spaces, "sh"), inner...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		m.t.Fatalf("mintmark %s: %v\n%s%s", strings.Join(args, " "), err, out.Bytes(), said.Bytes())
	}
	return out.String()
}

// publishTo makes a release of a small program on this machine and gives the
// stranger what is published of it: the files, the public key and the repository.
func publishTo(t *testing.T, m *machine, platforms string) {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, "hello")
	cache := sharedCache(t)
	for name, text := range map[string]string{
		"go.mod":     "module example.com/hello\n\ngo 1.24.0\n",
		"main.go":    "package main\n\nvar commit string\n\nfunc main() { println(\"hello\", commit) }\n",
		".gitignore": "/dist/\n",
		"mintmark.yaml": "version: 1\nproject: hello\ngo: " + toolchain + "\nprofiles:\n  release:\n    ldflags: {strip: true, set: {main.commit: \"{{.Commit}}\"}}\n" +
			"    archive: tar.gz\n    platforms: [" + platforms + "]\n",
	} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"git", "init", "-q", "-b", "main", "."},
		{"git", "add", "-A"},
		{"git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "commit"},
		{"git", "tag", "v1.0.0"},
		{"mintmark", "keygen", "-prefix=" + filepath.Join(home, "publisher")},
		{"mintmark", "release"},
		{"git", "clone", "-q", "--mirror", ".", filepath.Join(home, "source.git")},
	} {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+home, "MINTMARK_CACHE="+cache, "MINTMARK_LEDGER_KEY="+provenSecret, "MINTMARK_PASSWORD=",
			"MINTMARK_KEY="+filepath.Join(home, "publisher.key"), "GIT_CONFIG_NOSYSTEM=1")
		for name, value := range goEnv(t) {
			if name != "GOCACHE" {
				cmd.Env = append(cmd.Env, name+"="+value)
			}
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	for _, name := range []string{filepath.Join(dir, "dist"), filepath.Join(home, "publisher.pub"), filepath.Join(home, "source.git")} {
		m.give(name)
	}
}

// gocache is where a cache of mintmark has the build cache of a host's toolchain.
func (m *machine) gocache(cache, goarch string) string {
	m.t.Helper()
	module := "golang.org/toolchain@v0.0.1-" + toolchain + ".linux-" + goarch
	out, err := exec.Command("go", "mod", "download", "-json", module).Output()
	var mod struct{ Sum, Error string }
	if jerr := json.Unmarshal(out, &mod); jerr != nil || mod.Sum == "" {
		m.t.Fatalf("%s: %v %s", module, err, mod.Error)
	}
	tc := gotoolchain.Toolchain{Toolchain: fact.Toolchain{Version: toolchain, Sum: mod.Sum}}
	return filepath.Join(cache, "first", "gocache", tc.DirName())
}

// size is that of the files below a directory, in bytes.
func (m *machine) size(dir string) (n int64) {
	m.t.Helper()
	walk(m.t, dir, func(name string) error {
		fi, err := os.Lstat(name)
		if err == nil && fi.Mode().IsRegular() {
			n += fi.Size()
		}
		return err
	})
	return n
}

var strangerArgs = []string{"verify", "-rebuild", "-key=publisher.pub", "-project=hello", "-version=1.0.0", "-source=source.git"}

// TestTwoMachines: what one machine published another one builds again, as
// another user, with another Go, and without a network once it has fetched.
func TestTwoMachines(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds three times")
	}
	t.Parallel()
	m := newMachine(t, "go1.25.5", "amd64")
	publishTo(t, m, "linux/amd64, darwin/arm64")
	out := m.run(false, append(strangerArgs, "dist")...)
	if !strings.Contains(out, "4 of 4 artifacts built again here, on linux/amd64, are identical") {
		t.Errorf("%s", out)
	}
	// Without a network: release.json and its record alone.
	only := filepath.Join(m.dir, "only")
	if err := os.Mkdir(only, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"release.json", "provenance.sigstore.json"} {
		if err := os.Rename(filepath.Join(m.dir, "dist", name), filepath.Join(only, name)); err != nil {
			t.Fatal(err)
		}
	}
	out = m.run(true, append(strangerArgs, "-platform=darwin", "only/release.json")...)
	if !strings.Contains(out, "2 of 4 artifacts built again here") { // two were left out, and count
		t.Errorf("%s", out)
	}
}

// TestOtherArchitecture: a release made on amd64 comes out the same on an arm64
// host: an arm64 mintmark with an arm64 toolchain, emulated. The emulator would
// take minutes for the standard library, so that comes from the amd64 host's
// build cache; the program is compiled and linked on arm64.
func TestOtherArchitecture(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds in an emulator")
	}
	if _, err := os.Stat("/proc/sys/fs/binfmt_misc/qemu-aarch64"); err != nil {
		t.Skip("arm64 programs do not run here: install qemu-user-static and have binfmt_misc know it")
	}
	t.Parallel()
	m := newMachine(t, "go1.26.7", "arm64")
	publishTo(t, m, "linux/amd64")
	clone := filepath.Join(m.dir, "clone")
	if out, err := exec.Command("git", "clone", "-q", filepath.Join(m.dir, "source.git"), clone).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	from := m.gocache(sharedCache(t), "amd64")
	to := m.gocache(filepath.Join(m.dir, "home", ".cache", "mintmark"), "arm64")
	if err := copyTree(from, to, copyOne); err != nil {
		t.Fatal(err)
	}
	before := m.size(to)
	m.run(false, "build", "-dir=clone", "-out=built")
	if added := m.size(to) - before; added == 0 || added > before/4 {
		t.Errorf("%d bytes were added to the %d of the build cache: not the program's alone", added, before)
	}
	var built checksums.Manifest
	data, err := os.ReadFile(filepath.Join(m.dir, "built", "build.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &built); err != nil || built.Toolchain.Host != "linux/arm64" {
		t.Fatalf("built on %q: %v", built.Toolchain.Host, err)
	}
	published := readRelease(t, filepath.Join(m.dir, "dist"))
	same := 0
	for name, text := range readRelease(t, filepath.Join(m.dir, "built")) {
		if strings.HasPrefix(name, "hello") {
			same++
			if text != published[name] {
				t.Errorf("%s is another", name)
			}
		}
	}
	if same != 1 {
		t.Errorf("%d artifacts were compared", same)
	}
}
