package checksums

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// buildPlugin builds testdata/kmsplugin as sigstore-kms-mmtest and puts it
// into PATH.
func buildPlugin(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a KMS plugin; not with -short")
	}
	dir := t.TempDir()
	exe := filepath.Join(dir, "sigstore-kms-mmtest")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	cmd := exec.Command("go", "build", "-o", exe, "./testdata/kmsplugin")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the plugin: %v\n%s", err, out)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestKMS(t *testing.T) {
	buildPlugin(t)
	dir := t.TempDir()
	for name, key := range keyKinds(t) {
		t.Run(name, func(t *testing.T) {
			private, public := writePEM(t, dir, name, key)
			ref := "mmtest://" + private
			s, err := LoadSigner(t.Context(), NewKeyRef(ref, nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			if s.Deterministic() {
				t.Error("a KMS is called deterministic")
			}
			v, err := LoadVerifier(t.Context(), KeyFile(public))
			if err != nil {
				t.Fatal(err)
			}
			kv, err := LoadVerifier(t.Context(), NewKeyRef(ref, nil))
			if err != nil {
				t.Fatal(err)
			}
			if s.KeyID() != v.KeyID() || kv.KeyID() != v.KeyID() {
				t.Errorf("key IDs %s, %s, %s", s.KeyID(), kv.KeyID(), v.KeyID())
			}
			data := bytes.Repeat([]byte("data\n"), 1000)
			bundle, err := SignBlob(t.Context(), s, data)
			if err != nil {
				t.Fatal(err)
			}
			if err := VerifyBlob(v, bundle, data); err != nil {
				t.Error(err)
			}
			if _, err := VerifyStatement(v, signStatement(t, s, []byte("{}"))); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("errors", func(t *testing.T) {
		if _, err := LoadSigner(t.Context(), NewKeyRef("mmtest://"+filepath.Join(dir, "absent"), nil), nil); err == nil || !strings.Contains(err.Error(), "absent") {
			t.Errorf("missing key: %v", err)
		}
		if _, err := LoadSigner(t.Context(), NewKeyRef("mmtest://empty", nil), nil); err == nil || !strings.Contains(err.Error(), "does not belong to the question") {
			t.Errorf("an empty answer: %v", err)
		}
		// A KMS that tells one key and signs with another is caught at once.
		other, _ := writePEM(t, dir, "other", keyKinds(t)["P-256"])
		s, err := LoadSigner(t.Context(), NewKeyRef("mmtest://swap|"+filepath.Join(dir, "P-256.key")+"|"+other, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := SignBlob(t.Context(), s, []byte("x")); err == nil || !strings.Contains(err.Error(), "is not one of key") {
			t.Errorf("a signature by another key: %v", err)
		}
	})
}

func TestKMSMissing(t *testing.T) {
	_, err := LoadSigner(t.Context(), NewKeyRef("mmabsent://key", nil), nil)
	if err == nil || !strings.Contains(err.Error(), "sigstore-kms-mmabsent") || !strings.Contains(hintOf(err), "sigstore-kms-mmabsent") {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
	_, err = LoadVerifier(t.Context(), NewKeyRef("mmabsent://key", nil))
	if err == nil || !strings.Contains(hintOf(err), "sigstore-kms-mmabsent") {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
	for _, ref := range []string{"../../bin/x://k", "://k", "a b://k", "-x://k", "a/b://k", `a\b://k`} {
		if _, err := LoadSigner(t.Context(), NewKeyRef(ref, nil), nil); err == nil || !strings.Contains(err.Error(), "not the name of a KMS plugin") {
			t.Errorf("%s: %v", ref, err)
		}
	}
}
