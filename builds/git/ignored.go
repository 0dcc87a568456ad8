package git

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
)

// Ignored is a path that git ignores, and the pattern by which it does.
type Ignored struct {
	Name    string // the path, from the top of the work tree
	Source  string // the file with the pattern: a .gitignore by its path from the top; others as git names them
	Line    int    // of the pattern in it, 1 is the first
	Pattern string // as it is written there
}

// Ignored are those of the paths, from the top of the work tree, that git ignores,
// in their order; they need not be there, and whether git tracks them does not count.
// Of a path that lies beyond a link or in a submodule git gives no answer but an error.
func (r *Repo) Ignored(ctx context.Context, names []string) (ignored []Ignored, err error) {
	if r.tree == nil {
		return nil, errors.New("git: a repository without a work tree")
	}
	if len(names) == 0 {
		return nil, nil
	}
	out, err := r.git.run(ctx, own, r.root, r.tree, []byte(strings.Join(names, "\x00")+"\x00"), "check-ignore", "--no-index", "--verbose", "--stdin", "-z")
	if exit, ok := errors.AsType[*toolchain.ExitError](err); ok && exit.Code == 1 {
		return nil, nil // none of them
	}
	if err != nil {
		return nil, err
	}
	fields := bytes.Split(out, []byte{0})
	for ; len(fields) >= 4; fields = fields[4:] {
		line, err := strconv.Atoi(string(fields[1]))
		if err != nil {
			return nil, errors.New("git: what check-ignore prints has another form than is known")
		}
		if pattern := string(fields[2]); !strings.HasPrefix(pattern, "!") { // which has git see it after all
			ignored = append(ignored, Ignored{string(fields[3]), string(fields[0]), line, pattern})
		}
	}
	return ignored, nil
}
