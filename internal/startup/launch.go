package startup

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mintmark/mintmark/internal/files"
)

// launch is one way to start a program.
type launch struct {
	path  string
	args  []string // with the program's name
	env   []string
	dir   string
	stdin string // file; "" is empty input
	ready Ready
	exit  int // the status that it has to end with when readiness is its exit
	// anyExit takes every exit status, and every end; [outcome] tells which.
	anyExit bool
	timeout time.Duration
	// realtime schedules the program, and the thread that waits for it, before
	// everything else.
	realtime bool
	// capture keeps what it writes, for runs that nobody times; work is a
	// directory for that.
	capture bool
	work    string
	// atReady, if not nil, is called with the process number when the program is
	// ready and has not ended. Not for exit.
	atReady func(pid int)
}

// outcome is what came of one launch.
type outcome struct {
	took           time.Duration // until ready
	cpu            time.Duration // user and system together, until its end
	minor, major   int64         // faults
	faults         bool          // they are known
	stdout, stderr []byte        // the first bytes, when captured
	status         string        // how it ended
}

const (
	captured = 64 << 10               // bytes of each stream that are kept
	searched = 1 << 20                // bytes of standard output that a pattern may need
	poll     = 200 * time.Microsecond // between two attempts to connect
	patience = 2 * time.Second        // for a program that was asked to end
)

// failure is a program that did not do what the workload says.
type failure struct {
	what   string
	stderr []byte
	late   bool // it was waited for until the end of its time
}

// wrote comes before what a program wrote, which may be anything.
const wrote = "; it wrote: "

func (e *failure) Error() string {
	if text := excerpt(e.stderr); text != "" {
		return e.what + wrote + text
	}
	return e.what
}

func (e *failure) Hint() string {
	return "a program gets the declared arguments and environment and nothing else; declare what it needs"
}

// goCrash is what begins the lines by which Go's runtime says why it ends a
// program (runtime.printpanics, runtime.fatalthrow, the race detector's halt).
// What follows them is the trace.
var goCrash = []string{"panic: ", "fatal error: ", "runtime: ", "unexpected fault address", "SIG"}

// excerpt is what a program said of its end, on one line: the lines by which
// Go's runtime says why, without the trace after them, else the last ones.
func excerpt(b []byte) string {
	s := strings.TrimSpace(string(b))
	if why := crash(s); why != "" {
		return clipEnd(why)
	}
	if i := len(s) - 300; i > 0 {
		s = "…" + strings.ToValidUTF8(s[i:], "")
	}
	return strings.Join(strings.Fields(s), " ")
}

// crash are the lines from the first of goCrash to the trace, or "".
func crash(s string) string {
	lines := strings.Split(s, "\n")
	first := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "panic: ") || strings.HasPrefix(l, "fatal error: ") })
	if first < 0 {
		return ""
	}
	for first > 0 && slices.ContainsFunc(goCrash, func(p string) bool { return strings.HasPrefix(lines[first-1], p) }) {
		first--
	}
	end := first
	for end < len(lines) && strings.TrimSpace(lines[end]) != "" && !strings.HasPrefix(lines[end], "goroutine ") {
		end++
	}
	return strings.Join(strings.Fields(strings.Join(lines[first:end], " ")), " ")
}

// clipEnd keeps the beginning of a long text.
func clipEnd(s string) string {
	if len(s) > 300 {
		return strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}

// streams are the files that a program is started with.
type streams struct {
	stdin, stdout, stderr *os.File // the program's ends
	out                   *os.File // our end of standard output, if there is a pipe
	errors                *os.File // a file with standard error, if captured
}

func (l *launch) open() (s streams, err error) {
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if l.stdin == "" {
		s.stdin, err = os.OpenFile(os.DevNull, os.O_RDONLY, 0)
	} else {
		s.stdin, err = files.Open(l.stdin)
	}
	if err != nil {
		return s, fmt.Errorf("standard input: %w", err)
	}
	if l.capture {
		// A file, so that nothing waits for whoever inherited a pipe.
		if s.errors, err = os.CreateTemp(l.work, ".stderr-"); err != nil {
			return s, err
		}
		os.Remove(s.errors.Name())
		s.stderr = s.errors
	} else if s.stderr, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
		return s, err
	}
	if l.capture || l.ready.Kind() == OnFirstByte || l.ready.Kind() == OnStdout {
		s.out, s.stdout, err = os.Pipe()
	} else {
		s.stdout, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	}
	return s, err
}

func (s *streams) close() {
	for _, f := range []*os.File{s.stdin, s.stdout, s.stderr, s.out, s.errors} {
		if f != nil {
			f.Close() // twice for some: harmless
		}
	}
}

