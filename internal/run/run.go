// Package run is one run of a verb: what it was asked for, its private directory,
// what is left to be done when it ends, and what it says while it lasts. Whoever
// begins one closes it.
package run

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/memo"
	"github.com/mintmark/mintmark/internal/workspace"
)

// Run is one run of a verb: its configuration, its private directory, what earlier
// runs found out, and what is left to be done when it ends.
type Run struct {
	*Config
	Workspace *workspace.Workspace
	Known     *memo.Store  // what earlier runs found out
	Confined  *confine.Log // what held the commands that were not of the fetch phase
	end       ending
}

// ending is what is left to be done at the end of a run.
type ending struct {
	mu    sync.Mutex
	todo  []func() error
	locks []*filelock.Lock
}

// Begin opens a run's private directory.
func Begin(cfg *Config) (*Run, error) {
	if err := workspace.Check(cfg.Cache); err != nil {
		return nil, err
	}
	ws, err := workspace.Open(cfg.Cache)
	if err != nil {
		return nil, err
	}
	return &Run{
		Config: cfg, Workspace: ws, Confined: new(confine.Log),
		Known: &memo.Store{Dir: filepath.Join(cfg.Cache, "known"), Secret: cfg.Secret, Full: cfg.Full},
	}, nil
}

// AtEnd has something done when the run ends and nobody builds any more, such as
// a check that spares the next run one: that can wait until nobody waits for it,
// and whether it went well only the next run needs to know.
func (r *Run) AtEnd(f func() error) {
	r.end.mu.Lock()
	defer r.end.mu.Unlock()
	r.end.todo = append(r.end.todo, f)
}

// Hold keeps a lock until the run ends.
func (r *Run) Hold(l *filelock.Lock) {
	r.end.mu.Lock()
	defer r.end.mu.Unlock()
	r.end.locks = append(r.end.locks, l)
}

// Close ends the run.
func (r *Run) Close() {
	if held := r.Confinement(); held != nil && !held.Held() {
		r.Warn("%s", held)
	}
	for _, f := range r.end.todo {
		f()
	}
	for _, l := range r.end.locks {
		l.Release()
	}
	r.Known.Prune()
	r.Workspace.Close()
}

// Confinement is what held everything that ran after the fetch phase; nil if
// nothing did.
func (r *Run) Confinement() *fact.Confinement {
	if r.Confined.Runs() == 0 {
		return nil
	}
	held := r.Confined.State()
	return &held
}

// Shorten makes a path below the working directory relative, for messages.
func (r *Run) Shorten(name string) string {
	wd, err := os.Getwd()
	if err != nil {
		return name
	}
	if rel, err := filepath.Rel(wd, name); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return name
}
