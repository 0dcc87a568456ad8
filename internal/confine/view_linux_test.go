package confine

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// mounter compiles the program of MounterSource where every user may run it.
func mounter(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles a program")
	}
	dir := openDir(t)
	for name, text := range map[string]string{"go.mod": "module mounter\n\ngo 1.18\n", "main.go": MounterSource} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", "mounter", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(dir, "mounter")
}

// openDir is a temporary directory that other users may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "view-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sight is a script that is run with a view.
type sight struct {
	View   *View
	Write  []string
	Script string
}

// seen is what came of it.
type seen struct {
	Printed string
	State   fact.Confinement
	Error   string
	None    string // why there is no view
}

func (s sight) see() (r seen) {
	var out bytes.Buffer
	_, state, err := Run(Limits{Write: s.Write, View: s.View}, func() *exec.Cmd {
		cmd := exec.Command("/bin/sh", "-c", s.Script)
		cmd.Dir, cmd.Env = s.View.Mounts[0].At, []string{"PATH=/usr/bin:/bin"}
		cmd.Stdout, cmd.Stderr = &out, &out
		return cmd
	})
	r.Printed, r.State = out.String(), state
	if err != nil {
		r.Error = err.Error()
	}
	if none, ok := errors.AsType[*ViewError](err); ok {
		r.None = none.Reason
	}
	return r
}

// needed skips the test where the system permits no view.
func (r seen) needed(t *testing.T) seen {
	t.Helper()
	if strings.HasPrefix(r.None, "no mount") {
		t.Skip("SKIPPED: " + r.None)
	}
	return r
}

