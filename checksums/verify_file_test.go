package checksums

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

const oneFile = "demo_1.2.3_linux_amd64.tar.gz"

// fancy is a release with a list of SHA-512 under a name of its own, and an archive of
// the source.
func fancy() *release {
	r := newRelease()
	r.m.Checksums = &fact.DigestList{Name: "demo_SHA512SUMS", Algorithm: fact.SHA512}
	r.files["demo_source.zip"] = "source archive"
	r.m.SourceArchive = &SourceArchive{
		Name: "demo_source.zip", Format: "zip", Wrap: "demo-1.2.3", Size: 14, SHA256: files.DigestBytes([]byte("source archive")),
		Made: 2, Tool: "t", Verdict: fact.Identical,
	}
	return r
}

// keep makes a directory with some files of another one.
func keep(t *testing.T, dir string, names ...string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		put(t, to, name, data)
	}
	return to
}

// TestVerifyFile: one file is checked with what of the release is beside it; what is
// not beside it is not checked, and said so; what contradicts it is refused.
func TestVerifyFile(t *testing.T) {
	s, other := newSigner(t), newSigner(t)
	plain, sha512 := newRelease().write(t, s), fancy().write(t, s)
	without := newRelease()
	without.record = func(s *Statement) {
		s.Predicate.BuildDefinition.InternalParameters.Members = NoMembers
		s.Subject = slices.DeleteFunc(s.Subject, func(r Resource) bool { return r.Annotations["stage"] == stageMember })
	}
	older := without.write(t, s)
	all := []string{oneFile, ManifestFile, ProvenanceBundle, ChecksumsFile, ChecksumsBundle}
	const l512, b512 = "demo_SHA512SUMS", "demo_SHA512SUMS.sigstore.json"
	for _, tc := range []struct {
		name    string
		from    string
		files   []string
		trust   Trust
		file    string // "" is oneFile
		change  func(t *testing.T, dir string)
		cfg     VerifyConfig
		refused string // a part of the error; "" for none
		checked string
		open    string
		found   string // MEMBER in ARCHIVE
	}{
		{name: "everything", from: plain, files: all, trust: s.Trust(), checked: oneFile + " has the digest that checksums.txt says", open: "only " + oneFile},
		{name: "list alone, no key", from: plain, files: []string{oneFile, ChecksumsFile}, checked: oneFile + " has the digest", open: "signature: no checksums.txt.sigstore.json is here"},
		{name: "list and signature", from: plain, files: []string{oneFile, ChecksumsFile, ChecksumsBundle}, trust: s.Trust(), checked: "checksums.txt is signed by", open: "how it was built: release.json is not here"},
		{name: "record alone", from: plain, files: []string{oneFile, ProvenanceBundle}, trust: s.Trust(), checked: oneFile + " has the digest that the record says", open: "how it was built"},
		{name: "record signs the list", from: plain, files: []string{oneFile, ProvenanceBundle, ChecksumsFile}, trust: s.Trust(), checked: "checksums.txt is signed by"},
		{name: "list alone, with a key", from: plain, files: []string{oneFile, ChecksumsFile}, trust: s.Trust(), refused: "checksums.txt.sigstore.json: is missing, and so is provenance.sigstore.json"},
		{name: "manifest alone, with a key", from: plain, files: []string{oneFile, ManifestFile}, trust: s.Trust(), refused: "is missing"},
		{name: "nothing", from: plain, files: []string{oneFile}, refused: "nothing beside it says what its digest is"},
		{name: "another key", from: plain, files: all, trust: other.Trust(), refused: "names key"},
		{name: "an archive unpacked beside", from: plain, files: all, trust: s.Trust(), checked: oneFile, change: func(t *testing.T, dir string) {
			put(t, dir, "demo", []byte("linked 1"))
			if err := os.Mkdir(filepath.Join(dir, "docs"), 0o755); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "changed", from: plain, files: all, trust: s.Trust(), refused: oneFile + ": has digest", change: func(t *testing.T, dir string) { put(t, dir, oneFile, []byte("archive fil3")) }},
		{name: "changed, no key", from: plain, files: []string{oneFile, ChecksumsFile}, refused: oneFile + ": has digest", change: func(t *testing.T, dir string) { put(t, dir, oneFile, []byte("archive fil3")) }},
		{name: "not listed", from: plain, files: all, trust: s.Trust(), file: "other.tar.gz", refused: "other.tar.gz: is not listed in checksums.txt", change: func(t *testing.T, dir string) { put(t, dir, "other.tar.gz", []byte("archive file")) }},
		{name: "a program out of an archive", from: plain, files: all[1:], trust: s.Trust(), file: "renamed", checked: "renamed has the digest that release.json says", open: "the binaries come from the source", change: func(t *testing.T, dir string) { put(t, dir, "renamed", []byte("linked 1")) }},
		{name: "a program out of an archive, no key", from: plain, files: []string{ManifestFile}, file: "renamed", checked: "renamed has the digest that release.json says", change: func(t *testing.T, dir string) { put(t, dir, "renamed", []byte("linked 1")) }},
		{name: "a program out of an archive, changed", from: plain, files: all[1:], trust: s.Trust(), file: "demo", refused: "demo: is not listed in checksums.txt, and no member of an archive and no binary in release.json has its SHA-256", change: func(t *testing.T, dir string) { put(t, dir, "demo", []byte("linked 0")) }},
		{name: "a program out of an archive, no manifest", from: plain, files: []string{ChecksumsFile, ChecksumsBundle}, trust: s.Trust(), file: "demo", refused: "demo: is not listed in checksums.txt", change: func(t *testing.T, dir string) { put(t, dir, "demo", []byte("linked 1")) }},
		{name: "a program out of an archive, record alone", from: plain, files: []string{ProvenanceBundle}, trust: s.Trust(), file: "renamed", checked: "renamed has the digest that the record says", open: "how it was built", found: "demo in " + oneFile, change: func(t *testing.T, dir string) { put(t, dir, "renamed", []byte("linked 1")) }},
		{name: "a file out of an archive, list and record", from: plain, files: []string{ProvenanceBundle, ChecksumsFile}, trust: s.Trust(), file: "README.md", checked: "README.md has the digest that the record says", found: "README.md in " + oneFile, change: func(t *testing.T, dir string) { put(t, dir, "README.md", []byte("abc")) }},
		{name: "a program out of an archive, record alone, changed", from: plain, files: []string{ProvenanceBundle}, trust: s.Trust(), file: "demo", refused: "demo: is not listed in the record, and no member of an archive and no binary in the record has its SHA-256", change: func(t *testing.T, dir string) { put(t, dir, "demo", []byte("linked 0")) }},
		{name: "an archive under another name, record alone", from: plain, files: []string{ProvenanceBundle}, trust: s.Trust(), file: "other.tar.gz", refused: "it is " + oneFile + " under another name", change: func(t *testing.T, dir string) { put(t, dir, "other.tar.gz", []byte("archive file")) }},
		{name: "a program out of an archive, record alone, no key", from: plain, files: []string{ProvenanceBundle}, file: "demo", refused: "nothing beside it says what its digest is", change: func(t *testing.T, dir string) { put(t, dir, "demo", []byte("linked 1")) }},
		{name: "a program out of an archive, old record alone", from: older, files: []string{ProvenanceBundle}, trust: s.Trust(), file: "demo", refused: "demo: is not listed in the record", change: func(t *testing.T, dir string) { put(t, dir, "demo", []byte("linked 1")) }},
		{name: "a program out of an archive, with a manifest that is not listed", from: plain, files: []string{ChecksumsFile, ChecksumsBundle}, trust: s.Trust(), file: "demo", refused: "release.json: has digest", change: func(t *testing.T, dir string) {
			put(t, dir, "demo", []byte("linked 3"))
			r := newRelease()
			r.m.Artifacts[2].SHA256 = files.DigestBytes([]byte("linked 3"))
			r.m.Artifacts[3].From[0], r.m.Artifacts[3].Members[1].SHA256 = r.m.Artifacts[2].SHA256, r.m.Artifacts[2].SHA256
			data, err := r.m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, ManifestFile, data)
		}},
		{name: "an archive under another name", from: plain, files: all[1:], trust: s.Trust(), file: "other.tar.gz", refused: "it is " + oneFile + " under another name", change: func(t *testing.T, dir string) { put(t, dir, "other.tar.gz", []byte("archive file")) }},
		{name: "a signature of a list that is not there", from: plain, files: []string{oneFile, ManifestFile, ChecksumsBundle}, trust: s.Trust(), refused: "nothing that is signed is beside"},
		{name: "manifest of another release", from: plain, files: all, trust: s.Trust(), refused: "release.json: has digest", change: func(t *testing.T, dir string) {
			r := newRelease()
			r.m.Source.Tags = nil
			data, err := r.m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, ManifestFile, data)
		}},
		{name: "list of another release", from: plain, files: all, trust: s.Trust(), refused: "the record is of another", change: func(t *testing.T, dir string) {
			r := newRelease()
			r.files["demo_router"] = "packed fil3"
			r.m.Artifacts[0].SHA256 = files.DigestBytes([]byte("packed fil3"))
			o := r.write(t, s)
			for _, n := range []string{ChecksumsFile, ChecksumsBundle, ManifestFile} {
				data, _ := os.ReadFile(filepath.Join(o, n))
				put(t, dir, n, data)
			}
		}},
		{name: "expected version", from: plain, files: all, trust: s.Trust(), cfg: VerifyConfig{Version: "v1.2.3"}, checked: "version is 1.2.3, as expected"},
		{name: "another version", from: plain, files: all, trust: s.Trust(), cfg: VerifyConfig{Version: "1.2.4"}, refused: `version is "1.2.3", expected "1.2.4"`},
		{name: "another version, record alone", from: plain, files: []string{oneFile, ProvenanceBundle}, trust: s.Trust(), cfg: VerifyConfig{Version: "1.2.4"}, refused: `version is "1.2.3", expected "1.2.4"`},
		{name: "expected version, list alone", from: plain, files: []string{oneFile, ChecksumsFile, ChecksumsBundle}, trust: s.Trust(), cfg: VerifyConfig{Version: "1.2.3"}, refused: "nothing here says of which version"},
		{name: "SHA-512", from: sha512, files: []string{oneFile, ManifestFile, ProvenanceBundle, l512, b512}, trust: s.Trust(), checked: oneFile + " has the digest that demo_SHA512SUMS says"},
		{name: "SHA-512, list alone", from: sha512, files: []string{oneFile, l512}, checked: oneFile + " has the digest that demo_SHA512SUMS says"},
		{name: "source archive", from: sha512, files: []string{"demo_source.zip", ManifestFile, ProvenanceBundle, l512, b512}, trust: s.Trust(), file: "demo_source.zip", checked: "demo_source.zip has the digest", open: "that the source archive demo_source.zip is that of the commit"},
		{name: "SHA-512, changed", from: sha512, files: []string{oneFile, l512, b512}, trust: s.Trust(), refused: "has digest", change: func(t *testing.T, dir string) { put(t, dir, oneFile, []byte("x")) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := keep(t, tc.from, tc.files...)
			if tc.change != nil {
				tc.change(t, dir)
			}
			file := tc.file
			if file == "" {
				file = oneFile
			}
			cfg := tc.cfg
			cfg.Trust, cfg.AllowUnsigned = tc.trust, tc.trust == nil
			l, err := Look(dir, file)
			if err != nil {
				t.Fatal(err)
			}
			v, err := VerifyFile(t.Context(), filepath.Join(dir, file), dir, l.List, cfg)
			if tc.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refused) || fault.ExitCode(err) != fault.Refused || fault.Hint(err) == "" {
					t.Fatalf("error %v (exit code %d), want %q", err, fault.ExitCode(err), tc.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(checked(v), tc.checked) {
				t.Errorf("checked:\n%s\nwant %q", checked(v), tc.checked)
			}
			if !strings.Contains(notChecked(v), tc.open) {
				t.Errorf("not checked:\n%s\nwant %q", notChecked(v), tc.open)
			}
			if v.Verified() != (tc.trust != nil) {
				t.Errorf("verified: %t", v.Verified())
			}
			if tc.found != "" && (v.Found == nil || v.Found.Member+" in "+strings.Join(v.Found.Archives, ", ") != tc.found) {
				t.Errorf("found %+v, want %s", v.Found, tc.found)
			}
		})
	}
}

