package checksums

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// rebuiltAll is a rebuild of the test manifest in which everything came out
// identical.
func rebuiltAll(m *Manifest) []RebuiltArtifact {
	var list []RebuiltArtifact
	for _, a := range m.Artifacts {
		list = append(list, RebuiltArtifact{
			Profile: a.Profile, Platform: a.Platform, Stage: a.Stage, Name: a.Name, SHA256: a.SHA256, Rebuilt: a.SHA256, Verdict: fact.Identical,
		})
	}
	return list
}

const someManifest = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// rebuildBundle is what a rebuilder signs of m, after change.
func rebuildBundle(t *testing.T, s Signer, m *Manifest, change func(*Statement)) []byte {
	t.Helper()
	st, err := NewRebuildStatement(m, someManifest, m.Toolchain, Builder{Name: "mintmark", Version: "1"}, rebuiltAll(m), Rebuild{Executions: 1})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(st)
	}
	payload, err := st.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return signStatement(t, s, payload)
}

func TestQuorum(t *testing.T) {
	alice, bob, carol, publisher := newSigner(t), newSigner(t), newSigner(t), newSigner(t)
	m := testManifest()
	sign := func(s Signer, change func(*Statement)) []byte { return rebuildBundle(t, s, m, change) }
	other := testManifest()
	other.Project = "another"
	other.replan()
	newer := testManifest()
	newer.Version, newer.Source.Version = "1.2.4", "v1.2.4"
	newer.replan()
	commitOf := testManifest()
	commitOf.Source.Commit = commit('c')
	commitOf.replan()
	linkedOnly := func(st *Statement) {
		st.Subject = slices.DeleteFunc(st.Subject, func(r Resource) bool { return !strings.Contains(r.Name, "/") })
	}
	dep := func(name, key, value string) func(*Statement) {
		return func(st *Statement) {
			for _, d := range st.Predicate.BuildDefinition.ResolvedDependencies {
				if d.Name == name {
					if key == "sha256" || key == "dirHash" {
						d.Digest[key] = value
					} else {
						d.Annotations[key] = value
					}
				}
			}
		}
	}
	record := func(s Signer) []byte { // the publisher's own record is no rebuild
		st, err := NewStatement(m, []Entry{{"demo_1.2.3_linux_amd64.tar.gz", files.DigestBytes([]byte("archive file"))}, {"demo_router", files.DigestBytes([]byte("packed file"))}})
		if err != nil {
			t.Fatal(err)
		}
		payload, err := st.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return signStatement(t, s, payload)
	}
	for _, tc := range []struct {
		name    string
		k       int
		bundles [][]byte
		refused string // "" if the quorum is reached
		note    string
	}{
		{"two of two", 2, [][]byte{sign(alice, nil), sign(bob, nil)}, "", ""},
		{"one of one", 1, [][]byte{sign(bob, nil)}, "", ""},
		{"none", 1, nil, "rebuilt by 0 of 1", ""},
		{"one key twice", 2, [][]byte{sign(alice, nil), sign(alice, nil)}, "rebuilt by 1 of 2", ""},
		{"unknown key", 2, [][]byte{sign(alice, nil), sign(carol, nil)}, "rebuilt by 1 of 2", "not signed by any"},
		{"the publisher", 2, [][]byte{sign(alice, nil), sign(publisher, nil)}, "rebuilt by 1 of 2", "publisher's own key"},
		{"another project", 1, [][]byte{rebuildBundle(t, alice, other, nil)}, `about project "another"`, ""},
		{"an older release under a new version", 1, [][]byte{rebuildBundle(t, alice, newer, nil)}, `about version "1.2.4"`, ""},
		{"another commit", 1, [][]byte{rebuildBundle(t, alice, commitOf, nil)}, "about commit", ""},
		{"another manifest", 1, [][]byte{sign(alice, dep(ManifestFile, "sha256", strings.Repeat("b", 64)))}, "about " + ManifestFile, ""},
		{"another source", 1, [][]byte{sign(alice, dep("source", "dirHash", strings.Repeat("b", 64)))}, "about source h1", ""},
		{"an altered toolchain", 1, [][]byte{sign(alice, dep("toolchain", "h1", h1A))}, "about toolchain h1", ""},
		{"another digest", 1, [][]byte{sign(alice, func(st *Statement) { st.Subject[0].Digest["sha256"] = strings.Repeat("c", 64) })}, "is about another", ""},
		{"a subject too many", 1, [][]byte{sign(alice, func(st *Statement) {
			st.Subject = append(st.Subject, Resource{Name: "zzz", Digest: map[string]string{"sha256": strings.Repeat("c", 64)}})
		})}, "which the release does not have", ""},
		{"linked binaries only", 1, [][]byte{sign(alice, linkedOnly)}, "demo_1.2.3_linux_amd64.tar.gz: was rebuilt by 0 of 1", ""},
		{"a record, no rebuild", 1, [][]byte{record(alice)}, "build type", ""},
		{"no bundle", 1, [][]byte{[]byte("{}"), sign(alice, nil)}, "bundle of media type", ""},
		{"not JSON", 1, [][]byte{[]byte("x"), sign(alice, nil)}, "the bundle is not JSON", ""},
		// A refusal is not outvoted.
		{"two good, one about something else", 2, [][]byte{sign(alice, nil), sign(bob, nil), rebuildBundle(t, bob, other, nil)}, "another", ""},
	} {
		q := Quorum{Threshold: tc.k, Rebuilders: []Trust{alice.Trust(), bob.Trust(), publisher.Trust(), alice.Trust()}, Publisher: publisher.ID()}
		for _, b := range tc.bundles {
			q.Statements = append(q.Statements, SignedStatement{"x" + StatementSuffix, b})
		}
		found, notes, err := CheckQuorum(m, someManifest, q)
		var refused *VerifyError
		switch {
		case tc.refused == "" && err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case tc.refused == "" && (len(found) != tc.k || len(found[0].Artifacts) != 2):
			t.Errorf("%s: %+v", tc.name, found)
		case tc.refused != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), tc.refused)):
			t.Errorf("%s: %v, want a refusal with %q", tc.name, err, tc.refused)
		}
		if refused != nil {
			for _, r := range refused.Refusals {
				if r.Remedy == "" {
					t.Errorf("%s: %s: nothing to do about it", tc.name, r.Reason)
				}
			}
		}
		if !slices.ContainsFunc(notes, func(a fact.Answer) bool { return !a.Checked && strings.Contains(a.Detail, tc.note) }) && tc.note != "" {
			t.Errorf("%s: notes %+v", tc.name, notes)
		}
	}
	if _, _, err := CheckQuorum(m, someManifest, Quorum{}); err == nil {
		t.Error("a threshold of 0 is reached by nobody")
	}
}

