//go:build !linux

package startup

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a program that was started.
type process struct {
	pid    int
	mu     sync.Mutex
	proc   *os.Process // nil before it was started
	killed bool        // somebody wanted to kill it before
	gone   atomic.Bool
	state  *os.ProcessState
	err    error
}

// fds are the program's files.
func (s *streams) fds() []*os.File { return []*os.File{s.stdin, s.stdout, s.stderr} }

func (l *launch) start(p *process, files []*os.File) error {
	if l.realtime {
		return errors.New("real-time scheduling is there on Linux only")
	}
	// Nil would be this process's environment, with what is secret in it.
	env := append([]string{}, l.env...)
	proc, err := os.StartProcess(l.path, l.args, &os.ProcAttr{Dir: l.dir, Env: env, Files: files})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pid, p.proc = proc.Pid, proc
	if p.killed {
		proc.Kill()
	}
	return nil
}

func (p *process) wait(began time.Time) time.Duration {
	p.state, p.err = p.proc.Wait()
	took := time.Since(began)
	p.gone.Store(true)
	return took
}

func (p *process) over() bool { return p.gone.Load() }

func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed = true; p.proc != nil {
		p.proc.Kill()
	}
}

// stop asks the program to end, and kills it after a while. Windows has nothing
// to ask with.
func (p *process) stop(patience time.Duration) {
	if p.proc.Signal(syscall.SIGTERM) != nil {
		p.kill()
		return
	}
	time.AfterFunc(patience, p.kill)
}

func (p *process) reap(o *outcome) (status string) {
	if p.err != nil {
		return p.err.Error()
	}
	o.cpu = p.state.UserTime() + p.state.SystemTime()
	if code := p.state.ExitCode(); code >= 0 {
		return exitStatus(code)
	}
	return fmt.Sprintf("ended: %v", p.state)
}
