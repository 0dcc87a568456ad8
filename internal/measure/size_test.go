package measure

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/upx/upxtest"
)

// realUPX is a directory with a UPX named upx: the one MINTMARK_TEST_UPX names,
// or the one that the tests of internal/upx keep in the user's cache directory.
func realUPX(t *testing.T) string {
	t.Helper()
	path := upxtest.Path(t)
	dir := t.TempDir()
	if err := os.Symlink(path, filepath.Join(dir, "upx")); err != nil {
		t.Skip(err)
	}
	return dir
}

// TestSizePacked analyses what a packed file unpacks to, and says how large it
// is packed. Without UPX it is refused.
func TestSizePacked(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds a program")
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(dir, "linked")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", linked, source)
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=off", "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	path := realUPX(t)
	packed := filepath.Join(dir, "packed")
	if out, err := exec.Command(filepath.Join(path, "upx"), "-q", "-1", "-o", packed, linked).CombinedOutput(); err != nil {
		t.Fatalf("upx: %v\n%s", err, out)
	}
	l, err := Size(t.Context(), packed, "", path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Size(t.Context(), linked, "", "")
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(packed)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(l.Packed, "UPX") || l.PackedSize != st.Size() || l.Size != want.Size || len(l.Ranges) != len(want.Ranges) || l.Totals != want.Totals {
		t.Errorf("packed %s, %d bytes of %d; %d bytes unpacked of %d, %d ranges of %d", l.Packed, l.PackedSize, st.Size(), l.Size, want.Size, len(l.Ranges), len(want.Ranges))
	}
	if _, err := Size(t.Context(), packed, "", t.TempDir()); err == nil || fault.Hint(err) == "" {
		t.Errorf("without UPX: %v", err)
	}
}

// TestDamaged: what is wrong with a file has one exit code, whoever looks at it.
func TestDamaged(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "cut")
	if err := os.WriteFile(file, []byte("\x7fELF\x02\x01\x01, and no more"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, size := Size(t.Context(), file, "", "")
	_, inspect := Inspect(t.Context(), file)
	for _, err := range []error{size, inspect} {
		if !Damaged(err) || fault.ExitCode(err) != fault.Usage || fault.Hint(err) == "" {
			t.Errorf("%v: exit code %d, hint %q", err, fault.ExitCode(err), fault.Hint(err))
		}
	}
}