// TestRebuildStatement: what is signed is what came out identical, and nothing
// is signed when something is different.
func TestRebuildStatement(t *testing.T) {
	m := testManifest()
	make := func(change func([]RebuiltArtifact)) (*Statement, error) {
		list := rebuiltAll(m)
		change(list)
		return NewRebuildStatement(m, someManifest, m.Toolchain, Builder{Name: "mintmark", Version: "1"}, list, Rebuild{Executions: 1})
	}
	st, err := make(func(l []RebuiltArtifact) {
		for i := range l {
			if l[i].Stage != fact.Linked {
				l[i].Verdict, l[i].Reason, l[i].Rebuilt = fact.Unchecked, "no UPX", ""
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Subject) != 2 || len(st.Predicate.RunDetails.Byproducts) != 4 {
		t.Errorf("%+v", st)
	}
	payload, err := st.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseRebuildStatement(payload); err != nil {
		t.Error(err)
	}
	if _, err := ParseStatement(payload); err == nil {
		t.Error("a rebuild statement was read as a record")
	}
	for name, change := range map[string]func([]RebuiltArtifact){
		"different":      func(l []RebuiltArtifact) { l[0].Verdict = fact.Different },
		"not identical":  func(l []RebuiltArtifact) { l[0].Rebuilt = l[1].SHA256 },
		"not published":  func(l []RebuiltArtifact) { l[0].Name = "x" },
		"another digest": func(l []RebuiltArtifact) { l[0].SHA256, l[0].Rebuilt = someManifest, someManifest },
		"nothing": func(l []RebuiltArtifact) {
			for i := range l {
				l[i].Verdict = fact.Unchecked
			}
		},
	} {
		if _, err := make(change); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestRebuildStatementHow: the statement says how often and in what the
// rebuilder built, in one spelling, and no account of builds that cannot be.
func TestRebuildStatementHow(t *testing.T) {
	m := testManifest()
	make := func(how Rebuild) (*Statement, error) {
		return NewRebuildStatement(m, someManifest, m.Toolchain, Builder{Name: "mintmark", Version: "1"}, rebuiltAll(m), how)
	}
	how := Rebuild{Executions: 2, Varied: []string{"git clone", "HOME"}, Attempted: []string{"umask"}, Shared: []string{"kernel"}}
	st, err := make(how)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := st.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if st, err = parseRebuildStatement(payload); err != nil {
		t.Fatal(err)
	}
	want := Rebuild{Executions: 2, Varied: []string{"HOME", "git clone"}, Attempted: []string{"umask"}, Shared: []string{"kernel"}}
	if got := st.Predicate.BuildDefinition.InternalParameters.Rebuild; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if how.Varied[0] != "git clone" {
		t.Error("it changed what it was given")
	}
	for name, bad := range map[string]Rebuild{
		"nothing was built":     {},
		"two lines":             {Executions: 1, Shared: []string{"kernel\nverified"}},
		"held without a reason": {Executions: 1, Confinement: &fact.Confinement{}},
	} {
		if _, err := make(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
