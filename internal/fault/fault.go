// Package fault is one error that says what to do about it, and how the hints,
// the exit code and the parts of any error are found.
//
// An error that somebody branches on has a type of its own, in the package that
// returns it. Every other one that has a hint or an exit code is an [Error].
//
// # What counts as a hint and as an exit code
//
// A type of its own takes part by the same two methods that Error has, each of
// which it may leave out: Hint() string says what the user can do, "" for
// nothing; Exit() int is an exit code. Both are found however the error is
// wrapped or joined. A hint that is further out is about more, so it replaces
// those within; an exit code never hides a higher one.
//
// The method is not named ExitCode, since *[os/exec.ExitError] has one: what a
// child ended with is not what this process ends with.
package fault

import "fmt"

// Exit codes, the same for every verb. A higher one is graver, and goes first.
const (
	Failed          = 1
	Usage           = 2 // wrong flags, wrong profile file
	NotReproducible = 3 // or over budget
	Refused         = 4 // signature or checksum
)

// Error is an error with what to do about it. Its text is that of Err.
type Error struct {
	Err  error
	Code int    // the exit code that it asks for; 0 leaves it to Err
	Tip  string // what the user can do; "" leaves the hint to Err
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the error.
func (e *Error) Unwrap() error { return e.Err }

// Hint says what the user can do.
func (e *Error) Hint() string { return e.Tip }

// Exit is the exit code that the error asks for.
func (e *Error) Exit() int { return e.Code }

// Errorf is [fmt.Errorf] with a hint.
func Errorf(hint, format string, args ...any) error {
	return &Error{fmt.Errorf(format, args...), Failed, hint}
}

// Usagef is [Errorf] for wrong usage.
func Usagef(hint, format string, args ...any) error {
	return &Error{fmt.Errorf(format, args...), Usage, hint}
}

// NotReproduciblef is [Errorf] for what differs, or is over budget.
func NotReproduciblef(hint, format string, args ...any) error {
	return &Error{fmt.Errorf(format, args...), NotReproducible, hint}
}

// Refusedf is [Errorf] for what somebody signed or listed, and is not so.
func Refusedf(hint, format string, args ...any) error {
	return &Error{fmt.Errorf(format, args...), Refused, hint}
}

// Hint is the first hint of an error, from the outside to the inside and from
// the first part to the last; "" if there is none.
func Hint(err error) string {
	for _, h := range Hints(err) {
		return h
	}
	return ""
}

// Hints are the outermost hints of an error: one, or of an error that is made of
// several and has none itself, those of each.
func Hints(err error) []string {
	if h, ok := err.(interface{ Hint() string }); ok && h.Hint() != "" {
		return []string{h.Hint()}
	}
	var hints []string
	for _, e := range within(err) {
		hints = append(hints, Hints(e)...)
	}
	return hints
}

// ExitCode is the exit code that an error asks for: the highest of all in it,
// at least [Failed], and 0 for nil.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	code := Failed
	if e, ok := err.(interface{ Exit() int }); ok {
		code = max(code, e.Exit())
	}
	for _, e := range within(err) {
		code = max(code, ExitCode(e))
	}
	return code
}

// Leaves are the errors that one is joined of, to any depth, in their order.
// What only wraps another one is a leaf, whatever that is made of. nil has none.
func Leaves(err error) []error {
	several, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !ok:
		return []error{err}
	}
	var leaves []error
	for _, e := range several.Unwrap() {
		leaves = append(leaves, Leaves(e)...)
	}
	return leaves
}

// within are the errors that one wraps or is joined of.
func within(err error) []error {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return nil
}
