package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
)

// catch gives a context that a signal ends. The process ends at once only on a
// further signal some time later, for when something does not listen to the
// context: timeout(1), for one, sends the first one twice.
//
// A closed pipe on standard error is no reason to die amid a build: with
// SIGPIPE caught, writing to it is an error like others.
func catch(ctx context.Context) (context.Context, context.CancelFunc) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup(1) ignores it for us
		signals = append(signals, syscall.SIGHUP)
	}
	letPipe := catchPipe()
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, func() {
		time.Sleep(2 * time.Second)
		stop()
	})
	return ctx, func() {
		stop()
		letPipe()
	}
}

// grace is how long a verb may take to end after it was told to: to kill what
// it started and to remove what it made.
const grace = 10 * time.Second

// await runs a verb until it ends, or until it has not ended for that long
// after ctx did: a read from a server that does not answer any more listens to
// nobody. What the verb leaves then is what a killed one leaves, and the next
// run removes it.
func await(ctx context.Context, grace time.Duration, run func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- run() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(grace):
		return context.Cause(ctx)
	}
}

// stopped is what is said when somebody stopped us, amid a verb that builds or another.
func stopped(cause error, builds bool) error {
	hint, text := "", "stopped"
	if builds {
		hint = "nothing was published; what the first builds compiled is in the cache"
	}
	if cause != nil && !errors.Is(cause, context.Canceled) {
		text += ": " + cause.Error()
	}
	return fault.Errorf(hint, "%s", text)
}

// WithParent gives a context that ends when the parent process does. Mage does
// not pass SIGTERM on: when it is killed, the compiled magefile would go on
// building with nobody waiting. Where a process keeps its parent's number for
// life (Windows) this does nothing.
func WithParent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	parent := os.Getppid()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(250 * time.Millisecond):
				if os.Getppid() != parent {
					cancel(errors.New("mage is gone"))
					return
				}
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}
