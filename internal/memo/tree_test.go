package memo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// grown makes a tree and waits until it is old enough to be remembered.
func grown(t *testing.T) (s *Store, dir string) {
	t.Helper()
	s, dir = plant(t)
	age(t, s, dir)
	return s, dir
}

func plant(t *testing.T) (s *Store, dir string) {
	t.Helper()
	s, dir = store(t), filepath.Join(t.TempDir(), "tree")
	if !local(t.TempDir()) {
		t.Skip("this file system does not tell whether files change")
	}
	for _, name := range []string{"a", "b", "sub/c", "sub/deep/d"} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("content of "+filepath.Base(name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s, dir
}

func age(t *testing.T, s *Store, dir string) {
	t.Helper()
	for {
		tr, err := s.look(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if tr.old() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// checks counts how often the tree has to be looked into.
func checks(t *testing.T, s *Store, dir, what string) int {
	t.Helper()
	n := 0
	if err := s.Checked(t.Context(), dir, what, func() error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestChecked(t *testing.T) {
	t.Parallel()
	s, dir := grown(t)
	if checks(t, s, dir, "x") != 1 || checks(t, s, dir, "x") != 0 {
		t.Fatal("not remembered after one check")
	}
	if checks(t, s, dir, "y") != 1 {
		t.Error("checked for one thing, and believed to be another")
	}
	if checks(t, s, filepath.Join(dir, "sub"), "x") != 1 {
		t.Error("another directory is believed")
	}
	full := &Store{Dir: s.Dir, Secret: s.Secret, Full: true}
	for range 2 {
		if checks(t, full, dir, "x") != 1 {
			t.Error("a full store does not check")
		}
	}
	if checks(t, nil, dir, "x") != 1 || checks(t, &Store{}, dir, "x") != 1 {
		t.Error("without a store nothing is checked")
	}
	if checks(t, s, dir, "x") != 0 {
		t.Error("forgotten")
	}
	// What is read keeps its state.
	readFile(t, filepath.Join(dir, "a"))
	if checks(t, s, dir, "x") != 0 {
		t.Error("reading a file makes it count as changed")
	}
	if checks(t, &Store{Dir: s.Dir, Secret: []byte("another secret, of another user")}, dir, "x") != 1 {
		t.Error("somebody else's record is believed")
	}
}

// Every kind of change is noticed, also where size and mtime are what they were.
func TestChanges(t *testing.T) {
	t.Parallel()
	must := func(t *testing.T, errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	mtime := func(t *testing.T, name string) time.Time {
		fi, err := os.Stat(name)
		must(t, err)
		return fi.ModTime()
	}
	changes := map[string]func(t *testing.T, dir string){
		"altered, mtime restored": func(t *testing.T, dir string) {
			c := filepath.Join(dir, "sub", "c")
			at := mtime(t, c)
			must(t, os.WriteFile(c, []byte("CONTENT OF C"), 0o644), os.Chtimes(c, at, at))
		},
		"replaced, mtime restored": func(t *testing.T, dir string) {
			a, tmp := filepath.Join(dir, "a"), filepath.Join(dir, "..", "tmp")
			at := mtime(t, a)
			must(t, os.WriteFile(tmp, []byte("CONTENT OF A"), 0o644), os.Chtimes(tmp, at, at), os.Rename(tmp, a))
		},
		"replaced by an older file": func(t *testing.T, dir string) {
			must(t, os.Rename(filepath.Join(dir, "..", "spare"), filepath.Join(dir, "a")))
		},
		"exchanged": func(t *testing.T, dir string) {
			a, b, tmp := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "tmp")
			must(t, os.Rename(a, tmp), os.Rename(b, a), os.Rename(tmp, b))
		},
		"added":        func(t *testing.T, dir string) { must(t, os.WriteFile(filepath.Join(dir, "sub", "e"), nil, 0o644)) },
		"hidden added": func(t *testing.T, dir string) { must(t, os.WriteFile(filepath.Join(dir, ".e"), nil, 0o644)) },
		"directory added": func(t *testing.T, dir string) {
			must(t, os.Mkdir(filepath.Join(dir, "sub", "e"), 0o755))
		},
		"removed": func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "sub", "deep", "d"))) },
		"moved": func(t *testing.T, dir string) {
			must(t, os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "sub", "a")))
		},
		"mode": func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Join(dir, "b"), 0o755)) },
		"mode and back": func(t *testing.T, dir string) {
			must(t, os.Chmod(filepath.Join(dir, "b"), 0o755), os.Chmod(filepath.Join(dir, "b"), 0o644))
		},
		"grown": func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "b"), []byte("content of b!"), 0o644))
		},
		"link": func(t *testing.T, dir string) {
			must(t, os.Rename(filepath.Join(dir, "b"), filepath.Join(dir, "..", "b")), os.Symlink(filepath.Join(dir, "..", "b"), filepath.Join(dir, "b")))
		},
		"linked directory": func(t *testing.T, dir string) {
			must(t, os.Rename(filepath.Join(dir, "sub"), filepath.Join(dir, "..", "sub")), os.Symlink(filepath.Join(dir, "..", "sub"), filepath.Join(dir, "sub")))
		},
		"copied": func(t *testing.T, dir string) {
			must(t, os.Rename(dir, dir+"-old"), os.CopyFS(dir, os.DirFS(dir+"-old")))
		},
	}
	type planted struct {
		s   *Store
		dir string
	}
	trees := map[string]planted{}
	for name := range changes {
		s, dir := plant(t)
		spare := filepath.Join(dir, "..", "spare")
		at := mtime(t, filepath.Join(dir, "a"))
		must(t, os.WriteFile(spare, []byte("CONTENT OF A"), 0o644), os.Chtimes(spare, at, at))
		trees[name] = planted{s, dir}
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			s, dir := trees[name].s, trees[name].dir
			age(t, s, dir) // the first one waits for all
			if checks(t, s, dir, "x") != 1 || checks(t, s, dir, "x") != 0 {
				t.Fatal("not remembered after one check")
			}
			change(t, dir)
			if checks(t, s, dir, "x") != 1 {
				t.Error("not noticed")
			}
		})
	}
}

