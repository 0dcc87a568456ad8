package checksums

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// RefusedError is one thing that failed to verify: a signature, a digest, a
// name, a version. It is not used for failures of the machine.
type RefusedError struct {
	Name   string `json:"name"`             // the file, "" when it is about no single file
	Reason string `json:"reason"`           // why, lower case, without the name
	Remedy string `json:"remedy,omitempty"` // what the user can do
	// OtherKind is set by a [Trust] that can say nothing about a signature, whoever
	// made it: it is of another kind of signer.
	OtherKind bool `json:"-"`
}

func (e *RefusedError) Error() string {
	if e.Name == "" {
		return e.Reason
	}
	return fact.Plain(e.Name) + ": " + e.Reason
}

// Hint returns the remedy.
func (e *RefusedError) Hint() string { return e.Remedy }

func refusef(name, remedy, format string, args ...any) *RefusedError {
	return &RefusedError{Name: name, Reason: fmt.Sprintf(format, args...), Remedy: remedy}
}

// asRefusal is err as a refusal of name; its remedy is the error's hint.
func asRefusal(name string, err error) RefusedError {
	r := RefusedError{Name: name, Reason: err.Error(), Remedy: fault.Hint(err)}
	var refused *RefusedError
	if errors.As(err, &refused) {
		r.Reason = refused.Reason
	}
	return r
}

// VerifyError holds every refusal of one verification, sorted by the order of
// the chain: signature, list, files, manifest, record. errors.As finds it, and
// finds each [RefusedError] in it.
type VerifyError struct {
	Refusals []RefusedError
}

func (e *VerifyError) Error() string {
	var b strings.Builder
	for i := range e.Refusals {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Refusals[i].Error())
	}
	return b.String()
}

// Unwrap returns each refusal as a *[RefusedError].
func (e *VerifyError) Unwrap() []error {
	errs := make([]error, len(e.Refusals))
	for i := range e.Refusals {
		errs[i] = &e.Refusals[i]
	}
	return errs
}

// Exit is that of what was refused.
func (e *VerifyError) Exit() int { return fault.Refused }

// Hint returns the distinct remedies, one a line.
func (e *VerifyError) Hint() string {
	var hints []string
	seen := map[string]bool{"": true}
	for i := range e.Refusals {
		if h := e.Refusals[i].Remedy; !seen[h] {
			seen[h] = true
			hints = append(hints, h)
		}
	}
	return strings.Join(hints, "\n")
}
