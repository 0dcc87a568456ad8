package checksums_test

import (
	"testing"

	"github.com/mintmark/mintmark/checksums"
)

// The files beside a release have names that anybody chose.
func TestNamesOfRefusals(t *testing.T) {
	for name, want := range map[string]string{
		"":                            "is not listed",
		"a b.tar.gz":                  "a b.tar.gz: is not listed",
		"a\nchecked  all of it\x1b[m": `"a\nchecked  all of it\x1b[m": is not listed`,
	} {
		if got := (&checksums.RefusedError{Name: name, Reason: "is not listed"}).Error(); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}
