package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/childenv"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/files"
)

// Git runs git.
type Git struct {
	path    string
	environ []string
	work    string
	// checkouts are directories outside of work that it may write, too.
	checkouts []string
	// patience is how long git may take to answer a question about a repository
	// where it lies. Git opens what it finds there, and waits at a pipe for ever.
	patience time.Duration
}

// New is the git command path. environ is the user's environment, of which no
// more is used than [childenv] permits; work is a private directory, for the git
// directories that are made here.
func New(path string, environ []string, work string) *Git {
	return &Git{path: path, environ: environ, work: work, patience: 2 * time.Minute}
}

// mode is what a git command may read and reach.
type mode uint8

const (
	// own is a command in a git directory of our own: it reads no configuration
	// but that one's, and no network.
	own mode = iota
	// ask is a command that is asked about a repository where it lies, with the
	// user's settings. It must be one that starts nothing: rev-parse, show-ref, config.
	ask
	// stranger is ask without the user's settings, for a repository of any owner.
	stranger
	// fetch may use the network and the user's credentials.
	fetch
)

// pinned are settings that no command is without. They win over every file.
func pinned(m mode) []string {
	settings := []string{
		"core.fsmonitor=false", "core.hooksPath=" + os.DevNull, "core.commitGraph=false", "gc.auto=0", "maintenance.auto=false",
		"submodule.recurse=false", "fetch.recurseSubmodules=false", "fetch.writeCommitGraph=false", "transfer.bundleURI=false",
		"log.showSignature=false", "advice.detachedHead=false", "advice.graftFileDeprecated=false", "protocol.ext.allow=never",
	}
	if m != fetch {
		settings = append(settings, "protocol.allow=never", "credential.helper=", "core.sshCommand=false", "core.askPass=")
	}
	var args []string
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

// environment is the whole environment of a git command.
func (g *Git) environment(m mode) ([]string, error) {
	env := []string{
		"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_TEMPLATE_DIR=", "GIT_PAGER=cat",
		// Replacements and grafts are private views of a history: a clone has none of them.
		"GIT_NO_REPLACE_OBJECTS=1", "GIT_GRAFT_FILE=" + os.DevNull,
		// The user's settings may say where a trace goes.
		"GIT_TRACE2=0", "GIT_TRACE2_EVENT=0", "GIT_TRACE2_PERF=0",
		// The refs of a git directory of our own are written as files.
		"GIT_DEFAULT_REF_FORMAT=files",
	}
	if m == fetch {
		return append(append(childenv.Of(childenv.Fetch, g.environ), env...), "GIT_ALLOW_PROTOCOL=file:git:http:https:ssh"), nil
	}
	env = append(env, "GIT_ALLOW_PROTOCOL=none", "GIT_ASKPASS=", "SSH_ASKPASS=", "PATH="+childenv.Path(g.path))
	if m == ask {
		return append(childenv.Of(childenv.Settings, g.environ), env...), nil
	}
	env = append(env, "HOME="+g.work, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM="+os.DevNull)
	for _, kv := range g.environ {
		if strings.HasPrefix(kv, "GIT_EXEC_PATH=") {
			env = append(env, kv) // where git's own programs are
		}
	}
	global := os.DevNull
	if m == stranger {
		// Nothing of the repository runs, so it does not matter whose it is.
		global = filepath.Join(g.work, "gitconfig-trust")
		if err := files.Write(global, []byte("[safe]\n\tdirectory = *\n"), 0o600); err != nil {
			return nil, err
		}
	}
	return append(append(childenv.Of(childenv.None, g.environ), env...), "GIT_CONFIG_GLOBAL="+global), nil
}

// limits are the second wall: should a setting that names a program have been
// forgotten, the program can change nothing of the user's and reach nobody.
func (g *Git) limits(m mode) confine.Limits {
	if m == fetch {
		return toolchain.Fetching()
	}
	return confine.Limits{Write: append([]string{g.work}, g.checkouts...)}
}

// run runs git in dir and gives what it printed. more are variables of one command.
func (g *Git) run(ctx context.Context, m mode, dir string, more []string, stdin []byte, args ...string) ([]byte, error) {
	env, err := g.environment(m)
	if err != nil {
		return nil, err
	}
	if m == ask || m == stranger {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, g.patience, fmt.Errorf("git %s in %s: no answer within %v; is a file of the repository a pipe?", args[0], dir, g.patience))
		defer stop()
	}
	res, err := toolchain.Run(ctx, toolchain.Command{
		Path: g.path, Args: append(pinned(m), args...), Dir: dir, Env: append(env, more...), Stdin: stdin, Confine: g.limits(m),
	})
	if err != nil && ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return res.Stdout, err
}

// ErrElsewhere says that a repository's configuration names another directory
// as its work tree than the one it lies in.
var ErrElsewhere = errors.New("core.worktree names another directory as the work tree")

// Location is where a repository and its parts are.
type Location struct {
	Root    string // top of the work tree
	Prefix  string // the directory that was asked for, slash-separated and below Root; "" for Root
	Head    string // the commit of HEAD, by hash; it may not exist
	Shallow bool

	gitDir, common string // absolute
	format         string // of objects: sha1 or sha256
}

// Find asks git for the repository around a directory, and what the user's
// settings say of it (safe.directory, ceilings). The error is git's own.
func (g *Git) Find(ctx context.Context, dir string) (*Location, error) {
	questions := []string{"--show-toplevel", "--show-prefix", "--absolute-git-dir", "--git-common-dir", "--is-shallow-repository", "--show-object-format"}
	// All in one, where the answers can be told apart: a path may have line ends in it.
	out, err := g.run(ctx, ask, dir, nil, nil, append(append([]string{"rev-parse"}, questions...), "HEAD")...)
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if err != nil || len(answers) != len(questions)+1 {
		// One by one: then it is known what failed.
		answers = nil
		for _, q := range append(questions, "HEAD") {
			args := []string{"rev-parse", q}
			if q == "HEAD" {
				args = []string{"rev-parse", "--verify", "--quiet", q}
			}
			out, err := g.run(ctx, ask, dir, nil, nil, args...)
			if err != nil && q == "HEAD" && ctx.Err() == nil {
				out, err = nil, nil // no commit yet
			}
			if err != nil {
				return nil, err
			}
			answers = append(answers, strings.TrimSuffix(string(out), "\n"))
		}
	}
	l := &Location{
		Root: filepath.FromSlash(answers[0]), Prefix: strings.TrimSuffix(answers[1], "/"),
		gitDir: answers[2], common: absolute(dir, answers[3]), Shallow: answers[4] == "true", format: answers[5], Head: answers[6],
	}
	if resolved, err := filepath.EvalSymlinks(l.Root); err == nil {
		l.Root = resolved
	}
	if !l.holds() {
		return nil, ErrElsewhere
	}
	return l, nil
}

// absolute is a path that git gave, which is relative to the directory it ran in.
func absolute(dir, path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// holds reports whether .git in the work tree leads to the repository. Otherwise
// its configuration has named a directory that may have nothing to do with it.
func (l *Location) holds() bool {
	dotGit := filepath.Join(l.Root, ".git")
	fi, err := os.Stat(dotGit)
	if err != nil {
		return false
	}
	target := dotGit
	if fi.Mode().IsRegular() {
		data, err := readSmall(dotGit)
		if err != nil {
			return false
		}
		name, ok := strings.CutPrefix(string(data), "gitdir: ")
		if !ok {
			return false
		}
		target = absolute(l.Root, strings.TrimRight(name, "\r\n"))
	}
	a, err := os.Stat(target)
	if err != nil {
		return false
	}
	b, err := os.Stat(l.gitDir)
	return err == nil && os.SameFile(a, b)
}
