package checksums

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestVerifyLedger(t *testing.T) {
	s := newSigner(t)
	dir := newLedgerRelease().write(t, s)
	v, err := VerifyRelease(t.Context(), dir, VerifyConfig{Trust: s.Trust()})
	if err != nil {
		t.Fatal(err)
	}
	done, open := checked(v), notChecked(v)
	if !strings.Contains(done, "ledger.json is signed by key "+s.ID().Name) {
		t.Errorf("checked %q", done)
	}
	if !strings.Contains(open, "ledger.json: that what it says was executed") || strings.Contains(open, "only the digest was compared: ledger") {
		t.Errorf("not checked %q", open)
	}
	if !slices.ContainsFunc(v.Files, func(f FileCheck) bool { return f.Name == LedgerFile && f.Status == FileVerified }) {
		t.Errorf("files %+v", v.Files)
	}
	// Whoever uses the ledger has only the file, its bundle and the key.
	if err := VerifyBlob(s.Trust(), get(t, dir, LedgerBundle), get(t, dir, LedgerFile)); err != nil {
		t.Error(err)
	}
	// The file belongs to the release: the record names it.
	st, err := VerifyStatement(s.Trust(), get(t, dir, ProvenanceBundle))
	if err != nil || !bytes.Contains(st, []byte(`{"name":"ledger.json","digest"`)) {
		t.Errorf("%v: %s", err, st)
	}
	// Who did not download it has nothing to check.
	for _, name := range []string{LedgerFile, LedgerBundle} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	v, err = VerifyRelease(t.Context(), dir, VerifyConfig{Trust: s.Trust(), AllowMissing: true})
	if err != nil || strings.Contains(checked(v), LedgerFile) {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestVerifyLedgerUnsigned(t *testing.T) {
	dir := newLedgerRelease().write(t, nil)
	if _, err := os.Lstat(filepath.Join(dir, LedgerBundle)); err == nil {
		t.Fatal("an unsigned release with a signature")
	}
	v, err := VerifyRelease(t.Context(), dir, VerifyConfig{AllowUnsigned: true})
	if err != nil || !v.Unsigned {
		t.Fatalf("%+v, %v", v, err)
	}
	if strings.Contains(checked(v), LedgerFile+" is signed") {
		t.Errorf("checked %q", checked(v))
	}
	put(t, dir, LedgerFile, []byte("{}"))
	if _, err := VerifyRelease(t.Context(), dir, VerifyConfig{AllowUnsigned: true}); err == nil || !strings.Contains(err.Error(), "ledger.json: has digest") {
		t.Errorf("a changed ledger: %v", err)
	}
}

func TestVerifyLedgerRefuses(t *testing.T) {
	remove := func(t *testing.T, dir string, names ...string) {
		for _, name := range names {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := []refusalCase{
		{name: "ledger changed", file: LedgerFile, want: "has digest",
			after: func(t *testing.T, dir string, _ Signer) { put(t, dir, LedgerFile, []byte("{}")) }},
		{name: "ledger changed and signed again by an impostor", file: LedgerFile, want: "has digest",
			after: func(t *testing.T, dir string, _ Signer) {
				put(t, dir, LedgerFile, []byte("{}"))
				put(t, dir, LedgerBundle, signBlob(t, newSigner(t), []byte("{}")))
			}},
		{name: "ledger of another release of the publisher", file: LedgerFile, want: "has digest",
			after: func(t *testing.T, dir string, s Signer) {
				put(t, dir, LedgerFile, []byte("{\"schema\":\"LEDGER\"}\n"))
				put(t, dir, LedgerBundle, signBlob(t, s, []byte("{\"schema\":\"LEDGER\"}\n")))
			}},
		{name: "ledger missing", file: LedgerFile, want: "is missing",
			after: func(t *testing.T, dir string, _ Signer) { remove(t, dir, LedgerFile, LedgerBundle) }},
		{name: "bundle missing", file: LedgerBundle, want: "is missing",
			after: func(t *testing.T, dir string, _ Signer) { remove(t, dir, LedgerBundle) }},
		{name: "bundle missing though missing is allowed", file: LedgerBundle, want: "is missing",
			after:  func(t *testing.T, dir string, _ Signer) { remove(t, dir, LedgerBundle) },
			config: func(c *VerifyConfig) { c.AllowMissing = true }},
		{name: "bundle missing though unsigned is allowed", file: LedgerBundle, want: "is missing",
			after:  func(t *testing.T, dir string, _ Signer) { remove(t, dir, LedgerBundle) },
			config: func(c *VerifyConfig) { c.AllowUnsigned = true }},
		{name: "bundle empty", file: LedgerBundle, want: "is empty",
			after: func(t *testing.T, dir string, _ Signer) { put(t, dir, LedgerBundle, nil) }},
		{name: "bundle of another key", file: LedgerBundle, want: "the bundle names key",
			after: func(t *testing.T, dir string, _ Signer) {
				put(t, dir, LedgerBundle, signBlob(t, newSigner(t), get(t, dir, LedgerFile)))
			}},
		{name: "bundle of another key with the right hint", file: LedgerBundle, want: "the signature is not by key",
			after: func(t *testing.T, dir string, s Signer) {
				impostor := newSigner(t)
				bundle := signBlob(t, impostor, get(t, dir, LedgerFile))
				put(t, dir, LedgerBundle, bytes.ReplaceAll(bundle, []byte(impostor.ID().Name), []byte(s.ID().Name)))
			}},
		{name: "bundle over other bytes", file: LedgerBundle, want: "signs other bytes",
			after: func(t *testing.T, dir string, _ Signer) { put(t, dir, LedgerBundle, get(t, dir, ChecksumsBundle)) }},
		{name: "record in place of the bundle", file: LedgerBundle, want: "signs a statement, not a file",
			after: func(t *testing.T, dir string, _ Signer) { put(t, dir, LedgerBundle, get(t, dir, ProvenanceBundle)) }},
		{name: "bundle is a directory", file: LedgerBundle, want: "is a directory",
			after: func(t *testing.T, dir string, _ Signer) {
				remove(t, dir, LedgerBundle)
				if err := os.Mkdir(filepath.Join(dir, LedgerBundle), 0o700); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "bundle without the ledger", file: LedgerBundle, want: "over ledger.json, which is not here",
			after:  func(t *testing.T, dir string, _ Signer) { remove(t, dir, LedgerFile) },
			config: func(c *VerifyConfig) { c.AllowMissing = true }},
		{name: "bundle without the ledger and without a key", file: LedgerBundle, want: "over ledger.json, which is not here",
			after:  func(t *testing.T, dir string, _ Signer) { remove(t, dir, LedgerFile) },
			config: func(c *VerifyConfig) { *c = VerifyConfig{AllowUnsigned: true, AllowMissing: true} }},
		{name: "bundle of a release that has no ledger", file: LedgerBundle, want: "does not list",
			before: func(r *release) { delete(r.files, LedgerFile) },
			after:  func(t *testing.T, dir string, s Signer) { put(t, dir, LedgerBundle, signBlob(t, s, []byte("{}"))) }},
		{name: "ledger of a release that has none", file: LedgerFile, want: "does not list",
			before: func(r *release) { delete(r.files, LedgerFile) },
			after: func(t *testing.T, dir string, s Signer) {
				put(t, dir, LedgerFile, []byte("{}"))
				put(t, dir, LedgerBundle, signBlob(t, s, []byte("{}")))
			}},
		{name: "its bundle as well", file: LedgerBundle, want: "does not list",
			before: func(r *release) { delete(r.files, LedgerFile) },
			after: func(t *testing.T, dir string, s Signer) {
				put(t, dir, LedgerFile, []byte("{}"))
				put(t, dir, LedgerBundle, signBlob(t, s, []byte("{}")))
			}},
		{name: "record without the ledger", file: ProvenanceBundle, want: "the record does not name ledger.json",
			before: func(r *release) {
				r.record = func(s *Statement) {
					s.Subject = slices.DeleteFunc(s.Subject, func(r Resource) bool { return r.Name == LedgerFile })
				}
			}},
		{name: "record of more executions than the manifest says", file: ProvenanceBundle, want: "something else than the manifest",
			before: func(r *release) {
				r.record = func(s *Statement) {
					a := s.Predicate.BuildDefinition.InternalParameters.Rebuild.Actions
					a[1].Executed, a[1].Proven, a[1].Foreign = 47, nil, 0
				}
			}},
	}
	if runtime.GOOS != "windows" {
		cases = append(cases, refusalCase{name: "ledger is a symbolic link", file: LedgerFile, want: "is a symbolic link",
			after: func(t *testing.T, dir string, _ Signer) {
				outside := filepath.Join(t.TempDir(), "x")
				put(t, filepath.Dir(outside), "x", get(t, dir, LedgerFile))
				remove(t, dir, LedgerFile)
				if err := os.Symlink(outside, filepath.Join(dir, LedgerFile)); err != nil {
					t.Fatal(err)
				}
			}})
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s := newSigner(t)
			r := newLedgerRelease()
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
			_, err := VerifyRelease(t.Context(), dir, cfg)
			var all *VerifyError
			if !errors.As(err, &all) {
				t.Fatalf("got %v", err)
			}
			if !slices.ContainsFunc(all.Refusals, func(r RefusedError) bool {
				return r.Name == tc.file && strings.Contains(r.Reason, tc.want)
			}) {
				t.Errorf("no refusal of %q with %q in\n%v", tc.file, tc.want, err)
			}
			for _, r := range all.Refusals {
				if r.Name != tc.file && r.Name != LedgerFile && r.Name != LedgerBundle {
					t.Errorf("refused besides: %+v", r)
				}
			}
		})
	}
}
