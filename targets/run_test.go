package targets

import (
	"slices"
	"testing"
)

// TestCommandLine: what Mage read is given to the verb as it is, and what was not
// given is not.
func TestCommandLine(t *testing.T) {
	key, jobs, off := "a b=c,-d", -3, false
	var none *string
	got := commandLine("verify", flags{"key": &key, "jobs": &jobs, "proven": &off, "commit": none}, []string{"-json", ""})
	want := []string{"verify", "-jobs=-3", "-key=a b=c,-d", "-proven=false", "--", "-json", "--", ""}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
