//go:build unix

package toolchain

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// hostnameFile is where Linux takes a host name from, of the process's own UTS namespace.
const hostnameFile = "/proc/sys/kernel/hostname"

// systemShell is the one that every system has, but for a container of nothing but a program.
const systemShell = "/bin/sh"

// CanSetUmask reports whether a command may be given a file mode mask of its own: with
// a shell, since a process sets only its own.
func CanSetUmask() bool {
	fi, err := os.Stat(systemShell)
	return err == nil && fi.Mode().IsRegular()
}

// writes are the files that wrap's script has to write.
func writes(c Command) []string {
	if c.Hostname != "" && runtime.GOOS == "linux" {
		return []string{hostnameFile}
	}
	return nil
}

// wrap goes through the shell when a circumstance has to be set that only the
// process itself can set.
func wrap(c Command) (string, []string) {
	script := ""
	if c.Hostname != "" && runtime.GOOS == "linux" {
		script += "echo '" + strings.ReplaceAll(c.Hostname, "'", "") + "' >" + hostnameFile + "; "
	}
	if c.SetUmask {
		script += "umask " + strconv.FormatInt(int64(c.Umask), 8) + "; "
	}
	if script == "" {
		return c.Path, c.Args
	}
	return systemShell, append([]string{"-c", script + `exec "$0" "$@"`, c.Path}, c.Args...)
}

// isolate puts the command into a process group of its own, and where the
// system can do it ties its life to ours.
func isolate(cmd *exec.Cmd, c Command) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	tie(cmd.SysProcAttr, c)
}

func killGroup(cmd *exec.Cmd) error {
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	return nil
}

func maxRSS(st *os.ProcessState) int64 {
	ru, ok := st.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	rss := int64(ru.Maxrss)
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" {
		rss *= 1024 // kilobytes everywhere but on Apple's systems
	}
	return rss
}
