package checksums

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

func testFiles(m *Manifest) []Entry {
	files := []Entry{{ChecksumsFile, hexB}, {ManifestFile, hexA}}
	for _, a := range m.Published() {
		files = append(files, Entry{a.Name, a.SHA256})
	}
	return files
}

func TestNewStatement(t *testing.T) {
	m := testManifest()
	s, err := NewStatement(m, testFiles(m))
	if err != nil {
		t.Fatal(err)
	}
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	// As a stranger reads it, without our structs.
	var st struct {
		Type    string `json:"_type"`
		Subject []struct {
			Name        string            `json:"name"`
			Digest      map[string]string `json:"digest"`
			Annotations map[string]string `json:"annotations"`
		} `json:"subject"`
		PredicateType string `json:"predicateType"`
		Predicate     struct {
			BuildDefinition struct {
				BuildType          string `json:"buildType"`
				ExternalParameters struct {
					Project, Version, PlanID string
					Plan                     json.RawMessage
				} `json:"externalParameters"`
				InternalParameters struct {
					Rebuild struct{ Executions int }
				} `json:"internalParameters"`
				ResolvedDependencies []struct {
					Name, URI   string
					Digest      map[string]string
					Annotations map[string]string
				} `json:"resolvedDependencies"`
			} `json:"buildDefinition"`
			RunDetails struct {
				Builder struct {
					ID      string
					Version map[string]string
				}
				Byproducts []struct {
					Name        string
					Annotations map[string]string
				}
			} `json:"runDetails"`
		} `json:"predicate"`
	}
	if err := json.Unmarshal(data, &st); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, sub := range st.Subject {
		names = append(names, sub.Name+" "+sub.Annotations["stage"])
		if len(sub.Digest["sha256"]) != 64 {
			t.Errorf("subject %s: digest %v", sub.Name, sub.Digest)
		}
	}
	want := "checksums.txt ,demo_1.2.3_linux_amd64.tar.gz ,demo_1.2.3_linux_amd64.tar.gz/README.md member,demo_1.2.3_linux_amd64.tar.gz/demo member,demo_router ,release.json ," +
		"release/linux/amd64/linked/demo linked,router/linux/arm/5/linked/demo linked"
	if got := strings.Join(names, ","); got != want {
		t.Errorf("subjects\n%s\nwant\n%s", got, want)
	}
	bd := st.Predicate.BuildDefinition
	if id, err := planID(bd.ExternalParameters.Plan); err != nil || id != m.PlanID || bd.ExternalParameters.PlanID != id {
		t.Errorf("plan ID %s, %v; want %s", id, err, m.PlanID)
	}
	src, tc := bd.ResolvedDependencies[0], bd.ResolvedDependencies[1]
	if src.URI != "pkg:golang/example.com/Demo@v1.2.3" || src.Digest["gitCommit"] != commit('a') || src.Digest["gitTree"] != commit('b') {
		t.Errorf("source %+v", src)
	}
	// The example of in-toto's digest_set.md.
	if src.Digest["dirHash"] != "2a1bb6127fb481c60f67692e22285fb306f3c6ffe62075e0ccf674d7c3adcb8f" {
		t.Errorf("dirHash %s", src.Digest["dirHash"])
	}
	if tc.URI != "pkg:golang/golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64" || tc.Annotations["h1"] != h1B {
		t.Errorf("toolchain %+v", tc)
	}
	rd := st.Predicate.RunDetails
	if len(rd.Byproducts) != len(m.Artifacts) || rd.Byproducts[1].Annotations["buildId"] != "e/f/g/h" || rd.Byproducts[1].Annotations["verdict"] != string(fact.Identical) {
		t.Errorf("byproducts %+v", rd.Byproducts)
	}
	if rd.Builder.ID != BuilderID || rd.Builder.Version["mintmark"] != "0.1.0" {
		t.Errorf("builder %+v", rd.Builder)
	}
	parsed, err := ParseStatement(data)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := parsed.Encode(); err != nil || !bytes.Equal(again, data) {
		t.Errorf("the second encoding differs (%v)", err)
	}
	if parsed.Commit() != commit('a') || len(parsed.Files()) != 4 {
		t.Errorf("commit %s, files %v", parsed.Commit(), parsed.Files())
	}
}