// run starts the program once and waits until it is ready and has ended.
func (l *launch) run(ctx context.Context) (o outcome, err error) {
	if err := ctx.Err(); err != nil {
		return o, context.Cause(ctx)
	}
	s, err := l.open()
	if err != nil {
		return o, err
	}
	defer s.close()
	if l.ready.Kind() == OnTCP {
		if c, err := net.DialTimeout("tcp", l.ready.addr, time.Second); err == nil {
			c.Close()
			return o, &failure{what: "something accepts connections on " + l.ready.addr + " before the program is started"}
		}
	}
	// Before the clock starts: setting a timer may wake another thread.
	p := &process{}
	var late atomic.Bool
	timer := time.AfterFunc(l.timeout, func() {
		late.Store(true)
		p.kill()
	})
	defer timer.Stop()
	defer context.AfterFunc(ctx, p.kill)()
	fds := s.fds()

	began := time.Now()
	if err := l.start(p, fds); err != nil {
		return o, err
	}
	w := &watcher{began: began, ready: l.ready}
	if l.ready.Kind() == OnExit && !l.capture {
		o.took = p.wait(began)
	} else {
		s.stdout.Close() // so that the pipe ends with the program
		o.took = w.watch(p, s.out, l)
	}
	status := p.reap(&o)
	o.status = status
	if s.errors != nil {
		o.stderr = make([]byte, captured)
		n, _ := s.errors.ReadAt(o.stderr, 0)
		o.stderr = o.stderr[:n]
	}
	o.stdout = w.written.Bytes()
	switch {
	case ctx.Err() != nil:
		return o, context.Cause(ctx)
	case late.Load():
		return o, &failure{what: fmt.Sprintf("not ready after %v (ready is %s)", l.timeout, l.ready), stderr: o.stderr, late: true}
	case l.ready.Kind() == OnExit && !l.anyExit && status != exitStatus(l.exit):
		return o, &failure{what: fmt.Sprintf("%s, want %s", status, exitStatus(l.exit)), stderr: o.stderr}
	case l.ready.Kind() != OnExit && !w.isReady:
		return o, &failure{what: fmt.Sprintf("it ended (%s) before it was ready (%s)", status, l.ready), stderr: o.stderr}
	}
	return o, nil
}

func exitStatus(n int) string { return fmt.Sprintf("exit status %d", n) }

// watcher waits for a program's readiness that is not only its exit.
type watcher struct {
	began   time.Time
	ready   Ready
	isReady bool
	written bytes.Buffer // the first of standard output
	// search is what a pattern is looked for in.
	search []byte
}

// watch returns when the program has ended, how long it took to be ready.
func (w *watcher) watch(p *process, out *os.File, l *launch) (took time.Duration) {
	ended := make(chan time.Duration, 1)
	go func() { ended <- p.wait(w.began) }()
	// Called by one goroutine only: the one that connects or the one that reads.
	ready := func(at time.Duration) {
		if w.isReady {
			return
		}
		w.isReady, took = true, at
		if l.atReady != nil {
			l.atReady(p.pid)
		}
		p.stop(patience)
	}
	connected := make(chan struct{})
	go func() {
		defer close(connected)
		if w.ready.Kind() == OnTCP {
			w.connect(p, ready)
		}
	}()
	if out != nil {
		// Reading blocks until somebody closes the pipe's other end, which
		// children of the program may hold: its end must end that as well.
		over := make(chan struct{})
		go func() {
			defer close(over)
			d := <-ended
			ended <- d
			time.AfterFunc(patience, func() { out.Close() })
		}()
		buf := make([]byte, 32<<10)
		for {
			n, err := out.Read(buf)
			if n > 0 {
				at := time.Since(w.began)
				w.written.Write(buf[:min(n, max(0, captured-w.written.Len()))])
				if w.matches(buf[:n]) {
					ready(at)
				}
			}
			if err != nil { // the end, mostly
				break
			}
		}
		<-over
	}
	<-connected
	exited := <-ended
	if w.ready.Kind() == OnExit {
		w.isReady, took = true, exited
	}
	return took
}

// matches says whether what was written until now means ready.
func (w *watcher) matches(more []byte) bool {
	switch w.ready.Kind() {
	case OnFirstByte:
		return true
	case OnStdout:
		if len(w.search) > searched {
			return false
		}
		w.search = append(w.search, more...)
		return w.ready.pattern.Match(w.search)
	}
	return false
}

// connect tries to connect until it works or the program has ended.
func (w *watcher) connect(p *process, ready func(time.Duration)) {
	for !p.over() {
		c, err := net.DialTimeout("tcp", w.ready.addr, time.Second)
		if err == nil {
			at := time.Since(w.began)
			c.Close()
			ready(at)
			return
		}
		time.Sleep(poll)
	}
}
