package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/internal/files"
)

// object is the file of an output in the store.
func (l *Ledger) object(id actions.ID) string {
	return filepath.Join(l.dir, "objects", hex.EncodeToString(id[:1]), id.String())
}

// output checks that the stored output is what its ID says and returns its file.
// A damaged one is removed. It counts as used now.
func (l *Ledger) output(ctx context.Context, id actions.ID, size int64) (string, bool) {
	name := l.object(id)
	if sum, n, err := files.DigestOwn(ctx, name, size); err != nil || sum != id.String() || n != size {
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
func (l *Ledger) makeDir(kind string, id actions.ID) error {
	_, err := files.MakeDir(l.dir, kind, hex.EncodeToString(id[:1]))
	return err
}

// save takes an output into the store, by another name of the file where the
// caller will not change it, else as a copy.
func (l *Ledger) save(id actions.ID, from string, private bool) error {
	name := l.object(id)
	if fi, err := os.Lstat(name); err == nil && fi.Mode().IsRegular() {
		return nil
	}
	if err := l.makeDir("objects", id); err != nil {
		return err
	}
	if private {
		return files.Link(from, name)
	}
	return files.CopyOwn(from, name)
}

// Lookup gives the stored output of an action that has been executed in both
// places with equal outputs. Its bytes were hashed again just now; whoever
// copies the file checks it once more.
func (l *Ledger) Lookup(ctx context.Context, action actions.ID) (file string, p Proof, ok bool) {
	en := l.entries[action]
	if en == nil {
		return "", p, false
	}
	if p, ok = l.proven(action, en.outcomes[0].output, false); !ok {
		return "", p, false
	}
	file, ok = l.output(ctx, p.Output, p.Size)
	return file, p, ok
}

// Add adds the executions of an action by this run, one in each place or, of what needs
// none, one after the other. They had the same output, which lies in file and is kept.
func (l *Ledger) Add(ctx context.Context, name, platform string, action, output actions.ID, size int64, file string) error {
	var list []*execution
	for _, place := range []string{firstPlace, secondPlace} {
		list = l.appendNew(list, &execution{Action: action, Output: output, Size: size, Place: place, Run: l.cfg.Run, Platform: platform, Package: name})
	}
	if err := l.save(output, file, false); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return l.write(ctx, list)
}

// entryFile is the go command's cache entry of an action in the store.
func (l *Ledger) entryFile(action actions.ID) string {
	return filepath.Join(l.dir, "entries", hex.EncodeToString(action[:1]), action.String())
}

// entryOf gives the file of an action's cache entry if it is there and right.
func (l *Ledger) entryOf(e actions.Entry) string {
	name := l.entryFile(e.Action)
	if got, err := actions.ReadEntry(name); err != nil || got != e {
		return ""
	}
	return name
}

// saveEntry takes a cache entry into the store.
func (l *Ledger) saveEntry(e actions.Entry) error {
	if err := l.makeDir("entries", e.Action); err != nil {
		return err
	}
	return files.Write(l.entryFile(e.Action), e.Encode(), 0o600)
}
