package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// meter measures commands, one measurement at a time.
type meter struct {
	every time.Duration // between two samples of the process tree
}

// newMeter makes this process the one that orphans fall to. A process that
// outlives its parent would otherwise leave the tree, and take its CPU with it.
func newMeter() (*meter, error) {
	const prSetChildSubreaper = 36 // prctl(2)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); errno != 0 {
		return nil, fmt.Errorf("prctl(PR_SET_CHILD_SUBREAPER): %w", errno)
	}
	return &meter{every: 20 * time.Millisecond}, nil
}

// childrenCPU is user+sys of everything that this process has ever waited for,
// with what that had waited for.
func childrenCPU() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &ru); err != nil {
		return 0 // cannot happen: the arguments are right
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// run runs the jobs one after the other as one measurement. The first that
// fails ends it, with its output in the error.
func (m *meter) run(ctx context.Context, log *os.File, jobs ...job) (sample, error) {
	w := newWatch()
	busy, before, own := machineBusy(), childrenCPU(), selfCPU()
	began := time.Now()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		t := time.NewTicker(m.every)
		defer t.Stop()
		for {
			w.look(childrenCPU() - before)
			select {
			case <-stop:
				return
			case <-t.C:
			}
		}
	}()
	var err error
	for _, j := range jobs {
		if err = m.one(ctx, log, j); err != nil {
			break
		}
	}
	wall := time.Since(began)
	if oerr := reapOrphans(10 * time.Second); err == nil {
		err = oerr
	}
	close(stop)
	<-stopped
	w.look(childrenCPU() - before)
	s := sample{
		CPU: childrenCPU() - before, Wall: wall, Peak: w.peak, Anon: w.anon, Looks: w.looks,
	}
	s.Idle, s.Unused = w.idle()
	others := machineBusy() - busy - s.CPU - (selfCPU() - own)
	s.Others = max(0, others.Seconds()/time.Since(began).Seconds()/float64(cores()))
	return s, err
}

func (m *meter) one(ctx context.Context, log *os.File, j job) error {
	cmd := exec.CommandContext(ctx, j.args[0], j.args[1:]...)
	cmd.Dir, cmd.Env = j.dir, j.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // mintmark and GoReleaser clean up
	cmd.WaitDelay = 10 * time.Second
	from, err := log.Seek(0, 2)
	if err != nil {
		return err
	}
	if j.group != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(j.group.dir.Fd())}
	}
	cmd.Stdout, cmd.Stderr = log, log // files: nothing waits for whoever holds a pipe open
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s: %w\n%s", strings.Join(j.args, " "), err, tail(log, from))
	}
	return nil
}

// fileSystemType is which kind of file system a directory is on; see statfs(2).
func fileSystemType(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(st.Type) & 0xffffffff, nil // some architectures have it signed, in 32 bits
}

// tail is the end of what a file holds from an offset on.
func tail(f *os.File, from int64) string {
	fi, err := f.Stat()
	if err != nil {
		return ""
	}
	const most = 8 << 10
	from = max(from, fi.Size()-most)
	data := make([]byte, fi.Size()-from)
	n, _ := f.ReadAt(data, from)
	return string(data[:n])
}

// reapOrphans waits for the processes that have fallen to this one, so that
// their CPU is counted. Those that do not end are killed, and an error.
func reapOrphans(patience time.Duration) error {
	deadline := time.Now().Add(patience)
	var stuck []string
	for {
		waiting := false
		for _, p := range childrenOf(os.Getpid()) {
			var status syscall.WaitStatus
			switch pid, err := syscall.Wait4(p.pid, &status, syscall.WNOHANG, nil); {
			case err != nil && !errors.Is(err, syscall.EINTR), pid == p.pid:
			case time.Now().After(deadline):
				stuck = append(stuck, fmt.Sprintf("%s (process %d)", p.comm, p.pid))
				syscall.Kill(p.pid, syscall.SIGKILL)
				syscall.Wait4(p.pid, &status, 0, nil)
			default:
				waiting = true
			}
		}
		if !waiting {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if len(stuck) > 0 {
		return fmt.Errorf("left running after the end: %s", strings.Join(stuck, ", "))
	}
	return nil
}
