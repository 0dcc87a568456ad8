package upx

import (
	"os"
	"path/filepath"
	"testing"
)

func TestUnpack(t *testing.T) {
	tool := findTool(t)
	in, dir := fixture(t, "GOOS=linux", "GOARCH=amd64"), t.TempDir()
	packed, out := filepath.Join(dir, "packed"), filepath.Join(dir, "out")
	if _, err := tool.Pack(t.Context(), in, packed, []string{"-1"}); err != nil {
		t.Fatal(err)
	}
	if err := tool.Unpack(t.Context(), packed, out); err != nil || !equalFiles(t, in, out) {
		t.Errorf("%v", err)
	}
	// Damage is an error, and nothing is left behind.
	b := read(t, packed)
	b[len(b)/2] ^= 0xff
	if err := os.WriteFile(packed, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := tool.Unpack(t.Context(), packed, filepath.Join(dir, "damaged")); err == nil {
		t.Error("a damaged file was unpacked")
	}
	if err := tool.Unpack(t.Context(), in, filepath.Join(dir, "plain")); err == nil {
		t.Error("a file that is not packed was unpacked")
	}
	onlyFiles(t, dir, "out", "packed")
}
