package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// TestChangeGroups: commits are by kind where most of their messages say one, and in
// their own order and words where not.
func TestChangeGroups(t *testing.T) {
	for _, c := range []struct {
		subjects []string
		most     int
		want     string
	}{
		{nil, 5, "0 commits"},
		{[]string{"One", "", "fix: two"}, 5, "3 commits|One|(no message)|fix: two"},
		{[]string{"One", "Two", "Three"}, 2, "3 commits: the newest 2, and 1 more|One|Two"},
		{[]string{"One", "fix: Two"}, 5, "2 commits|[Fixes]|Two|[Other changes]|One"},
		{
			[]string{"docs: a", "feat(api): b", "fix!: c", "refactor: d", "chore(deps): e", "FEAT: f", "unsaid", "fix(x)y: g", "feat:h", "wip: ", "perf(x)!: i"}, 50,
			"11 commits|[Breaking changes]|c|x: i|[Features]|api: b|f|[Dependencies]|chore(deps): e|[Documentation]|a|[Other changes]|refactor: d|unsaid|fix(x)y: g|feat:h|wip: ",
		},
		{[]string{"chore: a", "fix: b", "feat: c", "feat: d"}, 3, "4 commits: the first 2, and 2 more|[Features]|c|d"},
		{[]string{"chore: a", "fix: b", "feat: c", "feat: d"}, 4, "4 commits: the first 2, and 2 more|[Features]|c|d"},
		{[]string{"chore: a", "fix: b", "feat: c", "feat: d"}, 5, "4 commits: the first 3, and 1 more|[Features]|c|d|[Fixes]|b"},
		{[]string{"fix: *b* <b>", "fix(" + strings.Repeat("(", 50) + "): x"}, 5, "2 commits|[Fixes]|*b* <b>|[Other changes]|fix(" + strings.Repeat("(", 50) + "): x"},
	} {
		s := changesSection(&fact.Changes{Since: "v1", Subjects: c.subjects}, c.most)
		got := strings.Replace(strings.TrimSuffix(s.Text[0], "."), ", without merges, as their authors describe them", "", 1)
		for _, n := range s.Notes {
			got += "|" + n
		}
		for _, l := range s.Lists {
			got += "|[" + l.Title + "]|" + strings.Join(l.Items, "|")
		}
		if got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.subjects, got, c.want)
		}
		if n := s.lines(); n > c.most {
			t.Errorf("%q: %d lines, more than %d", c.subjects, n, c.most)
		}
	}
}

// TestChangesRendered: each rendering has groups under their titles, and no message ends
// its line or becomes part of the page.
func TestChangesRendered(t *testing.T) {
	in := inputs()
	in.Changes = &fact.Changes{Since: "v1.2.2", Subjects: []string{"fix: a <script>\n## b", "feat(x): [c](d)"}}
	made := renderings(t, in)
	for file, want := range map[string]string{
		MarkdownFile: "- Features\n  - x: \\[c\\](d)\n- Fixes\n  - a ",
		HTMLFile:     "<h3>Features</h3>\n<ul class=\"notes\"><li>x: [c](d)</li>\n</ul>\n<h3>Fixes</h3>\n<ul class=\"notes\"><li>a &lt;script&gt;",
	} {
		if text := string(made[file]); !strings.Contains(text, want) || strings.Contains(text, "\n## b") {
			t.Errorf("%s lacks %q:\n%s", file, want, text[max(0, strings.Index(text, "Commits since")-100):][:600])
		}
	}
	for i := range 60 {
		in.Changes.Subjects = append(in.Changes.Subjects, fmt.Sprintf("%s: %d", []string{"feat", "fix", "docs", "chore", "perf"}[i%5], i))
	}
	if n := strings.Count(string(renderings(t, in)[MarkdownFile]), "\n"); n >= 60 {
		t.Errorf("the short page has %d lines", n)
	}
}
