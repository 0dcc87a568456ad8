package gobin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

// signedBy makes the parts of a CMS signature that say who made it: three certificates,
// the second of which is the signer's.
func signedBy(t testing.TB, serial int64) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	var issuer []byte
	for n, name := range []string{"Root", "Example Software", "Other"} {
		c := &x509.Certificate{SerialNumber: big.NewInt(int64(n + 1)), Subject: pkix.Name{CommonName: name}, NotAfter: time.Unix(1<<31, 0)}
		der, err := x509.CreateCertificate(rand.Reader, c, &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}}, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		issuer = parsed.RawIssuer
		all = append(all, der...)
	}
	marshal := func(v any) []byte {
		b, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	tagged := func(class, tag int, content []byte) []byte {
		return marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: content})
	}
	join := func(parts ...[]byte) (out []byte) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	by := tagged(0, asn1.TagSequence, join(issuer, marshal(big.NewInt(serial))))
	info := tagged(0, asn1.TagSequence, join(marshal(1), by, marshal("whatever follows")))
	data := tagged(0, asn1.TagSequence, join(marshal(1), tagged(0, asn1.TagSet, nil), tagged(0, asn1.TagSequence, nil), tagged(2, 0, all), tagged(0, asn1.TagSet, info)))
	return tagged(0, asn1.TagSequence, join(marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}), tagged(2, 0, data)))
}

// TestSigner: the signer is the one that the signature names, not just any of the
// certificates that come with it.
func TestSigner(t *testing.T) {
	good := signedBy(t, 2)
	if got := signer(good); got != "CN=Example Software" {
		t.Errorf("%q", got)
	}
	if got := signer(signedBy(t, 7)); got != "" {
		t.Errorf("a signer without a certificate is %q", got)
	}
	if got := signer(append(good[:len(good):len(good)], 0, 0, 0)); got == "" {
		t.Error("padding hides the signer")
	}
	for _, behind := range []string{"junk", "\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if got := signer(append(good[:len(good):len(good)], behind...)); got != "" {
			t.Errorf("with %q behind it: %q", behind, got)
		}
	}
	for n := range good {
		if got := signer(good[:n]); got != "" {
			t.Errorf("the first %d bytes: %q", n, got)
		}
	}
}

func FuzzSigner(f *testing.F) {
	f.Add(signedBy(f, 2))
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, der []byte) { signer(der) })
}