// A file that is as new as the look at it may change once more with the same ctime.
func TestYoung(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		youngest, now int64
		old           bool
	}{{100, 100, false}, {100, 100 + granule, false}, {100, 101 + granule, true}, {100, 99, false}, {100 + 2*granule, 100, false}} {
		if tr := (&tree{youngest: tt.youngest, now: tt.now}); tr.old() != tt.old {
			t.Errorf("%+v: %v", tt, tr.old())
		}
	}
	s, dir := grown(t)
	before, err := s.look(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	now, err := clock(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if before.now > now {
		t.Error("looked at in the future")
	}
	// A file in the making is as young as the clock, whatever its mtime says.
	a := filepath.Join(dir, "a")
	if err := os.Chtimes(a, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	after, err := look(t.Context(), dir)
	if err != nil || after.youngest < now || after.sum == before.sum {
		t.Errorf("the ctime is not what counts: %+v, %+v, %v", before, after, err)
	}
	// What changes while it is checked is checked again.
	age(t, s, dir)
	if err := s.Checked(t.Context(), dir, "x", func() error { return os.WriteFile(a, []byte("CONTENT OF A"), 0o644) }); err != nil {
		t.Fatal(err)
	}
	if checks(t, s, dir, "x") != 1 {
		t.Error("changed during the check, and believed")
	}
}

// What was written just now is not relied on.
func TestTooYoung(t *testing.T) {
	t.Parallel()
	s, dir := plant(t)
	n := checks(t, s, dir, "x") + checks(t, s, dir, "x")
	tr, err := s.look(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if !tr.old() && n != 2 { // else this machine was very slow
		t.Error("a file that has just been written is believed")
	}
	if err := s.Confirm(t.Context(), dir, "x", func() error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	if !tr.old() && n == 3 && checks(t, s, dir, "x") != 0 {
		t.Error("settled in vain")
	}
}

// What a link leads to can change unseen.
func TestLinks(t *testing.T) {
	t.Parallel()
	s, dir := plant(t)
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(granule))
	for range 3 {
		if checks(t, s, dir, "x") != 1 {
			t.Fatal("a tree with a link is believed")
		}
	}
}

func TestCheckFails(t *testing.T) {
	t.Parallel()
	s, dir := grown(t)
	wrong := errors.New("wrong")
	for range 2 {
		if err := s.Checked(t.Context(), dir, "x", func() error { return wrong }); err != wrong {
			t.Errorf("got %v", err)
		}
	}
	if checks(t, s, dir, "x") != 1 {
		t.Error("a failed check is believed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	if err := s.Checked(ctx, dir, "x", func() error { n++; return ctx.Err() }); !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("cancelled: %v, %d checks", err, n)
	}
	if checks(t, s, filepath.Join(dir, "not there"), "x") != 1 {
		t.Error("what is not there is believed")
	}
}

func TestRecordDamaged(t *testing.T) {
	t.Parallel()
	s, dir := grown(t)
	file := s.path(treeKey(dir, "x"))
	for _, damage := range []func(){
		func() { os.Truncate(file, 70) },
		func() { os.WriteFile(file, []byte("garbage"), 0o644) },
		func() { os.Remove(file) },
		func() { s.Put(treeKey(dir, "x"), known{}) },
	} {
		checks(t, s, dir, "x")
		if checks(t, s, dir, "x") != 0 {
			t.Fatal("not remembered")
		}
		damage()
		if checks(t, s, dir, "x") != 1 {
			t.Error("a damaged record is believed")
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	s, dir := grown(t)
	n := 0
	check := func() error { n++; return nil }
	for range 2 {
		if err := s.Confirm(t.Context(), dir, "x", check); err != nil || n != 1 {
			t.Errorf("%v, %d checks", err, n)
		}
	}
	if checks(t, s, dir, "x") != 0 {
		t.Error("not remembered")
	}
	if err := s.Confirm(t.Context(), dir, "y", func() error { return os.ErrInvalid }); err != os.ErrInvalid {
		t.Error(err)
	}
	if checks(t, s, dir, "y") != 1 {
		t.Error("a failed check is believed")
	}
	var none *Store
	if err := none.Confirm(t.Context(), dir, "z", check); err != nil || n != 1 {
		t.Errorf("in vain: %v, %d checks", err, n)
	}
}
