// Package pgo reads CPU profiles as the Go compiler does for profile-guided
// optimisation, merges them, and says how much of one still fits the source.
//
// # Contract
//
// [Parse] reads the protocol buffer of pprof
// (https://github.com/google/pprof/blob/main/proto/profile.proto), compressed
// with gzip or not. It is stricter than the compiler, which builds without any
// optimisation, and says nothing, for an empty file, for a profile without
// samples, and for one whose samples have no calls
// (cmd/internal/pgo.FromPProf); those are errors here, like every reference
// that leads nowhere. Errors in the encoding name the byte.
//
// [Merge] adds profiles up: each call that the compiler counts weighs in the
// result what it weighs in all of them together. The result depends on what is
// in them and not on their order, has no time, no address, no mapping and no
// label in it, and is not compressed, so that the bytes are the same with every
// version of a compressor. Of addresses only what the compiler needs is kept,
// see [Frame].Place.
//
// [Profile.Compare] looks up the functions of a profile in the declarations of
// a source.
//
// # Honest exceptions
//
//   - The compiler finds hot call sites by the distance of their line from the
//     function's first. Whether those still fit is not looked at, only whether the
//     function is there.
//   - A function literal counts as there when the function around it is.
package pgo
