package toolchain

import (
	"go/build"
	"runtime"
	"testing"
)

// TestRecent: what is proposed as a toolchain is a release, whatever mintmark was
// built with.
func TestRecent(t *testing.T) {
	tags := build.Default.ReleaseTags
	last, before := tags[len(tags)-1], tags[len(tags)-2]+".0"
	for built, want := range map[string]string{
		"go1.24.3": "go1.24.3", "go1.24.3 X:jsonv2": "go1.24.3", "go1.24.3-X:jsonv2": "go1.24.3",
		last + "rc1": before, last + "beta2": before, last + "-devel_abc Mon": before, "devel " + last + "-abc Mon Jan 1": before,
		"devel +abc": before, "": before, last: before, "go1.24.3-custom": "go1.23.0",
	} {
		if got := Recent(built); got != want {
			t.Errorf("Recent(%q) = %s, want %s", built, got, want)
		}
	}
	got := Recent(runtime.Version())
	if exact, err := Exact(got); err != nil || exact != got || !Supported(got) {
		t.Errorf("%s: %q, %v", got, exact, err)
	}
	if Supported("go1.20.14") || Supported("go1.16") || !Supported("go1.21.0") {
		t.Error("the oldest toolchain")
	}
}
