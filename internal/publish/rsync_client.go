package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
)

// rsyncClient runs rsync for one target.
type rsyncClient struct {
	cfg     *Config
	target  Target
	protect bool   // paths are kept from the shell at the other end
	program string // "" until it was looked for
	own     string // private directory, "" until it is needed
	would   bool   // runs are said, and not made
	reached bool   // the other end has answered
}

func (c *rsyncClient) rehearse() { c.would = true }

func (c *rsyncClient) close() {
	if c.own != "" {
		files.RemoveTree(c.own)
	}
}

// newDir makes an empty directory of this run.
func (c *rsyncClient) newDir() (string, error) {
	if c.own == "" {
		own, err := os.MkdirTemp("", "mintmark-rsync-")
		if err != nil {
			return "", err
		}
		c.own = own
	}
	return os.MkdirTemp(c.own, "")
}

// location is a path at the other end, as an argument.
func (c *rsyncClient) location(p string) string {
	where := c.target.under(p)
	if c.daemon() {
		where = string(Rsync) + ":" + where
	}
	return where
}

// ask runs rsync for what changes nothing at the other end: again, when a connection
// broke.
func (c *rsyncClient) ask(ctx context.Context, dir string, args ...string) ([]byte, error) {
	for try := 1; ; try++ {
		out, err := c.run(ctx, dir, Event{}, args...)
		if !unsure(err) || ctx.Err() != nil || try == tries {
			return out, err
		}
		if err := c.cfg.pause(ctx, try); err != nil {
			return nil, err
		}
	}
}

// lookEach is how often it is seen how much has come.
const lookEach = 100 * time.Millisecond

// spareBytes and spareNames are how much more than is expected may lie in a directory while
// files come into it.
const (
	spareBytes = 1 << 20
	spareNames = 1000
)

// askWithin is ask for files of that many bytes together, which come into a directory: rsync
// itself writes as much as the other end sends, whatever that has said of sizes and whatever
// --max-size says.
func (c *rsyncClient) askWithin(ctx context.Context, dir string, bytes int64, args ...string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		for each := time.NewTicker(lookEach); ; {
			select {
			case <-ctx.Done():
				each.Stop()
				return
			case <-each.C:
			}
			if held(dir) > bytes+spareBytes {
				cancel(fault.Refusedf("what is there is not what was published, or changes: do not use it", "%s sends more than the %d bytes that it has listed", c.target, bytes))
			}
		}
	}()
	_, err := c.ask(ctx, dir, args...)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// held are the bytes in a directory; too many for any limit where there are more names
// than anybody asked for.
func held(dir string) (bytes int64) {
	names := 0
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // it was renamed in the meantime
		}
		if names++; names > spareNames {
			bytes = math.MaxInt64
			return fs.SkipAll
		}
		if fi, err := e.Info(); err == nil && fi.Mode().IsRegular() {
			bytes += fi.Size()
		}
		return nil
	})
	return bytes
}

// run runs rsync in a directory of this machine, "" for a private one. e says what goes
// with it.
func (c *rsyncClient) run(ctx context.Context, dir string, e Event, args ...string) ([]byte, error) {
	args = append(c.options(), args...)
	e.Method, e.URL, e.Would = string(Rsync), shell.Words(args), c.would
	c.cfg.say(e)
	if c.would {
		return nil, nil
	}
	if err := c.lookUp(ctx); err != nil {
		return nil, err
	}
	if dir == "" {
		var err error
		if dir, err = c.newDir(); err != nil {
			return nil, err
		}
	}
	res, err := toolchain.Run(ctx, c.command(c.program, dir, args...))
	if err != nil {
		return nil, c.explained(err)
	}
	c.reached = true
	return res.Stdout, nil
}

// command is rsync, with nothing of the environment but what it is to have.
func (c *rsyncClient) command(program, dir string, args ...string) toolchain.Command {
	env := slices.Clone(c.cfg.Env)
	if c.daemon() && c.cfg.variable("RSYNC_PASSWORD") == "" {
		env = append(env, "RSYNC_PASSWORD=") // or it would ask, where nobody sees it
	}
	return toolchain.Command{
		Path: program, Args: args, Dir: dir, Env: env,
		Confine: confine.Limits{Waived: "it reaches another machine, with the user's own settings"},
	}
}

func (c *rsyncClient) daemon() bool { return strings.HasPrefix(c.target.Base, "//") }

