package gobin

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func resigned(f *File) bool {
	u, err := f.Untouched()
	return err == nil && u.Resigned
}

func untouched(f *File) (UntouchedState, string, error) {
	u, err := f.Untouched()
	return u.State, u.Reason, err
}

// rewritten runs `go tool buildid -w` on a copy and reports whether the copy
// stays as it is: the reference for Untouched.
func rewritten(t *testing.T, b []byte) (same bool) {
	t.Helper()
	path := onDisk(t, b)
	goCommand(t, t.TempDir(), nil, "tool", "buildid", "-w", path)
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(b, after)
}

func TestUntouched(t *testing.T) {
	for _, p := range platforms {
		for _, strip := range []string{"", "-s -w"} {
			t.Run(p.name+" "+strip, func(t *testing.T) {
				b := fixture(t, p.name, "-ldflags="+strip)
				f := mustParse(t, b)
				state, reason, err := untouched(f)
				if err != nil || state != UntouchedYes || !rewritten(t, b) {
					t.Fatalf("%s, %s, %v; go tool buildid agrees: %v", state, reason, err, rewritten(t, b))
				}
				// One byte in the middle of each section, and one at the end.
				for _, s := range append(slices.Clone(f.Sections), Section{Name: "end", Offset: f.Size - 1, Size: 1}) {
					if s.Size == 0 || s.Kind == KindHeader || s.Kind == KindBuildID {
						continue
					}
					e := slices.Clone(b)
					e[s.Offset+s.Size/2] ^= 1
					x, err := Parse(bytes.NewReader(e), f.Size)
					if err != nil {
						continue // then there is nothing to ask
					}
					state, reason, err := untouched(x)
					if err != nil || state != UntouchedNo {
						if x.BuildID == f.BuildID {
							t.Errorf("byte in %s: %s, %s, %v", s.Name, state, reason, err)
						}
					}
				}
			})
		}
	}
	t.Run("fat", func(t *testing.T) {
		a, b := fixture(t, "darwin/amd64"), slices.Clone(fixture(t, "darwin/arm64"))
		if state, reason, err := untouched(mustParse(t, makeFat(a, b))); state != UntouchedYes || err != nil {
			t.Errorf("%s, %s, %v", state, reason, err)
		}
		b[len(b)/2] ^= 1
		if state, reason, _ := untouched(mustParse(t, makeFat(a, b))); state != UntouchedNo || !strings.Contains(reason, "arm64: the build ID") {
			t.Errorf("%s, %s", state, reason)
		}
	})
	t.Run("no build ID", func(t *testing.T) {
		for _, id := range []string{"", "text"} {
			f := mustParse(t, fixture(t, "linux/amd64", "-ldflags=-buildid="+id))
			if state, reason, err := untouched(f); state != UntouchedCannotTell || reason == "" || err != nil {
				t.Errorf("-buildid=%s: %s, %s, %v", id, state, reason, err)
			}
		}
	})
	t.Run("strip", func(t *testing.T) {
		tool, err := exec.LookPath("strip")
		if err != nil || runtime.GOOS != "linux" {
			t.Skip("needs strip of binutils, on Linux")
		}
		b := fixture(t, "linux/amd64")
		path := onDisk(t, b)
		if out, err := exec.Command(tool, path).CombinedOutput(); err != nil {
			t.Skipf("strip does not read files of linux/amd64: %s", out)
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if state, reason, err := untouched(f); state != UntouchedNo || err != nil {
			t.Errorf("%s, %s, %v", state, reason, err)
		}
		stripped, err := os.ReadFile(path)
		if err != nil || rewritten(t, stripped) {
			t.Errorf("go tool buildid finds it untouched (%v)", err)
		}
	})
	t.Run("signed again", func(t *testing.T) {
		b := slices.Clone(fixture(t, "darwin/arm64"))
		f := mustParse(t, b)
		sig, err := f.Signature()
		if err != nil || sig != (Signature{Kind: SignatureLinker, Identifier: "a.out"}) {
			t.Errorf("%+v, %v", sig, err)
		}
		b[f.Section("(code signature)").Offset+20+13] &^= 2 // the linker-signed flag
		f = mustParse(t, b)
		if sig, _ := f.Signature(); sig.Kind != SignatureAdHoc {
			t.Errorf("%+v", sig)
		}
		if state, reason, err := untouched(f); state != UntouchedNo || !strings.Contains(reason, "signed again") || !resigned(f) || err != nil {
			t.Errorf("%s, %s, %v", state, reason, err)
		}
	})
	t.Run("packed", func(t *testing.T) {
		f := &File{Format: ELF, Packed: "UPX 3.94"}
		if state, reason, err := untouched(f); state != UntouchedCannotTell || !strings.Contains(reason, "3.94") || err != nil {
			t.Errorf("%s, %s, %v", state, reason, err)
		}
	})
}

// TestContentIDEdges puts build IDs across the edges of what is read at once.
func TestContentIDEdges(t *testing.T) {
	id := strings.Repeat("x", 83)
	for _, at := range []int{0, 256<<10 - 40, 256<<10 - 82, 256<<10 - 83, 256 << 10, 512<<10 - 90} {
		b := bytes.Repeat([]byte("y-"), 300<<10)
		want := slices.Clone(b)
		copy(b[at:], id)
		copy(want[at:], make([]byte, len(id)))
		f := &File{BuildID: id, in: input{r: bytes.NewReader(b), size: int64(len(b))}}
		g := &File{BuildID: "not there", in: input{r: bytes.NewReader(want), size: int64(len(want))}}
		got, _, n, err := f.contentIDs()
		ref, _, _, _ := g.contentIDs()
		if err != nil || n != 1 || got != ref {
			t.Errorf("at %d: found %d, %s, want %s (%v)", at, n, got, ref, err)
		}
	}
}

// TestUntouchedCgo asks about a binary that was linked
// by the C compiler.
func TestUntouchedCgo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program with cgo")
	}
	if _, err := exec.LookPath("gcc"); err != nil || runtime.GOOS != "linux" {
		t.Skip("needs gcc on Linux")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/c\n\ngo 1.24\n", "main.go": "package main\n\n// int one(void) { return 1; }\nimport \"C\"\n\nfunc main() { println(C.one()) }\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	goCommand(t, dir, []string{"CGO_ENABLED=1"}, "build", "-trimpath", "-o", "out", ".")
	f, err := Open(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if state, reason, err := untouched(f); state != UntouchedYes || err != nil {
		t.Errorf("%s, %s, %v", state, reason, err)
	}
}
