package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// hostileNames are names that would show something else than a name.
var hostileNames = []string{
	"a\nidentical bin/tool\n  sha256     forged", "a\r\nidentical x", "\x1b[2K\x1b[1Aidentical x", "\u009b1Aidentical", "a\u202egpj.exe", "a\u2028identical",
	"\xff\xfe", "a\x00b", "a\bb", "::error::x", "##[error]x", strings.Repeat("x", maxField+5), "\u200bidentical", "a\vb\fc", "\x1b]8;;http://evil\x07link\x1b]8;;\x07",
}

type stringer struct{ Name string }

func (n stringer) String() string { return "named " + n.Name }

// Whatever verb and type an argument has, it cannot end the line it is in.
func TestPrintfKeepsLines(t *testing.T) {
	for _, name := range hostileNames {
		for _, arg := range []any{
			name, errors.New(name), stringer{name}, &stringer{name}, []string{name}, map[string]string{name: name}, []byte(name), fmt.Errorf("x: %w", errors.New(name)),
			struct{ A any }{name}, rune('\n'),
		} {
			for _, verb := range []string{"%s", "%v", "%+v", "%q", "%-10s", "%10v", "%#v", "%x", "%d"} {
				var out bytes.Buffer
				term := New(nil, &out, &out, nil)
				if err := term.Printf("<"+verb+">\n", arg); err != nil {
					t.Fatal(err)
				}
				text := out.String()
				if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, ">\n") || !utf8.ValidString(text) || len(text) > 5*maxField {
					t.Errorf("%s of %T %q: %q", verb, arg, name, text)
				}
				for _, r := range text {
					if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028) {
						t.Errorf("%s of %T: %q holds %U", verb, arg, text, r)
					}
				}
			}
		}
	}
}

func TestPrintfAsFmt(t *testing.T) {
	for _, tt := range []struct {
		format string
		args   []any
	}{
		{"%-12s|%*d|%+d %5.2f %t %v\n", []any{"größe", 8, 3, -2, 1.5, true, nil}},
		{"%v %s %x %q\n", []any{time.Second, []string{"a", "b"}, []byte{1}, "ü"}},
		{"%6s|%-6s|%08.3f|%#x\n", []any{"ab", "ab", 3.14159, 255}},
		{"%s", []any{Block("a\nb\n")}},
		{"no arguments: %%\n", nil},
	} {
		var out bytes.Buffer
		if err := New(nil, &out, &out, nil).Printf(tt.format, tt.args...); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(tt.format, tt.args...); out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	}
}

// A message's further lines cannot look like the beginning of another one.
func TestMessagesKeepTheirPlace(t *testing.T) {
	for _, name := range hostileNames {
		var out bytes.Buffer
		term := New(nil, &out, &out, nil)
		term.Note("%s", name)
		term.Warn("%v", errors.New(name))
		term.Error(fmt.Errorf("x: %s", name))
		for line := range strings.Lines(out.String()) {
			if !strings.HasPrefix(line, program) && !strings.HasPrefix(line, "    ") && line != "\n" {
				t.Errorf("%q: a line begins so: %q", name, line)
			}
		}
	}
}

func FuzzPrintf(f *testing.F) {
	for _, name := range hostileNames {
		f.Add(name[:min(len(name), 100)])
	}
	f.Fuzz(func(t *testing.T, s string) {
		var out bytes.Buffer
		New(nil, &out, &out, nil).Printf("%s %v %q\n", s, errors.New(s), []string{s})
		if strings.Count(out.String(), "\n") != 1 || Clean(out.String()) != out.String() {
			t.Errorf("%q: %q", s, out.String())
		}
	})
}

func FuzzEscapeJSON(f *testing.F) {
	for _, name := range hostileNames {
		f.Add(name[:min(len(name), 100)])
	}
	f.Add("\U000e0041 \ufffd")
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(map[string]string{"name": s}); err != nil {
			t.Fatal(err)
		}
		safe := EscapeJSON(b.Bytes())
		var before, after map[string]string
		if err := errors.Join(json.Unmarshal(b.Bytes(), &before), json.Unmarshal(safe, &after)); err != nil || before["name"] != after["name"] {
			t.Fatalf("%q: %s: %v", s, safe, err)
		}
		if Clean(string(safe)) != string(safe) || strings.Contains(string(safe), "##[") {
			t.Errorf("%q: %q", s, safe)
		}
	})
}
