package actions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/sync/errgroup"
)

// A build cache is believed by its names. cmd/go takes the output of an action
// from its GOCACHE by an entry that names it, and looks at the size at most
// (cmd/go/internal/cache.GetFile): what a disk, a memory or somebody has altered
// is linked and compiled against as if it were what the compiler wrote. The
// action graph does not show it either, since the content ID stands, unaltered,
// at the beginning of the file. But every output is named by its SHA-256, and
// every compiled package says which action made it; so damage can be told from a
// compiler that is not deterministic.

// MaxOutput is more bytes than any output of a compile has.
const MaxOutput = 4 << 30

// Damage is an output in a build cache that is not what it is there for.
type Damage struct {
	File    string   // of the output
	Reason  string   // what is wrong with it
	Actions []string // short IDs of the actions whose output it is said to be, sorted

	entries []string // files that say so
	remove  bool     // the output itself is damaged, and not only an entry that names it
}

// FindDamage hashes the outputs in the build cache (a GOCACHE directory) again,
// all that there are, or, unless shorts is nil, those of these actions only.
// Sorted by file.
func FindDamage(ctx context.Context, cache string, shorts []string) ([]Damage, error) {
	named, outputs, err := inventory(cache, shorts)
	if err != nil {
		return nil, fmt.Errorf("build cache: %w", err)
	}
	var (
		mu  sync.Mutex
		out []Damage
	)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for id, file := range outputs {
		g.Go(func() error {
			d, err := examine(gctx, id, file, named[id])
			mu.Lock()
			defer mu.Unlock()
			out = append(out, d...)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("build cache: %w", err)
	}
	sortDamage(out)
	return out, nil
}

// Drop removes the damage from its cache: what is damaged, and what names it.
// What was compiled from it is not found by this: see [Forget].
func Drop(list []Damage) error {
	var errs []error
	for _, d := range list {
		drop := d.entries
		if d.remove {
			drop = append(slices.Clone(drop), d.File)
		}
		for _, f := range drop {
			if err := files.RemoveTree(f); err != nil { // an executable's output is a directory
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// Forget makes the build cache know nothing of these actions, by their short
// IDs, so that the next build that needs them executes them.
func Forget(cache string, shorts []string) error {
	c := &Cache{Dir: cache}
	var errs []error
	for _, s := range shorts {
		e, ok := c.Find(s)
		if !ok {
			continue
		}
		if err := os.Remove(c.file(e.Action, "a")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// inventory lists a build cache: who names an output, and where it lies.
func inventory(cache string, shorts []string) (named map[ID][]Entry, outputs map[ID]string, err error) {
	c := &Cache{Dir: cache}
	named, outputs = map[ID][]Entry{}, map[ID]string{}
	note := func(e Entry) { named[e.Output] = append(named[e.Output], e) }
	if shorts != nil {
		for _, s := range shorts {
			if e, ok := c.Find(s); ok {
				note(e)
				if _, err := os.Lstat(c.Output(e.Output)); err == nil {
					outputs[e.Output] = c.Output(e.Output)
				}
			}
		}
		return named, outputs, nil
	}
	for i := range 256 {
		dir := filepath.Join(cache, fmt.Sprintf("%02x", i))
		list, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		for _, f := range list {
			base, kind, _ := strings.Cut(f.Name(), "-")
			id, err := ParseID(base)
			if err != nil || int(id[0]) != i {
				continue // not the go command's
			}
			name := filepath.Join(dir, f.Name())
			switch kind {
			case "d":
				outputs[id] = name
			case "a":
				// One that cannot be read is none, for the go command as well.
				if e, err := ReadEntry(name); err == nil && e.Action == id {
					note(e)
				}
			}
		}
	}
	return named, outputs, nil
}

// examine says what is wrong with an output that these entries name.
func examine(ctx context.Context, id ID, file string, by []Entry) ([]Damage, error) {
	c := &Cache{Dir: filepath.Dir(filepath.Dir(file))}
	damage := func(reason string, remove bool, by []Entry) Damage {
		d := Damage{File: file, Reason: reason, remove: remove}
		for _, e := range by {
			d.Actions = append(d.Actions, e.Action.Short())
			d.entries = append(d.entries, c.file(e.Action, "a"))
		}
		slices.Sort(d.Actions)
		return d
	}
	at, err := content(file)
	if err != nil {
		return []Damage{damage(err.Error(), true, by)}, nil
	}
	got, _, err := files.DigestOwn(ctx, at, MaxOutput)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the go command has just removed it
	}
	_, strange := errors.AsType[*files.NotRegularError](err)
	if _, large := errors.AsType[*files.TooLargeError](err); strange || large {
		return []Damage{damage(err.Error(), true, by)}, nil // nothing that the go command puts there
	}
	if err != nil {
		return nil, err
	}
	if got != id.String() {
		return []Damage{damage(fmt.Sprintf("its content has the hash %s…, its name is another", got[:16]), true, by)}, nil
	}
	maker, err := madeBy(at)
	if err != nil || maker == "" {
		return nil, err
	}
	var out []Damage
	for _, e := range by {
		if e.Action.Short() != maker {
			out = append(out, damage(fmt.Sprintf("the entry of action %s names it, but it is the output of action %s", e.Action.Short(), maker), false, []Entry{e}))
		}
	}
	return out, nil
}

// content is the file that has an output's bytes: itself, or the only one in a
// directory of that name, which is how cmd/go keeps executables. Anything else
// is opened by nobody.
func content(file string) (string, error) {
	fi, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return file, nil
	case err != nil:
		return "", err
	case fi.Mode().IsRegular():
		return file, nil
	case !fi.IsDir():
		return "", errors.New("not a regular file")
	}
	list, err := os.ReadDir(file)
	if err != nil {
		return "", err
	}
	if len(list) != 1 || !list[0].Type().IsRegular() {
		return "", errors.New("a directory with something else in it than one file")
	}
	return filepath.Join(file, list[0].Name()), nil
}

// madeBy is the short ID of the action that made a compiled package, by the build
// ID at its beginning (cmd/internal/buildid.ReadFile); "" for anything else.
func madeBy(name string) (string, error) {
	head, err := beginning(name, 4<<10)
	if err != nil {
		return "", err
	}
	if !bytes.HasPrefix(head, []byte("!<arch>\n")) {
		return "", nil
	}
	_, rest, ok := bytes.Cut(head, []byte("\nbuild id "))
	line, _, ok2 := bytes.Cut(rest, []byte("\n"))
	if !ok || !ok2 {
		return "", nil
	}
	id, err := strconv.Unquote(string(line))
	if err != nil {
		return "", nil
	}
	action, _, _ := strings.Cut(id, "/")
	if !IsShort(action) {
		return "", nil
	}
	return action, nil
}

// Damaged reports whether the entry's output is there and is not what it is
// named, or not that of the entry's action.
func (c *Cache) Damaged(ctx context.Context, e Entry) bool {
	d, err := examine(ctx, e.Output, c.Output(e.Output), []Entry{e})
	return err == nil && len(d) > 0
}

// DamagedIndex are the damaged ones among a build cache's indexes of packages
// (cmd/go/internal/modindex), which go list reads unchecked.
func DamagedIndex(ctx context.Context, cache string) ([]Damage, error) {
	named, outputs, err := inventory(cache, nil)
	if err != nil {
		return nil, fmt.Errorf("build cache: %w", err)
	}
	var out []Damage
	for id, file := range outputs {
		if !isIndex(file) {
			continue
		}
		d, err := examine(ctx, id, file, named[id])
		if err != nil {
			return nil, fmt.Errorf("build cache: %w", err)
		}
		out = append(out, d...)
	}
	sortDamage(out)
	return out, nil
}

func isIndex(name string) bool {
	fi, err := os.Lstat(name)
	if err != nil || !fi.Mode().IsRegular() {
		return false
	}
	const magic = "go index v"
	head, err := beginning(name, len(magic))
	return err == nil && string(head) == magic
}

// beginning is the first n bytes of a file, or all that it has.
func beginning(name string, n int) ([]byte, error) {
	f, err := files.OpenOwn(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(n)))
}

func sortDamage(list []Damage) {
	slices.SortFunc(list, func(a, b Damage) int { return strings.Compare(a.File+a.Reason, b.File+b.Reason) })
}
