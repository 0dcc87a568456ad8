package gobintest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"math/big"
	"testing"
	"time"
)

// PE makes a PE file for windows/amd64 with one section: a build ID and that content.
func PE(content string) []byte {
	content = "\xff Go build ID: \"a/b/c/d\"\n \xff" + content
	le := binary.LittleEndian
	const header, raw = 0x80, 0x200
	size := uint32(len(content)+raw-1) &^ (raw - 1)
	b := make([]byte, raw+size)
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], header)
	copy(b[header:], "PE\x00\x00")
	coff := b[header+4:]
	le.PutUint16(coff, 0x8664)
	le.PutUint16(coff[2:], 1)    // sections
	le.PutUint16(coff[16:], 240) // size of the optional header
	le.PutUint16(coff[18:], 0x22)
	opt := coff[20:]
	le.PutUint16(opt, 0x20b)
	le.PutUint64(opt[24:], 0x140000000)
	le.PutUint32(opt[32:], 0x1000)
	le.PutUint32(opt[36:], raw)
	le.PutUint32(opt[56:], 0x2000)
	le.PutUint32(opt[60:], raw)
	le.PutUint16(opt[68:], 3)
	le.PutUint32(opt[108:], 16) // directories
	s := opt[240:]
	copy(s, ".text")
	le.PutUint32(s[8:], uint32(len(content)))
	le.PutUint32(s[12:], 0x1000)
	le.PutUint32(s[16:], size)
	le.PutUint32(s[20:], raw)
	le.PutUint32(s[36:], 0x60000020)
	copy(b[raw:], content)
	return b
}

// SignPE signs a PE file as tools do: certificates behind it, a checksum, and where they
// are.
func SignPE(data, certificates []byte) []byte {
	le := binary.LittleEndian
	out := append(append([]byte{}, data...), make([]byte, -len(data)&7)...)
	pe := le.Uint32(out[0x3c:])
	le.PutUint32(out[pe+24+64:], 0x1234)
	entry := pe + 24 + 112 + 32
	body := le.AppendUint16(le.AppendUint16(le.AppendUint32(nil, uint32(8+len(certificates))), 0x200), 2)
	body = append(append(body, certificates...), make([]byte, -len(certificates)&7)...)
	le.PutUint32(out[entry:], uint32(len(out)))
	le.PutUint32(out[entry+4:], uint32(len(body)))
	return append(out, body...)
}

// SignedBy makes the parts of a CMS signature that say who made it: three certificates,
// the second of which, with the serial number 2, is that of CN=Example Software.
func SignedBy(t testing.TB, serial int64) []byte {
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
