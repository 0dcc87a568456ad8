package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
)

// windows is a Windows host, as far as Wine is one: a mintmark and a Go toolchain for it,
// of this repository and of the toolchain's own source.
type windows struct {
	*fleetBench
	loader  string // Wine's programs
	server  string
	dir     string // of all that is there
	goroot  string // of a toolchain for Linux of the same version
	overlay string // what Wine needs to be different in the standard library
}

// newWindows skips where there is no Wine.
func newWindows(t *testing.T) *windows {
	t.Helper()
	loader, server := "wine64", "wineserver"
	if _, err := exec.LookPath(loader); err != nil { // Debian keeps them apart
		loader, server = "/usr/lib/wine/wine64", "/usr/lib/wine/wineserver64"
	}
	b := newFleetBench(t, []string{"linux/amd64"}, loader, server, "x86_64-w64-mingw32-gcc")
	w := &windows{fleetBench: b, loader: loader, server: server, dir: filepath.Join(b.dir, "windows"), goroot: filepath.Join(b.dir, "goroot")}
	copyToolchain(t, toolchain, "amd64", w.goroot)
	w.prefix()
	w.replaceDeleting()
	return w
}

func (w *windows) write(name, text string) {
	w.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o755)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *windows) exec(env []string, name string, args ...string) {
	w.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// wine is what the programs of Windows run with.
func (w *windows) wine() []string {
	return []string{"WINEPREFIX=" + filepath.Join(w.dir, "prefix"), "WINEDEBUG=-all", "HOME=" + w.dir, "DISPLAY="}
}

// prefix makes the system's directories. Go's runtime asks one library for random numbers
// that Wine 8 does not have; another one of Wine's gives them.
func (w *windows) prefix() {
	w.t.Helper()
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	w.exec(w.wine(), w.loader, "wineboot", "-i")
	// While one program runs, those of Wine's own are there, and hold nobody's output open.
	stay := exec.Command(w.loader, "cmd")
	stay.Env = append(os.Environ(), w.wine()...)
	stdin, err := stay.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := stay.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		stdin.Close()
		stay.Process.Kill()
		stay.Wait()
		kill := exec.Command(w.server, "-k")
		kill.Env = stay.Env
		kill.Run()
	})
	library := filepath.Join(w.dir, "prefix", "drive_c", "windows", "system32", "bcryptprimitives.dll")
	if _, err := os.Stat(library); err == nil {
		return // a later Wine
	}
	source := filepath.Join(w.dir, "random.c")
	w.write(source, `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T n) { return SystemFunction036(data, n); }
`)
	w.exec(nil, "x86_64-w64-mingw32-gcc", "-shared", "-o", library, source, "-ladvapi32")
}

// replaceDeleting has programs delete files as the standard library does on a Windows
// that lacks the newer way, as Wine 8 does without saying so.
func (w *windows) replaceDeleting() {
	w.t.Helper()
	of := filepath.Join(w.goroot, "src", "internal", "syscall", "windows", "at_windows.go")
	text, err := os.ReadFile(of)
	if err != nil {
		w.t.Fatal(err)
	}
	const is = "var TestDeleteatFallback bool"
	if strings.Count(string(text), is) != 1 {
		w.t.Skipf("%s deletes files in another way", toolchain)
	}
	by := filepath.Join(w.dir, "at_windows.go")
	w.write(by, strings.Replace(string(text), is, "var TestDeleteatFallback = true", 1))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {of: by}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.overlay = filepath.Join(w.dir, "overlay.json")
	w.write(w.overlay, string(overlay))
}

// build builds programs for Windows.
func (w *windows) build(to string, packages ...string) {
	w.t.Helper()
	if err := os.MkdirAll(to, 0o755); err != nil {
		w.t.Fatal(err)
	}
	w.exec([]string{"GOROOT=" + w.goroot, "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0", "GOTOOLCHAIN=local"}, filepath.Join(w.goroot, "bin", "go"),
		append([]string{"build", "-trimpath", "-overlay=" + w.overlay, "-o", to + string(filepath.Separator)}, packages...)...)
}

