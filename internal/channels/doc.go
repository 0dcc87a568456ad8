// Package channels writes what package managers read about a release: where its files
// are and which digests they have, each in the format of the package manager.
//
// Everything follows from what the profile file says of a channel ([profiles.Channel])
// and from what a plan makes with the digests of a manifest ([Release]). [Files] does
// all that can fail of that but reading archives, so whoever calls it with a plan that
// nothing was built of, and without digests, knows early what would fail late.
//
// # Adding a channel
//
// A row in the table of channels and a template; the word and the names of its files are
// in package fact. A template is in the language of package template. Each text in it
// is a [template.Raw]: to write it, a function of the format of the file has to be
// called, and there is no other. A format is one type with these functions.
//
// # Which file a channel gets
//
// For each platform that the channel knows, the one file that it can unpack or start
// ([Offer]). Of several formats of one archive it is the one that the channel likes
// best. Several files for one platform, or a platform of which it can use no file, are an
// error that names them; it is never guessed. Platforms whose variant not every
// machine has (linux/amd64/v3) are taken only if the profile file names them.
//
// # Honest exceptions
//
//   - Nothing is sent to anybody: files are made.
//   - The rules of a package manager's own index, such as how a description has to
//     begin, are not checked. Nor is whether a name is taken.
//   - An archive of programs linked with a C library says nothing of which one: npm,
//     Homebrew and Arch Linux offer it on all systems of the platform.
package channels
