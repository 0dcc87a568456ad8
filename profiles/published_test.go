package profiles

import (
	"fmt"
	"strings"
	"testing"
)

// TestBills: which bills of materials a release has.
func TestBills(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "[cyclonedx] false"},
		{"sbom: spdx", "[spdx] false"},
		{"sbom: [spdx, cyclonedx]", "[cyclonedx spdx] false"},
		{"sbom: per-file", "[cyclonedx] true"},
		{"sbom: [per-file, spdx]", "[spdx] true"},
		{"sbom: none", "[] false"},
		{"sbom: []", "sbom says nothing"},
		{"sbom: [none, per-file]", "m.yaml:4:7: sbom: none stands beside another word"},
		{"sbom: [spdx, spdx]", "m.yaml:4:14: sbom: spdx is there twice"},
		{"sbom: per-artifact", `m.yaml:4:7: sbom wants cyclonedx, spdx, per-file or none, not "per-artifact"`},
	} {
		f, err := Load("m.yaml", []byte("version: 1\nproject: tool\nprofiles: {release: {platforms: [linux/amd64]}}\n"+test.text+"\n"))
		got := ""
		if err != nil {
			got, _, _ = strings.Cut(err.Error(), "\n")
		} else {
			got = fmt.Sprint(f.BillFormats(), f.BillPerFile)
		}
		if got != test.want && (err == nil || !strings.Contains(got, test.want)) {
			t.Errorf("%s: got %s, want %s", test.text, got, test.want)
		}
	}
}
