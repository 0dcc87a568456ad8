package memo

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

type answer struct {
	Text string
	N    int
}

func store(t *testing.T) *Store {
	return &Store{Dir: filepath.Join(t.TempDir(), "answers"), Secret: []byte("a secret of sixteen bytes or more")}
}

func TestStore(t *testing.T) {
	s := store(t)
	key := NewKey("a", "b")
	var got answer
	if s.Get(key, &got) {
		t.Error("an answer before there is one")
	}
	want := answer{"text\nwith lines", 7}
	s.Put(key, want)
	if !s.Get(key, &got) || got != want {
		t.Errorf("got %+v", got)
	}
	s.Put(key, answer{"later", 8})
	if !s.Get(key, &got) || got.N != 8 {
		t.Errorf("got %+v after it was replaced", got)
	}
	for _, other := range []Key{NewKey("ab"), NewKey("a", "b", ""), NewKey("b", "a"), NewKey("", "a", "b")} {
		if s.Get(other, &got) {
			t.Error("the answer to another question")
		}
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("files left: %v, %v", entries, err)
	}
}

// What is odd about a file makes it count as not there.
func TestStoreDamaged(t *testing.T) {
	key, other := NewKey("key"), NewKey("other")
	for name, damage := range map[string]func(t *testing.T, s *Store, data []byte) []byte{
		"truncated":  func(t *testing.T, s *Store, data []byte) []byte { return data[:len(data)-1] },
		"empty":      func(t *testing.T, s *Store, data []byte) []byte { return nil },
		"no payload": func(t *testing.T, s *Store, data []byte) []byte { return data[:bytes.IndexByte(data, '\n')+1] },
		"garbage":    func(t *testing.T, s *Store, data []byte) []byte { return bytes.Repeat([]byte{0xff, 0}, 500) },
		"appended":   func(t *testing.T, s *Store, data []byte) []byte { return append(data, ' ') },
		"altered": func(t *testing.T, s *Store, data []byte) []byte {
			return bytes.Replace(data, []byte("7"), []byte("8"), 1)
		},
		"other key": func(t *testing.T, s *Store, data []byte) []byte { return readFile(t, s.path(other)) },
		"no hash":   func(t *testing.T, s *Store, data []byte) []byte { return []byte(header + "\n" + `{"Text":"x","N":7}`) },
		"no header": func(t *testing.T, s *Store, data []byte) []byte { return data[len(header):] },
		"old version": func(t *testing.T, s *Store, data []byte) []byte {
			return bytes.Replace(data, []byte(" 1 "), []byte(" 0 "), 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := store(t)
			s.Put(key, answer{"x", 7})
			s.Put(other, answer{"y", 7})
			data := damage(t, s, readFile(t, s.path(key)))
			if err := os.WriteFile(s.path(key), data, 0o644); err != nil {
				t.Fatal(err)
			}
			var got answer
			if s.Get(key, &got) {
				t.Errorf("answered %+v", got)
			}
			s.Put(key, answer{"z", 9})
			if !s.Get(key, &got) || got.Text != "z" {
				t.Error("not replaced by a sound one")
			}
		})
	}
}

func TestStoreWithoutRight(t *testing.T) {
	s := store(t)
	key := NewKey("key")
	s.Put(key, answer{"x", 7})
	var got answer
	for name, other := range map[string]*Store{
		"other secret": {Dir: s.Dir, Secret: []byte("another secret of some length")},
		"no secret":    {Dir: s.Dir},
		"full":         {Dir: s.Dir, Secret: s.Secret, Full: true},
		"no directory": {Secret: s.Secret},
		"nil":          nil,
	} {
		if other.Get(key, &got) {
			t.Errorf("%s: answered %+v", name, got)
		}
	}
	var none *Store
	none.Put(key, got)
	none.Prune()
	(&Store{Dir: s.Dir}).Put(key, answer{"forged", 1})
	if !s.Get(key, &got) || got.Text != "x" {
		t.Error("a store without a secret has written")
	}
	(&Store{Dir: s.Dir, Secret: s.Secret, Full: true}).Put(key, answer{"anew", 1})
	if !s.Get(key, &got) || got.Text != "anew" {
		t.Error("what a full run finds out is not kept")
	}
	blocked := &Store{Dir: filepath.Join(s.path(key), "below a file"), Secret: s.Secret}
	blocked.Put(key, got) // no error, no answer
	if blocked.Get(key, &got) {
		t.Error("answered from nowhere")
	}
}

