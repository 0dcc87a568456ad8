package actions

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// compiledPackage is what cmd/go keeps of a compile, as far as its header is looked at.
func compiledPackage(action ID, text string) []byte {
	return fmt.Appendf(nil, "!<arch>\n__.PKGDEF       0           0     0     644     100       `\ngo object linux amd64 go1.26.8 X:none\nbuild id %q\n\n%s", action.Short()+"/AAAAAAAAAAAAAAAAAAAA", text)
}

// cached puts an output of an action into a build cache.
func (c *Cache) cached(t *testing.T, action ID, data []byte) Entry {
	t.Helper()
	e := Entry{Action: action, Output: hashOf(string(data)), Size: int64(len(data))}
	for _, id := range []ID{e.Action, e.Output} {
		if err := os.MkdirAll(filepath.Dir(c.file(id, "d")), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string][]byte{c.file(e.Output, "d"): data, c.file(e.Action, "a"): e.Encode()} {
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func TestFindDamage(t *testing.T) {
	for _, c := range []struct {
		name, want string
		alter      func(c *Cache, e Entry) error
	}{
		{"a flipped bit", "its content has the hash", func(c *Cache, e Entry) error {
			data, err := os.ReadFile(c.file(e.Output, "d"))
			if err != nil {
				return err
			}
			data[len(data)-1] ^= 1
			return os.WriteFile(c.file(e.Output, "d"), data, 0o644)
		}},
		{"cut off", "its content has the hash", func(c *Cache, e Entry) error { return os.Truncate(c.file(e.Output, "d"), 20) }},
		{"zeroes", "its content has the hash", func(c *Cache, e Entry) error {
			return os.WriteFile(c.file(e.Output, "d"), make([]byte, e.Size), 0o644)
		}},
		{"a link", "not a regular file", func(c *Cache, e Entry) error {
			name := c.file(e.Output, "d")
			if err := os.Rename(name, name+".moved"); err != nil {
				return err
			}
			return os.Symlink(name+".moved", name)
		}},
		{"a directory", "something else in it than one file", func(c *Cache, e Entry) error {
			name := c.file(e.Output, "d")
			if err := os.Remove(name); err != nil {
				return err
			}
			return os.Mkdir(name, 0o755)
		}},
		{"the output of another action", "but it is the output of action " + hashOf("other").Short(), func(c *Cache, e Entry) error {
			other := c.cached(t, hashOf("other"), compiledPackage(hashOf("other"), "other"))
			e.Output, e.Size = other.Output, other.Size
			return os.WriteFile(c.file(e.Action, "a"), e.Encode(), 0o644)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache := &Cache{Dir: t.TempDir()}
			sound := cache.cached(t, hashOf("sound"), compiledPackage(hashOf("sound"), "sound"))
			text := cache.cached(t, hashOf("text"), []byte("what a compiler said"))
			hurt := cache.cached(t, hashOf("hurt"), compiledPackage(hashOf("hurt"), "hurt"))
			if found, err := FindDamage(t.Context(), cache.Dir, nil); err != nil || len(found) > 0 {
				t.Fatalf("%+v, %v", found, err)
			}
			if err := c.alter(cache, hurt); err != nil {
				t.Fatal(err)
			}
			if found, err := FindDamage(t.Context(), cache.Dir, []string{sound.Action.Short(), text.Action.Short(), "none", ""}); err != nil || len(found) > 0 {
				t.Errorf("others: %+v, %v", found, err)
			}
			for _, shorts := range [][]string{nil, {hurt.Action.Short()}} {
				found, err := FindDamage(t.Context(), cache.Dir, shorts)
				if err != nil || len(found) != 1 || !strings.Contains(found[0].Reason, c.want) || !slices.Equal(found[0].Actions, []string{hurt.Action.Short()}) {
					t.Fatalf("%q: %+v, %v", shorts, found, err)
				}
			}
			found, _ := FindDamage(t.Context(), cache.Dir, nil)
			if err := Drop(found); err != nil {
				t.Fatal(err)
			}
			fresh := &Cache{Dir: cache.Dir}
			if _, ok := fresh.Find(hurt.Action.Short()); ok {
				t.Error("its entry is still there")
			}
			for _, e := range []Entry{sound, text} {
				if got, ok := fresh.Find(e.Action.Short()); !ok || got != e || fresh.Damaged(t.Context(), e) {
					t.Errorf("%v: %+v, %v", e.Action, got, ok)
				}
			}
			if found, err := FindDamage(t.Context(), cache.Dir, nil); err != nil || len(found) > 0 {
				t.Errorf("left: %+v, %v", found, err)
			}
		})
	}
}

// TestForget removes what names an output, and not the output.
func TestForget(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	e := cache.cached(t, hashOf("a"), compiledPackage(hashOf("a"), "a"))
	if err := Forget(cache.Dir, []string{e.Action.Short(), hashOf("b").Short(), "x"}); err != nil {
		t.Fatal(err)
	}
	if _, ok := (&Cache{Dir: cache.Dir}).Find(e.Action.Short()); ok {
		t.Error("it is known")
	}
	if _, err := os.Stat(cache.file(e.Output, "d")); err != nil {
		t.Error(err)
	}
}

// TestDamagedIndex: of indexes only, since they are asked for when go list fails.
func TestDamagedIndex(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	index := cache.cached(t, hashOf("index"), []byte("go index v2\nfmt"))
	other := cache.cached(t, hashOf("other"), []byte("something else"))
	for _, e := range []Entry{index, other} {
		data, err := os.ReadFile(cache.file(e.Output, "d"))
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)-1]++
		if err := os.WriteFile(cache.file(e.Output, "d"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found, err := DamagedIndex(t.Context(), cache.Dir)
	if err != nil || len(found) != 1 || found[0].File != cache.file(index.Output, "d") {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestLookedUp: actions of all kinds, and of builds that failed.
func TestLookedUp(t *testing.T) {
	name := filepath.Join(t.TempDir(), "graph")
	if err := os.WriteFile(name, []byte(`[{"ID":1,"Mode":"build","Package":"a","ActionID":"b"},{"ID":2,"Mode":"preprocess PGO profile","ActionID":"a"},{"ID":3,"Mode":"link","Package":"m"},null]`), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := LookedUp(name); err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := LookedUp(name + "-missing"); err == nil {
		t.Error("a graph that is not there")
	}
}
