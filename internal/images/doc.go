// Package images makes the container images of a release, and reads them back.
//
// An image is an OCI image layout in one tar
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md): an index,
// and for each platform a manifest, a configuration and layers. Nothing of it is run,
// and no daemon is asked: it is made of what was built and compared, of files of the
// commit, and of what the base has by its digest.
//
// # What is in an image
//
//   - The layers of the base as its registry has them, byte for byte; none without one.
//   - One layer with the files of the commit, the same for all platforms, if there are
//     some.
//   - One layer with the programs of the release, and nothing else. Each has the digest
//     that the manifest of the release has.
//
// A layer has the directories of its files that the base does not have: Docker makes those
// that no layer has for root alone, and what a layer has replaces what is below, also a
// symbolic link to a directory. Those that the base has stay as they are, and where one of
// them is a link (/bin of a Debian), that is an error. All files belong to user and group 0
// and are as old as the commit.
//
// # Contract
//
// [Image.Write] gives the same bytes for the same inputs: everything in JSON is compact
// with sorted keys, all times are the commit's, and archives are those of
// builds/archive. [Verify] accepts only what it can have written.
//
// # Honest exceptions
//
//   - Only images of Linux are made. One of Windows needs a base of the very Windows
//     that runs it, and no other system has containers of this kind.
//   - Of what the base has only the names of directories are looked at: its layers are
//     named by digest.
//   - Whether a program finds what it needs (a C library in the base, certificates, time
//     zones) is not known here. One that a loader starts is refused where there is no base.
package images
