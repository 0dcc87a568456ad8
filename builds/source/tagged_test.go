package source_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fact"
)

// TestTagged: which of the tags on one commit says the version, by which form.
func TestTagged(t *testing.T) {
	r := newRepo(t)
	r.module("", "example.com/m").commit()
	r.tag("v3.0.0", "9.9")
	r.commit()
	r.tag("v1.2.3", "v1.10.0", "v2.1.2", "2.0.46", "2.0.46-beta3", "2026.11.3", "20261129", "release-7", "release-7.0", "release-7.0.1-rc.1", "nightly", "tool/v0.1.0")
	s := r.mustOpen("")
	for _, tt := range []struct {
		form          *fact.TagForm
		tag, version  string
		lower, others string
		next          string
	}{
		{nil, "v1.10.0", "1.10.0", "v1.2.3", "20261129 is no version", ""},
		{&fact.TagForm{Before: "v"}, "v2.1.2", "2.1.2", "v1.10.0 v1.2.3", "20261129 is not of the form v{{.Version}}", "v3.0.1"},
		{&fact.TagForm{}, "20261129", "20261129", "2026.11.3 2.0.46 2.0.46-beta3", "nightly is not of the form {{.Version}}", "20261130"},
		{&fact.TagForm{Before: "release-"}, "release-7.0.1-rc.1", "7.0.1-rc.1", "release-7.0 release-7", "v1.2.3 is not of the form release-{{.Version}}", "release-7.0.1"},
		{&fact.TagForm{Before: "tool/v"}, "tool/v0.1.0", "0.1.0", "", "v1.2.3 is not of the form tool/v{{.Version}}", "tool/v0.1.1"},
		{&fact.TagForm{After: "-final"}, "", "", "", "v1.2.3 is not of the form {{.Version}}-final", "1.0.0-final"},
	} {
		got := s.Tagged(tt.form)
		var lower, others []string
		for _, o := range got.Others {
			if o.Lower {
				lower = append(lower, o.Tag)
			}
			others = append(others, o.Tag+" "+strings.Join(o.Whys, "; "))
		}
		if got.Tag != tt.tag || got.Version != tt.version || strings.Join(lower, " ") != tt.lower {
			t.Errorf("%v: %+v", tt.form, got)
		}
		if !slices.Contains(others, tt.others) {
			t.Errorf("%v: the others are %q", tt.form, others)
		}
		if all := len(got.Others); tt.tag != "" && all != 11 || tt.tag == "" && all != 12 {
			t.Errorf("%v: %d others", tt.form, all)
		}
		if tt.form == nil {
			continue
		}
		if next, err := s.NextTagOf(t.Context(), tt.form); err != nil || next != tt.next {
			t.Errorf("%v: next %s, %v", tt.form, next, err)
		}
	}
	if !s.Carries("nightly") || s.Carries("9.9") || s.Carries("absent") {
		t.Error("which tags are on the commit")
	}
}

// TestUncountedForm: a tag that does not count says a version in the form that is
// advised, where one is.
func TestUncountedForm(t *testing.T) {
	for tag, want := range map[string]string{
		"2.0.46-beta3": "{{.Version}}", "v2.1.2": "v{{.Version}}", "2026.11.3": "{{.Version}}", "release-1.2": "release-{{.Version}}", "V1.2.3": "V{{.Version}}",
		"rel/1.2.3_rc1": "", "nightly": "", "20261129": "", "v1.2..3": "",
	} {
		u := source.UncountedOf("example.com/m", "", tag)
		got := ""
		if u.Form != nil {
			got = u.Form.String()
			if u.Form.Version(tag) == "" {
				t.Errorf("%s is not of the form %s", tag, got)
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", tag, got, want)
		}
	}
}
