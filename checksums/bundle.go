package checksums

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	_ "crypto/sha512" // SHA-384 and SHA-512 of P-384 and P-521 keys
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"google.golang.org/protobuf/encoding/protojson"
)

// MaxBundleSize is the most bytes a bundle may have: a record of the greatest
// size in base64, and the signature.
const MaxBundleSize = 24 << 20

// PayloadType is the DSSE payload type of in-toto statements.
const PayloadType = "application/vnd.in-toto+json"

// The two spellings of the media type of bundle v0.3. The first is what
// everybody writes now.
const (
	bundleMediaType    = "application/vnd.dev.sigstore.bundle.v0.3+json"
	bundleMediaTypeAlt = "application/vnd.dev.sigstore.bundle+json;version=0.3"
)

// SignBlob returns a Sigstore bundle v0.3 with a signature over data, as one
// line of JSON. `cosign verify-blob --key --bundle --insecure-ignore-tlog`
// accepts that of a key. The bundle is verified before it is returned.
func SignBlob(ctx context.Context, s Signer, data []byte) ([]byte, error) {
	sig, err := s.Sign(ctx, Payload{Content: data})
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	hash := cmp.Or(sig.Hash, crypto.SHA256)
	algorithm, err := protoHash(hash)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	h := hash.New()
	h.Write(data)
	out, err := encodeBundle(&protobundle.Bundle{
		MediaType:            bundleMediaType,
		VerificationMaterial: sig.Material,
		Content: &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: algorithm, Digest: h.Sum(nil)},
			Signature:     sig.Bytes,
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if err := VerifyBlob(s.Trust(), out, data); err != nil {
		return nil, fmt.Errorf("signing: the bundle just made is refused: %w", err)
	}
	return out, nil
}

// SignStatement returns a Sigstore bundle v0.3 with a DSSE envelope around an
// in-toto statement, as one line of JSON. `cosign verify-blob-attestation
// --key --bundle --insecure-ignore-tlog --type slsaprovenance1` accepts that of
// a key. A file of such lines is an .intoto.jsonl.
func SignStatement(ctx context.Context, s Signer, payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		return nil, errors.New("signing: no statement")
	}
	if len(payload) > MaxStatementSize {
		return nil, fmt.Errorf("signing: the statement has %d bytes, more than %d", len(payload), MaxStatementSize)
	}
	sig, err := s.Sign(ctx, Payload{Content: payload, Statement: true})
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	out, err := encodeBundle(&protobundle.Bundle{
		MediaType:            bundleMediaType,
		VerificationMaterial: sig.Material,
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			Payload:     payload,
			PayloadType: PayloadType,
			Signatures:  []*protodsse.Signature{{Sig: sig.Bytes}},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if got, err := VerifyStatement(s.Trust(), out); err != nil {
		return nil, fmt.Errorf("signing: the bundle just made is refused: %w", err)
	} else if !bytes.Equal(got, payload) {
		return nil, errors.New("signing: the bundle just made holds another statement")
	}
	return out, nil
}

// encodeBundle is protojson with its white space taken out: protojson varies
// it on purpose from build to build, and a release has to be the same twice.
func encodeBundle(b *protobundle.Bundle) ([]byte, error) {
	data, err := protojson.Marshal(b)
	if err != nil {
		return nil, err
	}
	if data, err = compactJSON(data); err != nil {
		return nil, err
	}
	data = append(data, '\n')
	if len(data) > MaxBundleSize {
		return nil, fmt.Errorf("the bundle has %d bytes, more than %d", len(data), MaxBundleSize)
	}
	return data, nil
}

// bundle is a Sigstore bundle v0.3 with either a signature over a file or an
// envelope.
type bundle struct {
	material *protobundle.VerificationMaterial // of a key, a certificate or a chain of these
	message  *protocommon.MessageSignature
	envelope *protodsse.Envelope
}

// readBundle checks the form of a bundle, whoever signed it.
func readBundle(data []byte) (*bundle, error) {
	if len(data) > MaxBundleSize {
		return nil, refusef("", "", "the bundle has %d bytes, more than %d", len(data), MaxBundleSize)
	}
	if err := checkJSON(data); err != nil {
		return nil, refusef("", "", "the bundle %s", err)
	}
	if err := checkLegacy(data); err != nil {
		return nil, err
	}
	pb := new(protobundle.Bundle)
	if err := (protojson.UnmarshalOptions{}).Unmarshal(data, pb); err != nil {
		return nil, refusef("", "", "is not a Sigstore bundle: %s", unprefixed(err))
	}
	if t := pb.GetMediaType(); t != bundleMediaType && t != bundleMediaTypeAlt {
		return nil, refusef("", "sign again with a tool that writes bundle v0.3", "bundle of media type %q; want v0.3", t)
	}
	b := &bundle{material: pb.GetVerificationMaterial()}
	if b.material.GetContent() == nil {
		return nil, refusef("", "", "the bundle does not say what it was signed with")
	}
	switch c := pb.GetContent().(type) {
	case *protobundle.Bundle_MessageSignature:
		b.message = c.MessageSignature
	case *protobundle.Bundle_DsseEnvelope:
		b.envelope = c.DsseEnvelope
	default:
		return nil, refusef("", "", "the bundle holds no signature")
	}
	return b, nil
}

// checkLegacy names the older formats that look like a bundle, so that the
// message is not about an unknown field.
func checkLegacy(data []byte) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		return refusef("", "", "is not a Sigstore bundle: %s", err)
	}
	for _, old := range []string{"base64Signature", "SignedEntryTimestamp", "rekorBundle"} {
		if _, ok := keys[old]; ok {
			return refusef("", "sign again with cosign v3, or with cosign v2 --new-bundle-format", "is cosign's old bundle format (it has %q)", old)
		}
	}
	if _, ok := keys["payloadType"]; ok {
		return refusef("", "", "is a bare DSSE envelope; want a Sigstore bundle around it")
	}
	return nil
}

