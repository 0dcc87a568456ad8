//go:build !windows && !plan9

package cli

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// catchPipe makes writing to a closed pipe an error like others, where it
// would end the process, until the returned function is called.
func catchPipe() func() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGPIPE)
	return func() { signal.Stop(c) }
}

// closedPipe reports whether whoever read a pipe has seen enough, as head does.
func closedPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
