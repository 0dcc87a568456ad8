package gobin

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"math/big"
)

// maxCMS bounds a signature's certificates; Apple's and Microsoft's have some 10 KB.
const maxCMS = 1 << 20

// signer is the name of the first signer of a CMS signature (RFC 5652, sections 3 and
// 5.1): the subject of the certificate it comes with. "" if it cannot be read. Nothing of it is verified.
func signer(der []byte) string {
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue // [0], and the signed data in it
	}
	if rest, err := asn1.Unmarshal(der, &outer); err != nil || len(rest) >= 8 || len(bytes.Trim(rest, "\x00")) > 0 {
		return "" // there may be padding behind it, and nothing else
	}
	var s asn1.RawValue
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &s); err != nil || !s.IsCompound {
		return ""
	}
	// Field by field: of a signer nothing matters behind its certificate's name.
	var certificates, signers asn1.RawValue
	for rest := s.Bytes; len(rest) > 0; {
		var v asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &v); err != nil {
			return ""
		}
		switch {
		case v.Class == asn1.ClassContextSpecific && v.Tag == 0:
			certificates = v
		case v.Class == asn1.ClassUniversal && v.Tag == asn1.TagSet:
			signers = v // the last set
		}
	}
	var info struct {
		Version int
		By      struct {
			Issuer asn1.RawValue
			Serial *big.Int
		}
	}
	var first asn1.RawValue
	if _, err := asn1.Unmarshal(signers.Bytes, &first); err != nil {
		return ""
	}
	rest, err := asn1.Unmarshal(first.Bytes, &info.Version)
	if err == nil {
		_, err = asn1.Unmarshal(rest, &info.By)
	}
	list, cerr := x509.ParseCertificates(certificates.Bytes)
	if err != nil || cerr != nil {
		return ""
	}
	for _, c := range list {
		if info.By.Serial != nil && c.SerialNumber.Cmp(info.By.Serial) == 0 && bytes.Equal(c.RawIssuer, info.By.Issuer.FullBytes) {
			return c.Subject.String()
		}
	}
	return ""
}

// certificateSigner names the signer of a PE file whose table has one entry and nothing else
// (PE format, "The Attribute Certificate Table").
func (f *File) certificateSigner(s *Section) string {
	b, err := f.in.bytes(s.Offset, min(s.Size, maxCMS))
	if err != nil || len(b) < 8 {
		return ""
	}
	const pkcs7 = 2
	size := int64(binary.LittleEndian.Uint32(b))
	if binary.LittleEndian.Uint16(b[6:]) != pkcs7 || size < 8 || (size+7)&^7 != s.Size || size > int64(len(b)) {
		return ""
	}
	return signer(b[8:size])
}
