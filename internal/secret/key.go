package secret

import "strings"

// IsKey reports whether a text that should name a key, or anything else, is a
// private key itself, in whole or in part.
func IsKey(text string) (Kind, bool) {
	for _, k := range Find(text) {
		if k.Kind != Token {
			return k.Kind, true
		}
	}
	return "", false
}

// IsPublicKey reports whether a text is a public key itself.
func IsPublicKey(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "-----BEGIN ") && !strings.Contains(text, "PRIVATE KEY") || strings.HasPrefix(text, "LS0tLS1CRUdJTi")
}

// Keys returns the whole private keys in the content of a file.
func Keys(content string) (keys []Found) {
	for _, k := range Find(content) {
		if k.Whole && k.Kind != Token {
			keys = append(keys, k)
		}
	}
	return keys
}

// KeyFile returns the private key that a file is, rather than holds: before it
// are comments at most. A program with a key in it is not a key file.
func KeyFile(content string) (Found, bool) {
	keys := Keys(content)
	if len(keys) == 0 {
		return Found{}, false
	}
	start := keys[0].Start
	if i := strings.IndexByte(content[:start], '{'); i >= 0 && (keys[0].Kind == JWK || keys[0].Kind == Signing || keys[0].Kind == KeyStore) {
		start = i // of the JSON around it
	}
	if strings.ContainsAny(content[:start], "{}();=\"'`") || start > 0 && content[start-1] != '\n' {
		return Found{}, false
	}
	return keys[0], true
}

// IsPublicKeyFile reports whether a file holds a public key in PEM and nothing else.
func IsPublicKeyFile(content string) bool {
	text := strings.TrimSpace(content)
	return strings.HasPrefix(text, "-----BEGIN PUBLIC KEY-----") && strings.HasSuffix(text, "-----END PUBLIC KEY-----") &&
		strings.Count(text, "-----BEGIN") == 1
}

// Lines reports of each line of a text, counted from 0, whether it holds a part
// of a private key. Lines end with "\n".
func Lines(text string) map[int]bool {
	lines := map[int]bool{}
	for _, k := range Find(text) {
		first := strings.Count(text[:k.Start], "\n")
		// What follows a cut-off key is not part of it, but may be in its last line.
		for i := range strings.Count(strings.TrimRight(text[k.Start:k.End], " \t\r\n"), "\n") + 1 {
			lines[first+i] = true
		}
	}
	return lines
}
