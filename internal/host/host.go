// Package host asks the system which machine this is.
//
// What it says is the system's word. A container may have a host name of its own,
// and whoever owns a machine can have it say anything; what it serves for is to
// tell apart honest machines, and to find that two containers are on one.
package host

import (
	"os"
	"runtime"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// Identify describes the machine that this program runs on.
func Identify() fact.Host {
	name, err := os.Hostname()
	if err != nil {
		name = ""
	}
	h := fact.Host{Name: name, System: runtime.GOOS + "/" + runtime.GOARCH}
	h.Boot, h.Kernel = boot()
	h.Container = container()
	return h
}

// line is the first line of a small file of the system's; "" if there is none.
func line(name string) string {
	data, err := files.Read(name, 4096)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSpace(first)
}
