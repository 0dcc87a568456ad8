package cli

import (
	"errors"

	"golang.org/x/sys/windows"
)

// catchPipe has nothing to do: a closed pipe ends no process here.
func catchPipe() func() { return func() {} }

// closedPipe reports whether whoever read a pipe has seen enough, as head does.
func closedPipe(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA)
}
