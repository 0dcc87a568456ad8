package secret

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
)

// Kind says what a secret is, as a message puts it: "is " + Kind.
type Kind string

// Kinds of private keys.
const (
	Signing  Kind = "an encrypted private key of Sigstore" // what mintmark keygen and cosign write
	PEM      Kind = "a private key in PEM"
	PGP      Kind = "a private key of OpenPGP"
	Age      Kind = "an identity of age"
	Minisign Kind = "a secret key of minisign"
	Signify  Kind = "a secret key of signify"
	JWK      Kind = "a private JSON web key"
	KeyStore Kind = "an encrypted key in JSON" // of Ethereum, for one
	PuTTY    Kind = "a private key of PuTTY"
	Token    Kind = "a JSON web token"
)

// Found is a private key, or the beginning of one, in a text.
type Found struct {
	Kind       Kind
	Start, End int // what of the text must not be shown
	// Whole says that the key is there, not only words that begin one.
	Whole bool
	// Sum is the SHA-256 of the key's base64, however its lines are broken; of
	// two files with the same key it is the same.
	Sum [sha256.Size]byte
}

// least is how many characters of base64 stand together in a whole key at least:
// the lines of PEM have 64, and an Ed25519 key in PKCS #8 is one of those. No
// word of a text that only speaks of keys is as long.
const least = 40

// marks are the texts without which nothing can be found.
var marks = []string{"-----BEGIN ", "LS0tLS1CRUdJTi", "ciphertext", "eyJ", "RWRTY0Iy", "RWRCSw", "PuTTY-User-Key-File-", "kty"}

// Find returns the private keys in a text, in their order and without overlap.
// It takes time in proportion to the text's length.
func Find(text string) []Found {
	var all []Found
	for _, m := range marks {
		if strings.Contains(text, m) {
			all = append(all, search(text)...)
			break
		}
	}
	if strings.Contains(text, "AGE-") || strings.Contains(text, "age-") {
		for _, at := range ageForm.FindAllStringIndex(text, -1) {
			all = append(all, found(Age, text, at[0], at[1], at[0]))
		}
	}
	return ordered(all)
}

func search(text string) []Found {
	all := pemKeys(text)
	for _, f := range []struct {
		kind Kind
		form *regexp.Regexp
	}{{Minisign, minisignForm}, {Signify, signifyForm}} {
		for _, at := range f.form.FindAllStringIndex(text, -1) {
			all = append(all, found(f.kind, text, at[0], at[1], at[0]))
		}
	}
	if i := strings.Index(text, "PuTTY-User-Key-File-"); i >= 0 {
		all = append(all, found(PuTTY, text, i, len(text), i))
	}
	if strings.Contains(text, "kdf") {
		all = append(all, members(storeKind(text), text, cipherForm)...)
	}
	if strings.Contains(text, "kty") {
		all = append(all, members(JWK, text, jwkForm)...)
	}
	return append(all, encoded(text)...)
}

var (
	ageForm      = regexp.MustCompile(`(?i)AGE-(?:SECRET-KEY|PLUGIN)-[0-9A-Z-]*1[0-9A-Z]+`)
	minisignForm = regexp.MustCompile(`RWRTY0Iy[A-Za-z0-9+/]{100,}={0,2}`)
	signifyForm  = regexp.MustCompile(`RWRCSw[A-Za-z0-9+/]{100,}={0,2}`)
	cipherForm   = regexp.MustCompile(`ciphertext\\*"?\s*:\s*\\*"?([A-Za-z0-9+/=_-]{8,})`)
	jwkForm      = regexp.MustCompile(`\b(?:d|p|q|dp|dq|qi|k)\\*"\s*:\s*\\*"([A-Za-z0-9+/=_-]{8,})`)
	innerForm    = regexp.MustCompile(`"kdf"|"kty"`)
)

// found is a key in text[start:end] whose body begins at body.
func found(kind Kind, text string, start, end, body int) Found {
	words := base64Of(text[body:end])
	longest := 0
	for _, w := range words {
		longest = max(longest, len(w))
	}
	return Found{Kind: kind, Start: start, End: end, Whole: longest >= least, Sum: sha256.Sum256([]byte(strings.Join(words, "")))}
}

// members are the values of JSON members.
func members(kind Kind, text string, form *regexp.Regexp) (all []Found) {
	for _, at := range form.FindAllStringSubmatchIndex(text, -1) {
		all = append(all, found(kind, text, at[2], at[3], at[2]))
	}
	return all
}

// storeKind is of whom the encrypted key in a JSON text is.
func storeKind(text string) Kind {
	if strings.Contains(text, "nacl/secretbox") {
		return Signing
	}
	return KeyStore
}

