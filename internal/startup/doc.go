// Package startup measures how long programs take from their launch until they
// are ready, and what memory that takes.
//
// # Contract
//
// What is run is declared ([Workload]): arguments, the whole environment,
// standard input, and what counts as ready. Nothing of the caller's environment
// reaches the program. Programs are launched directly, without a shell and
// without package os/exec, whose goroutines and pipes cost some 30 µs.
//
// Programs are compared in rounds. Each round starts every program once, in an
// order drawn anew, so that what the machine does besides hits all of them; the
// seed of the draw is in the result. One more program runs along: a fresh copy
// of the base, the A/A control. What is estimated is the ratio to the base
// within a round (package stats), and nothing is called a difference that the
// control shows between two copies of one file. All programs run as copies,
// under paths of equal length and one name, made anew every [copyRounds] rounds:
// where a copy lies in the page cache is worth about 1 %, and the length of its
// name moves the stack.
//
// Every sample is kept ([Result.Samples]).
//
// # Honest exceptions
//
//   - CPU time is the sum of user and system time. The kernel splits the two by
//     looking who runs at a tick; of a run shorter than some ticks the split is
//     noise, and is not given. Where readiness is not the exit, CPU time and
//     faults are those up to the program's end, its shutdown included.
//   - The maximum resident set of wait4(2) is not used: after vfork(2) it holds
//     the parent's, 70 MB for an 8 KiB program. Memory is read in runs of their
//     own, from /proc while the program stands still at its exit, or once it is
//     ready; see [Memory].
//   - Cold means that the program's own file is not in the page cache when it
//     starts (posix_fadvise). Everything else is as warm as it was.
//   - Times and memory exist for programs of this machine only. Others get a
//     smoke run under qemu's user emulation where it is installed, and never
//     milliseconds.
//   - On systems other than Linux there is neither cold start nor memory.
//
// Whatever was not measured says so and why: the fields named NotMeasured.
package startup
