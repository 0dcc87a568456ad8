package memo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// granule is how much older than the moment it is looked at a file has to be,
// so that a later change cannot leave it with the same ctime: the coarsest
// clock of the file systems that [local] knows is that of HFS+, 1 s.
const granule = int64(2 * time.Second)

// errUnsure says that a tree cannot be told by what the system says of it.
var errUnsure = errors.New("the system does not tell whether files changed")

// known is the answer that is kept for a tree.
type known struct {
	Tree string // SHA-256 of what the system says of all its files
}

func treeKey(dir, what string) Key { return NewKey("tree 1", dir, what) }

// Checked returns nil when every file below dir is as it was when check last
// succeeded for the same dir and what; else it runs check and returns its
// error. what says what was checked, such as the hash that was compared. check
// must read every byte that matters and change nothing below dir.
func (s *Store) Checked(ctx context.Context, dir, what string, check func() error) error {
	if s.unchanged(ctx, dir, what) {
		return nil
	}
	t, err := s.look(ctx, dir)
	if err := check(); err != nil {
		return err
	}
	if err == nil && t.old() {
		s.Put(treeKey(dir, what), known{t.sum})
	}
	return nil
}

// Confirm is for the end of a run that has made the tree: now that its files are
// older, one more check lets the next run rely on it. Where that would be in
// vain, check is not run. Its error is returned.
func (s *Store) Confirm(ctx context.Context, dir, what string, check func() error) error {
	if s.unchanged(ctx, dir, what) {
		return nil
	}
	if t, err := s.look(ctx, dir); err != nil || !t.old() {
		return nil
	}
	return s.Checked(ctx, dir, what, check)
}

func (s *Store) unchanged(ctx context.Context, dir, what string) bool {
	var k known
	if !s.Get(treeKey(dir, what), &k) || k.Tree == "" || !local(dir) {
		return false
	}
	t, err := look(ctx, dir)
	return err == nil && t.sum == k.Tree
}

// look also finds out how late it is, by the clock that the files are stamped with.
func (s *Store) look(ctx context.Context, dir string) (*tree, error) {
	if !s.writable() || !local(dir) || !local(s.Dir) {
		return nil, errUnsure
	}
	// First the clock: what changes between the two is then too young. All local
	// file systems go by the clock of the kernel.
	now, err := clock(s.Dir)
	if err != nil {
		return nil, err
	}
	t, err := look(ctx, dir)
	if err == nil {
		t.now = now
	}
	return t, err
}

// clock is the time by the file system of dir, as it would stamp a file.
func clock(dir string) (int64, error) {
	f, err := os.CreateTemp(dir, tmpPrefix)
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	// Written, since a file system may stamp new files more coarsely than changed ones.
	if _, err := f.WriteString("now"); err != nil {
		return 0, err
	}
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.ModTime().UnixNano(), nil
}

// tree is what the system says of a directory tree.
type tree struct {
	sum      string
	youngest int64 // the latest ctime, in nanoseconds
	now      int64 // when it was looked at
}

// old reports whether any later change of a file would give it another ctime.
func (t *tree) old() bool { return t.youngest+granule < t.now }

// look fails when it meets anything but directories and regular files of one
// file system.
func look(ctx context.Context, dir string) (*tree, error) {
	root, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	id, ok := identify(root)
	if !ok || !root.IsDir() {
		return nil, errUnsure
	}
	t := &tree{}
	h := sha256.New()
	var line []byte
	var walk func(dir, rel string) error
	walk = func(dir, rel string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			name := rel + e.Name()
			path := dir + string(filepath.Separator) + e.Name()
			if e.IsDir() {
				line = append(strconv.AppendQuote(append(line[:0], "dir "...), name), '\n')
				h.Write(line)
				if err := walk(path, name+"/"); err != nil {
					return err
				}
				continue
			}
			fi, err := e.Info()
			if err != nil {
				return err
			}
			file, ok := identify(fi)
			if !ok || !fi.Mode().IsRegular() || file.dev != id.dev {
				return fmt.Errorf("%s: %w", path, errUnsure)
			}
			t.youngest = max(t.youngest, file.ctime)
			line = strconv.AppendQuote(append(line[:0], "file "...), name)
			for _, n := range []int64{int64(fi.Mode()), fi.Size(), fi.ModTime().UnixNano(), file.ctime, int64(file.ino), int64(file.dev)} {
				line = strconv.AppendInt(append(line, ' '), n, 10)
			}
			h.Write(append(line, '\n'))
		}
		return nil
	}
	if err := walk(filepath.Clean(dir), ""); err != nil {
		return nil, err
	}
	t.sum = hex.EncodeToString(h.Sum(nil))
	return t, nil
}

// identity is what tells a file from another with the same name, size and mtime.
type identity struct {
	ctime    int64 // nanoseconds
	ino, dev uint64
}
