package ui

import (
	"bytes"
	"strings"
	"testing"
)

// TestFold: lines are broken at spaces, none is too wide, and no word is lost.
func TestFold(t *testing.T) {
	for _, tt := range []struct {
		text            string
		columns, indent int
		want            string
	}{
		{"", 10, 0, "\n"},
		{"short", 10, 2, "short\n"},
		{"exactly te", 10, 2, "exactly te\n"},
		{"exactly ten", 10, 2, "exactly\n  ten\n"},
		{"  -flag   what it means", 16, 10, "  -flag   what\n          it\n          means\n"},
		{"averyveryverylongword and more", 10, 2, "averyveryverylongword\n  and more\n"},
		{"in averyveryverylongword", 10, 2, "in\n  averyveryverylongword\n"},
		{"大小 大小 大小", 9, 0, "大小 大小\n大小\n"},
		{"two lines\nof which one is long", 12, 1, "two lines\nof which one\n is long\n"},
		{"trailing   ", 8, 0, "trailing\n"},
		{"as it is, however wide", 0, 0, "as it is, however wide\n"},
	} {
		got := Fold(tt.text, tt.columns, tt.indent)
		if got != tt.want {
			t.Errorf("%q in %d: %q, want %q", tt.text, tt.columns, got, tt.want)
		}
		if a, b := strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(tt.text), " "); a != b {
			t.Errorf("%q became %q", b, a)
		}
	}
}

// TestProse: sentences that are written elsewhere than on a terminal stay one line,
// and on one they hang under their second column.
func TestProse(t *testing.T) {
	var out bytes.Buffer
	long := "  checked      " + strings.Repeat("word ", 30) + "end"
	if err := New(nil, &out, &out, nil).Prose("%s\n", long); err != nil || out.String() != long+"\n" {
		t.Errorf("%v: %q", err, &out)
	}
	lines := strings.Split(strings.TrimSuffix(foldLines("first\n"+long+"\n", 80), "\n"), "\n")
	if len(lines) != 4 || lines[0] != "first" || !strings.HasPrefix(lines[2], strings.Repeat(" ", 15)+"word") {
		t.Errorf("%q", lines)
	}
	for _, line := range lines {
		if Width(line) > 80 {
			t.Errorf("%q is wider than 80", line)
		}
	}
}
