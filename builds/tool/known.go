package tool

import "strings"

// Known is a program as a line of data. To raise a version, change Version and Sum
// (go mod download -json MODULE@VERSION says it) and, if its go.mod says so, Go.
type Known struct {
	Name    string // of the program
	Module  string // path of the module it is in
	Version string // exact
	Sum     string // h1: of the module's zip
	Package string // of the command, in the module; "." for the top
	// Go is the oldest toolchain that builds it, by the go line of its go.mod. A release
	// that is built with an older one has this one fetched for the program.
	Go string
}

// Nfpm makes packages of Linux distributions (https://nfpm.goreleaser.com).
func Nfpm() Known {
	return Known{
		Name: "nfpm", Module: "github.com/goreleaser/nfpm/v2", Version: "v2.45.2",
		Sum: "h1:sWBXUErMSKHMvT8f1mgtY3yn2jbNBAE2TNBXNXpSDGc=", Package: "./cmd/nfpm", Go: "go1.25.0",
	}
}

// All are the programs that mintmark fetches.
func All() []Known { return []Known{Nfpm(), Crane()} }

// String names it as a record does: what the program is built from, which is the same
// on every machine.
func (k Known) String() string { return k.Name + " " + k.Version + " " + k.Sum }

// id is the module with its version, as hashes name it.
func (k Known) id() string { return k.Module + "@" + k.Version }

// dirName is a directory name that no other program has.
func (k Known) dirName(key string) string {
	return k.Name + "-" + strings.ReplaceAll(k.Version, "+", "-") + "-" + key[:16]
}
