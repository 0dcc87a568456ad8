package checksums

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

func TestVerifyRelease(t *testing.T) {
	s := newSigner(t)
	dir := newRelease().write(t, s)
	cfg := VerifyConfig{Trust: s.Trust(), Project: "demo", Module: "example.com/Demo", Version: "v1.2.3", Commit: commit('a'), RequireIdentical: true}
	v, err := VerifyRelease(t.Context(), dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if v.Project != "demo" || v.Version != "1.2.3" || v.Commit != commit('a') || v.Signer != s.ID() || v.Unsigned || !v.AllIdentical() {
		t.Errorf("%+v", v)
	}
	if len(v.Files) != 3 || v.Manifest == nil {
		t.Errorf("files %v", v.Files)
	}
	for _, f := range v.Files {
		if f.Status != FileVerified || f.Size == 0 {
			t.Errorf("%+v", f)
		}
	}
	// What a key and a list cannot show is said.
	for _, want := range []string{"the members of archives", "a rebuild would show it"} {
		if !strings.Contains(notChecked(v), want) {
			t.Errorf("not checked: %q, no %q", notChecked(v), want)
		}
	}
	if joined := checked(v); !strings.Contains(joined, "version is 1.2.3, as expected") || !strings.Contains(joined, "signed by key "+s.ID().Name) {
		t.Errorf("checked: %q", joined)
	}
	// Expectations that were not given are not checked, and that is said.
	v, err = VerifyRelease(t.Context(), dir, VerifyConfig{Trust: s.Trust()})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"project: none was expected", "module: none", "version: none", "commit: none"} {
		if !strings.Contains(notChecked(v), want) {
			t.Errorf("not checked: %q, no %q", notChecked(v), want)
		}
	}
	// The manifest and its record are enough for a rebuilder.
	v, err = VerifyManifest(t.Context(), filepath.Join(dir, ManifestFile), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if v.Signer != s.ID() || v.Version != "1.2.3" || !strings.Contains(notChecked(v), "only the manifest") {
		t.Errorf("%+v", v)
	}
}

// TestReleaseIsReproducible makes one release twice, signatures included.
func TestReleaseIsReproducible(t *testing.T) {
	s := newSigner(t)
	a, b := newRelease().write(t, s), newRelease().write(t, s)
	for _, name := range []string{ManifestFile, ChecksumsFile, ChecksumsBundle, ProvenanceBundle} {
		if !bytes.Equal(get(t, a, name), get(t, b, name)) {
			t.Errorf("%s differs", name)
		}
	}
}

// refusalCase is an attack, or an accident that looks like one.
type refusalCase struct {
	name string
	file string // the file that the refusal names
	want string // in its reason
	// before changes what the publisher signs, after what he published.
	before func(*release)
	after  func(t *testing.T, dir string, s Signer)
	config func(*VerifyConfig)
}

// TestVerifyReleaseRefuses is the threat model, a case each.
func TestVerifyReleaseRefuses(t *testing.T) {
	const archive = "demo_1.2.3_linux_amd64.tar.gz"
	remove := func(names ...string) func(*testing.T, string, Signer) {
		return func(t *testing.T, dir string, _ Signer) {
			for _, name := range names {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	// replaceIn changes bytes of a file.
	replaceIn := func(name, old, new string) func(*testing.T, string, Signer) {
		return func(t *testing.T, dir string, _ Signer) {
			data := get(t, dir, name)
			if !bytes.Contains(data, []byte(old)) {
				t.Fatalf("no %q in %s", old, name)
			}
			put(t, dir, name, bytes.ReplaceAll(data, []byte(old), []byte(new)))
		}
	}
	// resign signs another list with the publisher's key, as if the key's owner
	// had made a mistake.
	resign := func(t *testing.T, dir string, s Signer, list []byte) {
		put(t, dir, ChecksumsFile, list)
		bundle, err := SignBlob(t.Context(), s, list)
		if err != nil {
			t.Fatal(err)
		}
		put(t, dir, ChecksumsBundle, bundle)
	}
	resignWith := func(change func(string) string) func(*testing.T, string, Signer) {
		return func(t *testing.T, dir string, s Signer) {
			resign(t, dir, s, []byte(change(string(get(t, dir, ChecksumsFile)))))
		}
	}
	// copyFrom takes files of another release of the same publisher.
	copyFrom := func(other func() *release, names ...string) func(*testing.T, string, Signer) {
		return func(t *testing.T, dir string, s Signer) {
			from := other().write(t, s)
			for _, name := range names {
				put(t, dir, name, get(t, from, name))
			}
		}
	}
	older := func() *release {
		r := newRelease()
		r.m.Version, r.m.Source.Version, r.m.Source.Commit = "1.2.2", "v1.2.2", commit('c')
		r.m.replan()
		return r
	}
	otherProject := func() *release { r := newRelease(); r.m.Project = "other"; r.m.replan(); return r }
	replaceStatement := func(change func(*Statement)) func(*release) { return func(r *release) { r.record = change } }

	cases := []refusalCase{
		// Signatures.
		{name: "bundle missing", file: ChecksumsBundle, want: "is missing", after: remove(ChecksumsBundle)},
		{name: "record missing", file: ProvenanceBundle, want: "is missing", after: remove(ProvenanceBundle)},
		{name: "both signatures missing", file: ChecksumsBundle, want: "is missing", after: remove(ChecksumsBundle, ProvenanceBundle)},
		{name: "signatures stripped, unsigned allowed", file: ChecksumsBundle, want: "is missing",
			after: remove(ChecksumsBundle, ProvenanceBundle), config: func(c *VerifyConfig) { c.AllowUnsigned = true }},
		{name: "bundle empty", file: ChecksumsBundle, want: "is empty",
			after: func(t *testing.T, dir string, _ Signer) { put(t, dir, ChecksumsBundle, nil) }},
		{name: "bundle not v0.3", file: ChecksumsBundle, want: "want v0.3", after: replaceIn(ChecksumsBundle, "bundle.v0.3", "bundle.v0.2")},
		{name: "legacy bundle", file: ChecksumsBundle, want: "old bundle format",
			after: func(t *testing.T, dir string, _ Signer) {
				put(t, dir, ChecksumsBundle, []byte(`{"base64Signature":"AA=="}`))
			}},
		{name: "certificate bundle", file: ChecksumsBundle, want: "signed with a certificate",
			after: replaceIn(ChecksumsBundle, `"publicKey":{"hint"`, `"certificate":{"rawBytes"`)},
		{name: "certificate record", file: ProvenanceBundle, want: "signed with a certificate",
			after: replaceIn(ProvenanceBundle, `"publicKey":{"hint"`, `"certificate":{"rawBytes"`)},
		{name: "unknown digest algorithm", file: ChecksumsBundle, want: "is not one of", after: replaceIn(ChecksumsBundle, `"SHA2_256"`, `9`)},
		{name: "other key", file: ChecksumsBundle, want: "the bundle names key",
			config: func(c *VerifyConfig) { c.Trust = newSigner(t).Trust() }},
		{name: "all made by an impostor", file: ProvenanceBundle, want: "the bundle names key",
			after: func(t *testing.T, dir string, _ Signer) {
				from := newRelease().write(t, newSigner(t))
				for _, name := range []string{ChecksumsFile, ChecksumsBundle, ProvenanceBundle} {
					put(t, dir, name, get(t, from, name))
				}
			}},
		{name: "impostor with the right hint", file: ChecksumsBundle, want: "the signature is not by key",
			after: func(t *testing.T, dir string, s Signer) {
				impostor := newSigner(t)
				bundle, err := SignBlob(t.Context(), impostor, get(t, dir, ChecksumsFile))
				if err != nil {
					t.Fatal(err)
				}
				put(t, dir, ChecksumsBundle, bytes.ReplaceAll(bundle, []byte(impostor.ID().Name), []byte(s.ID().Name)))
			}},
		{name: "record in place of the bundle", file: ChecksumsBundle, want: "signs a statement, not a file",
			after: func(t *testing.T, dir string, _ Signer) { put(t, dir, ChecksumsBundle, get(t, dir, ProvenanceBundle)) }},
		{name: "bundle in place of the record", file: ProvenanceBundle, want: "signs a file, not a statement",
			after: func(t *testing.T, dir string, _ Signer) { put(t, dir, ProvenanceBundle, get(t, dir, ChecksumsBundle)) }},

		// The list.
		{name: "list missing", file: ChecksumsFile, want: "is missing", after: remove(ChecksumsFile)},
		{name: "list changed", file: ChecksumsBundle, want: "signs other bytes", after: replaceIn(ChecksumsFile, "demo_router", "demo_routes")},
		{name: "list empty", file: ChecksumsFile, want: "the list is empty", after: resignWith(func(string) string { return "" })},
		{name: "list CRLF", file: ChecksumsFile, want: "CRLF", after: resignWith(func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") })},
		{name: "list with path", file: ChecksumsFile, want: "has a directory",
			after: resignWith(func(s string) string { return strings.Replace(s, "  demo_router", "  ../demo_router", 1) })},
		{name: "list with absolute path", file: ChecksumsFile, want: "has a directory",
			after: resignWith(func(s string) string { return strings.Replace(s, "  demo_router", "  /demo_router", 1) })},
		{name: "list with duplicate", file: ChecksumsFile, want: "listed twice",
			after: resignWith(func(s string) string { return s + s[strings.LastIndex(s[:len(s)-1], "\n")+1:] })},
		{name: "list without manifest", file: ChecksumsFile, want: "does not list release.json",
			after: resignWith(func(s string) string { return s[:strings.LastIndex(s[:len(s)-1], "\n")+1] })},
		{name: "list without an artifact", file: ChecksumsFile, want: "does not list demo_router",
			after: resignWith(func(s string) string { return strings.SplitAfter(s, "\n")[0] + strings.SplitAfter(s, "\n")[2] })},
		{name: "list with a file more", file: "extra", want: "is missing",
			after: resignWith(func(s string) string { return insertLine(s, hexA+"  extra") })},

		// Files.
		{name: "file missing", file: archive, want: "is missing", after: remove(archive)},
		{name: "file changed", file: archive, want: "has digest", after: replaceIn(archive, "archive", "ARCHIVE")},
		{name: "file grown", file: archive, want: "the manifest says 12",
			after: func(t *testing.T, dir string, _ Signer) { put(t, dir, archive, []byte("archive file and more")) }},
		{name: "files swapped", file: archive, want: "bytes, the manifest says",
			after: func(t *testing.T, dir string, _ Signer) {
				a, b := get(t, dir, archive), get(t, dir, "demo_router")
				put(t, dir, archive, b)
				put(t, dir, "demo_router", a)
			}},
		{name: "file not listed", file: "demo_1.2.3_linux_arm64.tar.gz", want: "does not list",
			after: func(t *testing.T, dir string, _ Signer) {
				put(t, dir, "demo_1.2.3_linux_arm64.tar.gz", []byte("evil"))
			}},
		{name: "directory not listed", file: "sub", want: "is a directory that checksums.txt does not list",
			after: func(t *testing.T, dir string, _ Signer) {
				if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "hidden file not listed", file: ".hidden", want: "does not list",
			after: func(t *testing.T, dir string, _ Signer) { put(t, dir, ".hidden", nil) }},
		{name: "file is a directory", file: archive, want: "is a directory",
			after: func(t *testing.T, dir string, _ Signer) {
				remove(archive)(t, dir, nil)
				if err := os.Mkdir(filepath.Join(dir, archive), 0o700); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "nothing there but missing allowed", file: "", want: "no artifact of the release is here",
			after: remove(archive, "demo_router"), config: func(c *VerifyConfig) { c.AllowMissing = true }},
		{name: "manifest missing though missing is allowed", file: ManifestFile, want: "is missing",
			after: remove(ManifestFile), config: func(c *VerifyConfig) { c.AllowMissing = true }},

		// The manifest.
		{name: "manifest changed", file: ManifestFile, want: "has digest", after: replaceIn(ManifestFile, `"identical"`, `"different"`)},
		{name: "snapshot", file: ManifestFile, want: `is of kind "snapshot"`, before: func(r *release) { r.m.Kind = KindSnapshot }},
		{name: "build", file: ManifestFile, want: `is of kind "build"`, before: func(r *release) { r.m.Kind = KindBuild }},
		{name: "manifest of newer schema", file: ManifestFile, want: "this version reads",
			after: func(t *testing.T, dir string, s Signer) {
				old := get(t, dir, ManifestFile)
				replaceIn(ManifestFile, "release/v1", "release/v9")(t, dir, s)
				list := bytes.ReplaceAll(get(t, dir, ChecksumsFile), []byte(files.DigestBytes(old)), []byte(files.DigestBytes(get(t, dir, ManifestFile))))
				resign(t, dir, s, list)
			}},
		{name: "manifest and list disagree", file: ManifestFile, want: "says digest",
			after: func(t *testing.T, dir string, s Signer) {
				list := bytes.ReplaceAll(get(t, dir, ChecksumsFile), []byte(files.DigestBytes([]byte("packed file"))), []byte(files.DigestBytes([]byte("PACKED file"))))
				put(t, dir, "demo_router", []byte("PACKED file"))
				resign(t, dir, s, list)
			}},
		{name: "not identical though required", file: ManifestFile, want: "identical is required",
			before: func(r *release) { r.m.Artifacts[0].Verdict, r.m.Artifacts[0].Reason = fact.Unchecked, "asked for" },
			config: func(c *VerifyConfig) { c.RequireIdentical = true }},

		// Which release it is.
		{name: "older release as a new one", file: ManifestFile, want: `version is "1.2.3", expected "1.3.0"`,
			config: func(c *VerifyConfig) { c.Version = "v1.3.0" }},
		{name: "other project", file: ManifestFile, want: `project is "demo", expected "demon"`, config: func(c *VerifyConfig) { c.Project = "demon" }},
		{name: "other module", file: ManifestFile, want: `module is`, config: func(c *VerifyConfig) { c.Module = "example.com/fork" }},
		{name: "other commit", file: ManifestFile, want: `commit is`, config: func(c *VerifyConfig) { c.Commit = commit('d') }},

		// The record.
		{name: "record changed", file: ProvenanceBundle, want: "not by key",
			after: func(t *testing.T, dir string, _ Signer) {
				put(t, dir, ProvenanceBundle, edit(t, get(t, dir, ProvenanceBundle), func(m map[string]any) { at(m, "dsseEnvelope")["payload"] = "e30=" }))
			}},
		{name: "record of other payload type", file: ProvenanceBundle, want: "payload type", after: replaceIn(ProvenanceBundle, "vnd.in-toto", "vnd.other")},
		{name: "record with two signatures", file: ProvenanceBundle, want: "2 signatures",
			after: func(t *testing.T, dir string, _ Signer) {
				put(t, dir, ProvenanceBundle, edit(t, get(t, dir, ProvenanceBundle), func(m map[string]any) {
					e := at(m, "dsseEnvelope")
					e["signatures"] = append(e["signatures"].([]any), e["signatures"].([]any)...)
				}))
			}},
		{name: "record is another kind of statement", file: ProvenanceBundle, want: "predicate type",
			before: replaceStatement(func(s *Statement) { s.PredicateType = "https://example.com/x" })},
		{name: "record of an older release (mix and match)", file: ProvenanceBundle, want: "the record is of another release.json",
			after: copyFrom(older, ProvenanceBundle)},
		{name: "record of another project (mix and match)", file: ProvenanceBundle, want: "the record is of another checksums.txt",
			after: copyFrom(otherProject, ProvenanceBundle)},
		{name: "list of an older release (mix and match)", file: ManifestFile, want: "has digest", after: copyFrom(older, ChecksumsFile, ChecksumsBundle)},
		{name: "list and manifest of an older release (mix and match)", file: ProvenanceBundle, want: "the record is of another",
			after: copyFrom(older, ChecksumsFile, ChecksumsBundle, ManifestFile)},
		{name: "whole older release", file: ManifestFile, want: `version is "1.2.2", expected "1.2.3"`,
			after:  copyFrom(older, ChecksumsFile, ChecksumsBundle, ManifestFile, ProvenanceBundle),
			config: func(c *VerifyConfig) { c.Version = "1.2.3" }},
		{name: "record without a file", file: ProvenanceBundle, want: "the record does not name demo_router",
			before: replaceStatement(func(s *Statement) {
				s.Subject = slices.DeleteFunc(s.Subject, func(r Resource) bool { return r.Name == "demo_router" })
			})},
		{name: "record without the list", file: ProvenanceBundle, want: "the record does not name checksums.txt",
			before: replaceStatement(func(s *Statement) {
				s.Subject = slices.DeleteFunc(s.Subject, func(r Resource) bool { return r.Name == ChecksumsFile })
			})},
		{name: "record with a file more", file: ProvenanceBundle, want: "the record names extra",
			before: replaceStatement(func(s *Statement) {
				s.Subject = append(s.Subject, Resource{Name: "extra", Digest: map[string]string{"sha256": hexA}})
			})},
		{name: "record with a member more", file: ProvenanceBundle, want: "the record names " + oneFile + "/extra, which release.json does not have",
			before: replaceStatement(func(s *Statement) {
				s.Subject = append(s.Subject, Resource{Name: oneFile + "/extra", Digest: map[string]string{"sha256": hexA}, Annotations: map[string]string{"stage": stageMember}})
			})},
		{name: "record with a binary more", file: ProvenanceBundle, want: "the record names release/linux/arm64/linked/demo, which release.json does not have",
			before: replaceStatement(func(s *Statement) {
				s.Subject = append(s.Subject, Resource{Name: "release/linux/arm64/linked/demo", Digest: map[string]string{"sha256": hexA}, Annotations: map[string]string{"stage": "linked"}})
			})},
		{name: "record without a member", file: ProvenanceBundle, want: "the record does not name " + oneFile + "/demo, which release.json has",
			before: replaceStatement(func(s *Statement) {
				s.Subject = slices.DeleteFunc(s.Subject, func(r Resource) bool { return r.Name == oneFile+"/demo" })
			})},
		{name: "record with another member", file: ProvenanceBundle, want: "the record is of another " + oneFile + "/demo",
			before: replaceStatement(func(s *Statement) {
				i := slices.IndexFunc(s.Subject, func(r Resource) bool { return r.Name == oneFile+"/demo" })
				s.Subject[i].Digest = map[string]string{"sha256": hexA}
			})},
		{name: "record with members that it says to be without", file: ProvenanceBundle, want: "the record names " + oneFile + "/demo",
			before: replaceStatement(func(s *Statement) { s.Predicate.BuildDefinition.InternalParameters.Members = NoMembers })},
		{name: "record without members that it says to have", file: ProvenanceBundle, want: "the record does not name " + oneFile + "/demo",
			before: replaceStatement(func(s *Statement) {
				s.Subject = slices.DeleteFunc(s.Subject, func(r Resource) bool { return r.Annotations["stage"] == stageMember })
			})},
		{name: "record with fewer members than there could be", file: ProvenanceBundle, want: "the record does not name " + oneFile + "/demo",
			before: replaceStatement(func(s *Statement) {
				s.Predicate.BuildDefinition.InternalParameters.Members = DistinctMembers
				s.Subject = slices.DeleteFunc(s.Subject, func(r Resource) bool { return r.Name == oneFile+"/demo" })
			})},
		{name: "record whose member calls itself a binary", file: ProvenanceBundle, want: "something else than the manifest",
			before: replaceStatement(func(s *Statement) {
				i := slices.IndexFunc(s.Subject, func(r Resource) bool { return r.Name == oneFile+"/demo" })
				s.Subject[i].Annotations = map[string]string{"stage": "linked"}
			})},
		{name: "record of other version", file: ProvenanceBundle, want: "the record's version",
			before: replaceStatement(func(s *Statement) { s.Predicate.BuildDefinition.ExternalParameters.Version = "9.9.9" })},
		{name: "record of other project name", file: ProvenanceBundle, want: "the record's project",
			before: replaceStatement(func(s *Statement) { s.Predicate.BuildDefinition.ExternalParameters.Project = "x" })},
		{name: "record of other commit", file: ProvenanceBundle, want: "the record's commit",
			before: replaceStatement(func(s *Statement) {
				s.Predicate.BuildDefinition.ResolvedDependencies[0].Digest["gitCommit"] = commit('e')
			})},
		{name: "record of other plan", file: ProvenanceBundle, want: "the record's plan ID",
			before: replaceStatement(func(s *Statement) {
				p := &s.Predicate.BuildDefinition.ExternalParameters
				p.Plan = json.RawMessage(`{"x":1}`)
				p.PlanID, _ = planID(p.Plan)
			})},
		{name: "record whose plan has another ID", file: ProvenanceBundle, want: "the plan has the plan ID",
			before: replaceStatement(func(s *Statement) {
				s.Predicate.BuildDefinition.ExternalParameters.Plan = json.RawMessage(`{"x":1}`)
			})},
		{name: "record of other toolchain", file: ProvenanceBundle, want: "something else than the manifest",
			before: replaceStatement(func(s *Statement) {
				s.Predicate.BuildDefinition.ResolvedDependencies[1].Digest["dirHash"] = hexA
			})},
		{name: "record of better verdicts", file: ProvenanceBundle, want: "something else than the manifest",
			before: func(r *release) {
				r.m.Artifacts[1].Verdict, r.m.Artifacts[1].Reason = fact.Unchecked, "asked for"
				r.record = func(s *Statement) {
					a := s.Predicate.RunDetails.Byproducts[2].Annotations
					a["verdict"] = string(fact.Identical)
					delete(a, "reason")
				}
			}},
		{name: "record with another binary", file: ProvenanceBundle, want: "the record is of another release/linux/amd64/linked/demo",
			before: replaceStatement(func(s *Statement) {
				for i := range s.Subject {
					if s.Subject[i].Annotations["stage"] == string(fact.Linked) {
						s.Subject[i].Digest["sha256"] = hexA
					}
				}
			})},
	}
	if runtime.GOOS != "windows" {
		cases = append(cases,
			refusalCase{name: "file is a symbolic link", file: archive, want: "is a symbolic link",
				after: func(t *testing.T, dir string, _ Signer) {
					outside := filepath.Join(t.TempDir(), "x")
					if err := os.Rename(filepath.Join(dir, archive), outside); err != nil {
						t.Fatal(err)
					}
					if err := os.Symlink(outside, filepath.Join(dir, archive)); err != nil {
						t.Fatal(err)
					}
				}},
			refusalCase{name: "manifest is a symbolic link", file: ManifestFile, want: "is a symbolic link",
				after: func(t *testing.T, dir string, _ Signer) {
					outside := filepath.Join(t.TempDir(), "x")
					if err := os.Rename(filepath.Join(dir, ManifestFile), outside); err != nil {
						t.Fatal(err)
					}
					if err := os.Symlink(outside, filepath.Join(dir, ManifestFile)); err != nil {
						t.Fatal(err)
					}
				}},
		)
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s := newSigner(t)
			r := newRelease()
			if tc.before != nil {
				tc.before(r)
			}
			dir := r.write(t, s)
			if tc.after != nil {
				tc.after(t, dir, s)
			}
			cfg := VerifyConfig{Trust: s.Trust()}
			if tc.config != nil {
				tc.config(&cfg)
			}
			v, err := VerifyRelease(t.Context(), dir, cfg)
			var all *VerifyError
			if !errors.As(err, &all) {
				t.Fatalf("got %v", err)
			}
			found := slices.ContainsFunc(all.Refusals, func(r RefusedError) bool {
				return r.Name == tc.file && strings.Contains(r.Reason, tc.want)
			})
			if !found {
				t.Errorf("no refusal of %q with %q in\n%v", tc.file, tc.want, err)
			}
			for _, r := range all.Refusals {
				if r.Remedy == "" {
					t.Errorf("%s %s: nothing to do about it", r.Name, r.Reason)
				}
			}
			if v == nil {
				t.Error("no verification came with the refusal")
			}
			var one *RefusedError
			if !errors.As(err, &one) {
				t.Error("errors.As finds no *RefusedError")
			}
		})
	}
}

// insertLine puts a line where it belongs in a sorted list.
func insertLine(list, line string) string {
	lines := append(strings.Split(strings.TrimSuffix(list, "\n"), "\n"), line)
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[66:], b[66:]) })
	return strings.Join(lines, "\n") + "\n"
}

// TestVerifyReleaseReportsAll checks that the first refusal hides no other.
func TestVerifyReleaseReportsAll(t *testing.T) {
	s := newSigner(t)
	dir := newRelease().write(t, s)
	put(t, dir, "demo_router", []byte("PACKED file"))
	put(t, dir, "extra", nil)
	if err := os.Remove(filepath.Join(dir, ProvenanceBundle)); err != nil {
		t.Fatal(err)
	}
	_, err := VerifyRelease(t.Context(), dir, VerifyConfig{Trust: newSigner(t).Trust(), Version: "2.0.0"})
	var all *VerifyError
	if !errors.As(err, &all) {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all.Refusals {
		names = append(names, r.Name)
	}
	want := []string{ChecksumsBundle, ManifestFile, "demo_router", "extra", ProvenanceBundle}
	if !slices.Equal(names, want) {
		t.Errorf("refused %v, want %v\n%v", names, want, err)
	}
	if !strings.Contains(fault.Hint(err), "publisher's key") || !strings.Contains(fault.Hint(err), "another release") {
		t.Errorf("hint %q", fault.Hint(err))
	}
}

func TestVerifyMissingAllowed(t *testing.T) {
	s := newSigner(t)
	dir := newRelease().write(t, s)
	if err := os.Remove(filepath.Join(dir, "demo_router")); err != nil {
		t.Fatal(err)
	}
	v, err := VerifyRelease(t.Context(), dir, VerifyConfig{Trust: s.Trust(), AllowMissing: true})
	if err != nil {
		t.Fatal(err)
	}
	status := map[string]string{}
	for _, f := range v.Files {
		status[f.Name] = f.Status
	}
	if status["demo_router"] != FileMissing || !strings.Contains(notChecked(v), "1 listed files are not here") {
		t.Errorf("%v, not checked %q", status, notChecked(v))
	}
}

func TestVerifyUnsigned(t *testing.T) {
	dir := newRelease().write(t, nil)
	if _, err := VerifyRelease(t.Context(), dir, VerifyConfig{}); err == nil || fault.Hint(err) == "" {
		t.Errorf("no key and unsigned not allowed: %v", err)
	}
	v, err := VerifyRelease(t.Context(), dir, VerifyConfig{AllowUnsigned: true, Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	if !v.Unsigned || !v.Signer.IsZero() || !strings.Contains(notChecked(v), "signature: the release is unsigned") {
		t.Errorf("%+v", v)
	}
	if _, err = VerifyManifest(t.Context(), filepath.Join(dir, ManifestFile), VerifyConfig{AllowUnsigned: true}); err != nil {
		t.Error(err)
	}
	// Unsigned is no excuse for the rest.
	put(t, dir, "demo_router", []byte("PACKED file"))
	if _, err := VerifyRelease(t.Context(), dir, VerifyConfig{AllowUnsigned: true}); err == nil || !strings.Contains(err.Error(), "demo_router: has digest") {
		t.Errorf("a changed file: %v", err)
	}
	// A signature without a key to check it is not a signature.
	signed := newRelease().write(t, newSigner(t))
	v, err = VerifyRelease(t.Context(), signed, VerifyConfig{AllowUnsigned: true})
	if err != nil || !v.Unsigned || !strings.Contains(notChecked(v), "no key was given") {
		t.Errorf("%+v, %v", v, err)
	}
	// Kinds other than release do not pass unsigned either.
	r := newRelease()
	r.m.Kind = KindSnapshot
	if _, err := VerifyRelease(t.Context(), r.write(t, nil), VerifyConfig{AllowUnsigned: true}); err == nil || !strings.Contains(err.Error(), "not a release") {
		t.Errorf("snapshot: %v", err)
	}
}

func TestVerifyManifestRefuses(t *testing.T) {
	s := newSigner(t)
	older := newRelease()
	older.m.Version = "1.2.2"
	older.m.replan()
	olderDir := older.write(t, s)
	for _, tc := range []struct {
		name, file, want string
		after            func(dir string)
	}{
		{"no record", ProvenanceBundle, "is missing", func(dir string) { os.Remove(filepath.Join(dir, ProvenanceBundle)) }},
		{"no manifest", ManifestFile, "is missing", func(dir string) { os.Remove(filepath.Join(dir, ManifestFile)) }},
		{"manifest changed", ManifestFile, "the record says", func(dir string) {
			put(t, dir, ManifestFile, bytes.ReplaceAll(get(t, dir, ManifestFile), []byte(`"1.2.3"`), []byte(`"1.2.4"`)))
		}},
		{"older record", ManifestFile, "the record says", func(dir string) { put(t, dir, ProvenanceBundle, get(t, olderDir, ProvenanceBundle)) }},
		{"older release", ManifestFile, `version is "1.2.2"`, func(dir string) {
			put(t, dir, ProvenanceBundle, get(t, olderDir, ProvenanceBundle))
			put(t, dir, ManifestFile, get(t, olderDir, ManifestFile))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := newRelease().write(t, s)
			tc.after(dir)
			_, err := VerifyManifest(t.Context(), filepath.Join(dir, ManifestFile), VerifyConfig{Trust: s.Trust(), Version: "1.2.3"})
			var all *VerifyError
			if !errors.As(err, &all) || !slices.ContainsFunc(all.Refusals, func(r RefusedError) bool {
				return r.Name == tc.file && strings.Contains(r.Reason, tc.want)
			}) {
				t.Errorf("got %v, want %s: %s", err, tc.file, tc.want)
			}
		})
	}
}

func TestVerifyMachineErrors(t *testing.T) {
	s := newSigner(t)
	dir := newRelease().write(t, s)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	var all *VerifyError
	if _, err := VerifyRelease(cancelled, dir, VerifyConfig{Trust: s.Trust()}); !errors.Is(err, context.Canceled) || errors.As(err, &all) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := VerifyRelease(t.Context(), filepath.Join(dir, "absent"), VerifyConfig{Trust: s.Trust()}); err == nil || errors.As(err, &all) {
		t.Errorf("no directory: %v", err)
	}
	if _, err := VerifyRelease(t.Context(), dir, VerifyConfig{Trust: s.Trust(), Commit: "abc"}); err == nil || errors.As(err, &all) {
		t.Errorf("short commit expected: %v", err)
	}
}
