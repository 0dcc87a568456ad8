package verify

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/forgery"
)

// TestAccount: the account of a rebuild goes by the release, whatever of it was
// looked at.
func TestAccount(t *testing.T) {
	signer := newKeys(t).publisher
	r, err := forgery.Small(t.Context(), t.TempDir())
	if err == nil {
		err = r.Sign(t.Context(), signer) // which gives the manifest its plan
	}
	if err != nil {
		t.Fatal(err)
	}
	linux := func(a checksums.Artifact) bool { return a.Platform == "linux/amd64" }
	all := func(checksums.Artifact) bool { return true }
	none := func(checksums.Artifact) bool { return false }
	for _, tc := range []struct {
		name     string
		units    []*plan.Unit // that were built
		compared func(checksums.Artifact) bool
		verdict  fact.Verdict // of what was compared
		listed   string       // a file beside the artifacts
		code     int
		checked  string // what is said, and what is said to be open
		open     []string
	}{
		{"everything", r.Plan.Units, all, fact.Identical, "", 0, "6 of 6 artifacts built again here, on plan9/386, are identical", nil},
		{"one platform", r.Plan.Units[:1], linux, fact.Identical, "report.html", 0, "2 of 6 artifacts built again here, on plan9/386, are identical", []string{
			"that the binaries of release windows/amd64, tiny linux/arm64 come from the source: left out by -platform=linux/amd64",
			"not built again: release/windows/amd64/linked/small_windows_amd64_other.exe, release/windows/amd64/linked/small_windows_amd64_small.exe, " +
				"tiny/linux/arm64/linked/small, tiny/linux/arm64/packed/small_tiny: left out by -platform=linux/amd64",
			"not rebuilt: report.html: it repeats for people what other files say, and is made from them",
		}},
		{"a unit built, and not compared", r.Plan.Units, linux, fact.Identical, "", fault.Failed, "2 of 6 artifacts built again here", []string{
			"that the binaries of release windows/amd64, tiny linux/arm64 come from the source: not all files came out identical",
		}},
		{"nothing compared", r.Plan.Units, none, fact.Identical, "", fault.Failed, "", []string{"that the binaries come from the source: not all files came out identical"}},
		{"nothing built", nil, none, fact.Identical, "", fault.Failed, "", []string{"that the binaries come from the source: left out by -platform=linux/amd64"}},
		{"different", r.Plan.Units, all, fact.Different, "", fault.NotReproducible, "", []string{"that the binaries come from the source: not all files came out identical"}},
		{"unchecked", r.Plan.Units, all, fact.Unchecked, "", fault.Failed, "", nil},
		{"no verdict", r.Plan.Units, all, "", "", fault.Failed, "", nil},
		{"identical to nothing", r.Plan.Units, all, "claimed", "", fault.Failed, "", nil},
		{"a file that nobody knows", r.Plan.Units, all, fact.Identical, "install.sh", fault.Failed, "6 of 6 artifacts",
			[]string{"not rebuilt: install.sh: the manifest does not describe it, so nobody can build it"}},
		{"an image that nobody knows", r.Plan.Units, all, fact.Identical, "other.oci.tar", fault.Failed, "6 of 6 artifacts",
			[]string{"not rebuilt: other.oci.tar: the manifest does not describe it, so nobody can build it"}},
		{"generated files, where nothing was generated", r.Plan.Units, all, fact.Identical, "generated.tar.gz", fault.Failed, "6 of 6 artifacts",
			[]string{"not rebuilt: generated.tar.gz: the manifest does not describe it, so nobody can build it"}},
		{"a bill of nothing", r.Plan.Units, all, fact.Identical, "other.cdx.json", fault.Failed, "6 of 6 artifacts",
			[]string{"not rebuilt: other.cdx.json: the manifest does not describe it, so nobody can build it"}},
	} {
		th := &publication{m: r.Manifest, out: &checksums.Verification{Manifest: r.Manifest}, plan: r.Plan, sum: strings.Repeat("a", 64)}
		for _, a := range r.Manifest.Artifacts {
			if a.Published {
				th.out.Listed = append(th.out.Listed, checksums.Entry{Name: a.Name})
			}
			th.out.Checks.Open(fact.FromSource, a.Unit(), "the publisher states it")
			if !tc.compared(a) {
				continue
			}
			ra := checksums.RebuiltArtifact{Profile: a.Profile, Platform: a.Platform, Stage: a.Stage, Name: a.Name, SHA256: a.SHA256, Rebuilt: a.SHA256, Verdict: tc.verdict}
			if tc.verdict == "claimed" {
				ra.Verdict, ra.Rebuilt = fact.Identical, ""
			}
			th.out.Rebuilt = append(th.out.Rebuilt, ra)
		}
		if tc.listed != "" {
			th.out.Listed = append(th.out.Listed, checksums.Entry{Name: tc.listed})
		}
		err := th.verdict(th.conclude(tc.units, "linux/amd64", "plan9/386"))
		if fault.ExitCode(err) != tc.code {
			t.Errorf("%s: exit code %d, want %d: %v", tc.name, fault.ExitCode(err), tc.code, err)
		}
		// attest ends as the rebuild does, whatever it could sign.
		file := filepath.Join(t.TempDir(), "x"+checksums.StatementSuffix)
		tool := fact.Toolchain{Host: "plan9/386", Version: "go1.26.8", Module: "golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64", Sum: r.Manifest.Toolchain.Sum}
		a := attestation{th, reproduced{checksums.Rebuild{Executions: 2}, tool}, signer, checksums.Builder{Name: "mintmark"}}
		res, aerr := a.attested(t.Context(), err, file)
		if fault.ExitCode(aerr) != tc.code {
			t.Errorf("%s: attest: exit code %d, want %d: %v", tc.name, fault.ExitCode(aerr), tc.code, aerr)
		}
		signs := tc.checked != ""
		if _, err := os.Stat(file); (err == nil) != signs || (res.File != "") != signs || signs && len(res.Subjects) == 0 {
			t.Errorf("%s: attest: signed %q %q, %v", tc.name, res.File, res.Subjects, aerr)
		}
		checked, open := th.out.Checks.Sentences()
		if !strings.Contains(strings.Join(checked, "\n"), tc.checked) || tc.checked == "" && len(checked) > 0 {
			t.Errorf("%s: checked %q", tc.name, checked)
		}
		for _, want := range tc.open {
			if !slices.Contains(open, want) {
				t.Errorf("%s: no %q in %q", tc.name, want, open)
			}
		}
		if n, of := th.out.Checks.Of(fact.Rebuilt); of != len(r.Manifest.Artifacts) || n == 0 && tc.checked != "" {
			t.Errorf("%s: %d of %d", tc.name, n, of)
		}
		if tc.name == "everything" && len(open) > 0 {
			t.Errorf("not checked: %q", open)
		}
	}
}
