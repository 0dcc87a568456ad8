package upx

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/upx/upxtest"
)

func TestFind(t *testing.T) {
	path := upxtest.Path(t)
	sum, _, err := files.Digest(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(path, filepath.Join(bin, "upx")); err != nil {
		t.Skip("no symbolic links")
	}
	empty := t.TempDir()
	for name, cfg := range map[string]Config{
		"path": {Path: path}, "directory": {Dirs: []string{"", empty, bin}}, "name": {Path: "upx", Dirs: []string{bin}},
		"pinned": {Path: path, SHA256: sum},
	} {
		tool, err := Find(t.Context(), cfg)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !filepath.IsAbs(tool.Path) || tool.SHA256 != sum || tool.Version == "" || os.Getenv("MINTMARK_TEST_UPX") == "" && tool.Version != "3.94" {
			t.Errorf("%s: %+v", name, tool)
		}
	}
	notUPX, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"missing":       {Dirs: []string{empty}},
		"missing path":  {Path: filepath.Join(empty, "upx")},
		"directory":     {Path: bin},
		"not upx":       {Path: notUPX},
		"other version": {Path: path, Version: "9.9.9"},
		"other digest":  {Path: path, SHA256: strings.Repeat("0", 64)},
	} {
		if tool, err := Find(t.Context(), cfg); err == nil || fault.Hint(err) == "" {
			t.Errorf("%s: %+v, %v (hint %q)", name, tool, err, fault.Hint(err))
		}
	}
}

func TestPack(t *testing.T) {
	tool := findTool(t)
	for _, c := range []struct {
		name string
		env  []string
		runs bool
	}{
		{"linux/amd64", []string{"GOOS=linux", "GOARCH=amd64"}, runtime.GOOS == "linux" && runtime.GOARCH == "amd64"},
		{"linux/mipsle/softfloat", []string{"GOOS=linux", "GOARCH=mipsle", "GOMIPS=softfloat"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := fixture(t, c.env...)
			before := read(t, in)
			dir := t.TempDir()
			out := filepath.Join(dir, "packed")
			// UPX would take options from here.
			t.Setenv("UPX", "--lzma")
			r, err := tool.Pack(t.Context(), in, out, []string{"-1"})
			if err != nil {
				t.Fatal(err)
			}
			packed := read(t, out)
			sum := sha256.Sum256(packed)
			if r.OutSHA256 != hex.EncodeToString(sum[:]) || r.OutSize != int64(len(packed)) || r.InSize != int64(len(before)) || r.OutSize >= r.InSize || len(r.NotRestored) > 0 || r.Version != tool.Version {
				t.Errorf("%+v", r)
			}
			if st, err := os.Stat(out); err != nil || st.Mode().Perm() != 0o755 {
				t.Errorf("%v %v", st.Mode(), err)
			}
			if string(read(t, in)) != string(before) {
				t.Error("the input was changed")
			}
			onlyFiles(t, dir, "packed")
			if notRestored, err := tool.Check(t.Context(), out, in); err != nil || len(notRestored) > 0 {
				t.Errorf("Check: %v %v", notRestored, err)
			}
			if c.runs {
				if b, err := exec.Command(out).CombinedOutput(); err != nil || string(b) != "hello\n" {
					t.Errorf("packed program: %q, %v", b, err)
				}
			}
			// Other flags, other bytes; the same again, the same bytes.
			t.Setenv("UPX", "")
			other := filepath.Join(dir, "other")
			if _, err := tool.Pack(t.Context(), in, other, []string{"--best", "--lzma"}); err != nil {
				t.Fatal(err)
			}
			if equalFiles(t, out, other) {
				t.Error("-1 and --best --lzma gave the same file: were the flags used?")
			}
			if _, err := tool.Pack(t.Context(), in, other, []string{"-1"}); err != nil {
				t.Fatal(err)
			}
			if !equalFiles(t, out, other) {
				t.Error("packed again, other bytes")
			}
		})
	}
}

// TestNondeterministic wraps UPX so that it packs differently the second time.
func TestNondeterministic(t *testing.T) {
	real := findTool(t)
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh to write a wrapper in")
	}
	wrapper := filepath.Join(t.TempDir(), "upx")
	script := "#!" + sh + "\ncase \"$*\" in *repacked*) exec '" + real.Path + "' \"$@\" --lzma;; *) exec '" + real.Path + "' \"$@\";; esac\n"
	if err := os.WriteFile(wrapper, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	tool, err := Find(t.Context(), Config{Path: wrapper})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, err = tool.Pack(t.Context(), fixture(t, "GOOS=linux", "GOARCH=amd64"), filepath.Join(dir, "out"), []string{"-1"})
	if err == nil || !strings.Contains(err.Error(), "packed twice, different both times") || fault.Hint(err) == "" {
		t.Errorf("%v", err)
	}
	onlyFiles(t, dir)
}

