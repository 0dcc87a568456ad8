package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/secret"
)

// Command is one run of a program, with nothing inherited and, unless Confine
// says more, nothing permitted but to read.
type Command struct {
	Path  string
	Args  []string
	Dir   string
	Env   []string // the whole environment
	Stdin []byte   // what it reads; nothing by default
	// Input is what it reads in the place of Stdin, and Output where its standard output
	// goes instead of into the result, without a limit. An *os.File is handed over as it is.
	Input    io.Reader
	Output   io.Writer
	Said     func(line string) // is told each line of standard error as it comes; may be nil
	Umask    int               // with SetUmask
	SetUmask bool
	Hostname string // "" keeps the host's
	// Limit bounds what is kept of each output stream; 0 means 64 MiB.
	Limit int
	// Confine says what it may write. Without it, it can write nothing and reach no
	// network; see [Place.Confine].
	Confine confine.Limits
}

// Result is what a command left behind.
type Result struct {
	Stdout, Stderr []byte
	CPU            time.Duration    // user+sys of the command and its finished children
	MaxRSS         int64            // bytes; of the largest single process, 0 where the system does not tell
	Confined       fact.Confinement // what held it in this run
}

// ExitError is a command that ran and failed. What it said is quoted without
// the secrets in it: git and the go command repeat addresses as they were given.
type ExitError struct {
	Command string // for people: the command and its first arguments
	Code    int    // -1 if a signal ended it
	Status  string // as the system puts it: exit status 1, signal: killed
	Output  string // what it said on stderr, without the go command's progress
}

func (e *ExitError) Error() string {
	status := e.Status
	if status == "" {
		status = fmt.Sprintf("exit status %d", e.Code)
	}
	out := strings.TrimRight(e.Output, "\n")
	if out == "" {
		return fmt.Sprintf("%s: %s", e.Command, status)
	}
	return fmt.Sprintf("%s: %s\n%s", e.Command, status, out)
}

// Run runs the command in a process group of its own. When ctx ends, the whole
// group is killed and Run returns only when no process of it is left that
// could hold the output streams; on Linux the group's leader also dies with
// this process, however that ends. A command that succeeds but prints more
// than Limit on stdout is an error, since what was kept is not all it said.
func Run(ctx context.Context, c Command) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	limit := c.Limit
	if limit == 0 {
		limit = 64 << 20
	}
	path, args := wrap(c)
	out, errOut := &limited{max: limit}, &limited{max: limit}
	limits := c.Confine
	limits.Write = append(slices.Clone(limits.Write), writes(c)...)
	cmd, state, err := confine.Run(limits, func() *exec.Cmd {
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Dir = c.Dir
		cmd.Env = dedupe(c.Env)
		if c.Stdin != nil {
			cmd.Stdin = bytes.NewReader(c.Stdin)
		}
		if c.Input != nil {
			cmd.Stdin = c.Input
		}
		cmd.Stdout, cmd.Stderr = out, errOut
		if c.Said != nil {
			cmd.Stderr = io.MultiWriter(errOut, &lines{told: c.Said})
		}
		if c.Output != nil {
			cmd.Stdout = c.Output
		}
		isolate(cmd, c)
		cmd.Cancel = func() error { return killGroup(cmd) }
		cmd.WaitDelay = 5 * time.Second // a grandchild that escaped the group must not hang us
		return cmd
	})
	res := Result{Stdout: out.buf.Bytes(), Stderr: errOut.buf.Bytes(), Confined: state}
	if cmd == nil {
		return res, fmt.Errorf("%s: %w", c.name(), err)
	}
	if st := cmd.ProcessState; st != nil {
		res.CPU = st.UserTime() + st.SystemTime()
		res.MaxRSS = maxRSS(st)
	}
	if err == nil {
		if out.cut {
			return res, fmt.Errorf("%s: printed more than %d bytes", c.name(), limit)
		}
		return res, nil
	}
	if ctx.Err() != nil {
		return res, context.Cause(ctx)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return res, &ExitError{Command: c.name(), Code: exit.ExitCode(), Status: exit.ProcessState.String(), Output: secret.Redact(withoutProgress(string(res.Stderr)))}
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		killGroup(cmd) // what the command left behind holds its output open
	}
	return res, fmt.Errorf("%s: %w", c.name(), err)
}

// progress is what the go command says of its work on stderr while nothing is wrong
// (cmd/go/internal/modfetch, modload, toolchain).
var progress = []string{"go: downloading ", "go: extracting ", "go: finding ", "go: switching to ", "go: added ", "go: upgraded ", "go: downgraded "}

// withoutProgress leaves out the lines that are no reason for an error.
func withoutProgress(stderr string) string {
	var b strings.Builder
	for line := range strings.Lines(stderr) {
		if !slices.ContainsFunc(progress, func(p string) bool { return strings.HasPrefix(line, p) }) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// name is the command for people: the program and its subcommand, without options.
func (c *Command) name() string {
	name := strings.TrimSuffix(filepath.Base(c.Path), ".exe")
	words := 0
	for i := 0; i < len(c.Args) && words < 2; i++ {
		switch a := c.Args[i]; {
		case words == 0 && (a == "-c" || a == "-C"):
			i++ // git's options before the subcommand have values
		case strings.HasPrefix(a, "-"):
			if words > 0 {
				return name
			}
		case strings.ContainsAny(a, `/\@.=`+"\n"):
			return name // an argument
		default:
			name += " " + a
			words++
		}
	}
	return name
}

// LookPath finds a program in the directories of a PATH value, without looking at this process's environment.
func LookPath(name, path string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue // "." on PATH is how the wrong program is run
		}
		if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
}

// dedupe keeps the last value of each variable: a C library would use the first.
func dedupe(env []string) []string {
	seen := map[string]bool{}
	out := []string{} // nil would be this process's environment to os/exec
	for i := len(env) - 1; i >= 0; i-- {
		name, _, _ := strings.Cut(env[i], "=")
		if !seen[name] {
			seen[name] = true
			out = append(out, env[i])
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// lines tells each whole line that is written to it.
type lines struct {
	told func(string)
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	const most = 64 << 10 // of a line; a longer one is told in parts
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 && len(l.rest) < most {
			return len(p), nil
		}
		if i < 0 {
			i = most - 1
		}
		l.told(string(l.rest[:i]))
		l.rest = l.rest[i+1:]
	}
}

// limited keeps the first max bytes and drops the rest, so that a command that
// prints without end cannot take all memory.
type limited struct {
	buf bytes.Buffer
	max int
	cut bool
}

var _ io.Writer = (*limited)(nil)

func (l *limited) Write(p []byte) (int, error) {
	room := l.max - l.buf.Len()
	l.buf.Write(p[:min(len(p), room)])
	l.cut = l.cut || len(p) > room
	return len(p), nil
}
