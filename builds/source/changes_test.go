package source_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// TestChanges: the commits since the last version tag, by each way of reading tags,
// whatever is in their messages.
func TestChanges(t *testing.T) {
	r := newRepo(t)
	r.module("", "example.com/m")
	r.module("sub", "example.com/m/sub")
	r.commit()
	open := func(dir string, form *fact.TagForm) *fact.Changes {
		t.Helper()
		repo, err := r.open(dir)
		if err != nil {
			t.Fatal(err)
		}
		c, err := repo.Changes(t.Context(), form)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := open("", nil); c != nil {
		t.Errorf("without tags: %+v", c)
	}
	r.tag("v1.0.0", "sub/v0.1.0", "release-7")
	if c := open("", nil); c != nil {
		t.Errorf("of the first version: %+v", c)
	}
	say := func(text string) {
		r.date++
		r.git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", text)
	}
	say("one")
	r.tag("v1.1.0-rc.1", "nightly")
	say("two \x1b[2J <script>\n\nnot this\x07")
	r.tag("v0.9.0") // lower, and nearer
	r.git("checkout", "-q", "-b", "side")
	say("three of the side")
	r.git("checkout", "-q", "-")
	r.git("merge", "-q", "--no-ff", "-m", "a merge", "side")
	r.write("sub/x.go", "package sub\n")
	r.git("add", "-A")
	say(strings.Repeat("ä", 300))
	r.tag("v1.1.0", "sub/v0.2.0")
	long := strings.Repeat("ä", 98) + "…"
	for _, tt := range []struct {
		dir  string
		form *fact.TagForm
		want fact.Changes
	}{
		{"", nil, fact.Changes{Since: "v1.1.0-rc.1", Subjects: []string{long, "three of the side", "two \x1b[2J <script>"}}},
		{"sub", nil, fact.Changes{Since: "sub/v0.1.0", Subjects: []string{long}}},
		{"", &fact.TagForm{Before: "release-"}, fact.Changes{Since: "release-7", Subjects: []string{long, "three of the side", "two \x1b[2J <script>", "one"}}},
	} {
		if got := open(tt.dir, tt.form); !reflect.DeepEqual(got, &tt.want) {
			t.Errorf("%s %v: %+v, want %+v", tt.dir, tt.form, got, tt.want)
		}
	}
	if c := open("", &fact.TagForm{Before: "none-"}); c != nil {
		t.Errorf("without a tag of the form: %+v", c)
	}
	for i := range fact.MaxSubjects + 5 {
		say(fmt.Sprint("more ", i))
	}
	say("")
	c := open("", nil)
	if c.Since != "v1.1.0" || len(c.Subjects) != fact.MaxSubjects || c.More != 6 || c.Subjects[0] != "" || c.Subjects[1] != fmt.Sprint("more ", fact.MaxSubjects+4) {
		t.Errorf("of many: %+v", c)
	}
	if again := open("", nil); !reflect.DeepEqual(again, c) {
		t.Errorf("again: %+v", again)
	}
}
