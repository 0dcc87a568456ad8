package verify

import (
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/release"
)

// TestBuiltTwiceDiffering: a published file is not reproduced when two builds
// made here differ, even if one of them has its bytes.
func TestBuiltTwiceDiffering(t *testing.T) {
	published := checksums.Artifact{Profile: "release", Platform: "linux/amd64", Stage: checksums.StageLinked, Name: "tool", Package: "example.com/tool", SHA256: "aa"}
	finding := checksums.Finding{Cause: "directory"}
	for _, tt := range []struct {
		what, sum, verdict string
		findings           []checksums.Finding
		want               string
	}{
		{"the same twice", "aa", checksums.Identical, nil, checksums.Identical},
		{"the first one the same", "aa", checksums.Different, []checksums.Finding{finding}, checksums.Different},
		{"the first one the same, nothing found", "aa", checksums.Different, nil, checksums.Different},
		{"neither the same", "bb", checksums.Different, []checksums.Finding{finding}, checksums.Different},
	} {
		built := published
		built.SHA256, built.Verdict, built.Findings = tt.sum, tt.verdict, tt.findings
		again, r := &rebuiltFiles{made: &release.Finished{Made: []*release.UnitResult{{Artifacts: []checksums.Artifact{built}}}}}, checksums.RebuiltArtifact{}
		again.compareOne(t.Context(), published, &r)
		if r.Verdict != tt.want || r.Rebuilt != tt.sum || len(r.Findings) != len(tt.findings) || (r.Reason == "") != (tt.want == checksums.Identical) {
			t.Errorf("%s: got %+v", tt.what, r)
		}
	}
}
