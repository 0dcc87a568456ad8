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
// The version is the one cmd/go ≥ 1.25 stamps, where it stamps one: the highest
// version tag on the commit, else a pseudo-version based on the highest tag below
// it (https://go.dev/ref/mod#vcs-version). Tags on the commit that are no version
// of the module do not count, and [Repo.Uncounted] says why.
//
// # Tags and the stamp
//
// Only tags on the commit or below it count, so the version of a commit does not
// change when somebody tags another one. A private clone has the full history and
// all tags: what cmd/go stamps there it stamps in every ordinary clone, whichever
// release of it builds and however it reads tags. That may be another version
// than the source's, or none ([Source.Stamp]); it is read from the binary after
// the build, warned about, and recorded with the tags it was made of
// ([Repo.StampTags]). A rebuilder's clone has those of them that the record names.
// Records of before that name none: what they describe was built in a clone with
// the one tag that decides the version, and is built again in such a one.
//
// # Exceptions
//
// For a module whose path does not continue that of a module at the top of the
// repository (or where there is none), and for gopkg.in, cmd/go stamps the
// commit but (devel) as the version; see [Source.Unstamped].
//
// Submodules are not part of a module (the proxy leaves them out too) and are
// not checked out. Git LFS files stay pointers. Both are reported in
// [Source.Notes]. How git is run, and what it is kept from running, is in package
// builds/git.
package source

import (
	"path"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
	"golang.org/x/mod/module"
)

// Source identifies the code to build.
type Source struct {
	Kind       fact.SourceKind
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
	Included   []string  // of Dirty those that git ignores: a snapshot has them, and go stamps it as if it had not
	Go         string    // the toolchain go.mod names: its toolchain line, else its go line
	GoLine     string    // the go line, such as "1.23.0"
	Vendored   bool      // vendor/modules.txt is in the commit, or in a snapshot
	Notes      []string  // what the reader should know about this source

	// Unstamped says that cmd/go does not stamp the version into binaries of
	// this module, but (devel).
	Unstamped bool

	exec    map[string]bool
	tag     string // the one tag that decides Version; "" if there is none
	outside bool   // the commit may lead to files that are not in it
	// locals are the directories of the commit, from its top, that go.mod names in
	// the place of other modules.
	locals []string
	// believed is the repository that was believed to have what its hashes name;
	// "" if that was looked at.
	believed string
}

// ID is what of the source decides the bytes.
func (s *Source) ID() fact.SourceID {
	return fact.SourceID{
		Kind: s.Kind, Module: s.ModulePath, Version: s.Version, Sum: s.Sum,
		Commit: s.Commit, CommitTime: s.CommitTime.UTC().Format(time.RFC3339), Dir: s.Dir,
	}
}

// PathPrefix is the module's path without the suffix of its major version.
func (s *Source) PathPrefix() string {
	if prefix, _, ok := module.SplitPathVersion(s.ModulePath); ok {
		return prefix
	}
	return s.ModulePath
}

// Files names all files of the commit, those outside of the module as well, for
// what is remembered of them; "" for no commit. Where the repository's word was
// taken for what a hash names, the name is good in that repository alone.
func (s *Source) Files() string {
	if s.Kind != fact.SourceGit || s.Tree == "" {
		return ""
	}
	return s.Tree + " " + s.believed
}

// Identity names everything a checkout of the source can hold, so that what the
// go command once said of one is true of any other. It is "" when it is not
// known, or when the source leads to files outside of it.
func (s *Source) Identity() string {
	switch {
	case s.outside:
	case s.Files() != "":
		return "git " + s.Dir + " " + s.Files()
	case s.Kind == fact.SourceModule && s.Sum != "":
		return "module " + s.ModulePath + "@" + s.Version + " " + s.Sum
	}
	return ""
}

// Executable reports whether the commit says that the file, a slash-separated
// path in the repository, can be executed. The work tree is not asked: Windows
// has no such bit. A module zip has none either.
func (s *Source) Executable(name string) bool { return s.exec[name] }

// Tag is the tag of Version on the commit, or "" for an untagged one.
func (s *Source) Tag() string {
	for _, t := range s.Tags {
		if t == s.tagPrefix()+strings.TrimSuffix(s.Version, "+incompatible") {
			return t
		}
	}
	return ""
}

// tagPrefix is what the module's version tags begin with: the directory of the
// module, without the major version if that has a directory of its own
// (https://go.dev/ref/mod#vcs-version).
func (s *Source) tagPrefix() string {
	dir := s.Dir
	if _, major, ok := module.SplitPathVersion(s.ModulePath); ok && strings.HasPrefix(major, "/") && path.Base(dir) == major[1:] {
		dir = strings.TrimSuffix(strings.TrimSuffix(dir, major[1:]), "/")
	}
	if dir == "" {
		return ""
	}
	return dir + "/"
}
