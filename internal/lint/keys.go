package lint

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/memo"
	"github.com/mintmark/mintmark/internal/secret"
	"github.com/mintmark/mintmark/internal/shell"
)

// committed are the private keys in the commit, sorted by what follows from them.
type committed struct {
	published []source.HeldKey // the publisher's: whoever has the commit can sign, or try passphrases
	others    []source.HeldKey // somebody's, but not of a test
}

// committedKeys finds the private keys in the commit. Of the keys that tests
// bring along only those count that sign releases: the kind that keygen and
// cosign write, and the key that this release is signed with.
func (l *Linted) committedKeys(ctx context.Context, signing checksums.KeyRef) (c committed, err error) {
	if l.Repo == nil || l.Snapshot {
		return c, nil // what a module proxy serves is public already; a snapshot is signed by nobody
	}
	keys, err := l.heldKeys(ctx)
	if err != nil {
		return c, fmt.Errorf("looking for private keys in the commit: %w", err)
	}
	own := signing.Sums()
	for _, k := range keys {
		switch {
		case k.Kind == secret.Signing || slices.Contains(own, k.Sum):
			c.published = append(c.published, k)
		case !k.Test:
			c.others = append(c.others, k)
		}
	}
	return c, nil
}

// heldKeys looks into the private checkout, or remembers what it found there.
func (l *Linted) heldKeys(ctx context.Context) (keys []source.HeldKey, err error) {
	key := memo.NewKey("private keys 2", l.Source.Files())
	if l.Source.Files() != "" && l.Known.Get(key, &keys) {
		return keys, nil
	}
	if err := l.Loader.Ready(ctx); err != nil {
		return nil, err
	}
	if keys, err = source.Keys(ctx, filepath.Join(l.Workspace.Dir, "first", "src")); err != nil {
		return nil, err
	}
	if l.Source.Files() != "" {
		l.Known.Put(key, keys)
	}
	return keys, nil
}

// refuse is the error of keys that must not be in a commit.
func (c committed) refuse() error {
	if len(c.published) == 0 {
		return nil
	}
	var lines, names []string
	for _, k := range c.published {
		lines = append(lines, fmt.Sprintf("%s: %s", k.Name, k.Kind))
		names = append(names, k.Name)
	}
	return fault.Errorf("git rm --cached "+shell.Names(slices.Compact(names))+", name them in .gitignore, and commit that. The history still has them: whoever can read the repository has the key, so sign with a new one (mintmark keygen -prefix=NAME) and tell your users. A test can make its keys when it runs",
		"private keys that sign releases are in the commit:\n%s", strings.Join(lines, "\n"))
}

// warnings are about keys that may be there on purpose.
func (c committed) warnings() (list []string) {
	for _, k := range c.others {
		list = append(list, fmt.Sprintf("%s holds %s, and everybody who has the commit can read it; a key for tests belongs below testdata", k.Name, k.Kind))
	}
	return slices.Compact(list)
}
