package cli

import (
	"runtime/debug"
	"strings"
	"testing"
)

// TestBuiltHow: what a program is follows from what the go command wrote into it.
func TestBuiltHow(t *testing.T) {
	const self = "github.com/mintmark/mintmark"
	main := func(version string) *debug.BuildInfo {
		return &debug.BuildInfo{
			GoVersion: "go1.26.8", Path: self + "/cmd/mintmark", Main: debug.Module{Path: self, Version: version},
			Settings: []debug.BuildSetting{{Key: "-trimpath", Value: "true"}, {Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "false"}},
		}
	}
	dep := func(m debug.Module) *debug.BuildInfo {
		return &debug.BuildInfo{Path: "example.com/mage", Main: debug.Module{Path: "example.com/mage"}, Deps: []*debug.Module{&m}}
	}
	for name, tt := range map[string]struct {
		bi   *debug.BuildInfo
		want []string
	}{
		"release":    {main("v1.2.3"), []string{"mintmark v1.2.3", "release    yes", "commit     abc, unchanged", "settings   -trimpath=true", "go         go1.26.8", "sum        none recorded"}},
		"candidate":  {main("v1.2.3-rc.1"), []string{"mintmark v1.2.3-rc.1", "release    yes"}},
		"checkout":   {main("(devel)"), []string{"mintmark (devel)", "release    no: no version was recorded"}},
		"untagged":   {main("v0.0.0-20261121231820-e1839d286aee"), []string{"mintmark (devel)", "release    no: the commit has no version tag (v0.0.0-20261121231820-e1839d286aee)"}},
		"changed":    {main("v1.2.3+dirty"), []string{"mintmark (devel)", "release    no: the checkout was not the commit (v1.2.3+dirty)"}},
		"dependency": {dep(debug.Module{Path: self, Version: "v1.2.3", Sum: "h1:x="}), []string{"mintmark v1.2.3", "release    yes", "sum        h1:x=", "in         the program example.com/mage"}},
		"replaced":   {dep(debug.Module{Path: self, Version: "v1.2.3", Replace: &debug.Module{Path: "../m"}}), []string{"mintmark (devel)", "release    no: the module is replaced by ../m", "replaced   by ../m"}},
		"other":      {&debug.BuildInfo{Path: "x", Main: debug.Module{Path: "x"}}, []string{"mintmark (devel)", "release    no: the program does not record"}},
		"nothing":    {nil, []string{"mintmark (devel)", "not recorded"}},
	} {
		got := strings.Join(builtHow(tt.bi), "\n")
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in:\n%s", name, want, got)
			}
		}
	}
}
