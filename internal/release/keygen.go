package release

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/shell"
)

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
