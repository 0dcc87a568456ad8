// Package ledger keeps what is known of the executions of actions: which output
// each had, in which place and in which run. An action that was executed in two
// independent places with equal outputs is proven, and the second place of the
// next release is given its output instead of executing it again.
//
// # What is believed
//
// Everything that spares work is authenticated or hashed again when it is used:
// the lines of the journal with a secret of the user's, stored outputs with
// their SHA-256, what other rebuilders publish with their signature (which the
// caller checks). An action with two outputs is disputed: it and all that depends
// on it is proven no more, whatever the next release gives.
//
// # Exceptions
//
// A link is always executed, and so is a compile that reads what its action ID
// does not hold ([Unit].Unprovable). What cannot be read or written costs time
// and is no error of a release.
package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
)

// Config says whose ledger is opened.
type Config struct {
	// Dir holds the ledgers of all toolchains.
	Dir string
	// Toolchain is a name for people and a directory name no other toolchain
	// has; Sum is its content hash, h1:.
	Toolchain, Sum string
	// Secret authenticates what the ledger says: entries that were not written
	// with it count for nothing.
	Secret []byte
	// Run names this run of mintmark in what it adds; Now is when it began.
	Run string
	Now time.Time
}

// Ledger is what is known of the executions of one toolchain's actions: a
// journal that is only appended to, and the outputs of proven actions. What it
// says does not change while it is open; what is added counts from the next
// time on. Any number of processes may have it open.
type Ledger struct {
	cfg     Config
	dir     string
	entries map[actions.ID]*entry
	// disputed are actions with more than one output, and all that depends on them.
	disputed map[actions.ID]bool
	known    map[string]bool // platforms of which something may be proven
	foreign  map[actions.ID][]foreignClaim
	unread   int // lines of the journal

	mu    sync.Mutex
	added map[addedKey]bool
}

type addedKey struct {
	action, output actions.ID
	at             where
}

// entry is all that is known of an action.
type entry struct {
	pkg, platform string
	deps          []string
	outcomes      []outcome
}

// outcome is an output and the executions that had it.
type outcome struct {
	output actions.ID
	size   int64
	runs   []where
}

// addRun counts an execution. One that nobody noted may be any other of its
// place, so it counts only where it is alone.
func (o *outcome) addRun(at where) {
	for i, w := range o.runs {
		if w == at || w.place == at.place && at.run == "" {
			return
		}
		if w.place == at.place && w.run == "" {
			o.runs[i] = at
			return
		}
	}
	o.runs = append(o.runs, at)
}

type where struct{ place, run string }

func (w where) String() string {
	switch {
	case w.run == "":
		return "the " + w.place + " place"
	default:
		return "the " + w.place + " place, run " + w.run
	}
}

// maxJournal bounds what is read: a line is about 500 bytes, and a release of
// 8 platforms with 300 packages adds 4800.
const maxJournal = 1 << 30