// proxy serves the toolchains for both systems, as the module proxy does. That for
// Windows is the other one's source with programs that were built of it here.
func (w *windows) proxy() string {
	w.t.Helper()
	proxy := filepath.Join(w.dir, "proxy")
	at := filepath.Join(proxy, "golang.org", "toolchain", "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		w.t.Fatal(err)
	}
	version := func(host string) string { return "v0.0.1-" + toolchain + "." + host }
	served := filepath.Join(goEnv(w.t)["GOMODCACHE"], "cache", "download", "golang.org", "toolchain", "@v", version("linux-amd64"))
	for _, ext := range []string{".zip", ".mod", ".info"} {
		if err := copyOne(served+ext, filepath.Join(at, version("linux-amd64")+ext)); err != nil {
			w.t.Fatal(err)
		}
	}
	w.write(filepath.Join(at, version("windows-amd64")+".mod"), "module golang.org/toolchain\n")
	w.write(filepath.Join(at, version("windows-amd64")+".info"), fmt.Sprintf(`{"Version":%q}`, version("windows-amd64")))
	programs := filepath.Join(w.dir, "programs")
	w.build(filepath.Join(programs, "bin"), "cmd/go")
	w.build(filepath.Join(programs, "pkg", "tool", "windows_amd64"), "cmd/asm", "cmd/compile", "cmd/link")
	f, err := os.Create(filepath.Join(at, version("windows-amd64")+".zip"))
	if err != nil {
		w.t.Fatal(err)
	}
	z := zip.NewWriter(f)
	// What no build reads is left out: Wine unpacks slowly.
	unread := regexp.MustCompile(`^(api|bin|doc|misc|test|pkg/tool|src/cmd)/|/testdata/|_test\.go$`)
	for _, root := range []string{w.goroot, programs} {
		walk(w.t, root, func(name string) error {
			rel, err := filepath.Rel(root, name)
			if fi, serr := os.Stat(name); err != nil || serr != nil || fi.IsDir() || root == w.goroot && unread.MatchString(rel) {
				return errors.Join(err, serr)
			}
			to, err := z.Create("golang.org/toolchain@" + version("windows-amd64") + "/" + rel)
			if err != nil {
				return err
			}
			from, err := os.Open(name)
			if err != nil {
				return err
			}
			defer from.Close()
			_, err = io.Copy(to, from)
			return err
		})
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		w.t.Fatal(err)
	}
	return "file://" + proxy
}

// TestWindowsWorker: a unit that a Linux and a Windows host have built is the same, and
// the release says that hosts of two systems did.
func TestWindowsWorker(t *testing.T) {
	w := newWindows(t)
	w.build(filepath.Join(w.dir, "bin"), ".")
	// An ssh that asks nobody: what it is told to run there, it runs here.
	w.write(filepath.Join(w.path, "ssh"), "#!/bin/sh\nfor last in \"$@\"; do :; done\nexec sh -c \"$last\"\n")
	worker := filepath.Join(w.dir, "worker")
	w.write(worker, fmt.Sprintf("#!/bin/sh\nexport %s 'MINTMARK_CACHE=Z:%s'\nexec %s %s \"$@\"\n",
		strings.Join(w.wine(), " "), strings.ReplaceAll(filepath.Join(w.dir, "cache"), "/", `\`), w.loader, filepath.Join(w.dir, "bin", "mintmark.exe")))
	// A proxy that is one file: URL is believed as it is: nobody has signed this toolchain.
	w.env = append(w.env, "GOPROXY="+w.proxy(), "GOSUMDB=off", "GOMODCACHE="+filepath.Join(w.dir, "none"), "MINTMARK_CACHE="+filepath.Join(w.dir, "here"))

	r := w.start("here", "ssh://windows?mintmark="+worker)
	for range 2 { // Wine fails to start a program now and then
		if err := r.wait(); err == nil || !strings.Contains(r.said.String(), ".exe: Internal error") {
			r.done <- err
			break
		}
		r = w.start("here", "ssh://windows?mintmark="+worker)
	}
	r.same("Linux and Windows")
	if !strings.Contains(r.said.String(), " build at ssh://windows?mintmark="+worker+": done in ") {
		t.Errorf("it does not say that it was built there:\n%s", &r.said)
	}
	data, err := os.ReadFile(filepath.Join(r.out, "release.json"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := checksums.ParseManifest(data)
	if err != nil {
		t.Fatal(err)
	}
	// They share a host name, so nobody can say that it were two machines.
	want := []checksums.UnitIndependence{{Profile: "release", Platform: "linux/amd64", Independence: fact.OneMachine, Systems: []string{"linux/amd64", "windows/amd64"}}}
	if !reflect.DeepEqual(m.Rebuild.Independence, want) {
		t.Errorf("the release says %+v, want %+v", m.Rebuild.Independence, want)
	}
	if !strings.Contains(r.said.String(), ", on different systems (linux/amd64, windows/amd64)") {
		t.Errorf("it does not say that there were two systems:\n%s", &r.said)
	}
}