// TestView: a command sees directories where they are not, in the place of what is
// there, beside what was there, and nothing of the machine changes.
func TestView(t *testing.T) {
	if strings.HasPrefix(os.TempDir(), "/dev/") {
		t.Skip("TMPDIR is in a directory of the system, in which nothing is shown")
	}
	dir := openDir(t)
	v := &View{Base: filepath.Join(dir, "base"), Mounter: mounter(t), Keep: []string{dir}}
	src, mods, there := filepath.Join(dir, "src"), filepath.Join(dir, "mods"), openDir(t)
	for name, text := range map[string]string{src + "/of": "source", mods + "/of": "modules", there + "/of": "the machine's", there + "/a/of": "the machine's too", there + "/a b/of": "beside", v.Base + "/": "", there + "/file": "file"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "/") {
			if err := os.WriteFile(name, []byte(text+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Symlink("a", filepath.Join(there, "link")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		mounts []Mount
		script string
		want   string // what is printed
		reason string
	}{
		{"nowhere on the machine", []Mount{{src, "/no such/place/x", true}, {mods, "/no such/mods", true}},
			"pwd; cat of ../../mods/of; ls -A /; ls '/no such'; cat " + there + "/of", "/no such/place/x\nsource\nmodules\nROOT no such\nmods\nplace\nthe machine's\n", ""},
		{"in the place of what is there", []Mount{{src, there + "/a", true}}, "pwd; cat of ../of '../a b/of'", there + "/a\nsource\nthe machine's\nbeside\n", ""},
		{"beside what is there", []Mount{{src, there + "/b", true}}, "cat of ../of ../a/of ../link/of; ls ..", "source\nthe machine's\nthe machine's too\nthe machine's too\na\na b\nb\nfile\nlink\nof\n", ""},
		{"two beside each other, of which one is there", []Mount{{src, there + "/a", true}, {mods, there + "/b/c", true}}, "cat of ../b/c/of ../of", "source\nmodules\nthe machine's\n", ""},
		{"one in the other", []Mount{{src, "/x", true}, {mods, "/x/pkg/mod", true}}, "cat of pkg/mod/of; ls", "source\nmodules\nof\npkg\n", ""},
		{"a link", []Mount{{src, there + "/link/x", true}}, "true", "", there + "/link is a symbolic link on this machine"},
		{"a file", []Mount{{src, there + "/file/x", true}}, "true", "", there + "/file is no directory on this machine"},
		{"over what it needs", []Mount{{src, dir, true}}, "true", "", dir + " holds " + dir + ", which the build needs where it is"},
		{"above what it needs", []Mount{{src, filepath.Dir(dir), true}}, "true", "", filepath.Dir(dir) + " holds " + dir + ", which the build needs where it is"},
		{"in what it needs", []Mount{{src, dir + "/x", true}}, "true", "", dir + "/x is in " + dir + ", which is no stranger's"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := *v
			w.Mounts = tt.mounts
			r := sight{View: &w, Script: tt.script}.see().needed(t)
			if tt.reason != "" {
				if r.Error != tt.reason {
					t.Errorf("%s, want %s", r.Error, tt.reason)
				}
				return
			}
			list, rerr := os.ReadDir("/")
			var names []string
			for _, e := range list {
				names = append(names, e.Name())
			}
			names = append(names, "no such")
			slices.Sort(names)
			want := strings.Replace(tt.want, "ROOT no such", strings.Join(names, "\n"), 1)
			sorted := func(s string) string {
				lines := strings.Split(s, "\n")
				slices.Sort(lines)
				return strings.Join(lines, "\n")
			}
			if r.Error != "" || rerr != nil || sorted(r.Printed) != sorted(want) {
				t.Errorf("%s\n%s\nwant\n%s", r.Error, r.Printed, want)
			}
		})
	}
	if list, err := os.ReadDir(there); err != nil || len(list) != 5 {
		t.Errorf("on the machine there is %v, %v", list, err)
	}
	if list, err := os.ReadDir(v.Base); err != nil || len(list) != 0 {
		t.Errorf("in the empty directory there is %v, %v", list, err)
	}
}

// TestViewConfined: a view is no way around what confines, and what may be written
// may be written where it is seen. So it is for an ordinary user, without Landlock,
// and with a network.
func TestViewConfined(t *testing.T) {
	program := mounter(t)
	for _, what := range []string{"", "landlock", "network"} {
		x := newTargets(t)
		v := &View{Base: filepath.Join(openDir(t), "base"), Mounter: program, Mounts: []Mount{{x.Inside, "/no/such", true}, {x.Outside, "/no/other", true}}}
		if err := os.Mkdir(v.Base, 0o755); err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(sight{v, []string{x.Inside}, `
			echo "was here" >file && cat file '` + x.Inside + `/file'; cat /no/other/victim
			for f in /no/other/victim /no/other/new '` + x.Outside + `/victim' /usr/victim /no/such/../other/victim2; do
				( echo x >>"$f" ) 2>/dev/null && echo wrote "$f"
			done
			umount /no/other 2>/dev/null && echo unmounted
			mount -t tmpfs none /no/other 2>/dev/null && echo mounted
			ls -A /.machine 2>/dev/null && echo "the old root"
			readlink /proc/self/ns/net; id -u`})
		var r seen
		if err := json.Unmarshal(rerun(t, filepath.Dir(x.Inside), what, envView+"="+string(text)), &r); err != nil {
			t.Fatal(err)
		}
		r.needed(t)
		outside, _ := os.Readlink("/proc/self/ns/net")
		if own := !strings.Contains(r.Printed, outside); own != r.State.Network.Held || own != (what != "network") {
			t.Errorf("without %q: %s\n%s", what, r.State, r.Printed)
		}
		if r.State.Writes.Held != (what != "landlock") {
			t.Errorf("without %q: %s", what, r.State)
		}
		want := "was here\nwas here\nas it was"
		if r.State.Writes.Held {
			want += regexp.MustCompile(`net:.*`).FindString(r.Printed) + "\n" + regexp.MustCompile(`[0-9]+\n$`).FindString(r.Printed)
			if r.Printed != want {
				t.Errorf("without %q: %s, %s\n%s\nwant\n%s", what, r.State, r.Error, r.Printed, want)
			}
		} else if !strings.HasPrefix(r.Printed, want) {
			t.Errorf("without %q: %s, %s\n%s", what, r.State, r.Error, r.Printed)
		}
		if os.Geteuid() == 0 && what == "" && !strings.HasSuffix(r.Printed, "\n65534\n") {
			t.Errorf("it was run as somebody else: %s", r.Printed)
		}
	}
}

// TestNoView: where the system has no mount namespace for us, that is said, and the
// command does not run without its view.
func TestNoView(t *testing.T) {
	x := newTargets(t)
	v := &View{Base: x.Outside, Mounter: "/bin/sh", Mounts: []Mount{{x.Inside, "/no/such", true}}}
	text, _ := json.Marshal(sight{v, nil, "echo ran"})
	var r seen
	if err := json.Unmarshal(rerun(t, filepath.Dir(x.Inside), "mounts", envView+"="+string(text)), &r); err != nil {
		t.Fatal(err)
	}
	if r.None != "no mount namespace: operation not permitted" || r.Printed != "" {
		t.Errorf("%+v", r)
	}
	v.Mounter = filepath.Join(x.Outside, "missing")
	if r := (sight{v, nil, "echo ran"}).see(); r.Error == "" || r.Printed != "" {
		t.Errorf("without the program: %+v", r)
	}
	v.Mounter = "/bin/true" // which ends without a word, and is not the command
	if r := (sight{v, nil, "echo ran"}).see(); r.Printed != "" {
		t.Errorf("with another program: %+v", r)
	}
}
