package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// TestExitCode: of several errors the highest code counts, however they are wrapped.
func TestExitCode(t *testing.T) {
	problems := profiles.Problems{{Message: "x"}}
	refused := &checksums.VerifyError{Refusals: []checksums.RefusedError{{Name: "f", Reason: "r"}}}
	differ := &fault.Error{Err: errors.New("differ"), Code: fault.NotReproducible, Tip: ""}
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), fault.Failed},
		{context.Canceled, fault.Failed},
		{problems, fault.Usage},
		{fmt.Errorf("loading: %w", problems), fault.Usage},
		{errors.Join(errors.New("no key"), problems), fault.Usage},
		{errors.Join(fault.Errorf("h", "no key"), problems), fault.Usage},
		{refused, fault.Refused},
		{fmt.Errorf("x: %w", errors.Join(errors.New("y"), refused)), fault.Refused},
		{errors.Join(fault.Errorf("h", "x"), differ), fault.NotReproducible},
	} {
		if got := fault.ExitCode(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}
