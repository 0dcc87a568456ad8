package checksums

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/files"
)

const cosignVersion = "v3.1.3"

// cosign returns the path of the real cosign: that on PATH, or one that was built
// before. With MINTMARK_TEST_COSIGN=1 it is built, which takes some 400 CPU seconds,
// and kept in the user's cache directory. What it made is in testdata/cosign, for
// [TestMadeByCosign], and another implementation of the same verifies what we make, in
// [TestIndependent]: these always run.
func cosign(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs cosign; not with -short")
	}
	if exe, err := exec.LookPath("cosign"); err == nil {
		return exe
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("no place to keep cosign: %v", err)
	}
	dir := filepath.Join(cache, "mintmark-test", "cosign-"+cosignVersion)
	exe := filepath.Join(dir, "cosign")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	if _, err := os.Stat(exe); err == nil {
		return exe
	}
	if os.Getenv("MINTMARK_TEST_COSIGN") == "" {
		t.Skip("NOT TRIED WITH COSIGN: it is not on PATH; MINTMARK_TEST_COSIGN=1 builds " + cosignVersion)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Skipf("no place to keep cosign: %v", err)
	}
	t.Log("building cosign " + cosignVersion + "; this takes minutes, once")
	cmd := exec.Command("go", "install", "github.com/sigstore/cosign/v3/cmd/cosign@"+cosignVersion)
	cmd.Dir = dir // outside of this module
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cosign could not be built: %v\n%s", err, tail(out))
	}
	return exe
}

func tail(out []byte) []byte { return out[max(0, len(out)-2000):] }

// runner runs one program in one directory with a home of its own and without
// a network: whatever asks a proxy fails.
type runner struct {
	exe, dir string
	env      []string
}

