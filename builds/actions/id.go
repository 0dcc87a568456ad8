package actions

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/mintmark/mintmark/internal/exact"
)

// ID is an action ID or an output ID of cmd/go: a SHA-256.
type ID [sha256.Size]byte

// ParseID reads the 64 lower-case hexadecimal digits of an ID.
func ParseID(s string) (ID, error) {
	b, ok := exact.Hex(s)
	if !ok || len(b) != len(ID{}) {
		return ID{}, fmt.Errorf("%q is not an ID: want %d lower-case hexadecimal digits", s, 2*len(ID{}))
	}
	return ID(b), nil
}

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// shortLen is how much of an action ID build IDs and action graphs hold
// (cmd/internal/buildid.HashToString).
const shortLen = 15

// Short is the form that build IDs and action graphs have: 20 characters.
func (id ID) Short() string { return base64.RawURLEncoding.EncodeToString(id[:shortLen]) }

// IsShort reports whether s is the short form of an ID.
func IsShort(s string) bool {
	_, ok := shortBytes(s)
	return ok
}

// shortBytes gives the first bytes of an ID from its short form.
func shortBytes(short string) ([]byte, bool) {
	b, ok := exact.Base64(base64.RawURLEncoding, short)
	return b, ok && len(b) == shortLen
}
