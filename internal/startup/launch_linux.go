package startup

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
	"golang.org/x/sys/unix"
)

// process is a program that was started.
type process struct {
	pid      int
	realtime bool

	mu     sync.Mutex
	runs   bool // it was started, and not yet reaped: its number is its own
	gone   bool // it has ended
	killed bool // somebody wanted to kill it before it was started
}

// fds are the program's files as the kernel knows them.
func (s *streams) fds() []uintptr { return []uintptr{s.stdin.Fd(), s.stdout.Fd(), s.stderr.Fd()} }

// start launches the program with clone(CLONE_VFORK) and execve, and nothing
// else: 142 µs for a program that does nothing but exit, where os.StartProcess
// takes 148 and package os/exec 174 (and hyperfine -N 146).
//
// The thread is kept until [process.reap], since the kernel kills the program
// when the thread that started it ends: so none outlives a killed mintmark.
func (l *launch) start(p *process, fds []uintptr) error {
	attr := &syscall.ProcAttr{
		Dir: l.dir, Env: l.env, Files: fds,
		Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	}
	runtime.LockOSThread()
	if l.realtime {
		if err := schedule(unix.SCHED_FIFO, 50); err != nil {
			runtime.UnlockOSThread()
			return fault.Errorf("it needs root or CAP_SYS_NICE; measure without it", "SCHED_FIFO: %w", err)
		}
	}
	pid, err := syscall.ForkExec(l.path, l.args, attr)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.realtime = l.realtime
	if err != nil {
		p.release()
		return &os.PathError{Op: "start", Path: l.args[0], Err: err}
	}
	p.pid, p.runs = pid, true
	if p.killed {
		syscall.Kill(-pid, syscall.SIGKILL)
	}
	return nil
}

// release gives the thread back as it was.
func (p *process) release() {
	if p.realtime && schedule(unix.SCHED_NORMAL, 0) != nil {
		return // not to be used by others: it ends with its goroutine
	}
	runtime.UnlockOSThread()
}

// schedule sets how this thread, and what it starts, is scheduled.
func schedule(policy uint32, priority uint32) error {
	return unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: priority}, 0)
}

// wait returns when the program has ended. It is not reaped yet, so that its
// number stays its own while somebody may still want to kill it.
func (p *process) wait(began time.Time) time.Duration {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil || !errors.Is(err, unix.EINTR) {
			took := time.Since(began)
			p.mu.Lock()
			p.gone = true
			p.mu.Unlock()
			return took
		}
	}
}

// over says whether the program has ended.
func (p *process) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

// kill ends the program and what it has started.
func (p *process) kill() { p.signal(syscall.SIGKILL) }

// stop asks the program to end, and kills it after a while.
func (p *process) stop(patience time.Duration) {
	p.signal(syscall.SIGTERM)
	time.AfterFunc(patience, p.kill)
}

func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs {
		syscall.Kill(-p.pid, sig)
	} else if p.pid == 0 {
		p.killed = true
	}
}

// reap takes the ended program's account. What it has started and left behind
// is killed.
func (p *process) reap(o *outcome) (status string) {
	defer p.release()
	p.mu.Lock()
	defer p.mu.Unlock()
	syscall.Kill(-p.pid, syscall.SIGKILL)
	var ws syscall.WaitStatus
	var ru syscall.Rusage
	for {
		_, err := syscall.Wait4(p.pid, &ws, 0, &ru)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		p.runs = false
		if err != nil {
			return err.Error()
		}
		break
	}
	o.cpu = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	o.minor, o.major, o.faults = int64(ru.Minflt), int64(ru.Majflt), true // of 32 bits on some systems
	if ws.Signaled() {
		return fmt.Sprintf("killed by %s", signalName(ws.Signal()))
	}
	return exitStatus(ws.ExitStatus())
}

func signalName(s syscall.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return s.String()
}
