package secret

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
)

// canary is in every secret of the tests, and may be in no message.
const canary = "CanaryCanaryCanaryCanaryCanaryCanaryCanaryCanaryCanaryCanary0123"

func block(label string) string {
	return "-----BEGIN " + label + "-----\n" + canary + "\n" + canary + "\nabcd\n-----END " + label + "-----\n"
}

// secrets are private keys as people paste them, each with the canary in it.
func secrets() map[string]string {
	sigstore := block("ENCRYPTED SIGSTORE PRIVATE KEY")
	b64 := base64.StdEncoding.EncodeToString
	inner := `{"kdf":{"name":"scrypt","salt":"AAAA"},"cipher":{"name":"nacl/secretbox"},"ciphertext":"` + canary + `"}`
	jwk := `{"kty":"EC","crv":"P-256","x":"AAAA","d":"` + canary + `"}`
	return map[string]string{
		"sigstore":              sigstore,
		"cosign":                block("ENCRYPTED COSIGN PRIVATE KEY"),
		"pkcs8":                 block("PRIVATE KEY"),
		"sec1":                  block("EC PRIVATE KEY"),
		"rsa, encrypted":        strings.Replace(block("RSA PRIVATE KEY"), "-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123\n\n", 1),
		"openssh":               block("OPENSSH PRIVATE KEY"),
		"pgp":                   block("PGP PRIVATE KEY BLOCK"),
		"lines lost":            strings.ReplaceAll(sigstore, "\n", " "),
		"lines written":         strings.ReplaceAll(sigstore, "\n", `\n`),
		"lines written twice":   strings.ReplaceAll(sigstore, "\n", `\\n`),
		"cut off":               sigstore[:len("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")+len(canary)],
		"windows":               strings.ReplaceAll(sigstore, "\n", "\r\n"),
		"base64":                b64([]byte(sigstore)),
		"base64 in lines":       wrap(b64([]byte(sigstore)), 76),
		"inner":                 inner,
		"inner, quoted":         fmt.Sprintf("%q", inner),
		"inner in base64":       b64([]byte(inner)),
		"jwk":                   jwk,
		"jwk in base64":         b64([]byte(jwk)),
		"jwt":                   b64([]byte(`{"alg":"RS256"}`)) + "." + strings.TrimRight(b64([]byte(`{"sub":"`+canary+`"}`)), "=") + "." + canary,
		"age":                   "AGE-SECRET-KEY-1" + strings.ToUpper(canary[:58]),
		"age plugin":            "AGE-PLUGIN-YUBIKEY-1" + strings.ToUpper(canary[:58]),
		"minisign":              "untrusted comment: minisign encrypted secret key\nRWRTY0Iy" + canary + canary + "\n",
		"signify":               "untrusted comment: signify secret key\nRWRCSw" + canary + canary + "\n",
		"putty":                 "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n" + canary + "\n",
		"address":               "https://user:" + canary + "@example.com/x",
		"address with a token":  "https://" + canary + "@example.com/x",
		"address with a slash":  "https://user:a/b" + canary + "@example.com/x",
		"apostrophe":            "-source=https://user:a'" + canary + "@example.com/x: no",
		"apostrophe and digits": "'https://user:1'" + canary + "@example.com/x'",
		"quote":                 `parse "https://user:a\"` + canary + `@example.com/x": bad`,
		"bar":                   "https://user:a|" + canary + "@example.com/x",
		"space":                 "https://user:a " + canary + "@example.com/x",
		"cut off by a bar":      `parse "https://user:` + canary + `": invalid port ":a" after host`,
		"address's parameter":   "https://example.com/x?a=b&access_token=" + canary + "&c=d",
		"KMS":                   "hashivault://user:" + canary + "@host/key",
		"two proxies":           "https://" + canary + "@a.example,https://b:" + canary + "@b.example|direct",
		"address as a path":     "/tmp/https:/user:" + canary + "@example.com/x",
		"token as a path":       "https:/" + canary + "@example.com/x?token=" + canary,
		"header":                "Authorization: Bearer " + canary,
		"ssh with a password":   "ssh://git:" + canary + "@host/x",
		"an address in a quote": `parse "https://user:` + canary + `@example.com": bad`,
	}
}

