package verify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/forgery"
	"github.com/mintmark/mintmark/internal/gobin/gobintest"
	"github.com/mintmark/mintmark/internal/release"
)

// TestSignedAfterRelease: a published binary with a code signature that the release does
// not have is refused unless a rebuild makes all its other bytes.
func TestSignedAfterRelease(t *testing.T) {
	k := newKeys(t)
	r, err := forgery.Small(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a := r.Artifact("windows/amd64", fact.Linked)
	built := gobintest.PE("what was built")
	a.Size = int64(len(built))
	if a.SHA256, err = r.Write(a.Name, string(built)); err == nil {
		err = r.Sign(t.Context(), k.publisher)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Manifest.Artifacts { // signing has sorted them
		if r.Manifest.Artifacts[i].SHA256 == files.DigestBytes(built) {
			a = &r.Manifest.Artifacts[i]
		}
	}
	signature := gobintest.SignedBy(t, 2)
	nobody := gobintest.SignPE(built, []byte("anything"))
	changed := gobintest.SignPE(gobintest.PE("what was changed"), signature)
	for _, tc := range []struct {
		name   string
		data   []byte
		left   bool // to the rebuild
		signer string
	}{
		{"signed", gobintest.SignPE(built, signature), true, "CN=Example Software"},
		{"signed, and changed", changed, true, ""},
		{"signed by nobody", nobody, false, ""},
		{"changed", gobintest.PE("what was chang3d"), false, ""},
		{"cut", built[:100], false, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(r.Dir, a.Name), tc.data, 0o644); err != nil {
				t.Fatal(err)
			}
			c := Config{Path: r.Dir, Key: k.public}
			_, err := Release(t.Context(), c)
			if fault.ExitCode(err) != fault.Refused || strings.Contains(fault.Hint(err), "CN=Example Software") != tc.left && fault.Hint(err) != "" {
				t.Errorf("verify: %v, hint %q", err, fault.Hint(err))
			}
			if tc.left && !strings.Contains(err.Error()+strings.Join(fault.Hints(err), " "), "verify -rebuild") {
				t.Errorf("verify: %v, hints %q", err, fault.Hints(err))
			}
			c.signed = true
			v, err := Release(t.Context(), c)
			if !tc.left {
				if fault.ExitCode(err) != fault.Refused {
					t.Errorf("verify before a rebuild: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			// Nothing of it holds yet.
			if err := unproven(v); fault.ExitCode(err) != fault.Refused || !strings.Contains(err.Error(), a.Name) {
				t.Errorf("without a rebuild: %v", err)
			}
			stage := t.TempDir()
			if err := os.WriteFile(filepath.Join(stage, a.Name), built, 0o644); err != nil {
				t.Fatal(err)
			}
			again := &rebuiltFiles{
				publication: &publication{m: r.Manifest, out: v, dir: r.Dir, plan: r.Plan}, stage: stage, work: t.TempDir(), warn: t.Logf,
				made: &release.Finished{Prepared: &release.Prepared{Executors: make([]release.ReadyExecutor, 1)}, Made: []*release.UnitResult{{Artifacts: r.Manifest.Artifacts}}},
			}
			again.compare(t.Context(), r.Plan.Units)
			i := 0
			for v.Rebuilt[i].Name != a.Name {
				i++
			}
			got := v.Rebuilt[i]
			if got.Signer != tc.signer || (got.Verdict == fact.Identical) != (tc.signer != "") {
				t.Errorf("%+v", got)
			}
			switch err := unproven(v); {
			case tc.signer != "" && err != nil:
				t.Error(err)
			case tc.signer == "" && fault.ExitCode(err) != fault.Refused:
				t.Errorf("refused is %v", err)
			}
			if checked, open := v.Checks.Sentences(); tc.signer != "" && !strings.Contains(strings.Join(open, "\n"), "all else in them was made here byte for byte") {
				t.Errorf("%q, %q", checked, open)
			}
			if sum := files.DigestBytes(built); got.Rebuilt != sum || got.SHA256 != sum {
				t.Errorf("%+v", got)
			}
		})
	}
	// A statement of a rebuilder is about what the release lists.
	if _, err := Attest(t.Context(), k.config(t), Config{Path: r.Dir, Key: k.public}, "", filepath.Join(t.TempDir(), "x"+checksums.StatementSuffix)); fault.ExitCode(err) != fault.Refused {
		t.Errorf("attest: %v", err)
	}
}