// unprefixed drops protojson's "proto:" prefix, behind which it writes a
// space or a no-break space at random.
func unprefixed(err error) string {
	s := strings.TrimPrefix(err.Error(), "proto:")
	return strings.TrimLeft(s, " \u00a0")
}

// VerifyBlob checks that bundle is a signature over data by the signer that t
// believes. The digest in the bundle must be there and fit, but it decides
// nothing: data itself is what t is asked about. Every error is a
// *[RefusedError].
func VerifyBlob(t Trust, bundle, data []byte) error {
	b, err := readBundle(bundle)
	if err != nil {
		return err
	}
	_, err = b.verifyBlob(t, data)
	return err
}

func (b *bundle) verifyBlob(t Trust, data []byte) (Evidence, error) {
	if b.message == nil {
		return Evidence{}, refusef("", "", "the bundle signs a statement, not a file")
	}
	md := b.message.GetMessageDigest()
	if md == nil || len(md.GetDigest()) == 0 {
		return Evidence{}, refusef("", "", "the bundle has no message digest")
	}
	hash, err := goHash(md.GetAlgorithm())
	if err != nil {
		return Evidence{}, refusef("", "", "the bundle's message digest: %s", err)
	}
	h := hash.New()
	h.Write(data)
	if !bytes.Equal(h.Sum(nil), md.GetDigest()) {
		return Evidence{}, refusef("", "", "the bundle signs other bytes: it names %s %x", hash, md.GetDigest())
	}
	return t.Verify(Payload{Content: data}, Signature{Bytes: b.message.GetSignature(), Material: b.material, Hash: hash})
}

// VerifyStatement checks that bundle is a signature over an in-toto statement by
// the signer that t believes, and returns the statement's bytes. What they say is
// not looked at; see [ParseStatement]. Every error is a *[RefusedError].
func VerifyStatement(t Trust, bundle []byte) (payload []byte, err error) {
	b, err := readBundle(bundle)
	if err != nil {
		return nil, err
	}
	payload, _, err = b.verifyStatement(t)
	return payload, err
}

func (b *bundle) verifyStatement(t Trust) ([]byte, Evidence, error) {
	env := b.envelope
	switch {
	case env == nil:
		return nil, Evidence{}, refusef("", "", "the bundle signs a file, not a statement")
	case env.GetPayloadType() != PayloadType:
		return nil, Evidence{}, refusef("", "", "the envelope has payload type %q; want %q", env.GetPayloadType(), PayloadType)
	case len(env.GetPayload()) == 0:
		return nil, Evidence{}, refusef("", "", "the envelope is empty")
	case len(env.GetPayload()) > MaxStatementSize:
		return nil, Evidence{}, refusef("", "", "the statement has %d bytes, more than %d", len(env.GetPayload()), MaxStatementSize)
	case len(env.GetSignatures()) != 1:
		// A bundle has one signature; with more, it is not clear whose it is.
		return nil, Evidence{}, refusef("", "", "the envelope has %d signatures; want one", len(env.GetSignatures()))
	}
	evidence, err := t.Verify(Payload{Content: env.GetPayload(), Statement: true}, Signature{Bytes: env.GetSignatures()[0].GetSig(), Material: b.material})
	if err != nil {
		return nil, Evidence{}, err
	}
	return env.GetPayload(), evidence, nil
}

func protoHash(h crypto.Hash) (protocommon.HashAlgorithm, error) {
	switch h {
	case crypto.SHA256:
		return protocommon.HashAlgorithm_SHA2_256, nil
	case crypto.SHA384:
		return protocommon.HashAlgorithm_SHA2_384, nil
	case crypto.SHA512:
		return protocommon.HashAlgorithm_SHA2_512, nil
	}
	return 0, fmt.Errorf("no name for hash %s in a bundle", h)
}

func goHash(a protocommon.HashAlgorithm) (crypto.Hash, error) {
	switch a {
	case protocommon.HashAlgorithm_SHA2_256:
		return crypto.SHA256, nil
	case protocommon.HashAlgorithm_SHA2_384:
		return crypto.SHA384, nil
	case protocommon.HashAlgorithm_SHA2_512:
		return crypto.SHA512, nil
	}
	return 0, fmt.Errorf("algorithm %s is not one of SHA-256, SHA-384, SHA-512", a)
}