func wrap(s string, n int) string {
	var b strings.Builder
	for i := 0; i < len(s); i += n {
		b.WriteString(s[i:min(len(s), i+n)] + "\n")
	}
	return b.String()
}

// TestRedact puts every secret into every kind of message.
func TestRedact(t *testing.T) {
	for name, s := range secrets() {
		leaks := []string{canary, strings.ToUpper(canary[:58])}
		for i := range 3 { // in base64 it depends on where it begins
			leaks = append(leaks, base64.StdEncoding.EncodeToString([]byte(canary[i:]))[:40])
		}
		for _, text := range []string{
			s, "open " + s + ": no such file or directory", fmt.Sprintf("%q is not a name", s), fmt.Sprintf("%+q", s),
			fmt.Sprintf("%q", fmt.Sprintf("%q", s)), "a: " + s + "\nb: " + s + " c", "before\n    " + strings.ReplaceAll(s, "\n", "\n    "),
		} {
			got := Redact(text)
			for _, leak := range leaks {
				if strings.Contains(got, leak) {
					t.Errorf("%s: %q\nis shown as %q", name, text, got)
				}
			}
			if again := Redact(got); again != got {
				t.Errorf("%s: redacted again: %q, then %q", name, got, again)
			}
		}
	}
}

// TestRedactLeaves shows that what is no secret stays.
func TestRedactLeaves(t *testing.T) {
	for _, text := range []string{
		"", "open mintmark.key: no such file or directory", block("PUBLIC KEY"), block("CERTIFICATE"),
		"https://proxy.example.com/example.com/m/@v/v1.0.0.zip: 404", "http://127.0.0.1:8080/example.com/m/@v/list",
		"http://[::1]:8080/m/@latest", "ssh://git@github.com/a/b", "git+ssh://me@host/x", "git@github.com:a/b.git", "https://git@host/x",
		"https://example.com/x?go-get=1&v=2", "azurekms://vault.azure.net/mine", "env://MINTMARK_KEY_PEM", "file:///tmp/a@v1",
		"-----BEGIN", "the header is -----BEGIN PUBLIC KEY-----", `{"kty":"EC","x":"abcdefgh"}`, "eyJhbGciOiJSUzI1NiJ9",
		"h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "authorization failed", "user@example.com", "C:/a@b/c", "file:/a@b/c", "git@github.com:/a/b@v1", "://a@b", "/tmp/a:/b/c@v1",
		"'http://127.0.0.1:80' of user@example.com", "https://example.com: mail user@example.com", "https://example.com/a:b' user@example.com",
	} {
		if got := Redact(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
		if k, ok := IsKey(text); ok {
			t.Errorf("%q is %s", text, k)
		}
	}
	const two = "https://a:b@x.example/?token=c https://y.example"
	if got, want := Redact(two), "https://***@x.example/?token=*** https://y.example"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestKeys(t *testing.T) {
	_, private, err := ed25519.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{7}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	sum := Keys(key)[0].Sum
	for name, same := range map[string]string{
		"narrow": "-----BEGIN PRIVATE KEY-----\n" + wrap(base64.StdEncoding.EncodeToString(der), 48) + "-----END PRIVATE KEY-----",
		"base64": base64.StdEncoding.EncodeToString([]byte(key)), "quoted": fmt.Sprintf("%q", key), "in YAML": "k: |\n  " + strings.ReplaceAll(key, "\n", "\n  "),
	} {
		if k := Keys(same); len(k) != 1 || k[0].Sum != sum {
			t.Errorf("%s: %+v, want one with the sum %x", name, k, sum)
		}
	}
	for text, want := range map[string]bool{
		key: true, "# mine\n\n" + key: true, block("ENCRYPTED SIGSTORE PRIVATE KEY"): true, secrets()["inner"]: true, secrets()["age"] + "\n": true,
		secrets()["minisign"]: true, secrets()["jwk"]: true, secrets()["putty"]: true, secrets()["base64 in lines"]: true, "# created: today\n# public key: age1x\n" + secrets()["age"]: true,
		"const key = `" + key + "`": false, "const key = `\n" + key + "`": false, "KEY=" + key: false, block("PUBLIC KEY"): false, "": false,
		"-----BEGIN PRIVATE KEY-----\nand then everything that a very long sentence about keys says\n": false, secrets()["jwt"]: false,
	} {
		if _, ok := KeyFile(text); ok != want {
			t.Errorf("is a key file: %v, want %v: %.60q", ok, want, text)
		}
	}
	if !IsPublicKeyFile(block("PUBLIC KEY")) || IsPublicKeyFile(block("PUBLIC KEY")+block("PUBLIC KEY")) || IsPublicKeyFile(key) {
		t.Error("public key files")
	}
	lines := Lines("a: b\nc: |\n  " + strings.ReplaceAll(strings.TrimSpace(key), "\n", "\n  ") + "\nd: e\n")
	for i, want := range []bool{false, false, true, true, true, false} {
		if lines[i] != want {
			t.Errorf("line %d is secret: %v, want %v", i, lines[i], want)
		}
	}
}

func TestName(t *testing.T) {
	for text, want := range map[string]string{
		"mintmark.key": "mintmark.key", "/home/me/keys/a.key": "/home/me/keys/a.key", `C:\keys\a.key`: `C:\keys\a.key`, "": "",
		canary: "(64 characters)", "/store/" + strings.Repeat("0a", 32) + "/k.pem": "/store/(64 characters)/k.pem", "a\nb": "a (and 2 characters more)",
		"vault://a:b@c/d": "vault://***@c/d", block("PRIVATE KEY"): hidden + " (and 1 characters more)",
	} {
		if got := Name(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := Name(strings.Repeat("a/", 1000)); len(got) > 300 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestText(t *testing.T) {
	type inner struct{ text Text }
	x := NewText(canary, "public")
	for _, v := range []any{x, &x, []Text{x}, map[string]Text{"a": x}, struct{ T Text }{x}, inner{x}, &inner{x}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, canary) || strings.Contains(strings.ToLower(got), fmt.Sprintf("%x", canary)) {
				t.Errorf("%s of %T: %s", verb, v, got)
			}
		}
		if got, err := json.Marshal(v); err != nil || bytes.Contains(got, []byte(canary)) {
			t.Errorf("%T: %s, %v", v, got, err)
		}
	}
	if x.Reveal() != canary || x.String() != "public" || (Text{}).String() != "" || (Text{}).Reveal() != "" {
		t.Error("a text that does not know itself")
	}
}

func TestError(t *testing.T) {
	plain := errors.New("plain")
	if Error(plain) != plain || Error(nil) != nil {
		t.Error("an error without secrets is changed")
	}
	path := &fs.PathError{Op: "open", Path: "https://u:" + canary + "@h", Err: fs.ErrNotExist}
	err := Error(fmt.Errorf("x: %w", errors.Join(path, plain)))
	var pe *fs.PathError
	if strings.Contains(err.Error(), canary) || !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &pe) || errors.Unwrap(err) != nil {
		t.Errorf("%v", err)
	}
	if err := Without(errors.New("a tokentoken b"), "tokentoken", "a"); err.Error() != "a *** b" {
		t.Errorf("%v", err)
	}
}

// FuzzRedact holds it against its contract: it ends, it is idempotent, and no
// whole key is left.
func FuzzRedact(f *testing.F) {
	for _, s := range secrets() {
		f.Add(s)
		f.Add("x " + s + " y")
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := Redact(text)
		if twice := Redact(once); twice != once {
			t.Errorf("%q: %q, then %q", text, once, twice)
		}
		if keys := Find(once); len(keys) > 0 {
			t.Errorf("%q: left in %q: %+v", text, once, keys)
		}
		end := 0
		for _, k := range Find(text) {
			if k.Start < end || k.End <= k.Start || k.End > len(text) {
				t.Fatalf("%q: %+v", text, k)
			}
			end = k.End
		}
		Name(text)
		KeyFile(text)
		Lines(text)
	})
}

// TestLinear shows that long texts do not take long.
func TestLinear(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, piece := range []string{"-----BEGIN PRIVATE KEY-----", "eyJ", "LS0tLS1CRUdJTi", "a://b,", "://", "kty\"d\":\"", "AGE-SECRET-KEY-1", "x", "https://a:b/", "https://a:b", "'", "@", "Authorization: "} {
		text := strings.Repeat(piece, (1<<18)/len(piece)) + fmt.Sprint(r.Uint64())
		Redact(text)
	}
}
