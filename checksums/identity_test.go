package checksums

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
)

// A second kind of signer, in this file alone: an authority certifies a name for
// a key that is thrown away, and a log has seen the signature. It is Sigstore's
// keyless signing cut down to what bundles carry of it.
const identityKind fact.SignerKind = "identity"

// authority certifies names and keeps the log.
type authority struct {
	root *x509.Certificate
	key  *ecdsa.PrivateKey
	log  ed25519.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, log, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, log: log, root: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority of tests"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<34, 0),
	}}
	der, err := x509.CreateCertificate(rand.Reader, a.root, a.root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if a.root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// identityTrust believes whom the authority calls by that name.
type identityTrust struct {
	authority *authority
	name      string // a URL
}

func (t identityTrust) ID() fact.SignerID { return fact.SignerID{Kind: identityKind, Name: t.name} }

func (t identityTrust) Verify(p Payload, s Signature) (Evidence, error) {
	refuse := func(format string, args ...any) (Evidence, error) {
		return Evidence{}, refusef("", "get the release from its publisher", format, args...)
	}
	der := s.Material.GetCertificate().GetRawBytes()
	if der == nil {
		r := refusef("", "give the publisher's public key", "the bundle was signed with a key; an identity was expected")
		r.OtherKind = true
		return Evidence{}, r
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return refuse("the certificate: %s", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(t.authority.root)
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: cert.NotBefore, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}); err != nil {
		return refuse("the certificate is of no authority that is known")
	}
	if len(cert.URIs) != 1 || cert.URIs[0].String() != t.name {
		return refuse("the bundle was signed by %s, expected is %s", cert.URIs, t.name)
	}
	if err := cert.CheckSignature(x509.ECDSAWithSHA256, p.Message(), s.Bytes); err != nil {
		return refuse("the signature is not by %s over these bytes", t.ID())
	}
	entries := s.Material.GetTlogEntries()
	if len(entries) != 1 || !ed25519.Verify(t.authority.log.Public().(ed25519.PublicKey), s.Bytes, entries[0].GetInclusionPromise().GetSignedEntryTimestamp()) {
		return refuse("the log has not seen the signature")
	}
	return Evidence{Log: "the log has seen the signature"}, nil
}

// identitySigner signs in the name of an identity.
type identitySigner struct{ identityTrust }

func (s identitySigner) Trust() Trust        { return s.identityTrust }
func (s identitySigner) Deterministic() bool { return false }
func (s identitySigner) Caveat() string      { return "" }

func (s identitySigner) Sign(_ context.Context, p Payload) (Signature, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Signature{}, err
	}
	name, err := url.Parse(s.name)
	if err != nil {
		return Signature{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), URIs: []*url.URL{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		NotBefore: time.Unix(1<<30, 0), NotAfter: time.Unix(1<<30+600, 0),
	}, s.authority.root, key.Public(), s.authority.key)
	if err != nil {
		return Signature{}, err
	}
	digest := sha256.Sum256(p.Message())
	sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return Signature{}, err
	}
	return Signature{Bytes: sig, Material: &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: der}},
		TlogEntries: []*protorekor.TransparencyLogEntry{{
			InclusionPromise: &protorekor.InclusionPromise{SignedEntryTimestamp: ed25519.Sign(s.authority.log, sig)},
		}},
	}}, nil
}

// TestIdentity: a release that an identity signed is verified as one that a key
// signed is, and what the identity's evidence shows is said to be checked.
func TestIdentity(t *testing.T) {
	publisher := identitySigner{identityTrust{newAuthority(t), "https://example.com/demo/release"}}
	dir := newLedgerRelease().write(t, publisher)
	cfg := VerifyConfig{Trust: publisher.Trust(), Project: "demo", Version: "1.2.3"}
	v, err := VerifyRelease(t.Context(), dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Verified() || v.Signer != publisher.ID() {
		t.Errorf("verified: %t, signed by %s", v.Verified(), v.Signer)
	}
	const log = "transparency log: "
	for _, want := range []string{
		"checksums.txt is signed by identity https://example.com/demo/release",
		"the record is signed by identity https://example.com/demo/release",
		"ledger.json is signed by identity https://example.com/demo/release",
		log + ChecksumsBundle + ": the log has seen the signature",
		log + ProvenanceBundle + ": the log has seen the signature",
		log + LedgerBundle + ": the log has seen the signature",
	} {
		if !slices.Contains(strings.Split(checked(v), "\n"), want) {
			t.Errorf("not said: %s\n%s", want, checked(v))
		}
	}
	if strings.Contains(notChecked(v), log) {
		t.Error(notChecked(v))
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), `"key_id":"identity:https://example.com/demo/release"`) {
		t.Errorf("%s", data)
	}
	v, err = VerifyManifest(t.Context(), filepath.Join(dir, ManifestFile), cfg)
	if err != nil || v.Signer != publisher.ID() {
		t.Errorf("the manifest alone: %v, signed by %s", err, v.Signer)
	}
}