// options are what every run begins with.
func (c *rsyncClient) options() []string {
	args := []string{"--timeout=" + strconv.Itoa(int(or(c.cfg.Idle, idleTime).Seconds()))}
	switch {
	case c.daemon():
		args = append(args, "--contimeout=60", "--no-motd")
	case c.cfg.variable("RSYNC_RSH") == "":
		// A question that nobody sees would wait for ever; so would who waits for a machine
		// that has gone without a word.
		args = append(args, "--rsh=ssh -o BatchMode=yes -o ServerAliveInterval=15 -o ServerAliveCountMax=4")
	}
	if c.protect {
		args = append(args, "-s")
	}
	return args
}

var rsyncVersion = regexp.MustCompile(`(?m)^rsync +version v?([0-9]+)\.([0-9]+)`)

// lookUp finds rsync, and refuses one that does not have what is asked of it:
// --ignore-missing-args came with 3.1.0 (https://download.samba.org/pub/rsync/NEWS#3.1.0).
func (c *rsyncClient) lookUp(ctx context.Context) error {
	if c.program != "" {
		return nil
	}
	const needed = "install rsync 3.1 or newer, and have it on PATH; on macOS, whose own is another program: brew install rsync"
	program, err := toolchain.LookPath("rsync", c.cfg.variable("PATH"))
	if err != nil {
		return fault.Errorf(needed, "%s: %w", c.target, err)
	}
	dir, err := c.newDir()
	if err != nil {
		return err
	}
	res, err := toolchain.Run(ctx, c.command(program, dir, "--version"))
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	m := rsyncVersion.FindSubmatch(res.Stdout)
	if m == nil {
		return fault.Errorf(needed, "%s: does not say which version of rsync it is", program)
	}
	major, err1 := strconv.Atoi(string(m[1]))
	minor, err2 := strconv.Atoi(string(m[2]))
	if err1 != nil || err2 != nil || major < 3 || major == 3 && minor < 1 {
		return fault.Errorf(needed, "%s: is version %s.%s", program, m[1], m[2])
	}
	c.program = program
	return nil
}

// Exit codes of rsync(1), and ssh's.
const (
	exitUsage    = 1
	exitProtocol = 2
	exitAction   = 4
	exitStart    = 5
	exitSocket   = 10
	exitFile     = 11
	exitStream   = 12
	exitPartial  = 23
	exitTimeout  = 30
	exitConnect  = 35
	exitShell    = 255
)

// explained is the error of a run with what can be done about it. Where the other end
// has answered before, a connection that broke may be tried again.
func (c *rsyncClient) explained(err error) error {
	exit, ok := errors.AsType[*toolchain.ExitError](err)
	if !ok {
		return fmt.Errorf("rsync: %w", err)
	}
	// ssh ends its lines as a terminal wants them.
	exit.Output = strings.ReplaceAll(exit.Output, "\r", "")
	host := strings.NewReplacer("[", "", "]", "").Replace(c.target.Base) // as ssh is told one
	if c.daemon() {
		host = string(Rsync) + ":" + c.target.Base
	}
	hint := ""
	switch exit.Code {
	case exitStart, exitSocket, exitStream, exitTimeout, exitConnect, exitShell:
		switch {
		case c.reached && c.daemon():
			// Of a module that takes nothing, versions before 3.2 say this too.
			return &unsureError{fault.Errorf("run the same command again: it goes on where this one stopped; if it stays so, see whether the module has read only = false", "%w", err)}
		case c.reached:
			return &unsureError{err}
		case exit.Code == exitStart:
			hint = "see what rsync says: a daemon has to answer at " + host + ", and to have the module; a module that asks who comes needs the name of a user before the host, and the password in RSYNC_PASSWORD"
		case c.daemon():
			hint = "a daemon has to answer at " + host
		case c.cfg.variable("RSYNC_RSH") != "":
			hint = "what RSYNC_RSH names has to reach " + host + " without a question, and rsync 3.1 or newer has to be there"
		default:
			hint = "this has to work without a question, with the key in the agent and the host in known_hosts: ssh " + host + " rsync --version"
		}
	case exitUsage, exitProtocol, exitAction:
		hint = "see what rsync says: the other end has to be rsync 3.1 or newer, and to take files (of a daemon, the module: read only = false)"
	case exitFile, exitPartial:
		hint = "see what rsync says, and mend it: whoever comes there needs the right to read and write below " + c.location(c.target.Path) + "; then run the same command again"
	}
	if hint == "" {
		return err
	}
	return &fault.Error{Err: err, Tip: hint}
}
