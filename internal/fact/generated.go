package fact

import (
	"path"
	"slices"
	"strings"
)

// Generated is what the commands of a release made before anything was compiled.
type Generated struct {
	// Executions is in how many places each command ran.
	Executions int `json:"executions"`
	// Verdict is about all files together: identical in all places, or unchecked with
	// the reason. What differs is not compiled.
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`
	// Varied was different in these executions, and Shared the same, sorted; Attempted
	// was different if the system permitted it.
	Varied    []string        `json:"varied,omitempty"`
	Attempted []string        `json:"attempted,omitempty"`
	Shared    []string        `json:"shared,omitempty"`
	Tools     []GeneratorTool `json:"tools"` // by command
	Files     []GeneratedFile `json:"files"` // sorted by name
}

// Generation is how a rebuilder came by a release's generated files.
type Generation string

const (
	GenerationExecuted Generation = "executed" // by the release's commands
	GenerationTaken    Generation = "taken"    // from the release, by digest
)

// GeneratedFile is a file that a command made.
type GeneratedFile struct {
	Name    string `json:"name"` // in the module's directory, slash-separated
	Size    int64  `json:"size"`
	SHA256  string `json:"sha256"`
	Mode    string `json:"mode"`    // "0644" or "0755"
	Command int    `json:"command"` // that made it, from 1 on, as in the plan
}

// GeneratorTool is a program that a command ran: the first one, and what the go
// command ran for it. What they start in turn is not known.
type GeneratorTool struct {
	Command int    `json:"command"` // from 1 on, as in the plan
	Name    string `json:"name"`    // as the command names it
	// Path is where it was on PATH. "" for the go command, which is the release's
	// toolchain, and for a file of the commit or one that was fetched.
	Path   string `json:"path,omitempty"`
	SHA256 string `json:"sha256,omitempty"` // of the executable
	// Module and Sum are of a program that the go command built of another module:
	// PATH@VERSION, and what go.sum says of it.
	Module string `json:"module,omitempty"`
	Sum    string `json:"sum,omitempty"`
	// Inputs is the SHA-256 over the names and digests of the files that the command's
	// inputs match, in the manner of sha256sum; "" where it names none.
	Inputs string `json:"inputs,omitempty"`
}

// NeverGenerated says why a path cannot be that of a generated file; "" if it can. A
// file system may know a name by others than its own.
func NeverGenerated(name string) string {
	folded := strings.ToLower(name)
	if OfGit(name) {
		return "git's directory is not part of the source"
	}
	base := strings.TrimRight(path.Base(folded), ". ")
	switch first, _, _ := strings.Cut(folded, "/"); {
	case slices.Contains([]string{"go.mod", "go.sum", "go.work", "go.work.sum"}, base), first == "vendor":
		return "which modules are built with is the commit's to say"
	case slices.Contains([]string{".gitignore", ".gitattributes", ".gitmodules"}, base):
		return "it tells git what belongs to the commit"
	}
	return ""
}

// OfGit reports whether a slash-separated path is that of a git directory or leads
// through one, on any system: a file system may know a name by others than its own.
func OfGit(name string) bool {
	for e := range strings.SplitSeq(strings.ToLower(name), "/") {
		if e = strings.TrimRight(e, ". "); e == ".git" || e == "git~1" {
			return true
		}
	}
	return false
}
