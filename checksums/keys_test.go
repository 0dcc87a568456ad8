package checksums

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

func password(s string) PasswordFunc { return func() ([]byte, error) { return []byte(s), nil } }

func TestGenerateKey(t *testing.T) {
	for _, pw := range []string{"", "correct horse"} {
		private, public, err := GenerateKey([]byte(pw))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(private, []byte("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")) ||
			!bytes.HasPrefix(public, []byte("-----BEGIN PUBLIC KEY-----\n")) {
			t.Errorf("not the PEM types of cosign:\n%s%s", private, public)
		}
		prefix := filepath.Join(t.TempDir(), "mintmark")
		key, pub, err := WriteKeyPair(prefix, private, public)
		if err != nil {
			t.Fatal(err)
		}
		s, err := LoadSigner(t.Context(), KeyFile(key), password(pw))
		if err != nil {
			t.Fatal(err)
		}
		v, err := LoadTrust(t.Context(), KeyFile(pub))
		if err != nil {
			t.Fatal(err)
		}
		if s.ID().Name != v.ID().Name || !s.Deterministic() {
			t.Errorf("key IDs %s and %s", s.ID().Name, v.ID().Name)
		}
		bundle, err := SignBlob(t.Context(), s, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if err := VerifyBlob(v, bundle, []byte("x")); err != nil {
			t.Error(err)
		}
		_, err = LoadSigner(t.Context(), KeyFile(key), password("wrong"))
		if err == nil || !strings.Contains(fault.Hint(err), "passphrase is wrong") {
			t.Errorf("wrong passphrase: %v, hint %q", err, fault.Hint(err))
		}
		if _, err = LoadSigner(t.Context(), KeyFile(key), nil); err == nil || !strings.Contains(err.Error(), "no passphrase") {
			t.Errorf("no passphrase: %v", err)
		}
		cancelled := errors.New("cancelled")
		_, err = LoadSigner(t.Context(), KeyFile(key), func() ([]byte, error) { return nil, cancelled })
		if !errors.Is(err, cancelled) {
			t.Errorf("the error of the prompt got lost: %v", err)
		}
	}
	// A nil passphrase is the empty one, in both directions.
	private, _, err := GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsePrivateKey(private, func() ([]byte, error) { return nil, nil }); err != nil {
		t.Error(err)
	}
}

func TestWriteKeyPair(t *testing.T) {
	check := func(t *testing.T, dir, name, want string) {
		t.Helper()
		got, err := os.ReadFile(filepath.Join(dir, name))
		if want == "" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is there: %q, %v", name, got, err)
		}
		if want != "" && string(got) != want {
			t.Errorf("%s holds %q, want %q (%v)", name, got, want, err)
		}
	}
	t.Run("new", func(t *testing.T) {
		dir := t.TempDir()
		key, pub, err := WriteKeyPair(filepath.Join(dir, "k"), []byte("private"), []byte("public"))
		if err != nil || filepath.Base(key) != "k.key" || filepath.Base(pub) != "k.pub" {
			t.Fatal(key, pub, err)
		}
		check(t, dir, "k.key", "private")
		check(t, dir, "k.pub", "public")
		fi, err := os.Stat(key)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", fi.Mode())
		}
	})
	for _, old := range []string{"k.key", "k.pub"} {
		t.Run("exists "+old, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, old, []byte("old"))
			_, _, err := WriteKeyPair(filepath.Join(dir, "k"), []byte("private"), []byte("public"))
			if !errors.Is(err, fs.ErrExist) || fault.Hint(err) == "" || !strings.Contains(err.Error(), old) {
				t.Errorf("got %v, hint %q", err, fault.Hint(err))
			}
			for _, name := range []string{"k.key", "k.pub"} {
				if name == old {
					check(t, dir, name, "old")
				} else {
					check(t, dir, name, "")
				}
			}
		})
	}
	t.Run("second fails", func(t *testing.T) {
		dir := t.TempDir()
		err := writePair(filepath.Join(dir, "x.key"), []byte("private"), filepath.Join(dir, "absent", "x.pub"), []byte("public"))
		if err == nil {
			t.Error("no error")
		}
		check(t, dir, "x.key", "")
	})
	t.Run("appears after the look", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "x.key", []byte("old"))
		if err := writeNew(filepath.Join(dir, "x.key"), []byte("new"), 0o600); !errors.Is(err, fs.ErrExist) {
			t.Errorf("got %v", err)
		}
		check(t, dir, "x.key", "old")
	})
	t.Run("dangling link", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Symlink(filepath.Join(dir, "target"), filepath.Join(dir, "x.key")); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
		if _, _, err := WriteKeyPair(filepath.Join(dir, "x"), []byte("private"), []byte("public")); err == nil {
			t.Error("wrote a private key through a link")
		}
		check(t, dir, "target", "")
	})
}

// keyKinds are the kinds of keys that users bring.
func keyKinds(t testing.TB) map[string]crypto.Signer {
	kinds := map[string]crypto.Signer{}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		kinds[name] = k
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	kinds["Ed25519"] = ed
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	kinds["RSA-2048"] = r
	return kinds
}

