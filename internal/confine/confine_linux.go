package confine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"

	"github.com/mintmark/mintmark/internal/fact"
	"golang.org/x/sys/unix"
)

// way is how a command gets a network namespace.
type way struct {
	flags uintptr // of clone(2)
	// mapped has the command wait until its user and group are mapped to
	// themselves in the user namespace that it then is in.
	mapped bool
}

// ways are the ways to a network namespace: with the rights we have, and with a
// user namespace that gives them. The likelier comes first.
func ways() []way {
	w := []way{{flags: unix.CLONE_NEWNET}, {flags: unix.CLONE_NEWNET | unix.CLONE_NEWUSER, mapped: true}}
	if os.Geteuid() != 0 {
		slices.Reverse(w)
	}
	return w
}

// run starts the command with all walls, or with those that the system permits.
func run(l Limits, command func() *exec.Cmd) (*exec.Cmd, fact.Confinement, error) {
	scene, err := l.View.stage()
	if err != nil {
		return nil, fact.Confinement{}, err
	}
	dom, err := newDomain(l.Write)
	if err != nil {
		return nil, fact.Confinement{}, err
	}
	defer dom.close()
	cmd, network, err := dom.start(scene, command)
	if refused, ok := errors.AsType[*refusedError](err); ok {
		dom.leave("no Landlock: " + refused.Error())
		cmd, network, err = dom.start(scene, command)
	}
	if err != nil {
		return nil, fact.Confinement{}, err
	}
	return cmd.Cmd, fact.Confinement{Writes: dom.writes, Network: network}, <-cmd.done
}

// refusedError is that a thread may not enter the domain.
type refusedError struct{ error }

// start starts the command in the domain, with the view that is staged, if any, and
// in a network namespace, if there is one to be had.
func (d *domain) start(scene *stage, command func() *exec.Cmd) (_ *running, network fact.Hold, err error) {
	with, without := ways(), []way{{}}
	startIn := d.startIn
	if scene != nil {
		with, without = viewWays()
		startIn = func(w way, command func() *exec.Cmd) (*running, error) { return scene.startIn(d, w, command) }
	}
	var none error
	for _, w := range with {
		cmd, err := startIn(w, command)
		if err == nil {
			return cmd, fact.Hold{Held: true}, nil
		}
		none = err
	}
	var cmd *running
	var first error // of the likelier way
	for _, w := range without {
		if cmd, err = startIn(w, command); err == nil {
			break
		}
		if scene != nil && first == nil {
			first = err
		}
	}
	if scene != nil && err != nil {
		return nil, network, scene.refused(first)
	}
	network.Reason = fmt.Sprintf("no network namespace: %s", cause(none))
	if d.tcp {
		network.Reason += "; Landlock refuses TCP, and nothing else"
	}
	return cmd, network, err
}

// cause is the system's own word for an error, which names no path and no process.
func cause(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// running is a command that was started, and the thread that did it.
type running struct {
	*exec.Cmd
	done chan error
}

// startIn starts the command from a thread of its own that is in the domain. The
// error is about starting it: then nothing of it has run.
func (d *domain) startIn(w way, command func() *exec.Cmd) (*running, error) {
	cmd := command()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Cloneflags |= w.flags
	var gate *gate
	if w.mapped {
		var err error
		if gate, err = newGate(cmd); err != nil {
			return nil, err
		}
		defer gate.close()
	}
	started, r := make(chan error, 1), &running{cmd, make(chan error, 1)}
	onThread(func() {
		err := d.enter()
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err == nil {
			r.done <- cmd.Wait()
		}
	})
	if err := <-started; err != nil {
		return nil, err
	}
	if gate != nil {
		// Not from the confined thread, which may not write there.
		if err := gate.open(cmd.Process.Pid); err != nil {
			gate.close() // the command ends without having begun
			<-r.done
			return nil, err
		}
	}
	return r, nil
}

// onThread calls f on a thread that ends with it. It is never the main thread,
// which the runtime cannot end: it would stay as f has left it, idle, and /proc
// would show it for the whole process.
func onThread(f func()) {
	go func() {
		runtime.LockOSThread() // and never unlocked
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		defer runtime.UnlockOSThread()
		done := make(chan struct{})
		go func() { // on another one, since this one waits
			defer close(done)
			runtime.LockOSThread()
			f()
		}()
		<-done
	}()
}

// gate keeps a command in a new user namespace from beginning before its user
// and group have their numbers there: it sees who it is, and git that the files
// are still the ones that it has in its index. syscall.SysProcAttr could write
// the maps, but would do so from the thread that forks, and that one is confined.
type gate struct{ in, out *os.File }

func newGate(cmd *exec.Cmd) (*gate, error) {
	if err := unix.Access(cmd.Path, unix.X_OK); err != nil {
		return nil, err // the shell would say it in its own words
	}
	in, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{in} // 3 in the command
	const script = `read -r go <&3 || exit 125; exec 3<&-; unset go; exec "$0" "$@"`
	cmd.Args = append([]string{"/bin/sh", "-c", script, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	return &gate{in, out}, nil
}

// open maps the process's user and group to themselves and lets it go on.
func (g *gate) open(pid int) error {
	if err := mapSelf(pid); err != nil {
		return err
	}
	_, err := g.out.WriteString("go\n")
	return err
}

// mapSelf maps the user and group of a process in a new user namespace to themselves.
func mapSelf(pid int) error {
	for _, f := range []struct{ name, text string }{
		{"setgroups", "deny"}, // user_namespaces(7): else nobody may map a group
		{"gid_map", fmt.Sprintf("%d %[1]d 1", os.Getegid())},
		{"uid_map", fmt.Sprintf("%d %[1]d 1", os.Geteuid())},
	} {
		if err := tell(fmt.Sprintf("/proc/%d/%s", pid, f.name), f.text); err != nil {
			return err
		}
	}
	return nil
}

// tell writes to a file of the kernel's, in the one write that it wants.
func tell(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func (g *gate) close() {
	g.in.Close()
	g.out.Close()
}
