package bindiff

import (
	"crypto/sha256"
	"debug/buildinfo"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// large builds a program that links much of the standard library, twice with
// different values of -X, and pads nothing: what it has is what Go makes of it.
// The third has more code, so that most code refers to other addresses.
func large(b *testing.B) (x, y, z string) {
	b.Helper()
	dir := b.TempDir()
	out, err := exec.Command("go", "list", "std").Output()
	if err != nil {
		b.Fatal(err)
	}
	var src strings.Builder
	src.WriteString("package main\n\nimport (\n")
	for p := range strings.FieldsSeq(string(out)) {
		if !strings.Contains(p, "internal") && !strings.Contains(p, "vendor/") && p != "unsafe" && p != "runtime/cgo" && p != "runtime/race" && p != "plugin" {
			src.WriteString("\t_ \"" + p + "\"\n")
		}
	}
	// Finding methods by name keeps the linker from dropping any exported method.
	src.WriteString("\t\"go/types\"\n\t\"net/http\"\n\t\"reflect\"\n\t\"text/template\"\n)\n\nvar version = \"none\"\n\nfunc main() {\n\tname := version\n" +
		"\tprintln(reflect.ValueOf(template.New(\"\")).MethodByName(name).IsValid(), http.DefaultServeMux, types.Universe)\n}\n")
	for name, text := range map[string]string{"go.mod": "module example.com/large\n\ngo 1.24\n", "main.go": src.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	build := func(name, value string) string {
		cmd := exec.Command("go", "build", "-trimpath", "-o", name, "-ldflags=-X main.version="+value, ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		return filepath.Join(dir, name)
	}
	x, y = build("x", "v1.0.0"), build("y", "v1.0.1-rc.20")
	src.WriteString("\nfunc init() {\n" + strings.Repeat("\tprintln(version, 1, 2, 3)\n", 500) + "}\n")
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(src.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	return x, y, build("z", "v1.0.0")
}

// BenchmarkCompare compares large binaries that differ in a value, and in code
// with nearly every address; the last two are what a comparison costs at least.
func BenchmarkCompare(b *testing.B) {
	x, y, z := large(b)
	st, err := os.Stat(x)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("compare", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(2 * st.Size())
		for b.Loop() {
			d, err := Compare(b.Context(), x, y, Known{})
			if err != nil || d.Findings[0].Cause != "ldflags-value" {
				b.Fatalf("%+v, %v", d.Findings, err)
			}
		}
	})
	b.Run("moved code", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(2 * st.Size())
		for b.Loop() {
			d, err := Compare(b.Context(), x, z, Known{})
			if err != nil || d.Findings[0].Cause != "source" || d.Findings[0].Confidence != fact.Certain {
				b.Fatalf("%+v, %v", d.Findings, err)
			}
		}
	})
	b.Run("equal", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(2 * st.Size())
		for b.Loop() {
			if d, err := Compare(b.Context(), x, x, Known{}); err != nil || !d.Equal {
				b.Fatal(err)
			}
		}
	})
	b.Run("read and hash both", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(2 * st.Size())
		for b.Loop() {
			for _, p := range []string{x, y} {
				f, err := os.Open(p)
				if err != nil {
					b.Fatal(err)
				}
				h := sha256.New()
				if _, err := io.Copy(h, f); err != nil {
					b.Fatal(err)
				}
				if _, err := buildinfo.Read(f); err != nil {
					b.Fatal(err)
				}
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
