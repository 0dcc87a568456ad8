package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// linkedError says that a file has more names than the one that we gave it, so that
// who writes to it writes to somebody's file.
func linkedError(path string) error {
	return fault.Errorf("mintmark makes no such file there: remove it", "%s: has another name elsewhere (a hard link)", path)
}

// OpenOwn opens a file of ours with the flags of os.OpenFile, but for
// os.O_TRUNC, and never follows a symbolic link in its place. It must be a
// regular file, and when it is opened for writing one without a second name.
// Nothing is changed by opening, but that O_CREATE makes the file.
func OpenOwn(name string, flag int, mode fs.FileMode) (*os.File, error) {
	if flag&os.O_TRUNC != 0 {
		return nil, fmt.Errorf("%s: %w: to truncate what was not looked at", name, fs.ErrInvalid)
	}
	before, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0:
		before = nil
	case err != nil:
		return nil, err
	case !before.Mode().IsRegular():
		return nil, &NotRegularError{name, before.Mode()}
	}
	if nofollow != 0 {
		before = nil // the system sees to it; and whoever replaces the file by a rename is one of us
	}
	f, err := os.OpenFile(name, flag|nonblock|nofollow, mode)
	if f, err = regular(f, err, name, before); err != nil {
		return nil, err
	}
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		if fi, err := f.Stat(); err != nil || links(f, fi) > 1 {
			return nil, errors.Join(err, linkedError(name), f.Close())
		}
	}
	return f, nil
}

// ReadOwn reads a file of ours that has at most limit bytes.
func ReadOwn(name string, limit int64) ([]byte, error) {
	f, err := OpenOwn(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return readAndClose(f, name, limit)
}

// IsDir returns nil for a directory that is one itself: a symbolic link to one
// is none.
func IsDir(dir string) error {
	fi, err := os.Lstat(dir)
	if err == nil && !fi.IsDir() {
		err = &NotDirError{dir, fi.Mode()}
	}
	return err
}

// NotDirError says that something stands where a directory of ours should be.
type NotDirError struct {
	Path string
	Mode fs.FileMode
}

func (e *NotDirError) Error() string { return e.Path + ": is " + Kind(e.Mode) + ", not a directory" }

// MakeDir makes a directory below root with its parents, of which none may be a
// symbolic link, and returns its path. root itself may be one, and is made as
// well.
func MakeDir(root string, below ...string) (string, error) {
	rel := filepath.Join(below...)
	dir := filepath.Join(root, rel)
	if rel != "" && !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s: %w: not below %s", dir, fs.ErrInvalid, root)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	at := root
	for part := range strings.SplitSeq(rel, string(filepath.Separator)) {
		if part == "" {
			continue
		}
		at = filepath.Join(at, part)
		if err := os.Mkdir(at, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		if err := IsDir(at); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// Look says how a directory of a tree is to be looked at by [Strange].
type Look int

// How deep.
const (
	Names Look = iota // everything in it must be a directory or a regular file
	Links             // and no file may have a second name
	Skip              // nothing in it is looked at
)

// Strange lists what in a tree of ours is neither a directory nor a regular
// file, each as an error that names it, at most some twenty. look says how a
// directory is to be looked at, by its slash-separated path below root. What
// disappears meanwhile is not missed.
func Strange(root string, look func(rel string) Look) error {
	s := &strange{root: root, look: look}
	if err := s.walk("", "."); err != nil {
		return err
	}
	return errors.Join(s.found...)
}

// enough reports show what is wrong.
const enough = 20

type strange struct {
	root  string
	look  func(rel string) Look
	found []error
}

func (s *strange) walk(prefix, rel string) error {
	how := s.look(rel)
	if how == Skip || len(s.found) >= enough {
		return nil
	}
	dir, err := os.Open(filepath.Join(s.root, filepath.FromSlash(rel)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// Unsorted: nothing but the order of a few errors depends on it.
	entries, err := dir.ReadDir(-1)
	if err = errors.Join(err, dir.Close()); err != nil {
		return err
	}
	for _, e := range entries {
		name := prefix + e.Name()
		if e.IsDir() {
			if err := s.walk(name+"/", name); err != nil {
				return err
			}
			continue
		}
		path := filepath.Join(s.root, filepath.FromSlash(name))
		if !e.Type().IsRegular() {
			s.found = append(s.found, &NotRegularError{path, e.Type()})
		} else if how == Links && linked(path) {
			s.found = append(s.found, linkedError(path))
		}
		if len(s.found) >= enough {
			return nil
		}
	}
	return nil
}
