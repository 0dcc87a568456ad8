// Package checksums is the proof of a release: digests, checksums.txt, the
// manifest, the record, signing and verifying.
//
// # What is proven
//
// A release directory holds published files and four files about them:
//
//	checksums.txt                 the SHA-256 of every other file, as sha256sum writes it
//	checksums.txt.sigstore.json   a signature over it (Sigstore bundle v0.3)
//	release.json                  the manifest: everything known about the release
//	provenance.sigstore.json      the record, signed: an in-toto statement with SLSA provenance v1
//
// and, when the publisher wants others to use it, the proof ledger: ledger.json,
// a published file like any other, and ledger.json.sigstore.json, a signature
// for those who take the ledger and nothing else ([VerifyBlob]).
//
// [VerifyRelease] follows one chain and refuses when a link is missing: the
// [Trust] checks the bundle, the bundle checks checksums.txt, checksums.txt
// checks every file, the manifest among them; the same Trust checks the record,
// and the record is the one that this manifest and these checksums give, byte
// for byte. The manifest's artifacts are those that its plan makes, one to one
// ([Manifest.Validate]): what nobody could build again is refused where a
// manifest is read. A published ledger is checked twice, through the list and by its
// own signature. checksums.txt alone names no project and no version, so an old
// release offered as a new one is caught only by the record, and only when the
// caller says what was expected ([VerifyConfig]).
//
// The list may have another name and digests of SHA-512 (fact.DigestList): then the
// manifest names it, and its own digest in that list and in the record is what makes
// that count. [VerifyFile] follows the same chain for one file, as far as its links
// are there. [VerifyOther] compares what another tool released with that tool's list
// and signatures, which prove less.
//
// Nothing passes by default. A file that nothing was compared with is listed
// as not checked; a [Verification] says what was checked and what was not, as
// answers to questions (fact.Check) that are open until they are answered.
//
// # Who signs
//
// A [Signer] signs, and a [Trust] believes one signer. What makes and verifies
// releases knows no more of either; a fact.SignerID is the name. There is one
// kind, a key. A second one takes a type for each interface, a fact.SignerKind,
// what its names look like (checkSigner), and how a user refers to one
// ([LoadSigner], [LoadTrust]).
//
// # What is not proven
//
//   - That the binaries came from the source. The record says so and its signer
//     stands for it; only a rebuild proves it.
//   - That what the manifest counts ([Rebuild.Actions]) and what a ledger names
//     was executed. These are the publisher's statements too.
//   - When it was signed. A signature by a key carries no time, so a key that
//     was stolen has to be dropped from every place that trusts it.
//   - What lies inside an archive. The digest of the archive is checked; the
//     digests of its members stand in the manifest ([Artifact.Members]) and are
//     compared by whoever can unpack that format.
//   - Transparency log entries and timestamps that a bundle carries. With a key
//     they are not needed and not looked at; the [Verification] says so, and says
//     what a Trust that looks at them has found ([Evidence]).
//   - Keyless signatures (a certificate in place of a key). They are refused, and
//     said not to be checked in another tool's release.
//
// # Determinism
//
// Everything written here is a function of its inputs: no clock, no host name,
// no random numbers. ECDSA signatures with a key from a file are made as in
// RFC 6979, so signing twice gives the same bytes. A KMS decides for itself;
// see [Signer], whose Deterministic says so.
//
// # Exceptions
//
// A KMS key runs a program, sigstore-kms-NAME, through Sigstore's plugin
// protocol. That program inherits the environment and writes to the standard
// error of this process: the protocol's own choice.
package checksums
