package generate

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fault"
	"golang.org/x/sys/unix"
)

// permitsNamespace asks the kernel, not what confines commands, whether a process
// may have a network of its own.
func permitsNamespace() error {
	alone := exec.Command("/bin/sh", "-c", ":")
	alone.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if alone.Run() == nil {
		return nil
	}
	mapped := exec.Command("/bin/sh", "-c", ":")
	mapped.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWNET | unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
	}
	return mapped.Run()
}

// permitsLandlock asks the kernel whether it has Landlock.
func permitsLandlock() error {
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION); errno != 0 {
		return errno
	}
	return nil
}

// TestConfinedNetwork: a command reaches no network, and is told so.
func TestConfinedNetwork(t *testing.T) {
	if err := permitsNamespace(); err != nil {
		t.Skipf("SKIPPED: this system permits no network namespace: %v", err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("x")) }))
	defer server.Close()
	port := server.URL[strings.LastIndex(server.URL, ":")+1:]
	connect := "exec 3<>/dev/tcp/127.0.0.1/" + port
	if out, err := exec.Command("bash", "-c", connect).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: unconfined it does not connect either: %v\n%s", err, out)
	}
	bash := plan.Generate{Command: []string{"bash", "-c", connect + " && echo x >out"}, Outputs: []string{"out"}}
	_, err := place(t, "first place").Run(t.Context(), []plan.Generate{bash}, source())
	if err == nil || !strings.Contains(fault.Hint(err), "name what it needs under fetch") {
		t.Errorf("%v: %s", err, fault.Hint(err))
	}
}

// TestConfinedWrites: a command writes nothing but its copy.
func TestConfinedWrites(t *testing.T) {
	if err := permitsLandlock(); err != nil {
		t.Skipf("SKIPPED: this kernel has no Landlock: %v", err)
	}
	p := place(t, "first place")
	outside := filepath.Join(p.Source, "sub", "written")
	_, err := p.Run(t.Context(), []plan.Generate{script("echo x >"+outside+" || true; echo x >out", "out")}, source())
	if _, serr := os.Lstat(outside); serr == nil {
		t.Errorf("the private copy that is built was written to (%v)", err)
	}
}
