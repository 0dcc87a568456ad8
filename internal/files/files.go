// Package files reads, copies, writes and removes files so that none of it can
// be turned against the user.
//
// # Files that somebody names
//
// A name that a user gives, or that stands in a file of a stranger, may lead to
// anything. [Open], [Read] and [Digest] take regular files alone: a pipe, a
// terminal or a device has no end, and opening one may wait for ever or do
// something. Symbolic links are followed, as everywhere else. What is read into
// memory has a bound.
//
// # Files in a directory of ours
//
// The cache directory may have been filled by somebody else: restored from
// elsewhere, shared, unpacked. [OpenOwn], [ReadOwn] and [MakeDir] never follow a
// symbolic link there, and never write to a file that has a second name. They
// look before and after opening, so that what is exchanged in between is
// refused too; whoever can exchange a directory that is being used has our
// rights already, and is not defended against.
//
// # Files that are written
//
// [Write] and [Replace] leave the whole file or what was there before. They do
// not wait for the disk: a loss of power may take what was written last.
// [RemoveTree] removes a directory that we made.
package files

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// NotRegularError says that something is no file that can be read to its end.
type NotRegularError struct {
	Path string
	Mode fs.FileMode // what it is instead
}

func (e *NotRegularError) Error() string {
	what := "is " + Kind(e.Mode) + ", not a regular file"
	if e.Path == "" {
		return what
	}
	return e.Path + ": " + what
}

// Hint says what to do about it.
func (e *NotRegularError) Hint() string {
	switch {
	case e.Mode&fs.ModeNamedPipe != 0:
		return "only regular files are read: write what comes out of the pipe, or of <(…), to a file and name that"
	case e.Mode&fs.ModeSymlink != 0:
		return "put the file itself there: links are not followed in this place"
	}
	return "name a regular file"
}

// Is makes the error one of fs.ErrInvalid.
func (e *NotRegularError) Is(target error) bool { return target == fs.ErrInvalid }

// Kind is what a mode says that something is, with its article.
func Kind(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a regular file"
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something special"
}

// Open opens a regular file for reading and follows symbolic links to it. It
// never waits for somebody at the other end.
func Open(name string) (*os.File, error) {
	// Before it is opened: opening a device can do something, and the error of
	// a socket says nothing.
	fi, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, &NotRegularError{name, fi.Mode()}
	}
	f, err := os.OpenFile(name, os.O_RDONLY|nonblock, 0)
	return regular(f, err, name, nil)
}

// OpenIn opens a regular file of a directory. A symbolic link in the place of
// the file is refused; no other leads out of the root.
func OpenIn(root *os.Root, name string) (*os.File, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, &NotRegularError{name, before.Mode()}
	}
	f, err := root.OpenFile(name, os.O_RDONLY|nonblock|nofollow, 0)
	return regular(f, err, name, before)
}

// regular holds what was opened against what was seen before, if anything was.
func regular(f *os.File, err error, name string, before fs.FileInfo) (*os.File, error) {
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	switch {
	case err != nil:
	case !fi.Mode().IsRegular():
		err = &NotRegularError{name, fi.Mode()}
	case before != nil && !os.SameFile(before, fi):
		err = fmt.Errorf("%s: was replaced while it was opened", name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// TooLargeError says that a file has more bytes than are read into memory.
type TooLargeError struct {
	Path  string
	Limit int64 // bytes
}

func (e *TooLargeError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("has more than %d bytes", e.Limit)
	}
	return fmt.Sprintf("%s: has more than %d bytes", e.Path, e.Limit)
}

// Read reads a regular file of at most limit bytes.
func Read(name string, limit int64) ([]byte, error) {
	f, err := Open(name)
	if err != nil {
		return nil, err
	}
	return readAndClose(f, name, limit)
}

// ReadIn is Read for a file of a directory, as [OpenIn] opens it.
func ReadIn(root *os.Root, name string, limit int64) ([]byte, error) {
	f, err := OpenIn(root, name)
	if err != nil {
		return nil, err
	}
	return readAndClose(f, name, limit)
}

func readAndClose(f *os.File, name string, limit int64) ([]byte, error) {
	defer f.Close()
	if fi, err := f.Stat(); err == nil && fi.Size() > limit {
		return nil, &TooLargeError{name, limit} // before it takes memory
	}
	data, err := ReadAll(f, limit)
	if e, ok := errors.AsType[*TooLargeError](err); ok {
		e.Path = name
	}
	return data, err
}

// ReadAll reads everything, which may have at most limit bytes.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, &TooLargeError{Limit: limit}
	}
	return data, err
}

