package fact

import (
	"cmp"
	"strings"
)

// SignerKind says by what a signer is known.
type SignerKind string

// KeySigner is known by a public key. The name of such a signer is the key ID,
// base64 of the SHA-256 of the key's PKIX DER form.
const KeySigner SignerKind = "key"

// SignerID names a signer. Two are equal exactly when they are the same party: a
// kind of signer whose signatures say more, such as a tag or a run, leaves that
// out of the name. The zero value names nobody.
type SignerID struct {
	Kind SignerKind
	Name string
}

// KeyID names the signer with that key ID.
func KeyID(id string) SignerID { return SignerID{KeySigner, id} }

// ParseSignerID reads what [SignerID.Text] writes. Whether there can be a signer
// of that name is not looked at.
func ParseSignerID(text string) SignerID {
	kind, name, found := strings.Cut(text, ":")
	switch {
	case text == "":
		return SignerID{}
	case !found: // a key ID has no colon
		return KeyID(text)
	}
	return SignerID{SignerKind(kind), name}
}

// IsZero reports whether it names nobody.
func (s SignerID) IsZero() bool { return s == SignerID{} }

// String is the signer for people: "key NAME".
func (s SignerID) String() string { return string(s.Kind) + " " + s.Name }

// Text is the signer in documents: the bare key ID of a key, KIND:NAME of any
// other, and "" of nobody.
func (s SignerID) Text() string {
	if s.IsZero() || s.Kind == KeySigner {
		return s.Name
	}
	return string(s.Kind) + ":" + s.Name
}

// MarshalText returns Text.
func (s SignerID) MarshalText() ([]byte, error) { return []byte(s.Text()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *SignerID) UnmarshalText(text []byte) error {
	*s = ParseSignerID(string(text))
	return nil
}

// Compare orders signers as their texts are ordered.
func (s SignerID) Compare(t SignerID) int { return cmp.Compare(s.Text(), t.Text()) }
