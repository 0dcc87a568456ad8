package ui

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, block, line string }{
		{"plain", "a b", "a b", "a b"},
		{"empty", "", "", ""},
		{"other scripts", "größe 大小 👩\u200d💻", "größe 大小 👩\u200d💻", "größe 大小 👩\u200d💻"},
		{"tabs and newlines", "a\tb\nc", "a\tb\nc", `a\tb\nc`},
		{"line end of Windows", "a\r\nb", "a\nb", `a\r\nb`},
		{"lone carriage return hides text", "secret\rok", `secret\rok`, `secret\rok`},
		{"last carriage return", "a\r", `a\r`, `a\r`},
		{"colour", "\x1b[31mred", `\x1b[31mred`, `\x1b[31mred`},
		{"window title", "\x1b]0;pwned\x07", `\x1b]0;pwned\a`, `\x1b]0;pwned\a`},
		{"8-bit CSI", "\u009b31m", `\u009b31m`, `\u009b31m`},
		{"8-bit CSI as a raw byte", "\x9b31m", `\x9b31m`, `\x9b31m`},
		{"nul and delete", "a\x00b\x7f", `a\x00b\x7f`, `a\x00b\x7f`},
		{"direction", "a\u202eb\u2066c", `a\u202eb\u2066c`, `a\u202eb\u2066c`},
		{"unseen", "a\u200bb\ufeffc", `a\u200bb\ufeffc`, `a\u200bb\ufeffc`},
		{"tag characters", "a\U000e0041", `a\U000e0041`, `a\U000e0041`},
		{"separators", "a\u2028b\u2029c", `a\u2028b\u2029c`, `a\u2028b\u2029c`},
		{"not UTF-8", "a\xff\xc3", `a\xff\xc3`, `a\xff\xc3`},
		{"replacement character itself", "a\ufffd", "a\ufffd", "a\ufffd"},
		{"backslash stays", `C:\x1b`, `C:\x1b`, `C:\x1b`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.in); got != tt.block {
				t.Errorf("Clean = %q, want %q", got, tt.block)
			}
			if got := CleanLine(tt.in); got != tt.line {
				t.Errorf("CleanLine = %q, want %q", got, tt.line)
			}
		})
	}
}

func TestDisarm(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"a::b\n", "a::b\n"},
		{"::add-mask::x\n", "\\::add-mask::x\n"},
		{"ok\n  \t::error::x", "ok\n  \t\\::error::x"},
		{"\u3000::error::x", "\u3000\\::error::x"},
		{"\u200d::error::x", "\u200d\\::error::x"},
		{":\u200d:error::x", "\\:\u200d:error::x"},
		{":a::b", ":a::b"},
		{"x ##[error]y", `x ##\[error]y`},
	} {
		if got := disarm(tt.in); got != tt.want {
			t.Errorf("disarm(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a\tb\r\nc\r", "\x1b[2J\x1b]0;t\x07", "\u202e\u200b\ufeff\U000e0041", "\xff\x9b", "größe 大小 👩\u200d💻", `\x1b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, block := range []bool{true, false} {
			got := clean(s, block)
			if !utf8.ValidString(got) {
				t.Fatalf("%q is not UTF-8", got)
			}
			for _, r := range got {
				if unicode.IsControl(r) && !(block && (r == '\t' || r == '\n')) {
					t.Fatalf("%q holds %U", got, r)
				}
				if unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029 {
					t.Fatalf("%q holds %U", got, r)
				}
			}
			if again := clean(got, block); again != got {
				t.Fatalf("not stable: %q became %q", got, again)
			}
			if block && strings.Count(got, "\n") != strings.Count(s, "\n") {
				t.Fatalf("%q has other lines than %q", got, s)
			}
		}
		if d := disarm(Clean(s)); disarm(d) != d {
			t.Fatalf("disarm is not stable on %q", d)
		}
	})
}
