package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// registries reports whether scripts may use a registry of container images: crane is
// built for them, which takes three quarters of a minute of a processor.
func registries() bool {
	_, err := exec.LookPath("docker-registry")
	return err == nil && os.Getenv("MINTMARK_TEST_REGISTRY") != ""
}

// registry starts Debian's docker-registry until the script ends, as $REGISTRY. It has no
// referrers API.
func registry(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: registry")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	port := l.Addr().(*net.TCPAddr).Port
	ts.Check(l.Close())
	config := filepath.Join(ts.Getenv("WORK"), "registry.yml")
	ts.Check(os.WriteFile(config, fmt.Appendf(nil, "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: 127.0.0.1:%d}\n", filepath.Join(ts.Getenv("WORK"), "registry"), port), 0o644))
	cmd := exec.Command("docker-registry", "serve", config)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	at := fmt.Sprintf("localhost:%d", port)
	for range 100 {
		r, err := http.Get("http://" + at + "/v2/")
		if err == nil {
			r.Body.Close()
			ts.Setenv("REGISTRY", at)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("docker-registry does not answer")
}
