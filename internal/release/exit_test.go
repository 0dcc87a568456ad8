package release

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/profiles"
)

// TestExitCode: of several errors the highest code counts, however they are wrapped.
func TestExitCode(t *testing.T) {
	problems := profiles.Problems{{Message: "x"}}
	refused := &checksums.VerifyError{Refusals: []checksums.RefusedError{{Name: "f", Reason: "r"}}}
	differ := &codeError{errors.New("differ"), ExitNotReproducible, ""}
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), ExitError},
		{context.Canceled, ExitError},
		{problems, ExitUsage},
		{fmt.Errorf("loading: %w", problems), ExitUsage},
		{errors.Join(errors.New("no key"), problems), ExitUsage},
		{errors.Join(hinted("h", "no key"), problems), ExitUsage},
		{refused, ExitRefused},
		{fmt.Errorf("x: %w", errors.Join(errors.New("y"), refused)), ExitRefused},
		{errors.Join(hinted("h", "x"), differ), ExitNotReproducible},
	} {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}
