package release

import (
	"go/version"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/profiles"
)

// ExitCode is the exit code an error asks for: of several errors, the highest.
func ExitCode(err error) int {
	code := 0
	switch e := err.(type) {
	case nil:
		return 0
	case profiles.Problem, profiles.Problems:
		return ExitUsage
	case *checksums.VerifyError:
		return ExitRefused
	case interface{ ExitCode() int }:
		code = e.ExitCode()
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		code = max(code, ExitCode(e.Unwrap()))
	case interface{ Unwrap() []error }:
		for _, sub := range e.Unwrap() {
			code = max(code, ExitCode(sub))
		}
	}
	return max(code, ExitError)
}

func older(v, than string) bool { return version.Compare(v, than) < 0 }
