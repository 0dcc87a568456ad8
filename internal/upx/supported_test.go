package upx

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

// TestSupportedReal holds the table against a real UPX 3.94 and real Go
// programs: what it packs, and what it refuses and how. That some of what it
// Packs crashes is the table's to know; those are marked.
func TestSupportedReal(t *testing.T) {
	tool := findTool(t)
	if tool.Version != "3.94" {
		t.Skipf("the expectations are of 3.94, this is %s", tool.Version)
	}
	for _, c := range []struct {
		platform  string // GOOS/GOARCH[/GOMIPS]
		exception string // of UPX; "" packs
		crashes   bool   // Packs, and the result does not run
	}{
		{"linux/amd64", "", false},
		{"linux/386", "", false},
		{"linux/arm", "", false},
		{"linux/arm64", "", false},
		{"linux/mips", "", false},
		{"linux/mipsle/softfloat", "", false},
		{"linux/mipsle", "", true},
		{"linux/ppc64le", "", true},
		{"linux/ppc64", unknownFormat, false},
		{"linux/mips64le", unknownFormat, false},
		{"linux/riscv64", unknownFormat, false},
		{"linux/s390x", unknownFormat, false},
		{"linux/loong64", unknownFormat, false},
		{"freebsd/amd64", unknownFormat, false},
		{"openbsd/amd64", unknownFormat, false},
		{"darwin/amd64", "", true},
		{"windows/amd64", "", false},
		{"windows/arm64", cantPack, false},
		{"wasip1/wasm", unknownFormat, false},
	} {
		t.Run(strings.ReplaceAll(c.platform, "/", "_"), func(t *testing.T) {
			goos, goarch, _ := strings.Cut(c.platform, "/")
			arch, variant, _ := strings.Cut(goarch, "/")
			env := []string{"GOOS=" + goos, "GOARCH=" + arch}
			if variant != "" {
				env = append(env, "GOMIPS="+variant)
			}
			is, reason := Supported(tool.Version, goos, goarch)
			if want := c.exception == "" && !c.crashes; (is == Packs) != want || is == Unmeasured {
				t.Errorf("the table says %v, %q; want %v", is, reason, want)
			}
			_, err := tool.Pack(t.Context(), fixture(t, env...), filepath.Join(t.TempDir(), "packed"), []string{"-1"})
			if c.exception == "" {
				if err != nil {
					t.Errorf("does not pack: %v", err)
				}
				return
			}
			if e, ok := errors.AsType[*Error](err); !ok || e.Exception != c.exception || fault.Hint(err) == "" {
				t.Errorf("%v, want %s", err, c.exception)
			}
		})
	}
}
