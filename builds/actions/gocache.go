package actions

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/internal/exact"
	"github.com/mintmark/mintmark/internal/files"
)

// goCache is a GOCACHE directory: for every action a small file XX/ACTION-a
// that names the output, and the output in XX/OUTPUT-d. The format is cmd/go's
// own (cmd/go/internal/cache.DiskCache) and has been the same since Go 1.10;
// should it change, nothing is found, nothing is served, and everything is
// compiled again.
type goCache struct {
	dir string

	mu    sync.Mutex
	names map[byte]map[string]string // first byte → short bytes of the ID → file name
	made  map[string]bool            // directories that are there
}

// cacheEntry is what the cache says of an action.
type cacheEntry struct {
	Action, Output ID
	Size           int64
}

func (c *goCache) file(id ID, kind string) string {
	return filepath.Join(c.dir, hex.EncodeToString(id[:1]), id.String()+"-"+kind)
}

// find gives the entry of an action by the short form of its ID; ok is false
// when the cache has none that can be read.
func (c *goCache) find(short string) (e cacheEntry, ok bool) {
	prefix, ok := shortBytes(short)
	if !ok {
		return e, false
	}
	name, ok := c.name(prefix)
	if !ok {
		return e, false
	}
	e, err := readEntry(filepath.Join(c.dir, hex.EncodeToString(prefix[:1]), name))
	return e, err == nil && strings.HasPrefix(name, e.Action.String())
}

// name looks an entry's file up. A directory is read once, and again when the
// entry is not in it: the go command writes while we look.
func (c *goCache) name(prefix []byte) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name, ok := c.names[prefix[0]][string(prefix)]; ok {
		return name, true
	}
	list, err := os.ReadDir(filepath.Join(c.dir, hex.EncodeToString(prefix[:1])))
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

func readEntry(name string) (cacheEntry, error) {
	f, err := files.OpenOwn(name, os.O_RDONLY, 0)
	if err != nil {
		return cacheEntry{}, err
	}
	defer f.Close()
	buf := make([]byte, entrySize+1)
	n, err := io.ReadFull(f, buf)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		return cacheEntry{}, fmt.Errorf("%s: not a cache entry", filepath.Base(name))
	}
	return parseEntry(buf[:n])
}

func parseEntry(b []byte) (e cacheEntry, err error) {
	bad := errors.New("not a cache entry")
	if len(b) != entrySize || string(b[:3]) != "v1 " || b[67] != ' ' || b[132] != ' ' || b[153] != ' ' || b[174] != '\n' {
		return e, bad
	}
	if e.Action, err = ParseID(string(b[3:67])); err != nil {
		return cacheEntry{}, bad
	}
	if e.Output, err = ParseID(string(b[68:132])); err != nil {
		return cacheEntry{}, bad
	}
	for _, column := range []struct{ from, to int }{{133, 153}, {154, 174}} { // size, time
		n, ok := exact.Decimal(strings.TrimLeft(string(b[column.from:column.to]), " "))
		if !ok || n < 0 {
			return cacheEntry{}, bad
		}
		if column.from == 133 {
			e.Size = n
		}
	}
	return e, nil
}

// put makes the cache hold an entry whose output is in the file object, and
// which is itself, where it is not "", in the file entry. Neither file must be
// written to any more: they get one more name each, as that is several times
// cheaper than a new file.
func (c *goCache) put(e cacheEntry, object, entry string) error {
	for _, id := range []ID{e.Action, e.Output} {
		if err := c.makeDir(filepath.Dir(c.file(id, "a"))); err != nil {
			return err
		}
	}
	if err := linkOrCopy(object, c.file(e.Output, "d")); err != nil {
		return err
	}
	if entry != "" {
		return linkOrCopy(entry, c.file(e.Action, "a"))
	}
	return files.Write(c.file(e.Action, "a"), e.encode(), 0o644)
}

// encode writes the entry as the go command does. Its time is 1: no time is
// better than one that nothing happened at, and 0 is taken for none.
func (e cacheEntry) encode() []byte {
	return fmt.Appendf(nil, "v1 %s %s %20d %20d\n", e.Action, e.Output, e.Size, 1)
}

// makeDir makes a directory, once.
func (c *goCache) makeDir(dir string) error {
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

// linkOrCopy makes another name for a file, or another file where the file
// system knows no hard links. An existing name stays as it is.
func linkOrCopy(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return copyFile(from, to)
}

// copyFile copies all or nothing.
func copyFile(from, to string) error {
	r, err := files.OpenOwn(from, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	return files.Replace(to, 0o600, func(w *os.File) error {
		_, err := io.Copy(w, r)
		return err
	})
}
