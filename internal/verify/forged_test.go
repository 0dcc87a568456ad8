package verify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/diff"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/forgery"
	"github.com/mintmark/mintmark/internal/run"
)

// keys are a publisher and a rebuilder, in files as the verbs take them.
type keys struct {
	publisher                     checksums.Signer
	public, rebuilder, rebuilders checksums.KeyRef
	dir                           string
}

// newKeys makes keys without a passphrase, whose decryption would be most of
// what the tests do.
func newKeys(t *testing.T) *keys {
	t.Helper()
	k := &keys{dir: t.TempDir()}
	write := func(name, kind string, der []byte, err error) string {
		if err == nil {
			name = filepath.Join(k.dir, name)
			err = os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	pair := func(name string) (checksums.Signer, checksums.KeyRef, checksums.KeyRef) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		keyFile := write(name+".key", "PRIVATE KEY", private, err)
		public, err := x509.MarshalPKIXPublicKey(key.Public())
		pubFile := write(name+".pub", "PUBLIC KEY", public, err)
		signer, err := checksums.NewSigner(key)
		if err != nil {
			t.Fatal(err)
		}
		return signer, checksums.KeyFile(keyFile), checksums.KeyFile(pubFile)
	}
	k.publisher, _, k.public = pair("publisher")
	_, k.rebuilder, k.rebuilders = pair("rebuilder")
	return k
}

// config is a run without the network, by the rebuilder.
func (k *keys) config(t *testing.T) run.Config {
	return run.Config{Cache: filepath.Join(t.TempDir(), "cache"), Environ: []string{"PATH=" + os.Getenv("PATH"), "GOPROXY=off", "HOME=" + k.dir},
		Key: k.rebuilder, Password: func() ([]byte, error) { return []byte{}, nil }}
}

// verbs are those that read a release of a stranger.
func (k *keys) verbs(t *testing.T) map[string]func(dir string) error {
	vc := func(dir string) Config { return Config{Path: dir, Key: k.public} }
	// Nothing may be reached before the release is refused: what cannot be
	// fetched here would be exit code 1.
	cfg := func() run.Config { return k.config(t) }
	statement := filepath.Join(k.dir, "x"+checksums.StatementSuffix)
	return map[string]func(dir string) error{
		"verify": func(dir string) error { _, err := Release(t.Context(), vc(dir)); return err },
		"verify release.json": func(dir string) error {
			_, err := Release(t.Context(), vc(filepath.Join(dir, checksums.ManifestFile)))
			return err
		},
		"verify -unsigned": func(dir string) error {
			_, err := Release(t.Context(), Config{Path: dir, Unsigned: true})
			return err
		},
		"verify FILE": func(dir string) error {
			found, err := filepath.Glob(filepath.Join(dir, "small_*"))
			if err != nil || len(found) == 0 {
				return fmt.Errorf("no file to verify: %v", err)
			}
			_, err = At(t.Context(), vc(found[0]))
			return err
		},
		"verify -rebuild": func(dir string) error { _, err := Rebuild(t.Context(), cfg(), vc(dir), ""); return err },
		"attest": func(dir string) error {
			_, err := Attest(t.Context(), cfg(), vc(dir), "", statement)
			if _, serr := os.Stat(statement); serr == nil {
				return errors.New("something was signed")
			}
			return err
		},
		"report": func(dir string) error {
			_, err := Report(t.Context(), ReportConfig{Config: vc(dir)})
			return err
		},
		"verify -rebuilder": func(dir string) error {
			c := vc(dir)
			c.Rebuilders = []checksums.KeyRef{k.rebuilders}
			_, err := Release(t.Context(), c)
			return err
		},
	}
}

// TestForged: what a publisher signs of a release of which not everything can
// be built again is refused by every verb that reads it, whatever else it does.
func TestForged(t *testing.T) {
	k := newKeys(t)
	for _, tc := range []struct {
		name  string
		alter func(*forgery.Release) error
		want  []string
	}{
		{"an artifact more, of a platform without a unit",
			func(r *forgery.Release) error {
				return r.Publish("release", "linux/arm64", fact.Linked, "small_linux_arm64")
			},
			[]string{"artifact release linux/arm64 linked small_linux_arm64: the plan has no unit of that profile and platform"}},
		{"an artifact more, of a profile without a unit",
			func(r *forgery.Release) error {
				return r.Publish("debug", "linux/amd64", fact.Linked, "small_debug")
			},
			[]string{"artifact debug linux/amd64 linked small_debug: the plan has no unit"}},
		{"an installer",
			func(r *forgery.Release) error {
				return r.Publish("release", "linux/amd64", "installer", "setup.sh")
			},
			[]string{`stage: is "installer"`, "installer setup.sh: the plan's unit makes no such artifact"}},
		{"two of them", func(r *forgery.Release) error {
			return errors.Join(r.Publish("release", "linux/amd64", "installer", "setup.sh"), r.Publish("release", "plan9/386", fact.Linked, "nine"))
		}, []string{"setup.sh", "linked nine: the plan has no unit"}},
		{"no units", func(r *forgery.Release) error { r.Plan.Units = []*plan.Unit{}; return nil }, []string{"plan: has no units"}},
		{"units null", func(r *forgery.Release) error { r.Plan.Units = nil; return nil }, []string{`units is "null", not a list`}},
		{"a unit without an artifact", func(r *forgery.Release) error {
			return r.Drop(func(a checksums.Artifact) bool { return a.Platform == "windows/amd64" })
		}, []string{"windows/amd64 linked small_windows_amd64_small.exe: the plan makes it", "windows/amd64 linked small_windows_amd64_other.exe: the plan makes it"}},
		{"a unit without its archive", func(r *forgery.Release) error {
			return r.Drop(func(a checksums.Artifact) bool { return a.Stage == fact.Archived })
		}, []string{"archive small_linux_amd64.tar.gz: the plan makes it"}},
		{"a unit twice", func(r *forgery.Release) error { r.Plan.Units = append(r.Plan.Units, r.Plan.Units[0]); return nil },
			[]string{"release linux/amd64 is there twice"}},
		{"a unit of nobody", func(r *forgery.Release) error {
			u := *r.Plan.Units[2]
			u.Platform = "linux/riscv64"
			r.Plan.Units = append(r.Plan.Units, &u)
			return nil
		}, []string{"tiny linux/riscv64 linked small: the plan makes it, and it is not in the manifest"}},
		{"a unit without mains", func(r *forgery.Release) error { r.Plan.Units[2].Mains = []fact.Main{}; return nil },
			[]string{"tiny linux/arm64: has no main packages"}},
		{"mains null", func(r *forgery.Release) error { r.Plan.Units[2].Mains = nil; return nil }, []string{`mains is "null", not a list`}},
		{"an archive of a unit without one", func(r *forgery.Release) error {
			return r.Publish("release", "windows/amd64", fact.Archived, "small_windows_amd64.zip")
		}, []string{"archive small_windows_amd64.zip: the plan's unit makes no such artifact"}},
		{"packed without UPX", func(r *forgery.Release) error { r.Plan.Units[2].UPX = nil; return nil },
			[]string{"packed small_tiny: the plan's unit makes no such artifact"}},
		{"UPX and nothing packed", func(r *forgery.Release) error { r.Plan.Units[1].UPX = []string{"--best"}; return nil },
			[]string{"windows/amd64 packed small_windows_amd64_other.exe: the plan makes it"}},
		{"a main for whose binary there is none", func(r *forgery.Release) error {
			u := r.Plan.Units[1]
			u.Mains = append(u.Mains, fact.Main{Package: "example.com/small/third", Binary: "third"})
			return nil
		}, []string{"linked small_windows_amd64_third.exe: the plan makes it"}},
		{"a main less than binaries", func(r *forgery.Release) error { r.Plan.Units[1].Mains = r.Plan.Units[1].Mains[:1]; return nil },
			[]string{"linked small_windows_amd64_other.exe: the plan's unit makes no such artifact"}},
		{"a binary under the name of another's package", func(r *forgery.Release) error {
			r.Artifact("windows/amd64", fact.Linked).Package = "example.com/other"
			return nil
		}, []string{`is of package "example.com/other"`}},
		{"a file under another name", func(r *forgery.Release) error {
			a := r.Artifact("linux/arm64", fact.Packed)
			old := a.Name
			a.Name = "small"
			return os.Rename(filepath.Join(r.Dir, old), filepath.Join(r.Dir, a.Name))
		}, []string{"packed small: the plan's unit makes no such artifact", "packed small_tiny: the plan makes it"}},
		{"packed from another unit's binary", func(r *forgery.Release) error {
			r.Artifact("linux/arm64", fact.Packed).From = []string{r.Artifact("linux/amd64", fact.Linked).SHA256}
			return nil
		}, []string{"packed small_tiny: is made from"}},
		{"a file of the plan's archive that is not in it", func(r *forgery.Release) error {
			r.Plan.Units[0].Files = append(r.Plan.Units[0].Files, "NOTICE")
			return nil
		}, []string{`by the plan it holds "NOTICE"`}},
		{"a file in the archive that the plan lacks", func(r *forgery.Release) error { r.Plan.Units[0].Files = nil; return nil },
			[]string{"member LICENSE: by the plan it does not hold it"}},
		{"a plan of another version", func(r *forgery.Release) error { r.Plan.Version = "9.9.9"; return nil },
			[]string{`the version is "9.9.9" in the plan and "1.2.3" in the manifest`}},
		{"a plan of another commit", func(r *forgery.Release) error { r.Plan.Source.Commit = strings.Repeat("cd", 20); return nil }, []string{"the commit is"}},
		{"a snapshot's plan", func(r *forgery.Release) error { r.Plan.Snapshot = true; return nil }, []string{"is that of a snapshot"}},
		{"no plan to speak of", func(r *forgery.Release) error { r.RawPlan = "{}"; return nil }, []string{"plan: has no units"}},
		{"a plan that has units in another spelling", func(r *forgery.Release) error {
			data, err := r.Plan.Encode()
			r.RawPlan = strings.Replace(string(data), `"units"`, `"Units"`, 1)
			return err
		}, []string{"plan: has no units"}},
		{"an artifact in the place of the page", func(r *forgery.Release) error {
			return r.Publish("release", "linux/amd64", fact.Linked, "report.md")
		}, []string{"report.md: the name belongs to a file about the release"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := forgery.Small(t.Context(), t.TempDir())
			if err == nil {
				err = errors.Join(tc.alter(r), r.Sign(t.Context(), k.publisher))
			}
			if err != nil {
				t.Fatal(err)
			}
			for name, verb := range k.verbs(t) {
				err := verb(r.Dir)
				if code := fault.ExitCode(err); code != fault.Refused {
					t.Errorf("%s: exit code %d: %v", name, code, err)
					continue
				}
				for _, want := range tc.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%s: no %q in\n%v", name, want, err)
					}
				}
			}
			if _, err := diff.Compare(t.Context(), r.Dir, r.Dir, t.TempDir()); err == nil {
				t.Error("diff compares it")
			}
		})
	}
}

