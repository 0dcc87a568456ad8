package files_test

import (
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/files"
)

func TestMatch(t *testing.T) {
	for _, tt := range []struct{ pattern, names, others string }{
		{"docs/*", "docs/a docs/b.md", "docs docs/sub/a a"},
		{"docs/**", "docs/a docs/sub/b docs/sub/deeper/c", "docs a other/docs/a"},
		{"docs/**/*", "docs/a docs/sub/b docs/sub/deeper/c", "docs a"},
		{"**", "a docs/a docs/sub/b", ""},
		{"**/*.md", "a.md docs/a.md docs/sub/a.md", "a docs/a.md/x"},
		{"docs/**/*.md", "docs/a.md docs/x/y/a.md", "a.md docs/a.txt"},
		{"a/**/b/**/c", "a/b/c a/x/b/y/z/c a/b/b/c", "a/c a/b/x b/c a/b/c/d"},
		{"**/**/a", "a x/a x/y/a", "b x/b"},
		{"**/[", "", "a x/["},
	} {
		for _, name := range strings.Fields(tt.names) {
			if !files.Match(tt.pattern, name) {
				t.Errorf("%s does not match %s", tt.pattern, name)
			}
		}
		for _, name := range strings.Fields(tt.others) {
			if files.Match(tt.pattern, name) {
				t.Errorf("%s matches %s", tt.pattern, name)
			}
		}
	}
	// Many of them take no longer.
	if files.Match(strings.Repeat("**/a/", 50)+"b", strings.Repeat("a/", 200)+"c") {
		t.Error("matches")
	}
}
