// Package importer turns the release configuration of another tool into a
// profile file: GoReleaser's (version 2, and the keys of version 1), promu's, or
// the flags that a Makefile gives to go build.
//
// The source is read as data. Nothing of it is run, and nothing is fetched:
// what it includes is read if it is a file of the same tree.
//
// # What is promised
//
//   - Every key of the source has exactly one [Line], which says what became of
//     it. The lines are made by walking the source, so that a key which nobody
//     thought of has a line too: it cannot be kept, since it is unknown.
//   - The text is a profile file that [profiles.Load] accepts. What the format of
//     this version cannot say is left out, and the line of its key says so.
//   - A template is taken over only if it was seen to give the same text as the
//     source's: both are evaluated for every platform that it is used for, for
//     several versions. A clock in the source counts as the commit's time, which is
//     said.
//
// # Exceptions
//
// Whether a package exists that a flag of the linker names is not known for
// packages of other modules. Whether a hook of the source changes what is built is
// not known at all; hooks are never run.
package importer
