package actions

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/mintmark/mintmark/internal/files"
)

// object is the file of an output in the store.
func (l *Ledger) object(id ID) string {
	return filepath.Join(l.dir, "objects", hex.EncodeToString(id[:1]), id.String())
}

// fetch checks that the stored output is what its ID says and returns its file.
// A damaged one is removed. It counts as used now.
func (l *Ledger) fetch(ctx context.Context, id ID, size int64) (string, bool) {
	name := l.object(id)
	if got, n, err := l.buffers.hash(ctx, name, size); err != nil || got != id || n != size {
		if err == nil || errors.As(err, new(*files.TooLargeError)) {
			os.Remove(name)
		}
		return "", false
	}
	if !l.cfg.Now.IsZero() {
		// Also for the go command, which removes what looks unused for days
		// from its cache, be it the one that this file is about to be in.
		os.Chtimes(name, l.cfg.Now, l.cfg.Now)
	}
	return name, true
}

// makeDir makes the directory for an ID, in a tree that nobody may lead elsewhere.
func (l *Ledger) makeDir(kind string, id ID) error {
	_, err := files.MakeDir(l.dir, kind, hex.EncodeToString(id[:1]))
	return err
}

// keep takes an output into the store, by another name of the file where the
// caller will not change it, else as a copy.
func (l *Ledger) keep(id ID, from string, private bool) error {
	name := l.object(id)
	if fi, err := os.Lstat(name); err == nil && fi.Mode().IsRegular() {
		return nil
	}
	if err := l.makeDir("objects", id); err != nil {
		return err
	}
	if private {
		return linkOrCopy(from, name)
	}
	return copyFile(from, name)
}

// buffers are for reading outputs: one release hashes hundreds of megabytes.
type buffers struct{ pool sync.Pool }

// hash refuses a file of more than most bytes before it reads it.
func (b *buffers) hash(ctx context.Context, name string, most int64) (ID, int64, error) {
	if err := ctx.Err(); err != nil {
		return ID{}, 0, err
	}
	f, err := files.OpenOwn(name, os.O_RDONLY, 0)
	if err != nil {
		return ID{}, 0, err
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil || fi.Size() > most {
		return ID{}, 0, errors.Join(err, &files.TooLargeError{Path: name, Limit: most})
	}
	buf, _ := b.pool.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
		*buf = make([]byte, 128<<10)
	}
	defer b.pool.Put(buf)
	h := sha256.New()
	// Without ReadFrom and WriteTo, which would bring buffers of their own.
	n, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{files.Reader(ctx, f)}, *buf)
	var id ID
	h.Sum(id[:0])
	return id, n, err
}

// entryFile is the go command's cache entry of an action in the store.
func (l *Ledger) entryFile(action ID) string {
	return filepath.Join(l.dir, "entries", hex.EncodeToString(action[:1]), action.String())
}

// fetchEntry gives the file of an action's cache entry if it is there and right.
func (l *Ledger) fetchEntry(e cacheEntry) string {
	name := l.entryFile(e.Action)
	if got, err := readEntry(name); err != nil || got != e {
		return ""
	}
	return name
}

// keepEntry takes a cache entry into the store.
func (l *Ledger) keepEntry(e cacheEntry) error {
	if err := l.makeDir("entries", e.Action); err != nil {
		return err
	}
	return files.Write(l.entryFile(e.Action), e.encode(), 0o600)
}
