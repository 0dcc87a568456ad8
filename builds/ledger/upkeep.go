package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
)

// OpenAll opens the ledgers of all toolchains below cfg.Dir, sorted by name.
func OpenAll(cfg Config) ([]*Ledger, error) {
	err := files.IsDir(cfg.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	dirs, err := os.ReadDir(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	var out []*Ledger
	for _, d := range dirs {
		if !d.IsDir() {
			continue
		}
		sum, err := files.ReadOwn(filepath.Join(cfg.Dir, d.Name(), sumFile), 1<<10)
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(sum) == 0 {
			continue // none, or one that was never written to
		}
		if err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		}
		cfg.Toolchain, cfg.Sum = d.Name(), string(bytes.TrimSpace(sum))
		l, err := Open(cfg)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name(), err)
		}
		out = append(out, l)
	}
	return out, nil
}

// Forget removes the ledger with everything in it. A release that has it open
// is not disturbed.
func (l *Ledger) Forget(ctx context.Context) error {
	lock, err := filelock.Wait(ctx, filepath.Join(l.dir, ledgerLock))
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer lock.Release()
	for _, name := range []string{l.journal(), filepath.Join(l.dir, "objects"), filepath.Join(l.dir, "entries")} {
		if err := files.RemoveTree(name); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return nil
}

// Summary describes a ledger.
type Summary struct {
	Toolchain  string   `json:"toolchain"`
	Sum        string   `json:"sum"`
	Actions    int      `json:"actions"`
	Proven     int      `json:"proven"` // executed in both places, with equal outputs
	Packages   int      `json:"packages"`
	Platforms  []string `json:"platforms"`
	Executions int      `json:"executions"`
	Objects    int      `json:"objects"`
	Size       int64    `json:"size"` // bytes of journal and objects
	// Unread are lines of the journal that were damaged or not written with
	// this ledger's secret and toolchain.
	Unread int `json:"unread"`
	// Damaged are stored outputs that were not what their name says; they have been removed.
	Damaged  int        `json:"damaged"`
	Disputed []Disputed `json:"disputed,omitempty"`
}

// Disputed is an action that gave different outputs from the same inputs.
type Disputed struct {
	Package  string   `json:"package"`
	Platform string   `json:"platform"`
	Action   string   `json:"action"`
	Outputs  []string `json:"outputs"`
	Runs     []string `json:"runs"` // where each output was first seen
	// Withdrawn counts the further actions that are not proven any more since
	// they depend on this one or on another disputed one.
	Withdrawn int `json:"withdrawn"`
}

// Summary describes the ledger and hashes everything in its store again.
func (l *Ledger) Summary(ctx context.Context) (*Summary, error) {
	s := &Summary{Toolchain: l.cfg.Toolchain, Sum: l.cfg.Sum, Actions: len(l.entries), Unread: l.unread}
	packages, platforms := map[string]bool{}, map[string]bool{}
	for id, en := range l.entries {
		packages[en.pkg] = true
		if en.platform != "" { // what is of none is no compile
			platforms[en.platform] = true
		}
		for _, o := range en.outcomes {
			s.Executions += len(o.runs)
		}
		if _, ok := l.proven(id, en.outcomes[0].output, false); ok {
			s.Proven++
		}
		if len(en.outcomes) > 1 {
			d := Disputed{Package: en.pkg, Platform: en.platform, Action: id.String(), Withdrawn: len(l.disputed)}
			for _, o := range en.outcomes {
				d.Outputs = append(d.Outputs, o.output.String())
				d.Runs = append(d.Runs, o.runs[0].String())
			}
			s.Disputed = append(s.Disputed, d)
		}
	}
	for i := range s.Disputed {
		s.Disputed[i].Withdrawn -= len(s.Disputed)
	}
	slices.SortFunc(s.Disputed, func(a, b Disputed) int { return bytes.Compare([]byte(a.Package+a.Action), []byte(b.Package+b.Action)) })
	s.Packages = len(packages)
	s.Platforms = slices.Sorted(maps.Keys(platforms))
	if fi, err := os.Lstat(l.journal()); err == nil {
		s.Size += fi.Size()
	}
	err := l.walk("objects", func(id actions.ID, path string, fi fs.FileInfo) error {
		if sum, _, err := files.DigestOwn(ctx, path, actions.MaxOutput); ctx.Err() != nil {
			return context.Cause(ctx)
		} else if err != nil || sum != id.String() {
			s.Damaged++
			return os.Remove(path)
		}
		s.Objects++
		s.Size += fi.Size()
		return nil
	})
	return s, err
}

// walk visits the store's files; those that do not belong there are removed.
func (l *Ledger) walk(dir string, visit func(id actions.ID, path string, fi fs.FileInfo) error) error {
	err := filepath.WalkDir(filepath.Join(l.dir, dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		id, err := actions.ParseID(d.Name())
		if err != nil {
			return os.Remove(path) // a copy that was never finished
		}
		return visit(id, path, fi)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Prune forgets outputs that no release has used since then, and the actions
// that have none in the store; disputed actions stay. It returns the number of
// actions and of bytes that went.
func (l *Ledger) Prune(ctx context.Context, since time.Time) (forgotten int, freed int64, err error) {
	if _, err := os.Lstat(l.dir); errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	lock, err := filelock.Wait(ctx, filepath.Join(l.dir, ledgerLock))
	if err != nil {
		return 0, 0, fmt.Errorf("ledger: %w", err)
	}
	defer lock.Release()
	now, err := Open(l.cfg) // others may have added to it
	if err != nil {
		return 0, 0, err
	}
	have := map[actions.ID]bool{}
	err = now.walk("objects", func(id actions.ID, path string, fi fs.FileInfo) error {
		if fi.ModTime().Before(since) {
			freed += fi.Size()
			return os.Remove(path)
		}
		have[id] = true
		return nil
	})
	if err != nil {
		return 0, freed, fmt.Errorf("ledger: %w", err)
	}
	err = now.walk("entries", func(id actions.ID, path string, fi fs.FileInfo) error {
		if en := now.entries[id]; en != nil && (now.disputed[id] || have[en.outcomes[0].output]) {
			return nil
		}
		return os.Remove(path)
	})
	if err != nil {
		return 0, freed, fmt.Errorf("ledger: %w", err)
	}
	m := newMAC(l.cfg.Secret, l.cfg.Sum)
	var buf bytes.Buffer
	for _, id := range slices.SortedFunc(maps.Keys(now.entries), func(a, b actions.ID) int { return bytes.Compare(a[:], b[:]) }) {
		en := now.entries[id]
		if !now.disputed[id] && !have[en.outcomes[0].output] {
			forgotten++
			continue
		}
		for _, o := range en.outcomes {
			for _, w := range o.runs {
				line, err := m.encode(&execution{
					Action: id, Output: o.output, Size: o.size, Place: w.place, Run: w.run,
					Platform: en.platform, Package: en.pkg, Deps: en.deps,
				})
				if err != nil {
					return forgotten, freed, err // it was decoded from such a line
				}
				buf.Write(line)
			}
		}
	}
	if err := files.Write(l.journal(), buf.Bytes(), 0o600); err != nil {
		return forgotten, freed, fmt.Errorf("ledger: %w", err)
	}
	return forgotten, freed, nil
}
