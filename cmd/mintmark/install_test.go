package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mintmark/mintmark/profiles"
)

// replacedigest FILE changes every digest of a list.
func replacedigest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: replacedigest file")
	}
	text := regexp.MustCompile(`(?m)^[0-9a-f]{4}`).ReplaceAllString(ts.ReadFile(args[0]), "0000")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// TestInstallNames: on every machine that install.sh knows it asks for an archive
// that this repository's profile file makes, and of these it and install.ps1 leave
// none out.
func TestInstallNames(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("install.sh is for Linux and macOS")
	}
	for _, tool := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s", tool)
		}
	}
	data, err := os.ReadFile(filepath.Join(repository, "mintmark.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := profiles.Load("mintmark.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	list := ""
	for _, p := range file.Profiles {
		for _, pl := range p.Platforms {
			v := profiles.Vars{Version: "1.2.3-rc.1"}
			s, err := p.Expand(pl, v)
			if err != nil {
				t.Fatal(err)
			}
			n, err := p.Names(pl, v, s, []string{"mintmark"})
			if err != nil {
				t.Fatal(err)
			}
			for _, format := range s.Archive {
				name := n.Name + "." + format
				names = append(names, name)
				list += strings.Repeat("0", 64) + "  " + name + "\n"
			}
		}
	}
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, path.Base(r.URL.Path))
		w.Write([]byte(list)) // an archive of another digest as well
	}))
	defer server.Close()

	bin := t.TempDir()
	uname := "#!/bin/sh\ncase $1 in -s) echo $UNAME_S ;; -m) echo $UNAME_M ;; esac\n"
	if err := os.WriteFile(filepath.Join(bin, "uname"), []byte(uname), 0o755); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, m := range []struct{ system, machine, want string }{
		{"Linux", "x86_64", "mintmark_1.2.3-rc.1_linux_amd64.tar.gz"},
		{"Linux", "aarch64", "mintmark_1.2.3-rc.1_linux_arm64.tar.gz"},
		{"Linux", "armv6l", "mintmark_1.2.3-rc.1_linux_arm_6.tar.gz"},
		{"Linux", "armv7l", "mintmark_1.2.3-rc.1_linux_arm_6.tar.gz"},
		{"Linux", "i686", "mintmark_1.2.3-rc.1_linux_386.tar.gz"},
		{"Darwin", "x86_64", "mintmark_1.2.3-rc.1_darwin_amd64.tar.gz"},
		{"Darwin", "arm64", "mintmark_1.2.3-rc.1_darwin_arm64.tar.gz"},
		{"Linux", "riscv64", ""},
		{"SunOS", "i86pc", ""},
	} {
		mu.Lock()
		asked = nil
		mu.Unlock()
		cmd := exec.Command("sh", filepath.Join(repository, "install.sh"))
		cmd.Env = []string{
			"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(),
			"MINTMARK_URL=" + server.URL + "/", "UNAME_S=" + m.system, "UNAME_M=" + m.machine,
		}
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%s %s: installed what has another digest: %s", m.system, m.machine, out)
		}
		want := []string{"checksums.txt", m.want}
		if m.want == "" {
			want = nil
		}
		mu.Lock()
		if !slices.Equal(asked, want) {
			t.Errorf("%s %s: asked for %q, want %q\n%s", m.system, m.machine, asked, want, out)
		}
		mu.Unlock()
		used[m.want] = true
	}
	script, err := os.ReadFile(filepath.Join(repository, "install.ps1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\{ \$arch = '(\w+)' \}`).FindAllSubmatch(script, -1) {
		used["mintmark_1.2.3-rc.1_windows_"+string(m[1])+".zip"] = true
	}
	for _, name := range names {
		if !used[name] {
			t.Errorf("no script installs %s", name)
		}
		delete(used, name)
	}
	delete(used, "")
	for name := range used {
		t.Errorf("%s is installed, and no release of this repository has it", name)
	}
}
