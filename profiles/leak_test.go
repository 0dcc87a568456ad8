package profiles

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestLeak pastes a private key into every place of a profile file, and looks
// for it in everything that Load says.
func TestLeak(t *testing.T) {
	const canary = "CanaryCanaryCanaryCanaryCanaryCanaryCanaryCanaryCanaryCanary0123"
	key := "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n" + canary + "\n" + canary + "\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n"
	b64 := base64.StdEncoding.EncodeToString([]byte(key))
	forms := map[string]string{
		"block":            "|\n      " + strings.ReplaceAll(strings.TrimSpace(key), "\n", "\n      "),
		"folded":           ">\n      " + strings.ReplaceAll(strings.TrimSpace(key), "\n", "\n      "),
		"quoted":           fmt.Sprintf("%q", key),
		"one line":         strings.ReplaceAll(strings.TrimSpace(key), "\n", " "),
		"not indented":     key,
		"quoted, in lines": "\"" + strings.ReplaceAll(strings.TrimSpace(key), "\n", "\n\n      ") + "\"",
		"base64":           b64,
		"base64 in lines":  "|\n      " + b64[:76] + "\n      " + b64[76:152] + "\n      " + b64[152:],
		"escaped":          "\"\\x2d----BEGIN PRIVATE KEY-----\\n" + canary + "\"",
		"age":              "AGE-SECRET-KEY-1" + strings.ToUpper(canary[:58]),
		"in a flow map":    "{\"kty\":\"EC\",\"d\":\"" + canary + "\"}",
	}
	const head = "version: 1\nproject: x\n"
	places := map[string]string{
		"sign":        head + "sign: KEY\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
		"sign.key":    head + "sign:\n  key: KEY\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
		"rebuilders":  head + "ledger:\n  rebuilders:\n    - KEY\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
		"project":     "version: 1\nproject: KEY\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
		"unknown":     head + "signing: KEY\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
		"a platform":  head + "profiles:\n  release:\n    platforms:\n    - KEY\n",
		"env":         head + "profiles:\n  release:\n    platforms: [linux/amd64]\n    env:\n     A: KEY\n",
		"-X":          head + "profiles:\n  release:\n    platforms: [linux/amd64]\n    ldflags:\n     set:\n      main.key: KEY\n",
		"a name":      head + "? KEY\n: x\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
		"main":        head + "main: KEY\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
		"the top":     "KEY\n",
		"an anchor":   head + "x: &a KEY\nsign: {key: *a}\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
		"version":     "version: KEY\n",
		"an override": head + "profiles:\n  release:\n    platforms: [linux/amd64]\n    overrides:\n    - KEY\n",
	}
	leaks := []string{canary[:30], strings.ToUpper(canary[:30])}
	for i := range 3 {
		leaks = append(leaks, base64.StdEncoding.EncodeToString([]byte(canary[i:]))[:24])
	}
	for place, file := range places {
		for form, text := range forms {
			_, err := Load("mintmark.yaml", []byte(strings.ReplaceAll(file, "KEY", text)))
			var problems Problems
			if !errors.As(err, &problems) {
				t.Errorf("%s, %s: accepted: %v", place, form, err)
				continue
			}
			said, found := problems.Error(), false
			for _, p := range problems {
				said += p.Message + p.Hint + p.Excerpt + fmt.Sprintf("%+v", p)
				found = found || strings.Contains(p.Message, "is in the profile file") && p.Pos.Line > 0
			}
			if !found {
				t.Errorf("%s, %s: it is not said that this is a key:\n%s", place, form, problems)
			}
			for _, leak := range leaks {
				if strings.Contains(said, leak) {
					t.Errorf("%s, %s: printed:\n%s", place, form, problems)
				}
			}
		}
	}
	_, err := Load("mintmark.yaml", []byte(places["sign.key"]+"# "+forms["age"]+"\n"))
	if err == nil || !strings.Contains(err.Error(), "mintmark.yaml:7:3: an identity of age is in the profile file") {
		t.Errorf("in a comment: %v", err)
	}
	if _, err := Load("mintmark.yaml", []byte(strings.ReplaceAll(places["sign.key"], "KEY", "env://MINTMARK_KEY_PEM"))); err != nil {
		t.Errorf("env://: %v", err)
	}
}