func TestPackPE(t *testing.T) {
	tool := findTool(t)
	in := fixture(t, "GOOS=windows", "GOARCH=amd64")
	out := filepath.Join(t.TempDir(), "packed.exe")
	r, err := tool.Pack(t.Context(), in, out, []string{"-1"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(r.NotRestored, "header") || slices.Contains(r.NotRestored, ".text") {
		t.Errorf("not restored: %q", r.NotRestored)
	}
	// Code that differs is an error also where headers may differ.
	b := read(t, in)
	b[0x2000] ^= 1
	if err := os.WriteFile(in, b, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := tool.Check(t.Context(), out, in); err == nil || !strings.Contains(err.Error(), ".text") || fault.Hint(err) == "" {
		t.Errorf("other code: %v", err)
	}
}

func TestPackErrors(t *testing.T) {
	tool := findTool(t)
	in := fixture(t, "GOOS=linux", "GOARCH=amd64")
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	packed := filepath.Join(t.TempDir(), "packed")
	if _, err := tool.Pack(t.Context(), in, packed, nil); err != nil {
		t.Fatal(err)
	}
	s390x := fixture(t, "GOOS=linux", "GOARCH=s390x")
	for name, c := range map[string]struct {
		in        string
		exception string
		code      int
	}{
		"s390x":          {file("s390x", read(t, s390x)), unknownFormat, 1},
		"already-packed": {file("already-packed", read(t, packed)), alreadyPacked, 2},
		"text":           {file("text", []byte(strings.Repeat("no program\n", 1000))), unknownFormat, 1},
		"tiny":           {file("tiny", []byte("x")), "IOException", 1},
	} {
		_, err := tool.Pack(t.Context(), c.in, filepath.Join(dir, "out"), nil)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Exception != c.exception || e.ExitCode != c.code || e.Op != "pack" || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v: %+v", name, err, e)
		}
	}
	onlyFiles(t, dir, "already-packed", "s390x", "text", "tiny")

	if _, err := tool.Pack(t.Context(), in, in, nil); err == nil || !strings.Contains(err.Error(), "one file") {
		t.Errorf("onto itself: %v", err)
	}
	if _, err := tool.Pack(t.Context(), in+"-missing", filepath.Join(dir, "out"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing input: %v", err)
	}
	if _, err := tool.Pack(t.Context(), in, filepath.Join(dir, "missing", "out"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing output directory: %v", err)
	}
	if _, err := tool.Pack(t.Context(), in, filepath.Join(dir, "out"), []string{"-o", "x"}); err == nil {
		t.Error("-o is accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tool.Pack(ctx, in, filepath.Join(dir, "out"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	onlyFiles(t, dir, "already-packed", "s390x", "text", "tiny")
}

func TestCheckCorrupted(t *testing.T) {
	tool := findTool(t)
	in := fixture(t, "GOOS=linux", "GOARCH=amd64")
	dir := t.TempDir()
	packed := filepath.Join(dir, "packed")
	if _, err := tool.Pack(t.Context(), in, packed, []string{"-1"}); err != nil {
		t.Fatal(err)
	}
	b := read(t, packed)
	for i := range 100 {
		b[len(b)/2+i] ^= 0x55
	}
	if err := os.WriteFile(packed, b, 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := tool.Check(t.Context(), packed, in)
	if e, ok := errors.AsType[*Error](err); !ok || e.Op != "test" || fault.Hint(err) == "" || !strings.Contains(err.Error(), "packed") {
		t.Errorf("corrupted: %v", err)
	}
	// Not packed at all.
	_, err = tool.Check(t.Context(), in, in)
	if e, ok := errors.AsType[*Error](err); !ok || e.Exception != notPacked || e.ExitCode != 2 {
		t.Errorf("not packed: %v", err)
	}
	// A good packed file of something else.
	if _, err := tool.Pack(t.Context(), in, packed, []string{"-1"}); err != nil {
		t.Fatal(err)
	}
	other := read(t, in)
	other[len(other)-1] ^= 1
	if err := os.WriteFile(in, other, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := tool.Check(t.Context(), packed, in); err == nil || !strings.Contains(err.Error(), "first difference at") {
		t.Errorf("other input: %v", err)
	}
	onlyFiles(t, dir, "packed")
}

func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		output, exception, text string
	}{
		{"upx: input: CantPackException: need DT_INIT; try 'void _init(void){}'\n", cantPack, "need DT_INIT; try 'void _init(void){}'"},
		{"upx: input: AlreadyPackedException\r\n", alreadyPacked, ""},
		{"upx: packed: Exception: checksum error\n", "Exception", "checksum error"},
		{"  2392571 ->  1428092  input\nupx: input: IOException: file is too small -- skipped\n", "IOException", "file is too small -- skipped"},
		{"Segmentation fault\nmore\n", "", "Segmentation fault"},
		{"", "", ""},
	} {
		e := newError("app_linux_arm", "pack", 1, c.output)
		if e.Exception != c.exception || e.Text != c.text || !strings.HasPrefix(e.Error(), "upx: app_linux_arm: pack: ") {
			t.Errorf("%q: %v (%+v)", c.output, e, e)
		}
	}
}

func TestCheckFlags(t *testing.T) {
	for _, flags := range [][]string{nil, {"-1"}, {"--best", "--lzma"}, {"--brute"}, {"--ultra-brute"}, {"--nrv2e", "-9"}, {"--filter=0x49"}, {"--force"}} {
		if err := checkFlags(flags); err != nil {
			t.Errorf("%q: %v", flags, err)
		}
	}
	for _, f := range []string{"-o", "-oout", "-f", "-d", "-t", "-k", "--backup", "-q", "-v", "--overlay=strip", "--filter=", "--filter=../x", "file", "", "-0", "-10", "--", "--best --lzma"} {
		if err := checkFlags([]string{f}); err == nil || fault.Hint(err) == "" {
			t.Errorf("%q is accepted", f)
		}
	}
	if err := checkFlags([]string{"-x", "-1", "-y"}); err == nil || !strings.Contains(err.Error(), `"-x"`) || !strings.Contains(err.Error(), `"-y"`) {
		t.Errorf("not all bad flags are reported: %v", err)
	}
}

func TestSupported(t *testing.T) {
	for _, c := range []struct {
		version, goos, goarch string
		is                    Support
		reason                string // contained
	}{
		{"3.94", "linux", "amd64", Packs, ""},
		{"4.2.3", "linux", "arm/6", Packs, ""},
		{"3.94", "linux", "arm64", Packs, "743"},
		{"3.94", "linux", "mipsle/softfloat", Packs, ""},
		{"3.94", "linux", "mipsle", Fails, "float64nan"},
		{"3.94", "linux", "mipsle/hardfloat", Fails, "float64nan"},
		{"3.94", "linux", "ppc64le", Fails, "crashes"},
		{"4.2.3", "linux", "ppc64le", Packs, ""},
		{"4.2.3", "linux", "ppc64", Fails, "crashes"},
		{"4.2.3", "linux", "riscv64", Fails, "does not know"},
		{"3.94", "darwin", "amd64", Fails, "macOS"},
		{"4.2.3", "darwin", "arm64", Fails, "--force-macos"},
		{"3.94", "windows", "amd64", Packs, "import table"},
		{"3.94", "windows", "arm64", Fails, "arm64"},
		{"3.94", "freebsd", "amd64", Fails, "freebsd"},
		{"3.94", "wasip1", "wasm", Fails, "WebAssembly"},
		{"5.0.0", "linux", "amd64", Unmeasured, "unknown: UPX 5.0.0 was not measured, only 3.94 and 4.2.3"},
		{"5.0.2", "linux", "amd64", Unmeasured, "issues 902 and 912"},
		{"5.0.2", "linux", "arm64", Unmeasured, "issue 952"},
		{"3.96", "linux", "386", Unmeasured, "issue 480"},
		{"4.1.0", "darwin", "arm64", Unmeasured, "issue 612"},
		{"5.0.2", "js", "wasm", Fails, "UPX does not pack WebAssembly"},
		{"3.94", "plan9", "amd64", Unmeasured, "unknown"},
		{"3.94", "linux", "pdp11", Unmeasured, "unknown"},
	} {
		is, reason := Supported(c.version, c.goos, c.goarch)
		if is != c.is || !strings.Contains(reason, c.reason) || is != Packs && reason == "" {
			t.Errorf("%s %s/%s: %v, %q", c.version, c.goos, c.goarch, is, reason)
		}
	}
}
