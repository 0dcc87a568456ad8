// Package registry brings the container images of a release to registries, and holds what
// registries have against a release.
//
// Registries are spoken to by the program crane, which is fetched and built like other
// programs of others (package builds/tool) and gets of the user's environment what it
// needs to find credentials and the network. What it gives is believed as far as it has
// the digest that was asked for.
//
// # What is promised
//
//   - Content goes first, by its digest: index, images, then what refers to them. A tag is
//     set when all of that was read back.
//   - A tag that is for one image alone and leads to another one is an error, found before
//     anything is written, and again before the tag is set. Tags that the profile file
//     calls moving are moved.
//   - What is there is done: the same command goes on where another one stopped.
//
// # Honest exceptions
//
//   - Registries have no way to set a tag only if it is not there. Whoever sets the same
//     tag between the second look and the request is overwritten; what is read back
//     afterwards is this image.
//   - A registry without the referrers API keeps what refers to an image in an index with
//     a tag of its own. Two that add to it at once may lose one of the two additions; it
//     is read back, and the same command adds it again.
package registry
