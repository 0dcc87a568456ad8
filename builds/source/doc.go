// Package source finds out which commit of which module is to be built, and
// makes private clean copies of it.
//
// A build never happens in the user's tree. The tree holds files that are not
// in the commit (mage writes one while it compiles), its line endings follow
// the user's git settings, its .git may be a file (worktree, submodule), in
// which case cmd/go stamps nothing and says nothing. So every build gets a
// clone of its own, checked out with neutral settings.
//
// # Identity
//
// A source is a module path, a version, a commit with its time and tree, and
// the h1 hash of the module zip the module proxy would make of that commit.
// The version is the one cmd/go ≥ 1.24 stamps: the highest version tag on the
// commit, else a pseudo-version based on the highest tag below it
// (https://go.dev/ref/mod#vcs-version). What cmd/go really stamped is compared
// with it after the build.
//
// # Exceptions
//
// Submodules are not part of a module (the proxy leaves them out too) and are
// not checked out. Git LFS files stay pointers. Both are reported in
// [Source.Notes].
package source

import (
	"time"
)

// Kinds of sources.
const (
	Git    = "git"
	Module = "module"
)

// Source identifies the code to build.
type Source struct {
	Kind       string // Git or Module
	ModulePath string
	Version    string // module version with its v: a tag or a pseudo-version
	Sum        string // h1: of the module zip
	SumDB      bool   // Sum was checked against the checksum database
	Commit     string // full hash; of a module: the proxy's claim, or ""
	Tree       string
	CommitTime time.Time // UTC
	Tags       []string  // version tags on the commit, sorted
	Dir        string    // module directory inside the repository, slash-separated, "" for the root
	Dirty      []string  // changed or untracked files, sorted; nil for a clean tree
	Go         string    // the toolchain go.mod names: its toolchain line, else its go line
	GoLine     string    // the go line, such as "1.23.0"
	Vendored   bool      // vendor/modules.txt is in the commit
	Notes      []string  // what the reader should know about this source

	exec map[string]bool
}

// Executable reports whether the commit says that the file, a slash-separated
// path in the repository, can be executed. The work tree is not asked: Windows
// has no such bit. A module zip has none either.
func (s *Source) Executable(name string) bool { return s.exec[name] }

// Tag is the tag of Version on the commit, or "" for an untagged one.
func (s *Source) Tag() string {
	for _, t := range s.Tags {
		if t == s.tagPrefix()+s.Version {
			return t
		}
	}
	return ""
}

func (s *Source) tagPrefix() string {
	if s.Dir == "" {
		return ""
	}
	return s.Dir + "/"
}

type hintError struct {
	error
	hint string
}

func (e *hintError) Hint() string  { return e.hint }
func (e *hintError) Unwrap() error { return e.error }