// TestNotForged: the release that TestForged alters is not refused by itself,
// by any of the verbs; and a file that nobody knows is said to be one.
func TestNotForged(t *testing.T) {
	k := newKeys(t)
	r, err := forgery.Small(t.Context(), t.TempDir())
	if err == nil {
		_, err = r.Write("install.sh", "#!/bin/sh\n")
	}
	if err == nil {
		err = r.Sign(t.Context(), k.publisher)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, verb := range k.verbs(t) {
		err := verb(r.Dir)
		switch name {
		case "verify -rebuild", "attest": // they get as far as fetching the toolchain
			if fault.ExitCode(err) != fault.Failed {
				t.Errorf("%s: exit code %d: %v", name, fault.ExitCode(err), err)
			}
		case "verify -rebuilder": // nobody has rebuilt it
			if err == nil || !strings.Contains(err.Error(), "small_tiny: was rebuilt by 0 of 1") {
				t.Errorf("%s: %v", name, err)
			}
		default:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	v, err := Release(t.Context(), Config{Path: r.Dir, Key: k.public, Module: "example.com/small"})
	if err != nil || !v.Verified() {
		t.Fatalf("%v, %+v", err, v)
	}
	checked, open := v.Checks.Sentences()
	if !slices.Contains(checked, "module is example.com/small, as expected") ||
		!slices.Contains(open, "what is in install.sh, report.html: the manifest does not describe it; only the digest was compared") {
		t.Errorf("%q\n%q", checked, open)
	}
	if _, err := Release(t.Context(), Config{Path: r.Dir, Key: k.public, Module: "example.com/other"}); fault.ExitCode(err) != fault.Refused {
		t.Errorf("another module: %v", err)
	}
	if _, err := Release(t.Context(), Config{Path: r.Dir, Key: k.public, Module: "example.com/small@v1.2.3"}); fault.ExitCode(err) != fault.Usage {
		t.Errorf("a module with its version: %v", err)
	}
}

// TestMembersOfMissingArchives: an archive that is not here is not checked, also
// where another one is.
func TestMembersOfMissingArchives(t *testing.T) {
	k := newKeys(t)
	r, err := forgery.Small(t.Context(), t.TempDir())
	if err == nil {
		err = errors.Join(r.Sign(t.Context(), k.publisher), os.Remove(filepath.Join(r.Dir, "small_linux_amd64.tar.gz")))
	}
	if err != nil {
		t.Fatal(err)
	}
	v, err := Release(t.Context(), Config{Path: r.Dir, Key: k.public, Missing: true})
	if err != nil {
		t.Fatal(err)
	}
	_, open := v.Checks.Sentences()
	for _, want := range []string{"the members of archives: it is not here", "1 listed files are not here: small_linux_amd64.tar.gz"} {
		if !slices.Contains(open, want) {
			t.Errorf("no %q in %q", want, open)
		}
	}
}

// TestUnsignedIsNotVerified: files that agree with each other are no more than that.
func TestUnsignedIsNotVerified(t *testing.T) {
	k := newKeys(t)
	r, err := forgery.Small(t.Context(), t.TempDir())
	if err == nil {
		err = r.Sign(t.Context(), k.publisher)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, remove := range []bool{false, true} {
		for _, name := range []string{checksums.ChecksumsBundle, checksums.ProvenanceBundle} {
			if remove {
				if err := os.Remove(filepath.Join(r.Dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
		v, err := Release(t.Context(), Config{Path: r.Dir, Unsigned: true})
		if err != nil || v.Verified() {
			t.Errorf("%v, %+v", err, v)
		}
		page, err := Report(t.Context(), ReportConfig{Config: Config{Path: r.Dir}})
		if err != nil || !strings.HasPrefix(page.Headline, "NOT verified: no signature was checked") || page.Verdict != fact.Unchecked {
			t.Errorf("%v, %+v", err, page)
		}
	}
}
