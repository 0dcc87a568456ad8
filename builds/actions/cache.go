package actions

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/internal/exact"
	"github.com/mintmark/mintmark/internal/files"
)

// Cache is a GOCACHE directory: for every action a small file XX/ACTION-a
// that names the output, and the output in XX/OUTPUT-d. The format is cmd/go's
// own (cmd/go/internal/cache.DiskCache) and has been the same since Go 1.10;
// should it change, nothing is found, nothing is served, and everything is
// compiled again.
type Cache struct {
	Dir string

	mu    sync.Mutex
	names map[byte]map[string]string // first byte → short bytes of the ID → file name
	made  map[string]bool            // directories that are there
}

// Entry is what a cache says of an action.
type Entry struct {
	Action, Output ID
	Size           int64 // of the output, bytes
}

// Output is the file of an output, whether it is there or not.
func (c *Cache) Output(id ID) string { return c.file(id, "d") }

func (c *Cache) file(id ID, kind string) string {
	return filepath.Join(c.Dir, hex.EncodeToString(id[:1]), id.String()+"-"+kind)
}

// Find gives the entry of an action by the short form of its ID; ok is false
// when the cache has none that can be read.
func (c *Cache) Find(short string) (e Entry, ok bool) {
	prefix, ok := shortBytes(short)
	if !ok {
		return e, false
	}
	name, ok := c.name(prefix)
	if !ok {
		return e, false
	}
	e, err := ReadEntry(filepath.Join(c.Dir, hex.EncodeToString(prefix[:1]), name))
	return e, err == nil && strings.HasPrefix(name, e.Action.String())
}

// name looks an entry's file up. A directory is read once, and again when the
// entry is not in it: the go command writes while we look.
func (c *Cache) name(prefix []byte) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name, ok := c.names[prefix[0]][string(prefix)]; ok {
		return name, true
	}
	list, err := os.ReadDir(filepath.Join(c.Dir, hex.EncodeToString(prefix[:1])))
	if err != nil {
		return "", false
	}
	names := make(map[string]string, len(list))
	for _, f := range list {
		base, ok := strings.CutSuffix(f.Name(), "-a")
		if !ok || len(base) != 64 {
			continue
		}
		if b, ok := exact.Hex(base); ok {
			names[string(b[:shortLen])] = f.Name()
		}
	}
	if c.names == nil {
		c.names = map[byte]map[string]string{}
	}
	c.names[prefix[0]] = names
	name, ok := names[string(prefix)]
	return name, ok
}

// entryFormat is "v1 ACTION OUTPUT SIZE TIME\n" in columns of fixed width.
const entrySize = 3 + 64 + 1 + 64 + 1 + 20 + 1 + 20 + 1

// ReadEntry reads the file of an entry.
func ReadEntry(name string) (Entry, error) {
	data, err := beginning(name, entrySize+1)
	if err != nil {
		return Entry{}, err
	}
	return parseEntry(data)
}

func parseEntry(b []byte) (e Entry, err error) {
	bad := errors.New("not a cache entry")
	if len(b) != entrySize || string(b[:3]) != "v1 " || b[67] != ' ' || b[132] != ' ' || b[153] != ' ' || b[174] != '\n' {
		return e, bad
	}
	if e.Action, err = ParseID(string(b[3:67])); err != nil {
		return Entry{}, bad
	}
	if e.Output, err = ParseID(string(b[68:132])); err != nil {
		return Entry{}, bad
	}
	for _, column := range []struct{ from, to int }{{133, 153}, {154, 174}} { // size, time
		n, ok := exact.Decimal(strings.TrimLeft(string(b[column.from:column.to]), " "))
		if !ok || n < 0 {
			return Entry{}, bad
		}
		if column.from == 133 {
			e.Size = n
		}
	}
	return e, nil
}

// Put makes the cache hold an entry whose output is in the file object, and
// which is itself, where it is not "", in the file entry. Neither file must be
// written to any more: they get one more name each, as that is several times
// cheaper than a new file.
func (c *Cache) Put(e Entry, object, entry string) error {
	for _, id := range []ID{e.Action, e.Output} {
		if err := c.makeDir(filepath.Dir(c.file(id, "a"))); err != nil {
			return err
		}
	}
	if err := files.Link(object, c.file(e.Output, "d")); err != nil {
		return err
	}
	if entry != "" {
		return files.Link(entry, c.file(e.Action, "a"))
	}
	return files.Write(c.file(e.Action, "a"), e.Encode(), 0o644)
}

// Encode writes the entry as the go command does. Its time is 1: no time is
// better than one that nothing happened at, and 0 is taken for none.
func (e Entry) Encode() []byte {
	return fmt.Appendf(nil, "v1 %s %s %20d %20d\n", e.Action, e.Output, e.Size, 1)
}

// makeDir makes a directory, once.
func (c *Cache) makeDir(dir string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made[dir] {
		return nil
	}
	if c.made == nil {
		c.made = map[string]bool{}
	}
	c.made[dir] = true
	return os.MkdirAll(dir, 0o755)
}
