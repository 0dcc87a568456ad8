package gobin

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What a program needs is held against how it was built.
func TestNeeds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ platform, mode, needs string }{
		{"linux/amd64", "exe", `{"linkage":"static","pie":false,"relro":"none"}`},
		{"linux/amd64", "pie", `{"linkage":"dynamic","interpreter":"/lib64/ld-linux-x86-64.so.2","pie":true,"relro":"partial"}`},
		{"linux/s390x", "exe", `{"linkage":"static","pie":false,"relro":"none"}`},
		{"darwin/arm64", "exe", `{"linkage":"dynamic","interpreter":"/usr/lib/dyld","libraries":["/usr/lib/libSystem.B.dylib"],"pie":true,"platform":"macOS","minimum_os":"12.0.0"}`},
		{"windows/386", "exe", `{"linkage":"dynamic","libraries":["kernel32.dll"],"pie":true,"platform":"Windows","minimum_os":"6.1"}`},
		{"wasip1/wasm", "exe", `{}`},
	} {
		args := []string{}
		if c.mode != "exe" {
			args = append(args, "-buildmode="+c.mode)
		}
		b := fixture(t, c.platform, args...)
		f, err := Parse(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		n, err := f.Needs()
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(n); string(got) != c.needs {
			t.Errorf("%s %s: %s, want %s", c.platform, c.mode, got, c.needs)
		}
		cgo, err := f.Cgo()
		if cgo.Linked || cgo.Packages != nil || (err != nil) != errors.Is(err, ErrNoPCLNTab) {
			t.Errorf("%s %s: cgo %+v, %v", c.platform, c.mode, cgo, err)
		}
	}
}

// With a C compiler: what its linker is told is found again.
func TestNeedsOfC(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	if _, err := exec.LookPath("gcc"); err != nil || os.Getenv("GOOS") != "" {
		t.Skip("no gcc")
	}
	if env := goCommand(t, ".", nil, "env", "GOOS", "GOARCH"); env != "linux\namd64\n" {
		t.Skip("the expectations are of linux/amd64")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":     "module example.com/c\n\ngo 1.24\n",
		"main.go":    "package main\n\nimport \"example.com/c/two\"\n\nfunc main() { println(two.Two()) }\n",
		"two/two.go": "package two\n\n// static int two(void) { return 2; }\nimport \"C\"\n\n// Two is two.\nfunc Two() int { return int(C.two()) }\n",
	} {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ ldflags, needs string }{
		{"-s -w", `{"linkage":"dynamic","interpreter":"/lib64/ld-linux-x86-64.so.2","libraries":["libc.so.6"],"pie":false,"relro":"partial"}`},
		{`-s -w "-extldflags=-Wl,-z,now -Wl,--enable-new-dtags,-rpath,/opt/lib:$ORIGIN"`, `{"linkage":"dynamic","interpreter":"/lib64/ld-linux-x86-64.so.2","libraries":["libc.so.6"],"runpath":["/opt/lib:$ORIGIN"],"pie":false,"relro":"full"}`},
		{`-s -w "-extldflags=-static"`, `{"linkage":"static","pie":false,"relro":"partial"}`},
	} {
		out := filepath.Join(dir, "out")
		goCommand(t, dir, []string{"CGO_ENABLED=1"}, "build", "-ldflags=-linkmode=external "+c.ldflags, "-o", out, ".")
		f, err := Open(out)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		n, err := f.Needs()
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(n); string(got) != c.needs {
			t.Errorf("%s: %s, want %s", c.ldflags, got, c.needs)
		}
		cgo, err := f.Cgo()
		if err != nil || !cgo.Linked || len(cgo.Packages) != 1 || cgo.Packages[0] != "example.com/c/two" {
			t.Errorf("%s: cgo %+v, %v", c.ldflags, cgo, err)
		}
	}
}
