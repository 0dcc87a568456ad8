// Benchmark measures what docs/reports/benchmarks.md says of mintmark's speed:
//
//	go run ./tools/benchmark [-project=fzf,yq] [-rows=cold,first] [-pairs=5] [-goreleaser=PATH] [-update]
//
// Everything comes from one run: mintmark built from this tree, GoReleaser of
// one version, and a loop of go build commands take turns, with the same
// toolchain, sources, platforms and flags, and the table holds only what was
// measured. Nothing in it is written by hand but the numbers to reach.
//
// # What is measured
//
// CPU is user+sys of the whole process tree: of everything that the measuring
// process waited for, and of what that had waited for. Orphans fall to the
// measuring process (PR_SET_CHILD_SUBREAPER) and are waited for as well.
//
// Memory is the largest sum of resident memory over the tree, sampled from
// /proc every 20 ms. Pages that processes share count once for each. A child
// that has not yet replaced its parent's memory (between vfork and exec) does
// not count.
//
// Idle is the part of the processors' time that neither the tree nor the
// measuring itself used between the first and the last moment at which a
// compiler, assembler or linker was seen. What other processes took is in it,
// so there is a second line for what nobody used.
//
// # The sides
//
// mintmark: its release or build, with its own cache directory. Cold means that
// all of the cache is removed but toolchains and downloaded modules ([cool]).
//
// GoReleaser: its release or build on the same commit and tag, with publishing
// switched off and as many tasks at a time as there are processors, with a
// GOCACHE of its own. One build entry for each main package, as it wants it.
//
// By hand: one go build for each platform, one after the other, with all main
// packages, run by the benchmark itself. Building twice by hand is two such
// loops with two GOCACHEs that were empty before.
//
// Modules and toolchains are there before anything is measured. The network may
// be used while everything is prepared, and by mintmark as it likes; the others
// run with GOPROXY=off.
//
// # Exceptions
//
// Nothing is signed: GoReleaser and a loop sign nothing by default, and a
// signature costs milliseconds. mintmark's account of the CPU in its builds,
// which its own overhead is derived from, is printed with one decimal.
package main