// TestFind: a digest is found as every member and binary that has it, and nowhere else.
func TestFind(t *testing.T) {
	m := testManifest()
	m.Generated = &fact.Generated{Files: []fact.GeneratedFile{{Name: "docs/a.1", SHA256: files.DigestBytes([]byte("abc"))}}}
	for content, want := range map[string]*Found{
		"linked 1":     {Artifact: "release/linux/amd64/linked/demo", Archives: []string{oneFile}, Member: "demo"},
		"linked 2":     {Artifact: "router/linux/arm/5/linked/demo"},
		"packed file":  {Artifact: "router/linux/arm/5/packed/demo_router"},
		"abc":          {Archives: []string{oneFile, fact.GeneratedArchive}, Member: "README.md"},
		"archive file": nil,
		"":             nil,
	} {
		if got := m.Find(files.DigestBytes([]byte(content))); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, want %+v", content, got, want)
		}
	}
}

// TestFancyRelease: a whole release with another list and with a source archive is
// held to the same rules.
func TestFancyRelease(t *testing.T) {
	s := newSigner(t)
	cfg := VerifyConfig{Trust: s.Trust()}
	dir := fancy().write(t, s)
	v, err := VerifyRelease(t.Context(), dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(checked(v), "4 of 4 listed files have the digest that demo_SHA512SUMS says") || !v.Verified() || slices.ContainsFunc(v.Listed, func(e Entry) bool { return e.Name == "demo_SHA512SUMS" }) {
		t.Errorf("%s\n%q", checked(v), v.Listed)
	}
	for name, tc := range map[string]struct {
		change  func(dir string)
		cfg     VerifyConfig
		refused string
	}{
		"changed source archive": {func(dir string) { put(t, dir, "demo_source.zip", []byte("source archiv3")) }, cfg, "demo_source.zip: has digest"},
		"shorter source archive": {func(dir string) { put(t, dir, "demo_source.zip", []byte("source")) }, cfg, "has 6 bytes, the manifest says 14"},
		"the usual list beside":  {func(dir string) { put(t, dir, ChecksumsFile, []byte("x")) }, cfg, "checksums.txt: is a file that demo_SHA512SUMS does not list"},
		"list gone":              {func(dir string) { os.Remove(filepath.Join(dir, "demo_SHA512SUMS")) }, cfg, "demo_SHA512SUMS: is missing"},
		"manifest gone":          {func(dir string) { os.Remove(filepath.Join(dir, ManifestFile)) }, cfg, ""},
		"partial":                {func(dir string) { os.Remove(filepath.Join(dir, "demo_source.zip")) }, VerifyConfig{Trust: s.Trust(), AllowMissing: true}, "-"},
		"missing":                {func(dir string) { os.Remove(filepath.Join(dir, "demo_source.zip")) }, cfg, "demo_source.zip: is missing"},
	} {
		dir := fancy().write(t, s)
		tc.change(dir)
		_, err := VerifyRelease(t.Context(), dir, tc.cfg)
		if tc.refused == "-" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), tc.refused) || fault.ExitCode(err) != fault.Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What a manifest may not say.
	for name, tc := range map[string]struct {
		change func(*Manifest)
		want   string
	}{
		"usual list":       {func(m *Manifest) { l := fact.DefaultList(); m.Checksums = &l }, "what a release has that says nothing"},
		"algorithm":        {func(m *Manifest) { m.Checksums.Algorithm = "md5" }, `algorithm "md5"`},
		"reserved":         {func(m *Manifest) { m.Checksums.Name = "release.json" }, "another file of the release"},
		"bundle":           {func(m *Manifest) { m.Checksums.Name = "provenance" }, "another file of the release"},
		"path":             {func(m *Manifest) { m.Checksums.Name = "a/b" }, "has a directory"},
		"an artifact's":    {func(m *Manifest) { m.Checksums.Name = oneFile }, "belongs to a file about the release"},
		"archive's name":   {func(m *Manifest) { m.SourceArchive.Name = oneFile }, "belongs to another file"},
		"made once":        {func(m *Manifest) { m.SourceArchive.Made = 1 }, "made once"},
		"different":        {func(m *Manifest) { m.SourceArchive.Verdict = fact.Different }, "want identical"},
		"no commit":        {func(m *Manifest) { m.Source.Dirty = []string{"x"} }, "the source is no commit"},
		"wrap leads out":   {func(m *Manifest) { m.SourceArchive.Wrap = "../x" }, "clean relative path"},
		"format":           {func(m *Manifest) { m.SourceArchive.Format = "rar" }, "want tar.gz"},
		"format and name":  {func(m *Manifest) { m.SourceArchive.Format = "tar.gz" }, "does not end in .tar.gz"},
		"list and archive": {func(m *Manifest) { m.Checksums.Name = "demo_source.zip" }, "belongs to another file"},
	} {
		m := fancy().m
		tc.change(m)
		if _, err := m.Encode(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
