// Package lint is what `check` says of a source, its profile file and its plan
// before anything is built, and what every release says first.
//
// [All] is the one list of checks. What keeps a release from being made is an error,
// and all of them are reported together; what has no effect, or makes other builds
// of the commit differ, is a caution. Nothing here compiles: what only a build shows
// is not known yet, and is not said.
//
//	lint.go        the list; what the plan needs and this machine lacks
//	tree.go        changes that are not committed, Git LFS pointers
//	unseen.go      files that git ignores and builds read
//	keys.go        private keys in the commit
//	version.go     tags that do not count, versions that go stamps
//	newer.go       toolchains with known faults
//	modules.go     go.mod, go.sum and vendor, where that is asked for
//	pgo.go         profiles of the optimiser that are stale, or read by nobody
//	embedded.go    what is embedded where git ignores what is made
//	pitfalls.go    what makes plain go build give something else
//	goreleaser.go  what another release configuration says and nobody reads
package lint