// TestIdentityRefused: what holds for keys holds for every kind of signer, and no
// kind takes the signatures of another for its own.
func TestIdentityRefused(t *testing.T) {
	from := newAuthority(t)
	publisher, other := identitySigner{identityTrust{from, "https://example.com/demo/release"}}, identitySigner{identityTrust{from, "https://example.com/other"}}
	key := newSigner(t)
	for _, tc := range []struct {
		name, file, want string
		signer           Signer
		trust            Trust
		after            func(dir string)
	}{
		{name: "another identity", file: ChecksumsBundle, want: "was signed by", signer: other, trust: publisher.Trust()},
		{name: "another authority", file: ChecksumsBundle, want: "of no authority", signer: publisher, trust: identityTrust{newAuthority(t), publisher.name}},
		{name: "a key is believed", file: ProvenanceBundle, want: "was signed with a certificate", signer: publisher, trust: key.Trust()},
		{name: "a key has signed", file: ProvenanceBundle, want: "was signed with a key", signer: key, trust: publisher.Trust()},
		{name: "the record of somebody else", file: ProvenanceBundle, want: "was signed by", signer: publisher, trust: publisher.Trust(), after: func(dir string) {
			payload, err := VerifyStatement(publisher.Trust(), get(t, dir, ProvenanceBundle))
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, ProvenanceBundle, signStatement(t, other, payload))
		}},
		{name: "the signature of another list", file: ChecksumsBundle, want: "signs other bytes", signer: publisher, trust: publisher.Trust(), after: func(dir string) {
			put(t, dir, ChecksumsBundle, signBlob(t, publisher, []byte("x")))
		}},
		{name: "no log entry", file: ChecksumsBundle, want: "has not seen", signer: publisher, trust: publisher.Trust(), after: func(dir string) {
			put(t, dir, ChecksumsBundle, edit(t, get(t, dir, ChecksumsBundle), func(m map[string]any) { delete(at(m, "verificationMaterial"), "tlogEntries") }))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := newRelease().write(t, tc.signer)
			if tc.after != nil {
				tc.after(dir)
			}
			v, err := VerifyRelease(t.Context(), dir, VerifyConfig{Trust: tc.trust})
			var refused *VerifyError
			if !errors.As(err, &refused) || !slices.ContainsFunc(refused.Refusals, func(r RefusedError) bool { return r.Name == tc.file && strings.Contains(r.Reason, tc.want) }) {
				t.Errorf("got %v, want %s: %q", err, tc.file, tc.want)
			}
			if v != nil && v.Verified() {
				t.Error("verified all the same")
			}
		})
	}
}

// TestIdentityQuorum: rebuilders of two kinds are counted together.
func TestIdentityQuorum(t *testing.T) {
	from := newAuthority(t)
	publisher, bob, stranger := identitySigner{identityTrust{from, "https://example.com/demo/release"}}, identitySigner{identityTrust{from, "https://example.com/bob"}}, identitySigner{identityTrust{from, "https://example.com/stranger"}}
	alice := newSigner(t)
	m := testManifest()
	statements := func(signers ...Signer) (out []SignedStatement) {
		for _, s := range signers {
			out = append(out, SignedStatement{s.ID().Text() + StatementSuffix, rebuildBundle(t, s, m, nil)})
		}
		return out
	}
	found, notes, err := CheckQuorum(m, someManifest, Quorum{
		Threshold: 2, Publisher: publisher.ID(),
		Rebuilders: []Trust{alice.Trust(), bob.Trust(), publisher.Trust(), bob.Trust()},
		Statements: statements(alice, bob, bob, publisher, stranger),
	})
	if err != nil {
		t.Fatal(err)
	}
	files := map[fact.SignerID]int{}
	for _, r := range found {
		files[r.Signer] = len(r.Files)
	}
	if len(found) != 2 || files[alice.ID()] != 1 || files[bob.ID()] != 2 {
		t.Errorf("%+v", found)
	}
	var said []string
	for _, n := range notes {
		said = append(said, n.Detail)
	}
	if want := []string{"signed by the publisher's own identity, so not counted", "not signed by any of the rebuilders' keys, so not counted"}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
	// One party twice is no second rebuilder.
	_, _, err = CheckQuorum(m, someManifest, Quorum{Threshold: 2, Rebuilders: []Trust{alice.Trust(), bob.Trust()}, Statements: statements(bob, bob)})
	if err == nil || !strings.Contains(err.Error(), "rebuilt by 1 of 2 rebuilders (identity:https://example.com/bob)") {
		t.Errorf("one twice: %v", err)
	}
	// Whose it is can nobody tell who believes keys only: that is refused, and
	// not outvoted.
	_, _, err = CheckQuorum(m, someManifest, Quorum{Threshold: 1, Rebuilders: []Trust{alice.Trust()}, Statements: statements(alice, bob)})
	if err == nil || !strings.Contains(err.Error(), "was signed with a certificate") {
		t.Errorf("of another kind: %v", err)
	}
}
