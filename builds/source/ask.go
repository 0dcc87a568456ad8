package source

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
)

// Root is the top of the user's work tree.
func (r *Repo) Root() string { return r.root }

// IsIgnored reports whether git ignores a path, whether it exists or not.
func (r *Repo) IsIgnored(ctx context.Context, name string) (bool, error) {
	_, err := r.git.InTree(ctx, "check-ignore", "--quiet", "--no-index", "--", name)
	if exit, ok := errors.AsType[*toolchain.ExitError](err); ok && exit.Code == 1 {
		return false, nil
	}
	return err == nil, err
}

// WithoutEOL are those of the module's files whose line ends the commit's
// .gitattributes leave to the user's settings.
func (r *Repo) WithoutEOL(ctx context.Context, names []string) ([]string, error) {
	decided := map[string]bool{}
	for batch := range slices.Chunk(names, 200) { // a command line has an end
		args := []string{"check-attr", "-z", "text", "eol", "--"}
		for _, n := range batch {
			args = append(args, path.Join(r.Dir, n))
		}
		out, err := r.git.InTree(ctx, args...)
		if err != nil {
			return nil, err
		}
		fields := strings.Split(string(out), "\x00")
		for i := 0; i+2 < len(fields); i += 3 {
			name, attr, value := fields[i], fields[i+1], fields[i+2]
			if attr == "eol" && value != "unspecified" || attr == "text" && value == "unset" {
				decided[name] = true
			}
		}
	}
	var unset []string
	for _, n := range names {
		if !decided[path.Join(r.Dir, n)] {
			unset = append(unset, n)
		}
	}
	return unset, nil
}
