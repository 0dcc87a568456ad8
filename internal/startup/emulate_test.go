package startup

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestParseInstructions(t *testing.T) {
	for text, want := range map[string]int64{
		"insns: 123\n": 123,
		"cpu 0 insns: 40\ncpu 1 insns: 2\ntotal insns: 42\n": 42,
		"total insns: 42":               42,
		"insns: \n":                     0,
		"insns: 0\n":                    0,
		"insns: 99999999999999999999\n": 0,
		"":                              0,
	} {
		if got, err := parseInstructions([]byte(text)); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
}

func FuzzParseInstructions(f *testing.F) {
	f.Add([]byte("cpu 0 insns: 40\ntotal insns: 42\n"))
	f.Fuzz(func(t *testing.T, log []byte) {
		if n, err := parseInstructions(log); (n > 0) != (err == nil) {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestEmulator(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("qemu's user emulation is there for Linux")
	}
	dir := t.TempDir()
	for _, name := range []string{"qemu-aarch64-static", "qemu-mipsel", "qemu-mipsel-static"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "qemu-arm"), nil, 0o644); err != nil { // cannot be run
		t.Fatal(err)
	}
	for platform, want := range map[string]string{
		"linux/arm64": "qemu-aarch64-static", "linux/mipsle": "qemu-mipsel",
		"linux/arm": "", "linux/riscv64": "", "linux/386": "", "freebsd/arm64": "", "windows/arm64": "",
	} {
		got, err := Emulator(platform, []string{"", t.TempDir(), dir})
		if (err == nil) != (want != "") || err == nil && got != filepath.Join(dir, want) {
			t.Errorf("%s: %s, %v", platform, got, err)
		}
	}
}

// TestInstructions counts with a real plugin, named by MINTMARK_TEST_QEMU_PLUGIN.
func TestInstructions(t *testing.T) {
	plugin := os.Getenv("MINTMARK_TEST_QEMU_PLUGIN")
	if plugin == "" {
		t.Skip("no plugin: set MINTMARK_TEST_QEMU_PLUGIN to qemu's libinsn.so")
	}
	small, large := build(t, "small"), build(t, "large", "touch=64")
	cfg := config(t, small, large)
	cfg.Plugin, cfg.SkipCold, cfg.SkipMemory = plugin, true, true
	cfg.Emulators = filepath.SplitList(os.Getenv("PATH"))
	res, err := Measure(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var n []int64
	for _, p := range res.Programs {
		if p.Smoke == nil || !p.Smoke.OK || p.Smoke.Instructions < 1000 {
			t.Fatalf("%+v, notes %s", p.Smoke, strings.Join(res.Notes, "; "))
		}
		n = append(n, p.Smoke.Instructions)
	}
	if n[1] < n[0]+64<<20/4096 {
		t.Errorf("%d instructions, and %d for one that writes to 64 MiB", n[0], n[1])
	}
	t.Logf("%d and %d instructions", n[0], n[1])
}
