package source

import (
	"context"
	"errors"
	"path"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
)

// Root is the top of the user's work tree.
func (r *Repo) Root() string { return r.root }

// IsIgnored reports whether git ignores a path, whether it exists or not.
func (r *Repo) IsIgnored(ctx context.Context, name string) (bool, error) {
	_, err := r.git.InTree(ctx, "check-ignore", "--quiet", "--no-index", "--", name)
	var exit *toolchain.ExitError
	if errors.As(err, &exit) && exit.Code == 1 {
		return false, nil
	}
	return err == nil, err
}

// WithoutEOL are those of the module's files whose line ends the commit's
// .gitattributes leave to the user's settings.
func (r *Repo) WithoutEOL(ctx context.Context, names []string) ([]string, error) {
	args := []string{"check-attr", "-z", "text", "eol", "--"}
	byPath := map[string]string{}
	for _, n := range names {
		p := path.Join(r.Dir, n)
		byPath[p] = n
		args = append(args, p)
	}
	out, err := r.git.InTree(ctx, args...)
	if err != nil {
		return nil, err
	}
	settled := map[string]bool{}
	fields := strings.Split(string(out), "\x00")
	for i := 0; i+2 < len(fields); i += 3 {
		name, attr, value := fields[i], fields[i+1], fields[i+2]
		if attr == "eol" && value != "unspecified" || attr == "text" && value == "unset" {
			settled[name] = true
		}
	}
	var unset []string
	for _, n := range names {
		if !settled[path.Join(r.Dir, n)] {
			unset = append(unset, n)
		}
	}
	return unset, nil
}
