package verify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// TestCompareBill: only a bill that the same mintmark wrote otherwise is different, and
// where the published one is here it is said where.
func TestCompareBill(t *testing.T) {
	const made, other = `{"components":[{"bom-ref":"pkg:golang/x@v1","name":"x"}]}`, `{"components":[{"bom-ref":"pkg:golang/x@v1","name":"y"}]}`
	const differs = `pkg:golang/x@v1: name is "y", here "x"`
	for _, tt := range []struct {
		name, published, by, tool string
		missing, unknown          bool // the file, and its digest
		verdict                   fact.Verdict
		reason, evidence          string
	}{
		{name: "same", published: made, by: "v1.2.3", tool: "v1.2.3", verdict: fact.Identical},
		{name: "same of another", published: made, by: "v1.2.2", tool: "(devel)", verdict: fact.Identical},
		{name: "same, not here", published: made, by: "(devel)", tool: "(devel)", missing: true, verdict: fact.Identical},
		{name: "other", published: other, by: "v1.2.3", tool: "v1.2.3", verdict: fact.Different, evidence: differs},
		{name: "other, not here", published: other, by: "v1.2.3", tool: "v1.2.3", missing: true, verdict: fact.Different, evidence: "the published file was not compared: it is not here"},
		{name: "other of another", published: other, by: "v1.2.2", tool: "v1.2.3", verdict: fact.Unchecked, reason: "written by mintmark v1.2.2, here by mintmark v1.2.3, which differs", evidence: differs},
		{name: "nobody knows", published: other, by: "(devel)", tool: "(devel)", verdict: fact.Unchecked, reason: "it differs, and was written by mintmark (devel), as here", evidence: differs},
		{name: "unknown", published: other, by: "v1.2.3", tool: "v1.2.3", missing: true, unknown: true, verdict: fact.Unchecked, reason: "it is not here, and its SHA-256 is not known"},
	} {
		dir := t.TempDir()
		r := checksums.RebuiltFile{Kind: fact.Bill, Name: "sbom.cdx.json", SHA256: files.DigestBytes([]byte(tt.published)), Verdict: fact.Unchecked}
		if tt.unknown {
			r.SHA256 = ""
		}
		if !tt.missing {
			if err := os.WriteFile(filepath.Join(dir, r.Name), []byte(tt.published), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		b := &rebuiltFiles{publication: &publication{m: &checksums.Manifest{Builder: checksums.Builder{Name: "mintmark", Version: tt.by}}, dir: dir}}
		b.compareBill(&r, []byte(made), tt.tool)
		evidence := ""
		for _, f := range r.Findings {
			evidence += strings.Join(f.Evidence, "\n")
		}
		if r.Verdict != tt.verdict || !strings.HasPrefix(r.Reason, tt.reason) || (r.Reason == "") != (tt.reason == "") || !strings.HasPrefix(evidence, tt.evidence) || (evidence == "") != (tt.evidence == "") {
			t.Errorf("%s: %s, %q, %q", tt.name, r.Verdict, r.Reason, evidence)
		}
		if r.Same() != (tt.verdict == fact.Identical) {
			t.Errorf("%s: same %t", tt.name, r.Same())
		}
	}
}
