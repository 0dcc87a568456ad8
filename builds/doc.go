// Package builds is the rooms that know how a release is built. It has no code
// of its own; this is their map, in the order in which work passes through them.
//
//   - source: checkouts, module zips, versions, tags
//   - git: the only place that runs git
//   - toolchain: fetch, hash and install a toolchain; the environment of a build;
//     the only place that runs go
//   - plan: units and plans, and the planner that makes them of a profile
//   - generate: commands that make files before anything is compiled, run in each place
//   - schedule: what runs when, by expected cost, memory and processors
//   - execute: a unit, built once in one place
//   - compare: what came of several executions, and what is to blame where they differ
//   - actions: what the go command says of a build, and its cache
//   - ledger: which actions were executed how often with which output; what need
//     not be executed again
//   - archive: archives whose bytes depend on their members alone
//   - universal: universal binaries, one file with the programs of several units
//   - recovery: a published binary back to source, toolchain and settings
//
// A plan is the sorted list of units, fully expanded: what one go build makes,
// with every flag and every variable that can change the bytes, and with nothing
// that cannot (no directory, no host, no clock). The SHA-256 of its canonical
// JSON is the plan ID. The same source, profiles and toolchain version give the
// same plan on every machine.
//
// A unit has one platform, one set of settings and all the main packages of
// them: one go build for all, because concurrent builds of the same packages do
// not share work in flight.
//
// # Exceptions
//
// The plan names the toolchain by its version, not by its hash: the hash is
// that of the host's toolchain and would make the plan differ from host to
// host. The manifest and the record carry the hash.
package builds
