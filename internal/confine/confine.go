// Package confine runs a command so that it writes only where it was told it
// may and reaches no network, as far as the system lets it, and says of each
// run what held the command and what did not.
//
// # What holds
//
// On Linux a command runs in a Landlock domain that it and everything it starts
// cannot leave: it creates, changes, truncates and removes no file and opens none
// for writing but below [Limits.Write], cannot gain rights by executing a
// setuid program, and from Linux 6.12 on reaches no abstract socket and signals
// no process outside of the domain. And it runs in a network namespace of its
// own, in which there is nothing, not even a loopback that is up.
//
// # Exceptions
//
// The system may know no Landlock, or too little of it, or permit neither it nor
// the namespace: old kernels, containers, every system but Linux. Then as
// much as there is holds, and [fact.Confinement]
// says what does not, with the reason. It is made from what the kernel accepted for that very process; there is no
// probe that is believed later.
//
// Landlock does not know about metadata: a confined command may change mode,
// owner and times of files that are its user's. Nor, before its version 9, does it
// keep anybody from a socket that is a file. Reading is not limited.
//
// # Views
//
// A command may see directories at other paths than they are at ([View]): it is then in
// a mount namespace as well, whose root is put together from the machine's own
// directories and those. Neither it nor anybody else sees anything in it that this
// process's user could not see, and nothing changes on the machine. It is no wall:
// what holds the command is the same as without.
//
// # How
//
// A Landlock domain belongs to a thread, and children inherit it from the
// thread that forks. So the command is started from a thread that is confined
// for it and that ends with it; no other thread of this process is ever
// restricted, and no helper program is needed but for a view (see [MounterSource]). The Go runtime does not start
// threads from a locked one (runtime.newm), nor reuse a locked thread whose
// goroutine has ended (runtime.goexit0).
package confine

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/internal/fact"
)

// Limits say what a command may do beside reading files and running programs.
// The zero value permits nothing: a command that was given no limits by mistake
// fails, it does not run free.
type Limits struct {
	// Write are directories and files that it may write, with all below them.
	// They must exist. [os.DevNull] may always be written.
	Write []string
	// View is what it sees of the file system, if not what there is; its command's
	// directory, path and arguments are as it sees them. What it may write is named as
	// it is on this machine. A view that cannot be had is a [ViewError].
	View *View
	// Waived is why the command is not confined at all; "" confines it. It has no view
	// then.
	Waived string
	// Log is told what held it, if not nil and not waived.
	Log *Log
	// Ready is asked before the command starts. Its error is that of the command,
	// which does not start then. Nil is no condition.
	Ready func() error
}

// Log gathers what held several commands. It may be used from several
// goroutines. A nil Log gathers nothing.
type Log struct {
	whole *Log // that this one is part of; may be nil

	mu     sync.Mutex
	states []fact.Confinement // distinct
	runs   int
}

// Part is a log of its own whose commands are l's as well.
func (l *Log) Part() *Log { return &Log{whole: l} }

// Add takes note of what held a command, wherever it ran.
func (l *Log) Add(s fact.Confinement) {
	for ; l != nil; l = l.whole {
		l.mu.Lock()
		l.runs++
		if !slices.Contains(l.states, s) {
			l.states = append(l.states, s)
		}
		l.mu.Unlock()
	}
}

// Runs is how many commands there were.
func (l *Log) Runs() int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.runs
}

// State is what held all of the commands: a wall held if it did for each of
// them. Of none at all, nothing held.
func (l *Log) State() fact.Confinement {
	state, _ := Join(l)
	return state
}

// Join is the state of all commands of several logs, and whether there were any.
func Join(logs ...*Log) (_ fact.Confinement, ran bool) {
	var all []fact.Confinement
	for _, l := range logs {
		if l != nil {
			l.mu.Lock()
			all = append(all, l.states...)
			l.mu.Unlock()
		}
	}
	join := func(wall func(fact.Confinement) fact.Hold) fact.Hold {
		if len(all) == 0 {
			return fact.Hold{Reason: "nothing was run"}
		}
		h := fact.Hold{Held: true}
		var reasons []string
		for _, s := range all {
			if w := wall(s); !w.Held {
				h.Held = false
				reasons = append(reasons, w.Reason)
			}
		}
		slices.Sort(reasons)
		h.Reason = strings.Join(slices.Compact(reasons), "; ")
		return h
	}
	return fact.Confinement{
		Writes:  join(func(s fact.Confinement) fact.Hold { return s.Writes }),
		Network: join(func(s fact.Confinement) fact.Hold { return s.Network }),
	}, len(all) > 0
}

// Run runs a command within its limits until it ends, and returns the command
// that ran, what held it, and what [exec.Cmd.Run] returned. command makes it, and
// is asked for a new one when the system has refused one a wall and
// it is to be started without. An error before anything ran comes with a nil
// command: a directory in Limits.Write that does not exist, for instance.
//
// On Unix the thread that starts the command lives until it has ended, so that
// a parent-death signal (prctl(2)) means the death of this process.
func Run(l Limits, command func() *exec.Cmd) (*exec.Cmd, fact.Confinement, error) {
	if l.Ready != nil {
		if err := l.Ready(); err != nil {
			return nil, fact.Confinement{}, err
		}
	}
	if l.Waived != "" {
		if l.View != nil {
			return nil, fact.Confinement{}, errors.New("a command with a view of its own is confined")
		}
		cmd := command()
		h := fact.Hold{Reason: l.Waived}
		return cmd, fact.Confinement{Writes: h, Network: h}, runFree(cmd)
	}
	cmd, s, err := run(l, command)
	if cmd != nil && cmd.Process != nil { // else nothing was held, since nothing ran
		l.Log.Add(s)
	}
	return cmd, s, err
}
