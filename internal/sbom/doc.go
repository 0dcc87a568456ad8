// Package sbom writes bills of materials of a release, or of one of the files that it
// publishes: which modules are in which files, in which versions, and how much of each is
// really linked. It reads them no further than to say where two of them differ.
//
// # Contract
//
// Nothing is guessed. The modules of a program are those that the go command wrote into
// it (runtime/debug.BuildInfo), with the hashes that it checked; the version of the main
// module is the release's source. Bytes and packages are what package sizes found in the
// file; where it was not measured, or where a file says nothing of its modules, the
// document has no figures and does not call itself complete. A license is named where
// its file in the module's zip is recognised for sure.
//
// A module that go.mod requires and of which no program has a package is listed as
// such: scope "excluded", of which zero packages are linked. Where a program says nothing
// of its modules, that is not known, and not said.
//
// A document about one file is the release's, restricted to that file, what it was made of
// and what is linked into that: no program of it has a package of what is "excluded", and
// nothing in it refers to what is not there.
//
// A document is made of its input alone. Its time is the commit's, its serial number a
// name-based UUID (RFC 9562, version 5) of its content: the same release has the same
// document, byte for byte.
//
// # Names
//
// Components are named as scanners look for them: a Go module by its path, with
// purl pkg:golang/PATH@VERSION (purl-spec, type golang), never with the version
// "(devel)", which scanners match with everything or nothing (anchore/grype#829,
// #1167); the standard library is "stdlib" with the toolchain's version and the CPE of
// Go, under which its advisories are filed.
//
// # Honest exceptions
//
//   - What cgo links beside Go packages is not listed: the composition of such a program
//     is "incomplete".
//   - A program without build information has no modules here: its composition is
//     "unknown".
//   - A module that go.mod replaces by a directory has no version, nor has the main
//     module of a changed tree.
package sbom
