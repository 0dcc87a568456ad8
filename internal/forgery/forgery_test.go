package forgery

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/mintmark/mintmark/checksums"
)

func signer(t *testing.T) checksums.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := checksums.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestHonest: unaltered, a release is as an honest publisher writes it, so that
// whatever is refused of an altered one is refused for what was altered.
func TestHonest(t *testing.T) {
	s := signer(t)
	r, err := Small(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Sign(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	v, err := checksums.VerifyRelease(t.Context(), r.Dir, checksums.VerifyConfig{Trust: s.Trust(), RequireIdentical: true})
	if err != nil || !v.Verified() {
		t.Fatalf("%v, %+v", err, v)
	}
	data, err := r.Manifest.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(r.Dir, checksums.ManifestFile)); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the manifest is written otherwise (%v):\n%s\n%s", err, got, data)
	}
	again, err := Copy(r.Dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Sign(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{checksums.ChecksumsFile, checksums.ChecksumsBundle, checksums.ProvenanceBundle} {
		a, _ := os.ReadFile(filepath.Join(r.Dir, name))
		b, _ := os.ReadFile(filepath.Join(again.Dir, name))
		if len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s: a copy is not the same", name)
		}
	}
}
