package startup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/sys/unix"
)

// memory runs the program once and reads its memory.
func (l *launch) memory(ctx context.Context) (m Memory, err error) {
	if l.ready.Kind() == OnExit {
		return l.memoryAtExit(ctx)
	}
	c := *l
	var readErr error
	c.atReady = func(pid int) { m, readErr = readMemory(pid) }
	if _, err := c.run(ctx); err != nil {
		return m, err
	}
	if readErr != nil {
		return m, fmt.Errorf("it ended while its memory was read: %w", readErr)
	}
	m.At = "ready"
	return m, nil
}

// memoryAtExit traces the program (ptrace(2)), so that each of its threads
// stops once more when it is about to end, while the memory is still there. It
// is read at each of these stops, since the first thread may be gone before the
// last; processes that the program starts are not traced and not counted.
func (l *launch) memoryAtExit(ctx context.Context) (m Memory, err error) {
	s, err := l.open()
	if err != nil {
		return m, err
	}
	defer s.close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		// All ptrace calls have to come from one thread. It is not given back:
		// with it ends whatever may be left traced (PTRACE_O_EXITKILL).
		runtime.LockOSThread()
		m, err = l.traced(ctx, &s)
	}()
	<-done
	return m, err
}

// tracee kills a traced program, as long as its number is its own.
type tracee struct {
	mu   sync.Mutex
	pid  int
	gone bool
}

func (t *tracee) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.gone {
		syscall.Kill(-t.pid, syscall.SIGKILL)
	}
}

func (l *launch) traced(ctx context.Context, s *streams) (m Memory, err error) {
	pid, err := syscall.ForkExec(l.path, l.args, &syscall.ProcAttr{
		Dir: l.dir, Env: l.env, Files: s.fds(),
		Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Ptrace: true},
	})
	if err != nil {
		return m, &os.PathError{Op: "trace", Path: l.args[0], Err: err}
	}
	t := &tracee{pid: pid}
	ended := false
	defer func() {
		if !ended { // something went wrong on our side
			t.kill()
			var ws syscall.WaitStatus
			for {
				if p, err := syscall.Wait4(-pid, &ws, syscall.WALL, nil); err != nil && !errors.Is(err, syscall.EINTR) ||
					p == pid && (ws.Exited() || ws.Signaled()) {
					break
				} else if p > 0 && ws.Stopped() {
					syscall.PtraceCont(p, 0)
				}
			}
		}
		t.mu.Lock()
		t.gone = true
		t.mu.Unlock()
	}()
	timer := time.AfterFunc(l.timeout, t.kill)
	defer timer.Stop()
	defer context.AfterFunc(ctx, t.kill)()

	started, looks := false, 0
	var readErr error
	for {
		var ws syscall.WaitStatus
		// Its process group, not every child: others of this process are not ours to reap.
		tid, err := syscall.Wait4(-pid, &ws, syscall.WALL, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return m, fmt.Errorf("waiting for a traced program: %w", err)
		}
		switch {
		case ws.Exited() || ws.Signaled():
			if tid != pid {
				continue // a thread
			}
			ended = true
			status := exitStatus(ws.ExitStatus())
			if ws.Signaled() {
				status = "killed by " + signalName(ws.Signal())
			}
			switch {
			case ctx.Err() != nil:
				return m, context.Cause(ctx)
			case status != exitStatus(l.exit):
				return m, &failure{what: fmt.Sprintf("when its memory was measured: %s, want %s", status, exitStatus(l.exit))}
			case looks == 0:
				return m, errors.Join(errors.New("the program ended without stopping for its tracer"), readErr)
			}
			m.At = "exit"
			return m, nil
		case !ws.Stopped():
			continue
		case !started: // by execve, before its first instruction
			started = true
			const options = syscall.PTRACE_O_TRACEEXIT | syscall.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
			if err := syscall.PtraceSetOptions(pid, options); err != nil {
				return m, fmt.Errorf("ptrace: %w", err)
			}
			syscall.PtraceCont(tid, 0)
		case ws.TrapCause() == syscall.PTRACE_EVENT_EXIT:
			if one, err := readMemory(tid); err != nil {
				readErr = err
			} else {
				m.add(one)
				looks++
			}
			syscall.PtraceCont(tid, 0)
		case ws.TrapCause() >= 0: // another event: a thread was made
			syscall.PtraceCont(tid, 0)
		case ws.StopSignal() == syscall.SIGSTOP && tid != pid: // a new thread's first stop
			syscall.PtraceCont(tid, 0)
		default:
			syscall.PtraceCont(tid, int(ws.StopSignal()))
		}
	}
}

// readMemory reads the memory of a process from one of its threads' entries in /proc.
func readMemory(tid int) (m Memory, err error) {
	dir := "/proc/" + strconv.Itoa(tid)
	status, err := files.Read(dir+"/status", maxProc)
	if err != nil {
		return m, err
	}
	rss, err := parseKB(status, "VmPeak", "VmHWM", "RssAnon", "RssFile")
	if err != nil {
		return m, err
	}
	rollup, err := files.Read(dir+"/smaps_rollup", maxProc)
	if err != nil {
		return m, err
	}
	sums, err := parseKB(rollup, "Private_Dirty", "Pss")
	if err != nil {
		return m, err
	}
	return Memory{
		PeakVSZ: rss["VmPeak"], PeakRSS: rss["VmHWM"], Anon: rss["RssAnon"], File: rss["RssFile"],
		PrivateDirty: sums["Private_Dirty"], PSS: sums["Pss"],
	}, nil
}

// add takes the larger of each value: of several looks at one process.
func (m *Memory) add(o Memory) {
	m.PeakVSZ = max(m.PeakVSZ, o.PeakVSZ)
	m.PeakRSS, m.Anon, m.File = max(m.PeakRSS, o.PeakRSS), max(m.Anon, o.Anon), max(m.File, o.File)
	m.PrivateDirty, m.PSS = max(m.PrivateDirty, o.PrivateDirty), max(m.PSS, o.PSS)
}
