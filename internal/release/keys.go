package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
func (s *Copied) committedKeys(ctx context.Context, signing checksums.KeyRef) (c committed, err error) {
	if s.Repo == nil || s.Snapshot {
		return c, nil // what a module proxy serves is public already; a snapshot is signed by nobody
	}
	keys, err := s.heldKeys(ctx)
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
func (s *Copied) heldKeys(ctx context.Context) (keys []source.HeldKey, err error) {
	key := memo.NewKey("private keys 2", s.Source.Files())
	if s.Source.Files() != "" && s.Known.Get(key, &keys) {
		return keys, nil
	}
	if err := s.Loader.Ready(ctx); err != nil {
		return nil, err
	}
	if keys, err = source.Keys(ctx, filepath.Join(s.Workspace.Dir, "first", "src")); err != nil {
		return nil, err
	}
	if s.Source.Files() != "" {
		s.Known.Put(key, keys)
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

// CheckPrefix says what is wrong with a prefix for [Keygen], before anybody is
// asked for a passphrase: no name, no directory to write to, or a pair that is
// there already.
func CheckPrefix(prefix string) error {
	dir, base := filepath.Split(prefix)
	if base == "" || base == "." || base == ".." {
		return fault.Usagef("name the pair as well: -prefix="+shell.Word(filepath.Join(prefix, "mintmark")), "-prefix=%s: the name is missing before .key and .pub", prefix)
	}
	if dir == "" {
		dir = "."
	}
	switch fi, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return fault.Usagef("mkdir -p "+shell.Name(filepath.Clean(dir))+" makes it", "-prefix=%s: its directory is not there", prefix)
	case err != nil || !fi.IsDir():
		return fault.Usagef("name a pair in a directory, or in the current one: -prefix="+shell.Word(base), "-prefix=%s: what should be its directory is none", prefix)
	}
	if err := checksums.NoKeyPair(prefix); err != nil {
		return err
	}
	try, err := os.CreateTemp(dir, ".mintmark-") // permissions say less
	if err != nil {
		return fault.Usagef("name a pair in a directory that you may write to", "-prefix=%s: %w", prefix, err)
	}
	return errors.Join(try.Close(), os.Remove(try.Name()))
}

// KeygenConfig says what [Keygen] makes.
type KeygenConfig struct {
	Prefix   string // of PREFIX.key and PREFIX.pub
	Password []byte // of the private key; may be empty
}

// Generated is what [Keygen] made.
type Generated struct {
	Key, Pub string // files
	// Ignore is the .gitignore that names Key by the line Line; "" where there is
	// no repository around it. NotIgnored says why it does not name it.
	Ignore, Line string
	NotIgnored   error
}

// Keygen makes a key pair for signing, and has git ignore the private key where
// it is made in a work tree.
func Keygen(cfg KeygenConfig) (*Generated, error) {
	private, public, err := checksums.GenerateKey(cfg.Password)
	if err != nil {
		return nil, err
	}
	g := &Generated{}
	if g.Key, g.Pub, err = checksums.WriteKeyPair(cfg.Prefix, private, public); err != nil {
		return nil, err
	}
	g.Ignore, g.Line, g.NotIgnored = source.IgnoreKey(g.Key)
	return g, nil
}
