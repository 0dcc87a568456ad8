package checksums

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/golden and testdata/golden-ledger anew")

// TestGolden compares whole signed releases, byte for byte, with those in
// testdata/golden and, with a ledger, testdata/golden-ledger, and verifies
// those. It fails when a Go version encodes
// JSON otherwise, when signatures become random, and when a change here would
// make releases of the past unreadable: then the schema needs a new version.
func TestGolden(t *testing.T) {
	// A key that everybody knows: 1, 2, … 32.
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = byte(i + 1)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	// Before members of archives were subjects of the record.
	old := filepath.Join("testdata", "golden-binaries")
	v, err := VerifyRelease(t.Context(), old, VerifyConfig{Trust: s.Trust(), Project: "demo", Version: "1.2.3"})
	if err != nil {
		t.Error(err)
	} else if !strings.Contains(checked(v), "the record is exactly that of the manifest") {
		t.Errorf("%s: %s", old, checked(v))
	}
	for name, r := range map[string]*release{"golden": newRelease(), "golden-ledger": newLedgerRelease()} {
		compareGolden(t, filepath.Join("testdata", name), r, s)
	}
}

func compareGolden(t *testing.T, golden string, r *release, s Signer) {
	dir := r.write(t, s)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(golden, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		got := get(t, dir, f.Name())
		if *update {
			put(t, golden, f.Name(), got)
		}
		if !bytes.Equal(got, get(t, golden, f.Name())) {
			t.Errorf("%s is not as in %s:\n%s", f.Name(), golden, got)
		}
	}
	if _, err := VerifyRelease(t.Context(), golden, VerifyConfig{Trust: s.Trust(), Project: "demo", Version: "1.2.3"}); err != nil {
		t.Error(err)
	}
}
