package release

import (
	"context"
	"errors"
	"go/version"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/profiles"
)

// classify gives the exit code of errors from packages that know no codes.
func classify(err error) int {
	var problems profiles.Problems
	var problem profiles.Problem
	var refused *checksums.VerifyError
	switch {
	case errors.As(err, &problems), errors.As(err, &problem):
		return ExitUsage
	case errors.As(err, &refused):
		return ExitRefused
	case errors.Is(err, context.Canceled):
		return ExitError
	}
	return ExitError
}

func older(v, than string) bool { return version.Compare(v, than) < 0 }
