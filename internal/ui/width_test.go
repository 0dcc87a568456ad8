package ui

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestWidth(t *testing.T) {
	for _, tt := range []struct {
		s    string
		want int
	}{
		{"", 0}, {"abc", 3}, {"größe", 5}, {"e\u0301", 1}, {"大小", 4}, {"ﾊﾝ", 2}, {"Ａ", 2},
		{"한글", 4}, {"\u1112\u1161\u11ab", 2}, {"🚀", 2}, {"🇩🇪", 2}, {"…", 1}, {"│", 1},
		{"\u200d", 0}, {"\x1b", 0}, {"👩\u200d💻", 4}, {"\U0002f000", 2},
	} {
		if got := Width(tt.s); got != tt.want {
			t.Errorf("Width(%q) = %d, want %d", tt.s, got, tt.want)
		}
	}
}

func TestWideIsSorted(t *testing.T) {
	for i, r := range wide {
		if r[0] > r[1] || i > 0 && r[0] <= wide[i-1][1] {
			t.Errorf("range %d, %x to %x, is out of order", i, r[0], r[1])
		}
	}
	// The common wide scripts of the standard library's own tables.
	for _, r := range "一龥あンㄅ가힣" {
		if !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Hangul) || runeWidth(r) != 2 {
			t.Errorf("%q has width %d", r, runeWidth(r))
		}
	}
}

func TestTruncate(t *testing.T) {
	for _, tt := range []struct {
		s    string
		w    int
		want string
	}{
		{"abcdef", 6, "abcdef"}, {"abcdef", 5, "abcd…"}, {"abcdef", 1, "…"}, {"abcdef", 0, ""}, {"", 0, ""},
		{"大小大小", 8, "大小大小"}, {"大小大小", 7, "大小大…"}, {"大小大小", 6, "大小…"},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"}, {"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
	} {
		if got := truncate(tt.s, tt.w); got != tt.want {
			t.Errorf("truncate(%q, %d) = %q, want %q", tt.s, tt.w, got, tt.want)
		}
	}
}

func FuzzWidth(f *testing.F) {
	for _, s := range []string{"", "abc", "大小", "👩\u200d💻", "e\u0301", "\xff\xfe", "\x1b[31m"} {
		f.Add(s, 5)
	}
	f.Add("\u0301", 0) // no width fits into no width
	f.Fuzz(func(t *testing.T, s string, w int) {
		n := Width(s)
		if n < 0 || n > 2*utf8.RuneCountInString(s) {
			t.Fatalf("Width(%q) = %d", s, n)
		}
		s = CleanLine(s)
		cut := truncate(s, w)
		if Width(cut) > max(w, 0) {
			t.Fatalf("truncate(%q, %d) = %q is %d wide", s, w, cut, Width(cut))
		}
		if cut != s && !strings.HasPrefix(s, strings.TrimSuffix(cut, "…")) {
			t.Fatalf("truncate(%q, %d) = %q", s, w, cut)
		}
		if Width(s) <= w && cut != s {
			t.Fatalf("truncate(%q, %d) cut what fits", s, w)
		}
		if w > 0 && w < 1000 && Width(pad(cut, w, true)) != w {
			t.Fatalf("pad(%q, %d) is %d wide", cut, w, Width(pad(cut, w, true)))
		}
	})
}
