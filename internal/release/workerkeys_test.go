package release

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fault"
)

// TestSignedBy: where keys of workers are named, a receipt counts that one of them has
// signed, and no other.
func TestSignedBy(t *testing.T) {
	dir := t.TempDir()
	bundle := map[string][]byte{"unsigned": nil}
	receipt := []byte("a receipt")
	var keys []checksums.Trust
	for _, name := range []string{"a", "b", "stranger"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		for ext, block := range map[string]*pem.Block{".key": {Type: "PRIVATE KEY", Bytes: private}, ".pub": {Type: "PUBLIC KEY", Bytes: public}} {
			if err := os.WriteFile(file+ext, pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		signer, err := checksums.LoadSigner(t.Context(), checksums.KeyFile(file+".key"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if bundle[name], err = checksums.SignBlob(t.Context(), signer, receipt); err != nil {
			t.Fatal(err)
		}
		if name != "stranger" {
			key, err := checksums.LoadTrust(t.Context(), checksums.KeyFile(file+".pub"))
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, key)
		}
	}
	if signedBy(nil) != nil {
		t.Error("without keys, somebody's word is asked for")
	}
	signed := signedBy(keys)
	for name, b := range bundle {
		err := signed(receipt, b)
		if ok := name == "a" || name == "b"; (err == nil) != ok || !ok && fault.ExitCode(err) != fault.Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := signed([]byte("another receipt"), bundle["a"]); err == nil {
		t.Error("the signature of another receipt")
	}
}