func (r runner) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(r.exe, args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "HOME="+r.dir, "USERPROFILE="+r.dir, "SIGSTORE_NO_CACHE=1",
		"HTTP_PROXY=http://127.0.0.1:9", "HTTPS_PROXY=http://127.0.0.1:9", "NO_PROXY=")
	cmd.Env = append(cmd.Env, r.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r runner) mustRun(t *testing.T, args ...string) {
	t.Helper()
	if out, err := r.run(t, args...); err != nil {
		t.Errorf("cosign %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (r runner) mustFail(t *testing.T, want string, args ...string) {
	t.Helper()
	out, err := r.run(t, args...)
	if err == nil {
		t.Errorf("cosign %s: accepted\n%s", strings.Join(args, " "), out)
	} else if !strings.Contains(out, want) {
		t.Errorf("cosign %s: failed, but not with %q:\n%s", strings.Join(args, " "), want, out)
	}
}

// TestMadeByCosign: what cosign v3.1.3 made, with "sign-blob" and "attest-blob" of a file
// that holds "data", is read and verified. Its private keys are in no commit: a release
// of this repository would be refused.
func TestMadeByCosign(t *testing.T) {
	dir := filepath.Join("testdata", "cosign")
	madeByCosign(t, dir, "plain.")
	madeByCosign(t, dir, "password.")
}

// madeByCosign tries files of cosign's, whose names begin so.
func madeByCosign(t *testing.T, dir, prefix string) {
	t.Helper()
	v, err := LoadTrust(t.Context(), KeyFile(filepath.Join(dir, prefix+"cosign.pub")))
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyBlob(v, get(t, dir, prefix+"blob.json"), []byte("data")); err != nil {
		t.Error(err)
	}
	if err := VerifyBlob(v, get(t, dir, prefix+"blob.json"), []byte("date")); err == nil {
		t.Error("accepts other data")
	}
	payload, err := VerifyStatement(v, get(t, dir, prefix+"attestation.json"))
	if err != nil || !bytes.Contains(payload, []byte(files.DigestBytes([]byte("data")))) {
		t.Errorf("statement %s, %v", payload, err)
	}
	// It is signed, but it is no record of a release.
	if _, err := ParseStatement(payload); err == nil || !strings.Contains(err.Error(), "this version reads") {
		t.Errorf("cosign's statement as a record: %v", err)
	}
}

func TestCosign(t *testing.T) {
	exe := cosign(t)
	out, err := exec.Command(exe, "version").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	t.Run("verifies our release", func(t *testing.T) {
		private, public, err := GenerateKey([]byte("pw"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := parsePrivateKey(private, password("pw"))
		if err != nil {
			t.Fatal(err)
		}
		dir := newRelease().write(t, s)
		put(t, dir, "k.pub", public)
		c := runner{exe: exe, dir: dir}
		blob := []string{"verify-blob", "--key", "k.pub", "--bundle", ChecksumsBundle, "--insecure-ignore-tlog", ChecksumsFile}
		attestation := []string{"verify-blob-attestation", "--key", "k.pub", "--bundle", ProvenanceBundle, "--insecure-ignore-tlog", "--type", "slsaprovenance1"}
		c.mustRun(t, blob...)
		for _, file := range []string{ChecksumsFile, ManifestFile, "demo_router"} {
			c.mustRun(t, append(attestation, file)...)
		}
		put(t, dir, "linked", []byte("linked 1")) // a binary that is published in an archive only
		c.mustRun(t, append(attestation, "linked")...)

		put(t, dir, "other", []byte("other"))
		c.mustFail(t, "digest", append(attestation, "other")...)
		put(t, dir, ChecksumsFile, append(get(t, dir, ChecksumsFile), '\n'))
		c.mustFail(t, "", blob...)
		c.mustFail(t, "digest", append(attestation, ChecksumsFile)...)
		_, wrong, err := GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		put(t, dir, "k.pub", wrong)
		c.mustFail(t, "", append(attestation, ManifestFile)...)
	})

	// cosign v3.1.3 verifies ECDSA with SHA-256 whatever the curve, and so
	// refuses its own signatures with P-384 and P-521. Ours have to fare as its own.
	t.Run("verifies every kind of key", func(t *testing.T) {
		for name, key := range keyKinds(t) {
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				private, _ := writePEM(t, dir, "k", key)
				s, err := LoadSigner(t.Context(), KeyFile(private), nil)
				if err != nil {
					t.Fatal(err)
				}
				put(t, dir, "f", []byte("data"))
				bundle, err := SignBlob(t.Context(), s, []byte("data"))
				if err != nil {
					t.Fatal(err)
				}
				put(t, dir, "f.sigstore.json", bundle)
				c := runner{exe: exe, dir: dir, env: []string{"COSIGN_PASSWORD="}}
				args := []string{"verify-blob", "--key", "k.pub", "--bundle", "f.sigstore.json", "--insecure-ignore-tlog", "f"}
				if s.Caveat() == "" || name == "Ed25519" {
					c.mustRun(t, args...)
					put(t, dir, "f", []byte("date"))
					c.mustFail(t, "", args...)
					return
				}
				c.mustRun(t, "import-key-pair", "--key", "k.key", "--output-key-prefix", "imported")
				c.mustRun(t, "sign-blob", "--key", "imported.key", "--bundle", "its.json", "--tlog-upload=false", "--use-signing-config=false", "--yes", "f")
				if err := VerifyBlob(s.Trust(), get(t, dir, "its.json"), []byte("data")); err != nil {
					t.Errorf("cosign's signature: %v", err)
				}
				_, ours := c.run(t, args...)
				_, its := c.run(t, "verify-blob", "--key", "k.pub", "--bundle", "its.json", "--insecure-ignore-tlog", "f")
				t.Logf("cosign verifies with %s: its own bundle %v, ours %v", name, its == nil, ours == nil)
				if (ours == nil) != (its == nil) {
					t.Errorf("cosign verifies its own bundle: %v; ours: %v", its, ours)
				}
				if ours == nil {
					t.Error("cosign verifies this kind of key now: drop the caveat")
				}
			})
		}
	})

	t.Run("signs and we verify", func(t *testing.T) {
		for _, pw := range []string{"", "pass word"} {
			dir := t.TempDir()
			c := runner{exe: exe, dir: dir, env: []string{"COSIGN_PASSWORD=" + pw}}
			put(t, dir, "f", []byte("data"))
			put(t, dir, "predicate.json", []byte(`{"buildDefinition":{"buildType":"https://example.com/x","externalParameters":{}},"runDetails":{"builder":{"id":"https://example.com/b"}}}`))
			c.mustRun(t, "generate-key-pair")
			offline := []string{"--key", "cosign.key", "--tlog-upload=false", "--use-signing-config=false", "--yes"}
			c.mustRun(t, append([]string{"sign-blob", "--bundle", "blob.json", "f"}, offline...)...)
			c.mustRun(t, append([]string{"attest-blob", "--bundle", "attestation.json", "--predicate", "predicate.json", "--type", "slsaprovenance1", "f"}, offline...)...)

			madeByCosign(t, dir, "")
			// cosign's key signs here.
			s, err := LoadSigner(t.Context(), KeyFile(filepath.Join(dir, "cosign.key")), password(pw))
			if err != nil {
				t.Fatal(err)
			}
			bundle, err := SignBlob(t.Context(), s, []byte("data"))
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, "ours.json", bundle)
			c.mustRun(t, "verify-blob", "--key", "cosign.pub", "--bundle", "ours.json", "--insecure-ignore-tlog", "f")
		}
	})

	t.Run("signs with our key", func(t *testing.T) {
		for _, pw := range []string{"", "pass word"} {
			dir := t.TempDir()
			c := runner{exe: exe, dir: dir, env: []string{"COSIGN_PASSWORD=" + pw}}
			private, public, err := GenerateKey([]byte(pw))
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, "f", []byte("data"))
			if _, _, err := WriteKeyPair(filepath.Join(dir, "k"), private, public); err != nil {
				t.Fatal(err)
			}
			c.mustRun(t, "sign-blob", "--key", "k.key", "--bundle", "blob.json", "--tlog-upload=false", "--use-signing-config=false", "--yes", "f")
			v, err := LoadTrust(t.Context(), KeyFile(filepath.Join(dir, "k.pub")))
			if err != nil {
				t.Fatal(err)
			}
			if err := VerifyBlob(v, get(t, dir, "blob.json"), []byte("data")); err != nil {
				t.Error(err)
			}
		}
	})

	t.Run("a release signed by cosign", func(t *testing.T) {
		dir := t.TempDir()
		c := runner{exe: exe, dir: dir, env: []string{"COSIGN_PASSWORD="}}
		c.mustRun(t, "generate-key-pair")
		s, err := LoadSigner(t.Context(), KeyFile(filepath.Join(dir, "cosign.key")), password(""))
		if err != nil {
			t.Fatal(err)
		}
		rel := newRelease().write(t, s)
		c.mustRun(t, "sign-blob", "--key", "cosign.key", "--bundle", filepath.Join(rel, ChecksumsBundle),
			"--tlog-upload=false", "--use-signing-config=false", "--yes", filepath.Join(rel, ChecksumsFile))
		if _, err := VerifyRelease(t.Context(), rel, VerifyConfig{Trust: s.Trust()}); err != nil {
			t.Error(err)
		}
	})
}
