package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/internal/files"
)

// Checkout makes a private clean copy of the commit in dir, which must not
// exist, and returns the module's directory in it. The copy is a clone with the
// full history and all tags, so that cmd/go stamps what it does in any clone; it
// shares no file with the user's tree but git's immutable objects (hard links,
// where the file system has them). With snapshot, the user's uncommitted changes
// are brought in.
func (r *Repo) Checkout(ctx context.Context, dir string, snapshot bool) (string, error) {
	tags := r.git.Tags
	if r.cfg.OneTag {
		tags = nil
		if r.tag != "" {
			tags = []git.Tag{r.base}
		}
	}
	err := r.git.Checkout(ctx, dir, r.Commit, tags)
	if err != nil {
		return "", fmt.Errorf("private checkout: %w", r.partial(err))
	}
	if snapshot {
		err = r.overlay(ctx, dir)
	} else {
		err = refreshIndex(dir)
	}
	if err != nil {
		return "", fmt.Errorf("private checkout: %w", err)
	}
	return filepath.Join(dir, filepath.FromSlash(r.Dir)), nil
}

// refreshIndex makes git believe its index: it looks at the content of files that
// are as new as the index, and then calls those modified whose line endings in
// the commit contradict .gitattributes. Whether a file is as new is a matter of
// luck, and the stamp (+dirty) must not be.
func refreshIndex(dir string) error {
	index := filepath.Join(dir, ".git", "index")
	fi, err := os.Stat(index)
	if err != nil {
		return err
	}
	later := fi.ModTime().Add(time.Hour)
	return os.Chtimes(index, later, later)
}

// overlay brings the user's uncommitted changes into a snapshot's checkout.
func (r *Repo) overlay(ctx context.Context, dir string) error {
	from, err := os.OpenRoot(r.root)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer to.Close()
	// First everything goes that changed, then comes what is there now: a
	// file may have become a directory, or the other way round.
	var copies []string
	for _, name := range r.Dirty {
		name = path.Clean(name)
		if !below(to, name) {
			continue
		}
		if err := to.RemoveAll(filepath.FromSlash(name)); err != nil {
			return err
		}
	}
	for _, name := range r.Dirty {
		if name = path.Clean(name); below(from, name) {
			copies = append(copies, name)
		}
	}
	for _, name := range copies {
		if err := ctx.Err(); err != nil {
			return err
		}
		name = filepath.FromSlash(name)
		fi, err := from.Lstat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if fi.Mode()&os.ModeSymlink == 0 && !fi.Mode().IsRegular() {
			continue // a repository inside this one, a socket
		}
		if err := to.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if fi.Mode().IsRegular() {
			err = copyFile(from, to, name, fi.Mode().Perm())
		} else {
			var target string
			if target, err = from.Readlink(name); err == nil {
				err = to.Symlink(target, name)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// below reports whether name's parents are directories. A file that is only
// reached through a symbolic link is not in the tree: to git it is deleted.
func below(root *os.Root, name string) bool {
	for i := range len(name) {
		if name[i] == '/' {
			if fi, err := root.Lstat(filepath.FromSlash(name[:i])); err != nil || !fi.IsDir() {
				return false
			}
		}
	}
	return !strings.HasPrefix(name, "../") && name != ".."
}

func copyFile(from, to *os.Root, name string, mode os.FileMode) error {
	in, err := files.OpenIn(from, name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
