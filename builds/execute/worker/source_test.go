package worker

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// unpack unpacks an archive into a directory beside a file that must stay as it is.
func unpack(t testing.TB, data []byte) (dir string, err error) {
	t.Helper()
	top := t.TempDir()
	name := filepath.Join(top, "archive")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	beside := filepath.Join(top, "beside")
	if err := os.WriteFile(beside, []byte("as it was"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(top, "src")
	err = unpackSource(t.Context(), name, dir)
	list, rerr := os.ReadDir(top)
	if rerr != nil {
		t.Fatal(rerr)
	}
	for _, e := range list {
		if n := e.Name(); n != "archive" && n != "beside" && n != "src" {
			t.Errorf("%s was made outside", n)
		}
	}
	if now, err := os.ReadFile(beside); err != nil || string(now) != "as it was" {
		t.Errorf("the file outside is %q, %v", now, err)
	}
	return dir, err
}

// TestSourceRoundTrip: files, links and modes arrive as they are, git's directory not.
func TestSourceRoundTrip(t *testing.T) {
	top := t.TempDir()
	files := map[string]struct {
		text string
		mode os.FileMode
	}{
		"main.go": {"package main\n", 0o644}, "sub/a name with blanks .txt": {"x", 0o644}, "ünïcödé/日本": {"y", 0o644}, "empty": {"", 0o644},
		"read-only": {"z", 0o444}, "run.sh": {"#!/bin/sh\n", 0o755}, "ends in dot.": {"d", 0o644}, "sub/git": {"no directory of git's", 0o644},
		strings.Repeat("long/", 60) + "name": {strings.Repeat("0123456789", 1000), 0o644},
	}
	if runtime.GOOS == "windows" {
		delete(files, "ends in dot.")
	}
	for name, f := range files {
		file := filepath.Join(top, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(f.text), f.mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(top, ".git", "hooks"), 0o755); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(top, ".git", "config"), []byte("x"), 0o644)
	links := map[string]string{"link": "main.go", "sub/up": "../main.go", "dangling": "nowhere", "out": "../../etc"}
	for name, to := range links {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(top, filepath.FromSlash(name))); err != nil {
			if runtime.GOOS == "windows" {
				links = nil
				break
			}
			t.Fatal(err)
		}
	}
	var a, b bytes.Buffer
	executable := func(name string) bool { return name == "run.sh" }
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := PackSource(t.Context(), w, top, executable); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("equal files gave other archives")
	}
	dir, err := unpack(t, a.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		data, err := os.ReadFile(file)
		if err != nil || string(data) != f.text {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		if fi, err := os.Lstat(file); err != nil || runtime.GOOS != "windows" && fi.Mode()&0o100 != 0 != executable(name) {
			t.Errorf("%s: %v, %v", name, fi.Mode(), err)
		}
	}
	for name, want := range links {
		if to, err := os.Readlink(filepath.Join(dir, filepath.FromSlash(name))); err != nil || filepath.ToSlash(to) != want {
			t.Errorf("%s: leads to %q, %v", name, to, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
		t.Error("git's directory was sent")
	}
}

// TestHostileArchive: what leads elsewhere, is no file, or is more than the archive, is
// refused, and nothing is made outside of the directory.
func TestHostileArchive(t *testing.T) {
	link := func(name, to string) member { return member{name: name, kind: tar.TypeSymlink, link: to} }
	archives := map[string][]member{
		"a file through a link out":          {link("d", ".."), {name: "d/beside", text: "x"}},
		"a file through a link in":           {{name: "a/x", text: "x"}, link("d", "a"), {name: "d/y", text: "x"}},
		"a file through a dangling link":     {link("d", "made"), {name: "d/y", text: "x"}},
		"a link in the place of a file":      {{name: "a", text: "x"}, link("a", "../beside")},
		"a file in the place of a link":      {link("a", "../beside"), {name: "a", text: "x"}},
		"a link through a link":              {link("d", ".."), link("d/new", "x")},
		"a link to nothing":                  {link("a", "")},
		"a file twice":                       {{name: "a", text: "x"}, {name: "a", text: "y"}},
		"a file below a file":                {{name: "a", text: "x"}, {name: "a/b", text: "y"}},
		"a file in the place of a directory": {{name: "a/b", text: "x"}, {name: "a", text: "y"}},
		"a directory":                        {{name: "a", kind: tar.TypeDir}},
		"a hard link":                        {{name: "a", text: "x"}, {name: "b", kind: tar.TypeLink, link: "a"}},
		"a hard link out":                    {{name: "b", kind: tar.TypeLink, link: "../beside"}},
		"a device":                           {{name: "a", kind: tar.TypeChar}},
		"a block device":                     {{name: "a", kind: tar.TypeBlock}},
		"a pipe":                             {{name: "a", kind: tar.TypeFifo}},
	}
	for _, name := range hostileNames() {
		if name != "" && name != "a/" && !strings.Contains(name, "\x00") && (runtime.GOOS == "windows" || !strings.Contains(name, ":")) {
			archives["the name "+name] = []member{{name: name, text: "x"}}
		}
	}
	for _, name := range []string{".git/config", ".git", ".GIT/hooks/x", "a/.git/config", "a/.Git", ".git./x", ".git /x", "git~1/x", "GIT~1/x"} {
		archives["the name "+name] = []member{{name: name, text: "x"}}
	}
	if runtime.GOOS == "windows" {
		for _, name := range []string{"NUL", "con", "a/COM1", "aux.txt", "a:b", "lpt1 "} {
			archives["the name "+name] = []member{{name: name, text: "x"}}
		}
	}
	for what, list := range archives {
		if _, err := unpack(t, tarOf(t, list...)); err == nil {
			t.Errorf("%s: unpacked", what)
		}
	}
	whole := tarOf(t, member{name: "a", text: "x"}, member{name: "b", text: "y"})
	for _, n := range []int{0, 100, 512, 1024, 2048, len(whole) - 1024} {
		if _, err := unpack(t, whole[:n]); err == nil {
			t.Errorf("%d bytes of %d: unpacked", n, len(whole))
		}
	}
}

// bomb is an archive of a few kilobytes whose one file has gigabytes.
func bomb(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	h := &tar.Header{Name: "a", Typeflag: tar.TypeReg, Mode: 0o644, Format: tar.FormatPAX, PAXRecords: map[string]string{
		"ZZZ.sparse.major": "0", "ZZZ.sparse.minor": "1", "ZZZ.sparse.numblocks": "1", "ZZZ.sparse.map": "0,0", "ZZZ.sparse.size": "1099511627776",
	}}
	if err := tw.WriteHeader(h); err != nil {
		t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(buf.Bytes(), []byte("ZZZ.sparse"), []byte("GNU.sparse")) // no writer of tars writes one
}

// TestBomb: what unpacks to more than there is is not unpacked.
func TestBomb(t *testing.T) {
	data := bomb(t)
	if h, err := tar.NewReader(bytes.NewReader(data)).Next(); err != nil || h.Size != 1<<40 {
		t.Fatalf("no bomb: %v, %v", h, err)
	}
	if _, err := unpack(t, data); err == nil || !strings.Contains(err.Error(), "neither a file") {
		t.Error(err)
	}
}

// FuzzUnpack: whatever an archive has, nothing is made outside, and no more bytes than it
// has itself.
func FuzzUnpack(f *testing.F) {
	f.Add(bomb(f))
	f.Add(tarOf(f, member{name: "a/b", text: "x"}, member{name: "l", kind: tar.TypeSymlink, link: "a/b"}))
	f.Add(tarOf(f, member{name: "d", kind: tar.TypeSymlink, link: ".."}, member{name: "d/beside", text: "x"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir, _ := unpack(t, data)
		var total int64
		filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			if fi, err := d.Info(); err == nil && fi.Mode().IsRegular() {
				total += fi.Size()
			}
			return nil
		})
		if total > int64(len(data)) {
			t.Errorf("%d bytes of %d", total, len(data))
		}
	})
}

// FuzzRequest: a request that is read has the form in which it is written.
func FuzzRequest(f *testing.F) {
	k := newKit(f)
	good, err := encode(k.request(k.archive(map[string]string{"main.go": "x"})))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	greeting, err := encode(NewRequest(version))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(greeting)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := readRequest(tar.NewReader(bytes.NewReader(tarOf(t, member{name: requestName, text: string(data)}))), version)
		if err != nil {
			return
		}
		if again, err := encode(r); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q is read, and written as %q: %v", data, again, err)
		}
		if r.Build != nil {
			r.Build.unit()
		}
	})
}

// FuzzAnswer: an answer that is read is of this version, and says what machines have.
func FuzzAnswer(f *testing.F) {
	k := newKit(f)
	var out bytes.Buffer
	if _, err := k.w.Serve(f.Context(), bytes.NewReader(tarOf(f)), &out); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ReadAnswer(tar.NewReader(bytes.NewReader(data)), version)
		if err != nil {
			return
		}
		if a.Version != version || a.CPUs < 1 || a.CPUs > maxCPUs || a.Error != nil && a.Error.Err() == nil {
			t.Errorf("%+v", a)
		}
	})
}
