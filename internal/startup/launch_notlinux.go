//go:build !linux

package startup

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a program that was started.
type process struct {
	pid   int
	proc  *os.Process
	gone  atomic.Bool
	state *os.ProcessState
	err   error
}

func (l *launch) start(s *streams) (*process, error) {
	if l.realtime {
		return nil, errors.New("real-time scheduling is there on Linux only")
	}
	proc, err := os.StartProcess(l.path, l.args, &os.ProcAttr{Dir: l.dir, Env: l.env, Files: []*os.File{s.stdin, s.stdout, s.stderr}})
	if err != nil {
		return nil, err
	}
	return &process{pid: proc.Pid, proc: proc}, nil
}

func (p *process) wait(began time.Time) time.Duration {
	p.state, p.err = p.proc.Wait()
	took := time.Since(began)
	p.gone.Store(true)
	return took
}

func (p *process) over() bool { return p.gone.Load() }

func (p *process) kill() { p.proc.Kill() }

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
