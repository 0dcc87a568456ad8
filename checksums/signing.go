package checksums

import (
	"context"
	"crypto"
	"fmt"

	"github.com/mintmark/mintmark/internal/fact"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
)

// Signing and verifying know who signs by two interfaces only. A key is one kind
// of both ([LoadSigner], [LoadTrust]). Another one, such as an identity that a
// certificate and an entry in a transparency log stand for, is a type with these
// methods: bundles are made and taken apart by [SignBlob], [SignStatement],
// [VerifyBlob] and [VerifyStatement], whoever signs.

// Signer signs the files of a release. It is safe for concurrent use.
type Signer interface {
	// ID names the signer, as the ID of Trust does.
	ID() fact.SignerID
	// Trust accepts the signatures made here. It is asked about each of them
	// before anybody else sees it.
	Trust() Trust
	// Sign signs the payload.
	Sign(ctx context.Context, p Payload) (Signature, error)
	// Deterministic reports whether signing the same payload twice is known to
	// give the same signature, byte for byte.
	Deterministic() bool
	// Caveat is a sentence to print when signing: what the users of these
	// signatures should know. "" if there is nothing.
	Caveat() string
}

// Trust is the belief of a verifier in one signer.
type Trust interface {
	// ID names the signer that is believed.
	ID() fact.SignerID
	// Verify refuses a signature that is not the signer's over the payload.
	// Every error is a *[RefusedError].
	Verify(p Payload, s Signature) (Evidence, error)
}

// Payload is what a signature is about.
type Payload struct {
	Content   []byte // the file, or the statement
	Statement bool   // an in-toto statement, in a DSSE envelope
}

// Message is the bytes that are signed: the file itself, or DSSE's encoding of
// the statement and its type.
func (p Payload) Message() []byte {
	if p.Statement {
		return preAuthEncoding(PayloadType, p.Content)
	}
	return p.Content
}

// preAuthEncoding is DSSE's PAE: https://github.com/secure-systems-lab/dsse, protocol.md.
// The module that has it, and against which a test holds this line, compiles an SSH client
// for it.
func preAuthEncoding(payloadType string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// Signature is a signature and what the bundle has besides, as it was found:
// nothing in it is checked before a [Trust] does so.
type Signature struct {
	Bytes []byte
	// Material says by what the signature is to be verified: it names a key, or
	// holds a certificate, entries of a transparency log and timestamps.
	Material *protobundle.VerificationMaterial
	// Hash is that of the digest which the bundle of a file has; 0 is SHA-256. A
	// statement has none.
	Hash crypto.Hash
}

// Evidence is what else a [Trust] found right about a signature that it accepts,
// in the words of a [fact.Answer]. What it did not look at is "".
type Evidence struct {
	Log  string // of the entries in a transparency log
	Time string // of the time of signing
}