func TestStoreAtOnce(t *testing.T) {
	s := store(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			mine := &Store{Dir: s.Dir, Secret: s.Secret}
			for n := range 50 {
				key := NewKey(fmt.Sprint(n % 5))
				mine.Put(key, answer{fmt.Sprint(n % 5), i})
				var got answer
				if !mine.Get(key, &got) || got.Text != fmt.Sprint(n%5) {
					t.Errorf("got %+v for %d", got, n%5)
				}
			}
			mine.Prune()
		})
	}
	wg.Wait()
	if entries, err := os.ReadDir(s.Dir); err != nil || len(entries) != 5 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	base := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	put := func(name string, size int, at time.Duration) {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, base.Add(at), base.Add(at)); err != nil {
			t.Fatal(err)
		}
	}
	there := func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
	for i := range 20 {
		put(fmt.Sprintf("%064x", i), 10, time.Duration(20-i)*time.Hour) // f19 is the oldest
	}
	put("somebody's notes", 10, -time.Hour) // the oldest of all, and not ours
	put(tmpPrefix+"being written", 10, 20*time.Hour)
	put(tmpPrefix+"of a killed process", 10, time.Hour)
	prune(dir, 20, 1000)
	for i := range 20 {
		if !there(fmt.Sprintf("%064x", i)) {
			t.Errorf("%d removed within the bounds", i)
		}
	}
	if !there(tmpPrefix+"being written") || there(tmpPrefix+"of a killed process") {
		t.Error("wrong temporary files removed")
	}
	prune(dir, 16, 1000)
	for i := range 20 {
		if there(fmt.Sprintf("%064x", i)) != (i < 12) {
			t.Errorf("f%d: %v", i, there(fmt.Sprintf("%064x", i)))
		}
	}
	prune(dir, 16, 80)
	for i := range 12 {
		if there(fmt.Sprintf("%064x", i)) != (i < 6) {
			t.Errorf("by size: f%d: %v", i, there(fmt.Sprintf("%064x", i)))
		}
	}
	if !there("somebody's notes") {
		t.Error("a file that no store makes was removed")
	}
	prune(filepath.Join(dir, "not there"), 0, 0)
	link := filepath.Join(t.TempDir(), "link")
	if os.Symlink(dir, link) != nil {
		t.Skip("no links here")
	}
	prune(link, 0, 0)
	if !there(fmt.Sprintf("%064x", 0)) {
		t.Error("pruned where a link leads")
	}
	s := &Store{Dir: link, Secret: []byte("a secret of sixteen bytes or more")}
	s.Put(NewKey("x"), answer{})
	if there(filepath.Base(s.path(NewKey("x")))) {
		t.Error("written where a link leads")
	}
}

func TestStorePrunes(t *testing.T) {
	s := store(t)
	for i := range maxFiles + 1 {
		s.Put(NewKey(fmt.Sprint(i)), answer{})
	}
	(&Store{Dir: s.Dir, Secret: s.Secret}).Prune() // this one has written nothing
	if entries, _ := os.ReadDir(s.Dir); len(entries) != maxFiles+1 {
		t.Errorf("%d files", len(entries))
	}
	s.Prune()
	if entries, _ := os.ReadDir(s.Dir); len(entries) != maxFiles*3/4 {
		t.Errorf("%d files", len(entries))
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
