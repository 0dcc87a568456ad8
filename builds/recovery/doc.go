// Package recovery rebuilds other people's Go binaries: given a published file
// and nothing else, it reads what the file says of its making, finds source and
// toolchain, builds it again, and compares bit for bit.
//
// # Contract
//
// All that a binary says is a claim. What is built from is checked elsewhere:
// the toolchain and the module's zip against the checksum database (or the
// result says that they were not), a git checkout by its commit hash. Only a
// comparison of all bytes makes a verdict identical; then the claims that led
// there are proven to be sufficient, though not to be the only ones possible.
//
// A binary records its toolchain, package, module, dependencies and most
// settings (go version -m). What it leaves out with -trimpath are the linker's
// flags. They are searched for: candidates come from the sections that are
// missing, the texts in the binary, and the release configuration in the
// source ([findTemplates]), and what a comparison with a first link says of variables that
// -X has set ([learned]). A candidate is confirmed by the link's action ID, the
// first part of the build ID, which is computed here from what the go command
// says it hashes ([linkInputs]); so thousands of spellings cost less than one
// link. What is confirmed is linked and compared.
//
// # Reasons
//
// What is said of a file that is not identical is what was found in it or in the
// comparison, the strongest first: that it is not as its linker left it, then who made it
// ([marks]), then what differs ([subject.compiled]). Links end where functions differ
// that no flag of the linker's can change.
//
// # All of what was named
//
// Everything that was named is accounted for ([Collect]). Files, members of
// archives and slices of universal binaries that are programs get a verdict about
// all their bytes. What may be a program or hold one, and is not rebuilt, is
// unchecked with the reason: scripts, links, archives in archives, and bytes of an
// archive that are in no member. Only text, pictures and empty files are merely
// listed ([Kind]). A universal binary is written anew from its rebuilt slices; a
// packed file is packed again.
//
// # Replaying a stamp
//
// A module's zip has no version control data, but most published binaries
// carry a stamp of it (vcs.revision and so on). The build then gets an empty
// .git directory and, first on its PATH, a program named git that answers the
// questions the go command asks with what the binary claims (package stamp). The
// user's git is not touched. The result says "replayed from the binary's
// claim": that the zip is that revision follows from nothing but the identical
// bytes, or from the module proxy's own word where it has one.
//
// A binary built from a changed tree (+dirty) is built from the unchanged one,
// with that stamp. If the bytes are identical, then whatever was changed did
// not matter; if not, the binary cannot be rebuilt by anybody without the
// changes, and that is the verdict's reason.
//
// # The directories of the build
//
// A binary without -trimpath holds the directories it was built in, and its function
// table says which: those of the source, of GOROOT and of the module cache
// ([Directories]). It is built in them: in a mount namespace, which Linux gives an
// ordinary user too, a build sees the private copy of the source, the toolchain and the
// module cache at these paths, in the place of whatever the machine has there
// ([confine.View]). Nothing on the machine changes, and nothing takes the place of what
// its own programs need. Where that is not to be had, the result says why, and it is
// built where the files are; then what differs is explained.
//
// # Honest exceptions
//
//   - Which module a program of named files (go build FILE.go) is of is known only if it
//     imports a package of it.
//   - The directories that a binary without -trimpath was built in are made up for its
//     build on Linux only, and none of Windows are. A module cache none of whose code is
//     in the binary is not named there, and counts all the same: the build ID differs.
//     Of WebAssembly the names cannot be read.
//   - cgo needs the C compiler of the original build; the one found here is used. Whether
//     cgo was used is said by the functions, not by the recorded setting.
//   - Results of earlier runs ([Config.Earlier]) are taken over by the file's digest.
//   - A packed binary is unpacked first, and what it unpacks to is compared; then
//     what was built is packed again. If only the first is identical, the file is
//     unchecked, and [Result.UnpackedVerdict] says that much. UPX does not restore
//     PE files exactly; of those only the packed bytes can be identical.
//   - Of a signed PE or Mach-O file, the signature is taken from it and put onto what
//     was built, with the fields that signing writes; all bytes are compared then. The
//     verdict is identical, and [Result.Signature] says what was not made here. Whether
//     the signature is good is not checked.
//   - Of an archive the members are rebuilt. Its headers and its compression are
//     not ([Holder]).
//   - A Go toolchain that was changed by others is made again only of a patch: one
//     that somebody brings ([Config.Patch]), or a known recipe whose lines are in the
//     source ([readRecipes]). Without it, its products are unchecked, with what an
//     unchanged one makes as evidence.
package recovery
