package checksums

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// checked and notChecked are what a verification says, a sentence a line.
func checked(v *Verification) string {
	done, _ := v.Checks.Sentences()
	return strings.Join(done, "\n")
}
func notChecked(v *Verification) string {
	_, open := v.Checks.Sentences()
	return strings.Join(open, "\n")
}

func newSigner(t testing.TB) Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// release is a release in the making. Each step of sign can be changed before
// it is signed; what happens afterwards is an attack.
type release struct {
	m     *Manifest
	files map[string]string // published files other than the manifest
	// changes before signing
	list    func([]byte) []byte
	record  func(*Statement)
	entries func([]Entry) []Entry
}

func newRelease() *release {
	return &release{
		m: testManifest(),
		files: map[string]string{
			"demo_1.2.3_linux_amd64.tar.gz": "archive file",
			"demo_router":                   "packed file",
		},
	}
}

// newLedgerRelease is a release that published its ledger and used others'. Its
// lists are out of order on purpose.
func newLedgerRelease() *release {
	r := newRelease()
	r.files[LedgerFile] = `{"schema":"ledger"}` + "\n"
	r.m.Rebuild.Actions = []UnitActions{
		{Profile: "router", Platform: "linux/arm/5", Links: 1, Again: 3, Unprovable: 2,
			Proven: []ProvenActions{{Executions: 4, Actions: 7}, {Executions: 2, Actions: 40}}, Foreign: 5},
		{Profile: "release", Platform: "linux/amd64", Links: 1, Executed: 50},
	}
	r.m.Rebuild.Rebuilders = []fact.SignerID{fact.KeyID(keyB), fact.KeyID(keyA)}
	return r
}

// Key IDs of nobody.
const (
	keyA = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	keyB = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
)

// write makes the release in a new directory, signed by s, or unsigned when s
// is nil.
func (r *release) write(t testing.TB, s Signer) string {
	t.Helper()
	dir := t.TempDir()
	manifest, err := r.m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, ManifestFile, manifest)
	entries := []Entry{{ManifestFile, files.DigestBytes(manifest)}}
	for name, content := range r.files {
		put(t, dir, name, []byte(content))
		entries = append(entries, Entry{name, files.DigestBytes([]byte(content))})
	}
	if r.entries != nil {
		entries = r.entries(entries)
	}
	named := r.m.List()
	lines := make([]Line, len(entries))
	for i, e := range entries {
		lines[i] = Line{e.Name, e.SHA256}
		if named.Algorithm != fact.SHA256 {
			data, err := os.ReadFile(filepath.Join(dir, e.Name))
			if err != nil {
				t.Fatal(err)
			}
			lines[i].Digest = digestBytes(named.Algorithm, data)
		}
	}
	list, err := FormatLines(named, lines)
	if err != nil {
		t.Fatal(err)
	}
	if r.list != nil {
		list = r.list(list)
	}
	put(t, dir, named.Name, list)
	if s == nil {
		return dir
	}
	bundle, err := SignBlob(t.Context(), s, list)
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, named.Bundle(), bundle)
	if ledger, ok := r.files[LedgerFile]; ok {
		put(t, dir, LedgerBundle, signBlob(t, s, []byte(ledger)))
	}
	if r.m.Kind != KindRelease {
		return dir
	}
	entries = append(entries, Entry{named.Name, files.DigestBytes(list)})
	st, err := NewStatement(r.m, entries)
	if err != nil {
		t.Fatal(err)
	}
	if r.record != nil {
		r.record(st)
	}
	payload, err := st.Encode()
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, ProvenanceBundle, signStatement(t, s, payload))
	return dir
}

func signBlob(t testing.TB, s Signer, data []byte) []byte {
	t.Helper()
	bundle, err := SignBlob(t.Context(), s, data)
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

func signStatement(t testing.TB, s Signer, payload []byte) []byte {
	t.Helper()
	bundle, err := SignStatement(t.Context(), s, payload)
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

func put(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