// pemKeys finds "-----BEGIN … PRIVATE KEY-----" with what follows of its body.
func pemKeys(text string) (all []Found) {
	const begin = "-----BEGIN "
	for at := 0; ; {
		i := strings.Index(text[at:], begin)
		if i < 0 {
			return all
		}
		start := at + i
		at = start + len(begin)
		label, _, ok := strings.Cut(text[at:min(len(text), at+64)], "-----")
		if !ok || !strings.Contains(label, "PRIVATE KEY") || strings.ContainsAny(label, "\n\"'`") {
			continue
		}
		body := at + len(label) + len("-----")
		end := pemEnd(text, body)
		f := found(kindOf(label), text, start, end, body)
		all, at = append(all, f), end
	}
}

func kindOf(label string) Kind {
	switch {
	case strings.Contains(label, "COSIGN") || strings.Contains(label, "SIGSTORE"):
		return Signing
	case strings.Contains(label, "PGP"):
		return PGP
	}
	return PEM
}

// pemEnd is where the body of a PEM block ends that begins at i: behind the
// line that ends it, or before the first character that no body has.
func pemEnd(text string, i int) int {
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case isBase64(c), strings.IndexByte(" \t\r\n:,.()_", c) >= 0:
		case c == '\\' && i+1 < len(text) && strings.IndexByte(`nrt\`, text[i+1]) >= 0:
			i++ // \n
		case c == '-' && strings.HasPrefix(text[i:], "-----"):
			rest := text[i+5:]
			if strings.HasPrefix(rest, "END ") {
				if j := strings.Index(rest[:min(len(rest), 80)], "-----"); j >= 0 {
					return i + 5 + j + 5
				}
			}
			return i
		case c == '-':
		default:
			return i
		}
	}
	return len(text)
}

// encoded finds keys that were encoded in base64 once more.
func encoded(text string) (all []Found) {
	for i := 0; i < len(text); {
		if !strings.HasPrefix(text[i:], "LS0tLS1CRUdJTi") && !strings.HasPrefix(text[i:], "eyJ") {
			i++
			continue
		}
		start, end := i, base64End(text, i)
		i = end
		inner := decode(text[start:end])
		switch keys := pemKeys(inner); {
		case len(keys) > 0:
			k := keys[0]
			k.Start, k.End = start, end
			all = append(all, k)
		case innerForm.MatchString(inner) && strings.Contains(inner, "ciphertext"):
			all = append(all, found(storeKind(inner), text, start, end, start))
		case innerForm.MatchString(inner) && jwkForm.MatchString(inner):
			all = append(all, found(JWK, text, start, end, start))
		case strings.Contains(inner, `"alg"`) && strings.HasPrefix(text[end:], ".eyJ"):
			for end < len(text) && (text[end] == '.' || isBase64(text[end]) || text[end] == '-' || text[end] == '_') {
				end++
			}
			all, i = append(all, found(Token, text, start, end, start)), end
		}
	}
	return all
}

// base64End is where a text in base64 ends that begins at i; its lines may be
// broken and indented.
func base64End(text string, i int) int {
	end := i
	for i < len(text) {
		if isBase64(text[i]) || text[i] == '-' || text[i] == '_' {
			i++
			end = i
		} else if at := breakForm.FindStringIndex(text[i:min(len(text), i+64)]); at != nil {
			i += at[1]
		} else {
			break
		}
	}
	return end
}

// breakForm is the end of a line, however often it was quoted, with the
// indentation of the next one; escapeForm is a quoted one anywhere.
var (
	breakForm  = regexp.MustCompile(`^(?:[\r\n]+|\\+[nr])[ \t]*`)
	escapeForm = regexp.MustCompile(`\\+[nrt]`)
)

// decode decodes as much of a text in base64 as there is.
func decode(s string) string {
	s = strings.Join(strings.Fields(escapeForm.ReplaceAllString(s, "\n")), "")
	s = strings.NewReplacer("-", "+", "_", "/").Replace(s)
	s, _, _ = strings.Cut(s, "=")
	data, _ := base64.RawStdEncoding.DecodeString(s[:len(s)/4*4])
	return string(data)
}

// base64Of is the words of base64 in a body: no line ends and header lines.
func base64Of(s string) (words []string) {
	s, _, _ = strings.Cut(s, "-----END")
	for word := range strings.FieldsSeq(escapeForm.ReplaceAllString(s, "\n")) {
		if strings.IndexFunc(word, func(r rune) bool { return r > 0x7f || !isBase64(byte(r)) && r != '-' && r != '_' }) < 0 {
			words = append(words, word)
		}
	}
	return words
}

func isBase64(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '='
}