// TestMembers: a record has as many members of archives as Sigstore clients read, says
// which, and is none with others.
func TestMembers(t *testing.T) {
	m := testManifest()
	m.Generated = &fact.Generated{Files: []fact.GeneratedFile{{Name: "docs/a.1", SHA256: files.DigestBytes([]byte("abc"))}}}
	archive := &m.Artifacts[3]
	other := *archive
	other.Name, other.Platform = "copy.tar.gz", "linux/arm64" // with the same members
	m.Artifacts = append(m.Artifacts, other)
	count := func(files int) (MemberSubjects, string, int) {
		list := []Entry{{oneFile, archive.SHA256}, {other.Name, other.SHA256}, {"demo_router", m.Artifacts[0].SHA256}}
		for i := range files - len(list) {
			list = append(list, Entry{fmt.Sprintf("file%d", i), hexA})
		}
		for _, members := range []MemberSubjects{AllMembers, DistinctMembers, NoMembers} {
			got, err := subjects(m, list, members)
			if errors.Is(err, errManySubjects) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, r := range got {
				if r.Annotations["stage"] == stageMember {
					names = append(names, r.Name)
				}
			}
			return members, strings.Join(names, " "), len(got)
		}
		t.Fatal("too many in any case")
		return "", "", 0
	}
	// Two binaries are no files. demo is one of them, README.md is docs/a.1.
	for _, tc := range []struct {
		files int
		want  MemberSubjects
		names string
	}{
		{MaxSubjects - 7, AllMembers, "copy.tar.gz/README.md copy.tar.gz/demo " + oneFile + "/README.md " + oneFile + "/demo generated.tar.gz/docs/a.1"},
		{MaxSubjects - 6, DistinctMembers, oneFile + "/README.md"},
		{MaxSubjects - 3, DistinctMembers, oneFile + "/README.md"},
		{MaxSubjects - 2, NoMembers, ""},
	} {
		members, names, n := count(tc.files)
		if members != tc.want || names != tc.names || n > MaxSubjects {
			t.Errorf("%d files: %q %s (%d subjects), want %q %s", tc.files, members, names, n, tc.want, tc.names)
		}
	}
	m.Artifacts[3].Members[0].Name = "x/y"
	m.Artifacts[4].Name = m.Artifacts[3].Name // cannot be, in a manifest that is valid
	if _, err := subjects(m, nil, AllMembers); err == nil || !strings.Contains(err.Error(), "would be there twice") {
		t.Errorf("one name for two: %v", err)
	}
}

func TestNewStatementRefuses(t *testing.T) {
	snapshot := testManifest()
	snapshot.Kind = KindSnapshot
	m := testManifest()
	files := testFiles(m)
	many := slices.Clone(files)
	for i := range MaxSubjects {
		many = append(many, Entry{fmt.Sprintf("file%d", i), hexA})
	}
	for _, tc := range []struct {
		name, want string
		m          *Manifest
		files      []Entry
	}{
		{"snapshot", "no record", snapshot, files},
		{"no files", "is published with digest", m, nil},
		{"other digest", "is published with digest", m, []Entry{{"demo_router", hexA}}},
		{"twice", "given twice", m, append(files, files[0])},
		{"bad name", "has a directory", m, append(files, Entry{"a/b", hexA})},
		{"too many", "Sigstore clients read no more", m, many},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := NewStatement(tc.m, tc.files); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestPURL(t *testing.T) {
	for _, tc := range []struct{ module, version, want string }{
		{"github.com/BurntSushi/toml", "v1.0.0", "pkg:golang/github.com/BurntSushi/toml@v1.0.0"},
		{"github.com/a/b", "v2.0.0+incompatible", "pkg:golang/github.com/a/b@v2.0.0%2Bincompatible"},
		{"example.com/~x/y", "", "pkg:golang/example.com/~x/y"},
	} {
		if got := purl(tc.module, tc.version); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}

func TestParseStatementRefuses(t *testing.T) {
	m := testManifest()
	s, err := NewStatement(m, testFiles(m))
	if err != nil {
		t.Fatal(err)
	}
	good, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) string {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("no %q in the record", old)
		}
		return strings.Replace(string(good), old, new, 1)
	}
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", "is empty"},
		{"not JSON", "x", "is not JSON"},
		{"other JSON", "{}", `type ""`},
		{"older statement", replace("Statement/v1", "Statement/v0.1"), "this version reads"},
		{"other predicate", replace("provenance/v1", "provenance/v0.2"), "predicate type"},
		{"other build type", replace("#build-type-v1", "#build-type-v2"), "build type"},
		{"unknown key", replace(`"predicateType"`, `"x":1,"predicateType"`), `does not know: "x"`},
		{"duplicate key", replace(`"predicateType"`, `"predicateType":"","predicateType"`), "twice"},
		{"trailing data", string(good) + " 1", "after its end"},
		{"trailing newline", string(good) + "\n", "canonical form"},
		{"spacing", replace(`"_type":`, `"_type": `), "canonical form"},
		{"no subject", replace(`"subject":[`, `"subject":[],"subject":[`), "twice"},
		{"subject twice", replace(`"name":"demo_router"`, `"name":"checksums.txt"`), "is there twice"},
		{"subject's digest", replace(`"digest":{"sha256":"`, `"digest":{"sha256":"A`), "digits"},
		{"other algorithm", replace(`"digest":{"sha256"`, `"digest":{"md5"`), "sha256"},
		{"two algorithms", replace(`"digest":{"sha256"`, `"digest":{"md5":"x","sha256"`), "2 digests"},
		{"plan", replace("-X a.b=", "-X a.c="), "plan ID"},
		{"other members", replace(`"members":"all"`, `"members":"some"`), `has "some" for members`},
		{"too large", strings.Repeat(" ", MaxStatementSize+1), "more than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := ParseStatement([]byte(tc.in)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func FuzzParseStatement(f *testing.F) {
	m := testManifest()
	s, err := NewStatement(m, testFiles(m))
	if err != nil {
		f.Fatal(err)
	}
	good, err := s.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"_type":"` + StatementType + `","subject":[],"predicateType":"` + PredicateType + `"}`))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseStatement(data)
		if err != nil {
			return
		}
		if out, err := s.Encode(); err != nil || !bytes.Equal(out, data) {
			t.Errorf("two spellings of one record (%v)", err)
		}
	})
}
