// Package secret knows what must not be shown: private keys, and what stands
// in an address in front of its host. It recognises them in any text, takes
// them out of messages, and is the one home of that knowledge: whoever makes a
// message of a text from outside asks here.
//
// # What is recognised
//
//   - private keys in PEM (cosign's and Sigstore's encrypted ones, PKCS #8,
//     SEC 1, PKCS #1, OpenSSH, OpenPGP), also with their line ends lost or
//     written as \n, cut off, or encoded in base64 once more, as secrets of
//     continuous integration often are;
//   - the JSON inside of an encrypted Sigstore key, private JSON web keys and
//     JSON web tokens, as they are and in base64;
//   - identities of age, secret keys of minisign and signify, keys of PuTTY;
//   - user names and passwords in addresses, values of their parameters that
//     are named like a secret, and Authorization headers.
//
// # Exceptions
//
// A passphrase, or the bare bytes of a key without any frame, looks like any
// other word: it is recognised nowhere. [Name] therefore leaves out what no
// name of a file has in it. A secret in the path of an address is not
// recognised either.
package secret
