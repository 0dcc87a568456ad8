// Package tool gets a program that somebody else keeps well, where mintmark would
// otherwise need the code of it: as a Go module at one exact version, built here.
//
// # Which program
//
// A [Known] is a line of data: module, version, the h1 of that module's files, and
// the command in it. The h1 is part of mintmark's source. The module has its own
// go.sum among these files, so the one h1 pins every file that is compiled, but
// those of the standard library, which the toolchain's hash pins.
//
// # Getting it
//
// [Fetch] downloads the module as the user's go settings say, asks the checksum
// database about it where that is on, unpacks it into the run's private directory and
// hashes what was unpacked. What it needs is downloaded into a module cache that is
// new, checked by the go command against the module's go.sum. Then it is built
// without the network, confined as every build is, with a build cache that is new:
// nothing that an earlier run left can be in the program.
//
// # Keeping it
//
// The program is kept in the cache directory, by all that it was built from
// ([Known], toolchain, host, how it was built). The cache directory is a stranger's
// file: which digest the program has is an answer of package memo, authenticated
// with the user's secret, and what runs is a private copy with that digest. Without
// a secret, and with -full, it is built in each run.
//
// # Exceptions
//
// The program's digest is in no record, since it differs by host: a record names
// what it was built from ([Program.String]). That two hosts' programs do the same is
// not checked here; what they make is made in each verification, and compared.
package tool
