package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
)

// own is an error with a type of its own, as other packages have them.
type own struct{ parts []error }

func (own) Error() string     { return "own" }
func (own) Hint() string      { return "own hint" }
func (own) Exit() int         { return Refused }
func (e own) Unwrap() []error { return e.parts }

// child is what os/exec returns for a command that failed.
type child struct{}

func (child) Error() string { return "exit status 77" }
func (child) ExitCode() int { return 77 }

// TestFind: hints, exit codes and leaves are found in every shape of an error.
func TestFind(t *testing.T) {
	plain, missing := errors.New("plain"), fmt.Errorf("x: %w", fs.ErrNotExist)
	failed, usage := Errorf("try", "failed: %w", missing), Usagef("write", "usage")
	differ, refused := NotReproduciblef("", "differ"), Refusedf("ask", "refused")
	several := errors.Join(plain, errors.Join(failed, usage))
	for _, c := range []struct {
		name   string
		err    error
		code   int
		hints  []string
		leaves []error
	}{
		{"nothing", nil, 0, nil, nil},
		{"without either", plain, Failed, nil, []error{plain}},
		{"a hint", failed, Failed, []string{"try"}, []error{failed}},
		{"an exit code alone", differ, NotReproducible, nil, []error{differ}},
		{"both", refused, Refused, []string{"ask"}, []error{refused}},
		{"the outermost hint", &Error{failed, 0, "rather that"}, Failed, []string{"rather that"}, nil},
		{"an empty hint outside", &Error{usage, 0, ""}, Usage, []string{"write"}, nil},
		{"a lower code outside", &Error{refused, Usage, ""}, Refused, []string{"ask"}, nil},
		{"several", several, Usage, []string{"try", "write"}, []error{plain, failed, usage}},
		{"several, wrapped", fmt.Errorf("x: %w", several), Usage, []string{"try", "write"}, nil},
		{"several in one text", fmt.Errorf("%w, and %w", usage, refused), Refused, []string{"write", "ask"}, []error{usage, refused}},
		{"a hint of several", &Error{several, 0, "whole"}, Usage, []string{"whole"}, nil},
		{"a type of its own", fmt.Errorf("x: %w", own{}), Refused, []string{"own hint"}, nil},
		{"one that has parts", own{[]error{plain, usage}}, Refused, []string{"own hint"}, []error{plain, usage}},
		{"a child's exit status", fmt.Errorf("x: %w", child{}), Failed, nil, nil},
		{"a nil part", own{[]error{nil, plain}}, Refused, []string{"own hint"}, []error{plain}},
	} {
		if got := ExitCode(c.err); got != c.code {
			t.Errorf("%s: exit code %d, want %d", c.name, got, c.code)
		}
		if got := Hints(c.err); !slices.Equal(got, c.hints) {
			t.Errorf("%s: hints %q, want %q", c.name, got, c.hints)
		}
		if got := Hint(c.err); got != append(c.hints, "")[0] {
			t.Errorf("%s: hint %q, want the first of %q", c.name, got, c.hints)
		}
		want := c.leaves
		if want == nil && c.err != nil {
			want = []error{c.err} // it wraps, or is one
		}
		if got := Leaves(c.err); !slices.EqualFunc(got, want, func(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
			t.Errorf("%s: leaves %q, want %q", c.name, got, want)
		}
	}
}

// TestError: the text is the error's own, and what it wraps is found in it.
func TestError(t *testing.T) {
	err := Errorf("look elsewhere", "reading %s: %w", "it", fs.ErrNotExist)
	if err.Error() != "reading it: file does not exist" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
