package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
)

// Digest returns the SHA-256 of a regular file as lower-case hex, and its size
// in bytes. It ends when ctx does, however large the file is.
func Digest(ctx context.Context, name string) (sha256hex string, size int64, err error) {
	f, err := Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	return DigestOf(ctx, f)
}

// DigestOwn is [Digest] for a file of ours. One of more than limit bytes is
// refused before it is read.
func DigestOwn(ctx context.Context, name string, limit int64) (sha256hex string, size int64, err error) {
	f, err := OpenOwn(name, os.O_RDONLY, 0)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil || fi.Size() > limit {
		return "", 0, errors.Join(err, &TooLargeError{name, limit})
	}
	return DigestOf(ctx, f)
}

// DigestOf is [Digest] for everything that r still has.
func DigestOf(ctx context.Context, r io.Reader) (sha256hex string, size int64, err error) {
	h := sha256.New()
	if size, err = io.Copy(h, Reader(ctx, r)); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// DigestBytes is the SHA-256 of data as lower-case hex.
func DigestBytes(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Copy copies a regular file to a new one and returns the SHA-256 and the size
// of what it wrote. A file that has the name already, or a link, is replaced;
// a failure leaves none. mode is the new file's, whatever the umask says.
func Copy(ctx context.Context, from, to string, mode fs.FileMode) (sha256hex string, size int64, err error) {
	in, err := Open(from)
	if err != nil {
		return "", 0, err
	}
	defer in.Close()
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", 0, err
	}
	err = Create(to, mode, func(w *os.File) (err error) {
		sha256hex, size, err = DigestOf(ctx, io.TeeReader(in, w))
		return err
	})
	if err != nil {
		return "", 0, err
	}
	return sha256hex, size, nil
}

// Link makes another name for a file of ours, or another file where the file
// system knows no hard links. An existing name stays as it is. Neither name may
// be written to afterwards.
func Link(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return CopyOwn(from, to)
}

// CopyOwn copies a file of ours, all of it or nothing; others cannot read the copy.
func CopyOwn(from, to string) error {
	r, err := OpenOwn(from, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	return WriteFrom(to, r, 0o600)
}
