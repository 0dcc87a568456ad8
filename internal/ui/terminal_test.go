package ui

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

// plainTerminal is a Terminal without a terminal, and its two outputs.
func plainTerminal(env ...string) (t *Terminal, out, log *bytes.Buffer) {
	out, log = new(bytes.Buffer), new(bytes.Buffer)
	return New(strings.NewReader(""), out, log, variables(env...)), out, log
}

func variables(env ...string) func(string) string {
	return func(key string) string {
		for _, kv := range env {
			if k, v, _ := strings.Cut(kv, "="); k == key {
				return v
			}
		}
		return ""
	}
}

type problem struct{ text, form, hint string }

func (p problem) Error() string  { return p.text }
func (p problem) Format() string { return p.form }
func (p problem) Hint() string   { return p.hint }

type listError []error

func (l listError) Error() string   { return fmt.Sprintf("%d problems", len(l)) }
func (l listError) Unwrap() []error { return l }

func TestError(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	ha, hb := &fault.Error{Err: a, Tip: "do this"}, &fault.Error{Err: b, Tip: "do this"}
	caret := problem{"f:3:5: unknown key", "f:3:5: unknown key\n3 | kye: 1\n  | ^^^", "did you mean \"key\"?"}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"nil", nil, ""},
		{"one", a, "error: a\n"},
		{"hint", ha, "error: a\nhint: do this\n"},
		{"empty hint", &fault.Error{Err: a}, "error: a\n"},
		{"hint inside", fmt.Errorf("x: %w", ha), "error: x: a\nhint: do this\n"},
		{"outermost hint", &fault.Error{Err: ha, Tip: "rather that"}, "error: a\nhint: rather that\n"},
		{"empty hint outside", &fault.Error{Err: ha}, "error: a\nhint: do this\n"},
		{"a wrapped error stays one", fmt.Errorf("x: %w", fmt.Errorf("y: %w", a)), "error: x: y: a\n"},
		{"join", errors.Join(a, nil, b), "error: a\nerror: b\n"},
		{"join of joins", errors.Join(errors.Join(a, b), fmt.Errorf("c: %w", a)), "error: a\nerror: b\nerror: c: a\n"},
		{"same hint once", errors.Join(ha, a, hb, b), "error: a\nerror: a\nerror: b\nhint: do this\nerror: b\n"},
		{"list", listError{a, ha}, "error: a\nerror: a\nhint: do this\n"},
		{"empty list", listError{}, "error: 0 problems\n"},
		{"prefix of a join", fmt.Errorf("linux/arm: %w", errors.Join(a, hb)), "error: linux/arm: a\nerror: linux/arm: b\nhint: do this\n"},
		{"two prefixes", fmt.Errorf("x: %w", errors.Join(fmt.Errorf("y: %w", errors.Join(a, b)))), "error: x: y: a\nerror: x: y: b\n"},
		{"hint of a join", &fault.Error{Err: errors.Join(a, hb), Tip: "and that"}, "error: a\nerror: b\nhint: do this\nhint: and that\n"},
		{"join in the middle", fmt.Errorf("x (%w) y", errors.Join(ha, b)), "error: x (a\n    b) y\nhint: do this\n"},
		{"two in a sentence", fmt.Errorf("%w, and while closing: %w", ha, b), "error: a, and while closing: b\nhint: do this\n"},
		{"more lines", errors.New("go build: exit 1\n# x\n\n./a.go:1:\tno\n"), "error: go build: exit 1\n    # x\n\n    ./a.go:1:\tno\n"},
		{"format", caret, "error: f:3:5: unknown key\n    3 | kye: 1\n      | ^^^\nhint: did you mean \"key\"?\n"},
		{"format inside", fmt.Errorf("check: %w", errors.Join(caret, a)), "error: f:3:5: unknown key\n    3 | kye: 1\n      | ^^^\nhint: did you mean \"key\"?\nerror: check: a\n"},
		{"format in a sentence", fmt.Errorf("it is %w that failed", problem{"p", "P", ""}), "error: P\n"},
		{"hint in the text", problem{"p", "P (do this)", "do this"}, "error: P (do this)\n"},
		{"hostile", errors.New("x\x1b]0;t\x07\rmintmark: all good"), "error: x\\x1b]0;t\\a\\rmintmark: all good\n"},
		{"no text", errors.New(""), "error: *errors.errorString without a text\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			term, out, log := plainTerminal()
			term.Error(tt.err)
			want := strings.NewReplacer("error: ", program+"error: ", "hint: ", program+"hint: ").Replace(tt.want)
			if log.String() != want || out.Len() > 0 {
				t.Errorf("got\n%swant\n%s", log, want)
			}
		})
	}
}

func TestMessages(t *testing.T) {
	term, out, log := plainTerminal()
	term.Note("built %s", "x\ny\x1b")
	term.Warn("no %s", "tag")
	if err := term.Printf("%s\t%d\n", "a\x07", 1); err != nil {
		t.Error(err)
	}
	if want := "mintmark: built x\n    y\\x1b\nmintmark: warning: no tag\n"; log.String() != want {
		t.Errorf("standard error: %q, want %q", log, want)
	}
	if want := "a\\a\t1\n"; out.String() != want {
		t.Errorf("standard output: %q, want %q", out, want)
	}
	out.Reset()
	if n, err := term.Stdout().Write([]byte("\x1b\xff")); n != 2 || err != nil || out.String() != "\x1b\xff" {
		t.Errorf("bytes were not passed on: %d, %v, %q", n, err, out)
	}
	full := errors.New("disk full")
	if err := New(nil, failing{full}, log, nil).Printf("x"); !errors.Is(err, full) {
		t.Errorf("failed write: %v", err)
	}
}

func TestGitHubActions(t *testing.T) {
	term, out, log := plainTerminal("GITHUB_ACTIONS=true")
	if !term.CI() {
		t.Error("GitHub Actions is not CI")
	}
	term.Error(errors.New("x\n::add-mask::y"))
	term.Printf("::set-output name=a::b\n")
	tab := &Table{Columns: []Column{{}}}
	tab.Row(Plain.Text("::error::z"))
	tab.Write(term.Stdout())
	if want := "mintmark: error: x\n    \\::add-mask::y\n"; log.String() != want {
		t.Errorf("standard error: %q, want %q", log, want)
	}
	if want := "\\::set-output name=a::b\n\\::error::z\n"; out.String() != want {
		t.Errorf("standard output: %q, want %q", out, want)
	}
}

func TestNotATerminal(t *testing.T) {
	for _, tt := range []struct {
		env string
		ci  bool
	}{{"CI=true", true}, {"CI=1", true}, {"CI=false", false}, {"CI=0", false}, {"CI=", false}, {"GITHUB_ACTIONS=true", true}} {
		term, _, _ := plainTerminal(tt.env, "COLUMNS=40", "TERM=xterm")
		if term.CI() != tt.ci {
			t.Errorf("%s: CI is %v", tt.env, term.CI())
		}
		if term.Width() != 0 || term.StdoutIsTerminal() || term.StderrIsTerminal() || term.canLive || term.err.colour {
			t.Errorf("%s: a buffer is taken for a terminal: %+v", tt.env, term)
		}
	}
}

func TestPasswordWithoutTerminal(t *testing.T) {
	term, _, log := plainTerminal()
	_, err := term.Password("passphrase: ")
	if fault.Hint(err) == "" {
		t.Errorf("got %v, want an error with a hint", err)
	}
	if log.Len() > 0 {
		t.Errorf("asked nobody: %q", log)
	}
}