// Open reads the ledger of a toolchain. Whatever cannot be read counts
// as not there.
func Open(cfg Config) (*Ledger, error) {
	if cfg.Sum == "" || cfg.Toolchain == "" || len(cfg.Secret) < 16 {
		return nil, errors.New("ledger: no toolchain hash or no secret")
	}
	l := &Ledger{
		cfg: cfg, dir: filepath.Join(cfg.Dir, cfg.Toolchain),
		entries: map[actions.ID]*entry{}, disputed: map[actions.ID]bool{}, known: map[string]bool{}, added: map[addedKey]bool{},
	}
	if err := l.checkDirs(); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	data, err := files.ReadOwn(l.journal(), maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if errors.As(err, new(*files.TooLargeError)) {
		return nil, fault.Errorf("mintmark ledger -prune=1 makes it smaller; removing the directory costs nothing but time", "ledger: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	m := newMAC(cfg.Secret, cfg.Sum)
	for line := range bytes.Lines(data) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if len(line) == 0 {
			continue // what ends a line that was cut off
		}
		e, err := m.decode(line)
		if err != nil {
			l.unread++
			continue
		}
		l.add(e)
	}
	l.markDisputed()
	for id, en := range l.entries {
		if !l.known[en.platform] && !l.disputed[id] && len(en.outcomes[0].runs) > 1 {
			l.known[en.platform] = true
		}
	}
	return l, nil
}

// checkDirs refuses a ledger whose directories lead elsewhere: the files in it are
// written, stamped and removed.
func (l *Ledger) checkDirs() error {
	if err := files.IsDir(l.dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return files.Strange(l.dir, func(rel string) files.Look {
		if strings.Count(rel, "/") > 0 {
			return files.Skip // objects/XX is a directory; what is in it is opened with care
		}
		return files.Names
	})
}

// journal is one file for each secret, since none can read another's lines.
func (l *Ledger) journal() string {
	sum := sha256.Sum256(append([]byte("journal name\n"), l.cfg.Secret...))
	return filepath.Join(l.dir, "journal-"+hex.EncodeToString(sum[:4]))
}

func (l *Ledger) add(e *execution) {
	en := l.entries[e.Action]
	if en == nil {
		en = &entry{pkg: e.Package, platform: e.Platform, deps: e.Deps}
		l.entries[e.Action] = en
	}
	at := where{e.Place, e.Run}
	for i := range en.outcomes {
		if o := &en.outcomes[i]; o.output == e.Output {
			o.addRun(at)
			return
		}
	}
	en.outcomes = append(en.outcomes, outcome{e.Output, e.Size, []where{at}})
}

// markDisputed marks actions with several outputs, and all whose inputs come from
// one of them.
func (l *Ledger) markDisputed() {
	var queue []actions.ID
	for id, en := range l.entries {
		if len(en.outcomes) > 1 {
			l.disputed[id] = true
			queue = append(queue, id)
		}
	}
	if len(queue) == 0 {
		return
	}
	users := map[string][]actions.ID{} // short ID → actions that depend on it
	for id, en := range l.entries {
		for _, d := range en.deps {
			users[d] = append(users[d], id)
		}
	}
	for len(queue) > 0 {
		id := queue[0]
		queue = queue[1:]
		for _, user := range users[id.Short()] {
			if !l.disputed[user] {
				l.disputed[user] = true
				queue = append(queue, user)
			}
		}
	}
}

// Proof is why an action need not be executed again.
type Proof struct {
	Output     actions.ID
	Size       int64
	Executions int  // that are known, all with this output
	Foreign    bool // one place is another rebuilder's; without it there would be no proof
}

// proven says whether an action with that output in the first place has been
// executed in two places with that same output, at least one of them ours. An
// output that the first place merely has counts as executed there next to an
// execution in our second place. Next to somebody else's it does not: then
// nobody here has seen it run. witnessed says that the first place has just run it.
func (l *Ledger) proven(id, output actions.ID, witnessed bool) (Proof, bool) {
	if l.disputed[id] {
		return Proof{}, false
	}
	p := Proof{Output: output}
	places := map[string]bool{}
	if witnessed {
		p.Executions = 1
	}
	if en := l.entries[id]; en != nil {
		o := en.outcomes[0]
		if o.output != output {
			return Proof{}, false
		}
		p.Size = o.size
		p.Executions = len(o.runs)
		for _, w := range o.runs {
			places[w.place] = true
			witnessed = witnessed || w.run != ""
		}
	}
	if places[firstPlace] && places[secondPlace] {
		return p, true
	}
	for _, c := range l.foreign[id] {
		if c.output != output {
			return Proof{}, false
		}
		p.Foreign = true
		p.Executions++
	}
	return p, p.Foreign && witnessed
}

// HasProofs reports whether the ledger could spare a build for that platform
// anything: whether waiting for the first build is worth it.
func (l *Ledger) HasProofs(platform string) bool {
	return len(l.foreign) > 0 || l.known[platform]
}

// appendNew adds an execution to those that are to be written, unless the ledger knows it.
func (l *Ledger) appendNew(list []*execution, e *execution) []*execution {
	if en := l.entries[e.Action]; en != nil && e.Run == "" {
		for _, o := range en.outcomes {
			if o.output == e.Output && slices.ContainsFunc(o.runs, func(w where) bool { return w.place == e.Place }) {
				return list // an execution that nobody noted is no news
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := addedKey{e.Action, e.Output, where{e.Place, e.Run}}
	if l.added[key] {
		return list
	}
	l.added[key] = true
	return append(list, e)
}

const (
	ledgerLock = "lock"
	sumFile    = "toolchain" // the toolchain's hash; a wrong one makes every line unreadable
)

// write appends executions to the journal.
func (l *Ledger) write(ctx context.Context, list []*execution) error {
	if len(list) == 0 {
		return nil
	}
	if _, err := files.MakeDir(l.cfg.Dir, l.cfg.Toolchain); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	m := newMAC(l.cfg.Secret, l.cfg.Sum)
	var buf bytes.Buffer
	for _, e := range list {
		line, err := m.encode(e)
		if err != nil {
			continue // a package of such a name is compiled again each time
		}
		buf.Write(line)
	}
	lock, err := filelock.Wait(ctx, filepath.Join(l.dir, ledgerLock))
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer lock.Release()
	if err := files.Write(filepath.Join(l.dir, sumFile), []byte(l.cfg.Sum+"\n"), 0o644); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	f, err := files.OpenOwn(l.journal(), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	data := buf.Bytes()
	if fi, err := f.Stat(); err == nil && fi.Size() > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, fi.Size()-1); err != nil || last[0] != '\n' {
			data = append([]byte("\n"), data...) // somebody was killed amid a line
		}
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}
