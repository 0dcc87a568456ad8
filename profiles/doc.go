// Package profiles says what to build: it reads mintmark.yaml into profiles,
// platforms and settings. It is data only. It runs nothing, opens no file, and
// sees no environment and no clock, so that the same bytes mean the same
// everywhere and always.
//
// # What Load promises
//
// [Load] reports everything it finds wrong at once, each with file, line,
// column, the line itself and, where there is one, a suggestion. Nothing is
// guessed: an unknown key, a wrong type, yes for true, an override, an exclude
// or an include that changes nothing are errors. Texts are taken as they are
// written: a tag 1.10 is not 1.1, and off is a text. The YAML is one document
// in UTF-8; aliases work, merge keys (<<) and tags do not.
//
// A file that loads is complete in itself. What needs more than the file is
// checked elsewhere and reported with [File.Problem] at [Profile.Pos]: whether
// a toolchain has a platform, a main package or a -X variable exists, a PGO
// profile or a glob has files, two artifacts have one name.
//
// # The merge rule
//
// A key set in a child replaces the parent's value; only the maps env and
// ldflags.set merge by key; overrides apply last, in order. ldflags and budget
// are no keys in this sense: they only group the keys below them. Overrides are
// inherited, the parents' before the child's.
//
// # Where the promise ends
//
// Warnings about values that would make a build differ tomorrow are guesses
// from their looks: a date, a host name, an absolute path. A value that looks
// like none of these can still be one. Whether a linker or compiler flag exists
// is left to the toolchain. The positions inside a text are exact for texts in
// one line and for blocks after "|"; in a folded text or one over several lines
// it is where the text begins.
package profiles
