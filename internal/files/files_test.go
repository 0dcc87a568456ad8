package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	name := write(t, filepath.Join(dir, "file"), "0123456789")
	for limit, ok := range map[int64]bool{9: false, 10: true, 11: true, 0: false} {
		data, err := Read(name, limit)
		if ok != (err == nil) || ok && string(data) != "0123456789" {
			t.Errorf("limit %d: %q, %v", limit, data, err)
		}
		if !ok && (!errors.As(err, new(*TooLargeError)) || !strings.HasPrefix(err.Error(), name+": ")) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	if _, err := Read(dir, 10); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), dir+": is a directory") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Read(name+"x", 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
}

func TestDigestEnds(t *testing.T) {
	name := write(t, filepath.Join(t.TempDir(), "file"), "abc")
	sum, size, err := Digest(t.Context(), name)
	if err != nil || size != 3 || sum != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("%s %d %v", sum, size, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, _, err := Digest(ctx, name); !errors.Is(err, why) {
		t.Errorf("after the end: %v", err)
	}
	if _, _, err := Copy(ctx, name, name+".copy", 0o644); !errors.Is(err, why) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := os.Lstat(name + ".copy"); err == nil {
		t.Error("half a copy is left")
	}
	if _, _, err := Digest(t.Context(), filepath.Dir(name)); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("of a directory: %v", err)
	}
	if _, _, err := Digest(t.Context(), name+"x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
}

func TestDigestOwn(t *testing.T) {
	dir := t.TempDir()
	name := write(t, filepath.Join(dir, "file"), "abc")
	if sum, size, err := DigestOwn(t.Context(), name, 3); err != nil || size != 3 || sum != DigestBytes([]byte("abc")) {
		t.Errorf("%s %d %v", sum, size, err)
	}
	if _, _, err := DigestOwn(t.Context(), name, 2); !errors.As(err, new(*TooLargeError)) {
		t.Errorf("more than the limit: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(name, link); err != nil {
		t.Skip(err)
	}
	if _, _, err := DigestOwn(t.Context(), link, 3); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a link: %v", err)
	}
}

// TestLink: the file has the name afterwards, and one that was there stays.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	from, to := write(t, filepath.Join(dir, "from"), "abc"), filepath.Join(dir, "to")
	other := write(t, filepath.Join(dir, "other"), "xyz")
	for _, f := range []string{from, other} {
		if err := Link(f, to); err != nil || read(t, to) != "abc" {
			t.Errorf("after %s: %q, %v", filepath.Base(f), read(t, to), err)
		}
	}
	if err := Link(filepath.Join(dir, "none"), filepath.Join(dir, "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	// Where there are no hard links, it is a file of its own.
	if err := CopyOwn(other, to); err != nil || read(t, to) != "xyz" || read(t, from) != "abc" {
		t.Errorf("after the copy: %q, %q, %v", read(t, to), read(t, from), err)
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	if err := Write(name, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(name, []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	err := Replace(name, 0o644, func(f *os.File) error { f.WriteString("thr"); return failed })
	if !errors.Is(err, failed) || read(t, name) != "two" {
		t.Errorf("%v, %q", err, read(t, name))
	}
	if err := Write(dir, nil, 0o644); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("in place of a directory: %v", err)
	}
	if err := Create(name, 0o644, func(*os.File) error { return nil }); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created over a file: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

func TestWriteOver(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	ours := func(old []byte) bool { return strings.HasPrefix(string(old), "ours ") }
	for _, step := range []struct {
		before, data string
		ours         func([]byte) bool
		ok           bool
	}{
		{"", "ours 1", nil, true}, // the file is not there
		{"ours 1", "ours 1", nil, true},
		{"ours 1", "ours 2", nil, false},
		{"ours 1", "ours 2", ours, true},
		{"yours", "ours 2", ours, false},
	} {
		if step.before != "" {
			write(t, name, step.before)
		}
		err := WriteOver(name, []byte(step.data), 0o644, "is yours", step.ours)
		want := step.data
		if !step.ok {
			want = step.before
		}
		if step.ok != (err == nil) || !step.ok && (!strings.Contains(err.Error(), "exists, and is yours") || fault.Hint(err) == "") || read(t, name) != want {
			t.Errorf("%+v: %v, %q", step, err, read(t, name))
		}
	}
}

func TestOpenOwn(t *testing.T) {
	dir := t.TempDir()
	victim := write(t, filepath.Join(dir, "outside", "victim"), "precious")
	in := filepath.Join(dir, "inside")
	if err := os.Mkdir(in, 0o755); err != nil {
		t.Fatal(err)
	}
	link, hard := filepath.Join(in, "link"), filepath.Join(in, "hard")
	if os.Symlink(victim, link) != nil || os.Link(victim, hard) != nil {
		t.Skip("no links here")
	}
	for _, flag := range []int{os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREATE, os.O_WRONLY | os.O_APPEND} {
		if f, err := OpenOwn(link, flag, 0o644); err == nil || !strings.Contains(err.Error(), link+": is a symbolic link") {
			t.Errorf("a link, flag %#x: %v, %v", flag, f, err)
		}
		f, err := OpenOwn(hard, flag, 0o644)
		if flag == os.O_RDONLY {
			if err != nil {
				t.Error(err)
			}
		} else if err == nil || !strings.Contains(err.Error(), hard+": has another name") || fault.Hint(err) == "" {
			t.Errorf("a hard link, flag %#x: %v", flag, err)
		}
		f.Close()
	}
	if _, err := OpenOwn(filepath.Join(in, "new"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("truncating: %v", err)
	}
	if got := read(t, victim); got != "precious" {
		t.Errorf("the victim is %q", got)
	}
	// A link in a file's place is replaced, not followed.
	if err := Write(link, []byte("ours"), 0o644); err != nil || read(t, victim) != "precious" || read(t, link) != "ours" {
		t.Errorf("%v, %q, %q", err, read(t, victim), read(t, link))
	}
	root, err := os.OpenRoot(in)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := root.Symlink("hard", "within"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenIn(root, "within"); !errors.As(err, new(*NotRegularError)) {
		t.Errorf("a link within the root: %v", err)
	}
	if data, err := ReadIn(root, "hard", 100); err != nil || string(data) != "precious" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestMakeDir(t *testing.T) {
	dir := t.TempDir()
	got, err := MakeDir(filepath.Join(dir, "root"), "a", "b/c")
	if want := filepath.Join(dir, "root", "a", "b", "c"); err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := MakeDir(dir, "..", "x"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("above the root: %v", err)
	}
	write(t, filepath.Join(dir, "root", "file"), "")
	if _, err := MakeDir(dir, "root", "file", "x"); err == nil {
		t.Error("below a file")
	}
	elsewhere := filepath.Join(dir, "elsewhere")
	if err := os.Mkdir(elsewhere, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "root", "link")
	if os.Symlink(elsewhere, link) != nil {
		t.Skip("no links here")
	}
	if _, err := MakeDir(dir, "root", "link", "x"); err == nil || !strings.Contains(err.Error(), link+": is a symbolic link") {
		t.Errorf("through a link: %v", err)
	}
	if left, _ := os.ReadDir(elsewhere); len(left) > 0 {
		t.Errorf("made elsewhere: %v", left)
	}
	// The root may be one: it is the user's choice.
	if _, err := MakeDir(link, "x"); err != nil {
		t.Error(err)
	}
}

func TestStrange(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a", "file"), "")
	write(t, filepath.Join(dir, "links", "file"), "")
	write(t, filepath.Join(dir, "skipped", "file"), "")
	look := func(rel string) Look {
		switch rel {
		case "links":
			return Links
		case "skipped":
			return Skip
		}
		return Names
	}
	if err := Strange(dir, look); err != nil {
		t.Errorf("nothing is strange: %v", err)
	}
	if os.Symlink(dir, filepath.Join(dir, "a", "link")) != nil {
		t.Skip("no links here")
	}
	for from, to := range map[string]string{"a/file": "a/hard", "links/file": "links/hard"} {
		if err := os.Link(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	os.Symlink(dir, filepath.Join(dir, "skipped", "link"))
	err := Strange(dir, look)
	if err == nil {
		t.Fatal("nothing found")
	}
	for name, want := range map[string]bool{"a/link": true, "links/file": true, "links/hard": true, "a/hard": false, "skipped": false} {
		if strings.Contains(err.Error(), filepath.Join(dir, filepath.FromSlash(name))+":") != want {
			t.Errorf("%s: found is not %v:\n%v", name, want, err)
		}
	}
}

func TestRemoveTree(t *testing.T) {
	dir := t.TempDir()
	victim := write(t, filepath.Join(dir, "outside", "victim"), "precious")
	tree := filepath.Join(dir, "tree")
	write(t, filepath.Join(tree, "read only", "file"), "")
	os.Symlink(filepath.Dir(victim), filepath.Join(tree, "link"))
	if err := os.Chmod(filepath.Join(tree, "read only"), 0o500); err != nil {
		t.Fatal(err)
	}
	if err := RemoveTree(tree); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(tree); err == nil || read(t, victim) != "precious" {
		t.Errorf("%v, %q", err, read(t, victim))
	}
}
