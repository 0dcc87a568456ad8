// Package exact reads values that have one spelling only.
//
// The decoders of the standard library are generous: hexadecimal digits may be
// capitals, base64 may have line breaks in it and bits that nobody reads, and a
// number may begin with a plus or with zeros. Where text is compared, signed,
// hashed or used as a name, a second spelling of the same value is a second name
// for it. Here text is a value only if writing the value gives that text again.
package exact

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
)

// Hex reads lower-case hexadecimal digits, two for each byte.
func Hex(s string) ([]byte, bool) {
	b, err := hex.DecodeString(s)
	return b, err == nil && hex.EncodeToString(b) == s
}

// Base64 reads what enc writes.
func Base64(enc *base64.Encoding, s string) ([]byte, bool) {
	b, err := enc.DecodeString(s)
	return b, err == nil && enc.EncodeToString(b) == s
}

// Decimal reads a number as [strconv.FormatInt] writes it.
func Decimal(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == s
}
