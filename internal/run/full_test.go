package run

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

// farError is an error of another machine.
type farError struct{ err error }

func (e *farError) Error() string     { return "far: " + e.err.Error() }
func (e *farError) Unwrap() error     { return e.err }
func (e *farError) Elsewhere() string { return "ssh://far" }

// TestExplainFull: whose disk is full is not said of another machine's.
func TestExplainFull(t *testing.T) {
	said := errors.New("docker: exit status 1: no space left on device")
	here := &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for _, tt := range []struct {
		name        string
		err         error
		here, there bool
	}{
		{"a program here", fmt.Errorf("go: %w", said), true, false},
		{"a file here", here, true, false},
		{"a program there", fmt.Errorf("lost: %w", &farError{said}), false, true},
		{"with a hint of its own", &farError{&fault.Error{Err: said, Tip: "MINTMARK_CACHE can name another"}}, false, true},
		{"a file here, for there", &farError{here}, true, false},
		{"both", errors.Join(errors.New("other"), &farError{said}, fmt.Errorf("go: %w", said)), true, true},
		{"neither", &farError{errors.New("connection refused")}, false, false},
		{"quoted", fmt.Errorf("%v", said), true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hint := fault.Hint(ExplainFull(tt.err))
			if got := strings.Contains(hint, "-out=DIR"); got != tt.here {
				t.Errorf("of this machine: %q", hint)
			}
			if got := strings.Contains(hint, "the disk of ssh://far"); got != tt.there {
				t.Errorf("of the other: %q", hint)
			}
		})
	}
	if ExplainFull(nil) != nil {
		t.Error("nothing was wrong")
	}
}
