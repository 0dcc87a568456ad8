package fact

import (
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strings"
)

// Algorithm names what computes the digests of a list, in the word of profiles
// and manifests.
type Algorithm string

const (
	SHA256 Algorithm = "sha256"
	SHA512 Algorithm = "sha512"
)

// Algorithms are those that a list may have, the default first.
func Algorithms() []string { return []string{string(SHA256), string(SHA512)} }

// Known reports whether it is one of [Algorithms].
func (a Algorithm) Known() bool { return a == SHA256 || a == SHA512 }

// New computes a digest; SHA-256 for what is not [Algorithm.Known].
func (a Algorithm) New() hash.Hash {
	if a == SHA512 {
		return sha512.New()
	}
	return sha256.New()
}

// Digits is how long a digest is in hex.
func (a Algorithm) Digits() int { return 2 * a.New().Size() }

// Program is what compares files with a list of such digests.
func (a Algorithm) Program() string { return string(a) + "sum" }

// String is the algorithm's name in text.
func (a Algorithm) String() string { return "SHA-" + strings.TrimPrefix(string(a), "sha") }

// BundleSuffix ends the name of a signature's file: that of the signed one comes before it.
const BundleSuffix = ".sigstore.json"

// DigestList is the list of a release's files: the name of its file, and what
// its digests are.
type DigestList struct {
	Name      string    `json:"name"`
	Algorithm Algorithm `json:"algorithm"`
}

// DefaultList is the list of a release that says nothing else.
func DefaultList() DigestList { return DigestList{ChecksumsFile, SHA256} }

// Bundle is the name of the list's signature.
func (l DigestList) Bundle() string { return l.Name + BundleSuffix }

// KindOf is [KindOf] in a release with that list.
func (l DigestList) KindOf(name string) FileKind {
	if f := fold(name); f == fold(l.Name) || f == fold(l.Bundle()) {
		return About
	}
	return KindOf(name)
}