// Reader is r until ctx ends: then reading fails with its cause.
func Reader(ctx context.Context, r io.Reader) io.Reader { return &reader{ctx, r} }

type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}

// Zip is an open zip file.
type Zip struct {
	*zip.Reader
	f *os.File
}

// OpenZip opens a zip file as [Open] does.
func OpenZip(name string) (*Zip, error) {
	f, err := Open(name)
	if err != nil {
		return nil, err
	}
	var z *zip.Reader
	fi, err := f.Stat()
	if err == nil {
		z, err = zip.NewReader(f, fi.Size())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return &Zip{z, f}, nil
}

// Close closes the file.
func (z *Zip) Close() error { return z.f.Close() }

// Create makes a file that does not exist yet, and removes it again when fill
// fails. A link in its place counts as existing. mode is the file's, whatever
// the umask says.
func Create(name string, mode fs.FileMode, fill func(*os.File) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if err = fill(f); err == nil {
		err = f.Chmod(mode)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// tempPrefix begins the names of files that are not finished.
const tempPrefix = ".new-"

// Unfinished reports whether a file is one that [Replace] began and did not finish, by
// its name: it was killed.
func Unfinished(name string) bool { return strings.HasPrefix(filepath.Base(name), tempPrefix) }

// Replace writes a file as a whole: readers find the old one or the new one,
// and a failure leaves the old one. A link in its place is replaced, not
// followed; anything else that is no regular file is refused.
func Replace(name string, mode fs.FileMode, fill func(*os.File) error) error {
	if fi, err := os.Lstat(name); err == nil && !fi.Mode().IsRegular() && fi.Mode()&fs.ModeSymlink == 0 {
		return &NotRegularError{name, fi.Mode()}
	}
	f, err := os.CreateTemp(filepath.Dir(name), tempPrefix)
	if err != nil {
		return err
	}
	if err = fill(f); err == nil {
		err = f.Chmod(mode)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Write is [Replace] with bytes.
func Write(name string, data []byte, mode fs.FileMode) error {
	return Replace(name, mode, func(w *os.File) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteFrom is [Replace] with everything that r still has.
func WriteFrom(name string, r io.Reader, mode fs.FileMode) error {
	return Replace(name, mode, func(w *os.File) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// RemoveTree removes a directory with all that is in it, also where a tool made
// directories read-only, as the go command does in module caches. It is for
// directories that we made: nothing asks who made what is in them. Symbolic
// links are removed, never followed.
func RemoveTree(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(path, 0o755)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// NotReplaced says that a file is left as it is, since it is somebody's, and why:
// what it is, or is not.
func NotReplaced(path, reason string) error {
	return fault.Errorf("nothing was replaced: move it away, or name another file", "%s: exists, and %s", path, reason)
}

// WriteOver is [Write] for a file that the user keeps, and may have changed: one
// that is there is replaced only if ours, given its content, says so, or when
// it has that very content already. reason says why it is not. A link stays a
// link: the file that it leads to is the one that is written.
func WriteOver(name string, data []byte, mode fs.FileMode, reason string, ours func(old []byte) bool) error {
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return Write(name, data, mode)
	}
	old, err := Read(name, maxOld)
	switch {
	case errors.As(err, new(*TooLargeError)):
		return NotReplaced(name, reason)
	case err != nil:
		return err
	case string(old) == string(data):
		return nil
	case ours == nil || !ours(old):
		return NotReplaced(name, reason)
	}
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return Write(real, data, mode)
}

// maxOld bounds what is read of a file that may be replaced.
const maxOld = 1 << 30
