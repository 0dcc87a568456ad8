package checksums

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

// buildPlugin builds testdata/kmsplugin as sigstore-kms-mmtest; keys opened with
// the context find it.
func buildPlugin(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a KMS plugin; not with -short")
	}
	dir := t.TempDir()
	exe := filepath.Join(dir, "sigstore-kms-mmtest")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	cmd := exec.Command("go", "-C", "testdata/kmsplugin", "build", "-o", exe, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the plugin: %v\n%s", err, out)
	}
	return withPath(t, dir)
}

// withPath is a context in which plugins are looked for in dir.
func withPath(t *testing.T, dir string) context.Context {
	return WithPlugins(t.Context(), Plugins{Env: func(string) []string { return []string{"PATH=" + dir} }})
}

func TestKMS(t *testing.T) {
	ctx := buildPlugin(t)
	dir := t.TempDir()
	for name, key := range keyKinds(t) {
		t.Run(name, func(t *testing.T) {
			private, public := writePEM(t, dir, name, key)
			ref := "mmtest://" + private
			s, err := LoadSigner(ctx, NewKeyRef(ref, nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			if s.Deterministic() {
				t.Error("a KMS is called deterministic")
			}
			v, err := LoadTrust(t.Context(), KeyFile(public))
			if err != nil {
				t.Fatal(err)
			}
			kv, err := LoadTrust(ctx, NewKeyRef(ref, nil))
			if err != nil {
				t.Fatal(err)
			}
			if s.ID().Name != v.ID().Name || kv.ID().Name != v.ID().Name {
				t.Errorf("key IDs %s, %s, %s", s.ID().Name, kv.ID().Name, v.ID().Name)
			}
			data := bytes.Repeat([]byte("data\n"), 1000)
			bundle, err := SignBlob(ctx, s, data)
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
		if _, err := LoadSigner(ctx, NewKeyRef("mmtest://"+filepath.Join(dir, "absent"), nil), nil); err == nil || !strings.Contains(err.Error(), "absent") {
			t.Errorf("missing key: %v", err)
		}
		if _, err := LoadSigner(ctx, NewKeyRef("mmtest://empty", nil), nil); err == nil || !strings.Contains(err.Error(), "does not belong to the question") {
			t.Errorf("an empty answer: %v", err)
		}
		// A KMS that tells one key and signs with another is caught at once.
		other, _ := writePEM(t, dir, "other", keyKinds(t)["P-256"])
		s, err := LoadSigner(ctx, NewKeyRef("mmtest://swap|"+filepath.Join(dir, "P-256.key")+"|"+other, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := SignBlob(ctx, s, []byte("x")); err == nil || !strings.Contains(err.Error(), "is not one of key") {
			t.Errorf("a signature by another key: %v", err)
		}
	})
}

func TestKMSMissing(t *testing.T) {
	ctx := withPath(t, t.TempDir())
	_, err := LoadSigner(ctx, NewKeyRef("mmabsent://key", nil), nil)
	if err == nil || !strings.Contains(err.Error(), "sigstore-kms-mmabsent") || !strings.Contains(fault.Hint(err), "sigstore-kms-mmabsent") {
		t.Errorf("got %v, hint %q", err, fault.Hint(err))
	}
	_, err = LoadTrust(ctx, NewKeyRef("mmabsent://key", nil))
	if err == nil || !strings.Contains(fault.Hint(err), "sigstore-kms-mmabsent") {
		t.Errorf("got %v, hint %q", err, fault.Hint(err))
	}
	// Without plugins of the caller's none is found, whatever this process's PATH has.
	if _, err := LoadSigner(t.Context(), NewKeyRef("mmabsent://key", nil), nil); err == nil || !strings.Contains(fault.Hint(err), "sigstore-kms-mmabsent") {
		t.Errorf("got %v, hint %q", err, fault.Hint(err))
	}
	for _, ref := range []string{"../../bin/x://k", "://k", "a b://k", "-x://k", "a/b://k", `a\b://k`} {
		if _, err := LoadSigner(ctx, NewKeyRef(ref, nil), nil); err == nil || !strings.Contains(err.Error(), "not the name of a KMS plugin") {
			t.Errorf("%s: %v", ref, err)
		}
	}
}