// writePEM writes a plain PKCS #8 key and its public half.
func writePEM(t testing.TB, dir, name string, key crypto.Signer) (private, public string) {
	t.Helper()
	priv, err := cryptoutils.MarshalPrivateKeyToPEM(key)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := cryptoutils.MarshalPublicKeyToPEM(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, name+".key", priv)
	put(t, dir, name+".pub", pub)
	return filepath.Join(dir, name+".key"), filepath.Join(dir, name+".pub")
}

// TestKeyKinds signs twice with every kind of key: the same bytes both times.
func TestKeyKinds(t *testing.T) {
	for name, key := range keyKinds(t) {
		t.Run(name, func(t *testing.T) {
			private, public := writePEM(t, t.TempDir(), "k", key)
			unasked := func() ([]byte, error) { t.Error("asked for a passphrase"); return nil, nil }
			s, err := LoadSigner(t.Context(), KeyFile(private), unasked)
			if err != nil {
				t.Fatal(err)
			}
			v, err := LoadTrust(t.Context(), KeyFile(public))
			if err != nil {
				t.Fatal(err)
			}
			data, payload := []byte("some data\n"), []byte(`{"_type":"x"}`)
			var blobs, statements [][]byte
			for range 2 {
				b, err := SignBlob(t.Context(), s, data)
				if err != nil {
					t.Fatal(err)
				}
				blobs = append(blobs, b)
				b, err = SignStatement(t.Context(), s, payload)
				if err != nil {
					t.Fatal(err)
				}
				statements = append(statements, b)
			}
			if !bytes.Equal(blobs[0], blobs[1]) || !bytes.Equal(statements[0], statements[1]) {
				t.Error("signing twice gives other bytes")
			}
			if bytes.Count(blobs[0], []byte("\n")) != 1 {
				t.Errorf("not one line: %q", blobs[0])
			}
			if err := VerifyBlob(v, blobs[0], data); err != nil {
				t.Error(err)
			}
			if err := VerifyBlob(v, blobs[0], []byte("some date\n")); err == nil {
				t.Error("accepts other data")
			}
			if got, err := VerifyStatement(v, statements[0]); err != nil || !bytes.Equal(got, payload) {
				t.Errorf("statement %q, %v", got, err)
			}
			if err := VerifyBlob(newSigner(t).Trust(), blobs[0], data); err == nil || !strings.Contains(err.Error(), "names key") {
				t.Errorf("another key: %v", err)
			}
		})
	}
}

// TestSelfCheck has a signer whose signatures are another key's, as a broken
// KMS may give: nothing it signs gets out.
func TestSelfCheck(t *testing.T) {
	s := newSigner(t).(*keySigner)
	s.sign = newSigner(t).(*keySigner).sign
	if _, err := SignBlob(t.Context(), s, []byte("x")); err == nil || !strings.Contains(err.Error(), "is not one of key "+s.ID().Name) {
		t.Errorf("blob: %v", err)
	}
	if _, err := SignStatement(t.Context(), s, []byte("{}")); err == nil || !strings.Contains(err.Error(), "is not one of key "+s.ID().Name) {
		t.Errorf("statement: %v", err)
	}
}

func TestLoadKeyRefuses(t *testing.T) {
	dir := t.TempDir()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skipf("this Go makes no 1024-bit RSA key: %v", err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, dir, "rsa1024", small)
	writePEM(t, dir, "p224", p224)
	writePEM(t, dir, "good", keyKinds(t)["P-256"])
	two := append(get(t, dir, "good.pub"), get(t, dir, "rsa1024.pub")...)
	put(t, dir, "two.pub", two)
	put(t, dir, "text", []byte("hello"))
	put(t, dir, "cert", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))
	put(t, dir, "broken.pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}))
	put(t, dir, "broken.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}))
	put(t, dir, "large", make([]byte, maxKeySize+1))
	for name, want := range map[string]string{
		"absent": "no such file", "text": "not a public key in PEM", "cert": "is a certificate", "good.key": "is a private key",
		"two.pub": "more than one key", "rsa1024.pub": "1024 bits", "p224.pub": "curve", "broken.pub": "is not a public key", "large": "more than",
	} {
		_, err := LoadTrust(t.Context(), KeyFile(filepath.Join(dir, name)))
		if name == "absent" && errors.Is(err, fs.ErrNotExist) {
			continue // the words are the system's
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("verifier %s: got %v, want %q", name, err, want)
		}
	}
	for name, want := range map[string]string{
		"text": "not a private key in PEM", "good.pub": "is a public key", "rsa1024.key": "1024 bits", "p224.key": "curve",
		"broken.key": "not a private key", "large": "more than",
	} {
		if _, err := LoadSigner(t.Context(), KeyFile(filepath.Join(dir, name)), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("signer %s: got %v, want %q", name, err, want)
		}
	}
}
