// Package worker has units built elsewhere: what a worker is asked and what it
// answers, and the worker.
//
// A worker is a program, mintmark worker, on another machine or in a container. It
// reads one tar and writes one tar, and ends. In the first come a [Request] and the
// inputs that go with it, named by their SHA-256; in the second an [Answer] and, after
// a build, a parcel with the outcome (package parcel). How the two travel is a
// carrier's matter: over ssh, through a container engine, as files.
//
// # What a worker checks
//
// Every input has the digest that it is named by; the toolchain has the hash that the
// checksum database knows, as the request has it; the modules have those of the
// source's go.sum; plan and unit belong together. It builds in a place of its own,
// confined and without network, with the go command that builds a unit anywhere, and
// so makes the same bytes.
//
// What it cannot check is that the source is the commit that the request says: the
// stamp is claimed (package stamp). Whoever asked compares what comes back with a build
// from the commit, or with one that was sent the same source, and the stamp with the
// commit.
//
// # Whom it serves
//
// Whoever may ask may have any program run by the worker: the toolchain is his choice,
// and its go command is run. It writes into the place of the build and reaches no network
// as far as the system holds it (package confine); what the worker's user may read, it
// may read, and links in a source lead where they lead. Who may ask is up to the carrier.
//
// # What it keeps
//
// Inputs and toolchains that nobody has used for 30 days are removed, and what was
// compiled a day after the last build of it. That is shared by the builds of one run with
// the same source, modules and toolchain. Two builds of a unit by one worker are two
// places, which share nothing but inputs and toolchain. A nonce is for one execution.
package worker
