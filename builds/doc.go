// Package builds plans and runs the builds of a release.
//
// A [Plan] is the sorted list of [Unit]s, fully expanded: what one `go build`
// makes, with every flag and every variable that can change the bytes, and
// with nothing that cannot (no directory, no host, no clock). The SHA-256 of
// its canonical JSON is the plan ID. The same source, profiles and toolchain
// version give the same plan on every machine.
//
// A unit has one platform, one set of settings and all the main packages of
// them: one go build for all, because concurrent builds of the same packages
// do not share work in flight.
//
// [Schedule] runs [Site.Build] under a budget of processors and memory. A
// failing unit keeps others from starting, not from finishing, and every error
// is reported.
//
// # Exceptions
//
// The plan names the toolchain by its version, not by its hash: the hash is
// that of the host's toolchain and would make the plan differ from host to
// host. The manifest and the record carry the hash.
package builds
