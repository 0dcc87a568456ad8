package verify

import (
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/release"
)

// TestBuiltTwiceDiffering: a published file is not reproduced when two builds
// made here differ, even if one of them has its bytes.
func TestBuiltTwiceDiffering(t *testing.T) {
	published := checksums.Artifact{Profile: "release", Platform: "linux/amd64", Stage: fact.Linked, Name: "tool", Package: "example.com/tool", SHA256: "aa"}
	finding := fact.Finding{Cause: "directory"}
	for _, tt := range []struct {
		what, sum string
		executors int
		verdict   fact.Verdict
		findings  []fact.Finding
		want      fact.Verdict
		reason    string
	}{
		{"the same twice", "aa", 2, fact.Identical, nil, fact.Identical, ""},
		{"the first one the same", "aa", 2, fact.Different, []fact.Finding{finding}, fact.Different, "the two builds made here differ from each other"},
		{"the first one the same, nothing found", "aa", 2, fact.Different, nil, fact.Different, "the two builds made here differ from each other"},
		{"neither the same of three", "bb", 3, fact.Different, []fact.Finding{finding}, fact.Different, "the 3 builds made here differ from each other"},
	} {
		built := published
		built.SHA256, built.Verdict, built.Findings = tt.sum, tt.verdict, tt.findings
		again, r := &rebuiltFiles{made: &release.Finished{Prepared: &release.Prepared{Executors: make([]release.ReadyExecutor, tt.executors)}, Made: []*release.UnitResult{{Artifacts: []checksums.Artifact{built}}}}}, checksums.RebuiltArtifact{}
		again.compareOne(t.Context(), published, &r)
		if r.Verdict != tt.want || r.Rebuilt != tt.sum || len(r.Findings) != len(tt.findings) || r.Reason != tt.reason {
			t.Errorf("%s: got %+v", tt.what, r)
		}
	}
}

// TestRecordedModes: which files of the commit are executable is taken from wherever the
// release has them, where its source does not say it.
func TestRecordedModes(t *testing.T) {
	mode := func(name, mode string) checksums.Member { return checksums.Member{Name: name, Mode: mode} }
	p := &publication{
		m: &checksums.Manifest{Images: []checksums.Image{{Name: "small" + fact.ImageSuffix, Files: []checksums.Member{
			mode("etc/conf", fact.ModeRead), mode(strings.TrimPrefix(fact.CertificatesPath, "/"), fact.ModeRead), mode("usr/bin/run", fact.ModeRun),
		}}}},
		plan: &plan.Plan{Images: []fact.Image{{Name: "small", Files: map[string]string{"/usr/bin/run": "run.sh", "/etc/conf": "conf", fact.CertificatesPath: "run.sh"}}}},
	}
	of := &source.Source{}
	p.recordedModes(of)
	if !of.Executable("run.sh") || of.Executable("conf") {
		t.Errorf("run.sh: %t, conf: %t", of.Executable("run.sh"), of.Executable("conf"))
	}
}
