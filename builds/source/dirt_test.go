package source_test

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/source"
)

func TestDirt(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "outside")
	if err := os.MkdirAll(secret, 0o755); err != nil {
		t.Fatal(err)
	}
	// Written once: the cases run at the same time, and each reads it.
	inside := filepath.Join(secret, "x.go")
	if err := os.WriteFile(inside, []byte("package secret\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		make func(t *testing.T, r *repo)
		want string
	}{
		{"clean", func(t *testing.T, r *repo) {}, ""},
		{"modified", func(t *testing.T, r *repo) { r.write("a.txt", "two\n") }, "a.txt"},
		{"same size", func(t *testing.T, r *repo) { r.write("a.txt", "on2\n") }, "a.txt"},
		{"staged", func(t *testing.T, r *repo) { r.write("a.txt", "two\n").git("add", "a.txt") }, "a.txt"},
		{"staged, then undone", func(t *testing.T, r *repo) {
			r.write("a.txt", "two\n").git("add", "a.txt")
			r.write("a.txt", "one\n")
		}, "a.txt"},
		{"untracked", func(t *testing.T, r *repo) { r.write("new/deep/file.go", "package deep\n") }, "new/deep/file.go"},
		{"added", func(t *testing.T, r *repo) { r.write("new.go", "package main\n").git("add", "new.go") }, "new.go"},
		{"intent to add", func(t *testing.T, r *repo) { r.write("new.go", "package main\n").git("add", "-N", "new.go") }, "new.go"},
		{"deleted", func(t *testing.T, r *repo) { r.rm("a.txt") }, "a.txt"},
		{"git rm", func(t *testing.T, r *repo) { r.git("rm", "--quiet", "a.txt") }, "a.txt"},
		{"renamed", func(t *testing.T, r *repo) { r.git("mv", "a.txt", "b.txt") }, "a.txt b.txt"},
		{"moved by hand", func(t *testing.T, r *repo) { r.rm("a.txt").write("sub/b.txt", "one\n") }, "a.txt sub/b.txt"},
		{"mode", func(t *testing.T, r *repo) { r.chmod("a.txt", 0o755) }, "a.txt"},
		{"link", func(t *testing.T, r *repo) { r.symlink("a.txt", "link") }, "link"},
		{"dangling link", func(t *testing.T, r *repo) { r.symlink("/no/where", "link") }, "link"},
		{"file to link", func(t *testing.T, r *repo) { r.rm("a.txt").symlink("dir/x.go", "a.txt") }, "a.txt"},
		{"file to directory", func(t *testing.T, r *repo) { r.rm("a.txt").write("a.txt/inner/x.go", "package inner\n") }, "a.txt a.txt/inner/x.go"},
		{"directory to file", func(t *testing.T, r *repo) { r.rm("dir").write("dir", "x") }, "dir dir/x.go dir/y.go"},
		{"directory to link", func(t *testing.T, r *repo) { r.rm("dir").symlink(secret, "dir") }, "dir dir/x.go dir/y.go"},
		{"directory to link inside", func(t *testing.T, r *repo) { r.rm("dir").symlink("other", "dir") }, "dir dir/x.go dir/y.go"},
		{"link to directory", func(t *testing.T, r *repo) { r.rm("tolink").write("tolink/x.go", "package new\n") }, "tolink tolink/x.go"},
		{"a conflict", func(t *testing.T, r *repo) {
			r.git("checkout", "--quiet", "-b", "side")
			r.write("a.txt", "side\n").commit()
			r.git("checkout", "--quiet", "main")
			r.write("a.txt", "main\n").commit()
			cmd := []string{"merge", "--quiet", "side"}
			r.fails(cmd...)
		}, "a.txt"},
		{"odd names", func(t *testing.T, r *repo) {
			for _, n := range oddNames {
				r.write(n, "odd\n")
			}
		}, strings.Join(oddNames, " ")},
		{"a repository inside", func(t *testing.T, r *repo) {
			r.write("nested/x", "x")
			n := r.at(filepath.Join(r.dir, "nested"))
			n.git("-c", "init.defaultBranch=main", "init", "--quiet")
			n.commit()
		}, "nested/"},
		{"assumed unchanged", func(t *testing.T, r *repo) {
			r.git("update-index", "--assume-unchanged", "a.txt", "dir/x.go")
			r.write("a.txt", "two\n")
		}, "a.txt"},
		{"assumed unchanged, deleted", func(t *testing.T, r *repo) {
			r.git("update-index", "--assume-unchanged", "a.txt")
			r.rm("a.txt")
		}, "a.txt"},
		{"assumed unchanged, staged", func(t *testing.T, r *repo) {
			r.write("a.txt", "two\n").git("add", "a.txt")
			r.git("update-index", "--assume-unchanged", "a.txt")
		}, "a.txt"},
		{"skipped", func(t *testing.T, r *repo) {
			r.git("update-index", "--skip-worktree", "a.txt", "dir/x.go")
			r.write("a.txt", "two\n")
		}, "a.txt"},
		{"ignored", func(t *testing.T, r *repo) { r.write("x.ignored", "x") }, ""},
		{"the output directory", func(t *testing.T, r *repo) {
			r.write("dist/out", "x").write("dist/sub/out", "x").write("dist2/out", "x")
		}, "dist2/out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" {
				t.Skip("SKIPPED: file modes, links and odd names are for Unix")
			}
			r := newRepo(t)
			r.module("", "example.com/m").write("a.txt", "one\n").write("dir/x.go", "package dir\n").write("dir/y.go", "package dir\n")
			r.write("other/x.go", "package other\n").write("other/y.go", "package other\n").write(".gitignore", "*.ignored\n")
			r.symlink("other", "tolink")
			r.commit()
			r.tag("v1.0.0")
			tt.make(t, r)
			cfg := r.config(t, "")
			cfg.Ignore = []string{filepath.Join(r.dir, "dist")}
			s, err := source.Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(tt.want)
			if tt.name == "odd names" {
				want = slices.Clone(oddNames)
				slices.Sort(want)
			}
			if !slices.Equal(s.Dirty, want) {
				t.Errorf("dirty: %q, want %q", s.Dirty, want)
			}

			// The checkout of a release has nothing of it, that of a snapshot all.
			clean := r.checkout(s, false)
			snap := r.checkout(s, true)
			own := files(t, r.dir)
			for name := range own {
				if strings.HasPrefix(name, "dist/") || strings.HasSuffix(name, ".ignored") || strings.HasPrefix(name, "nested/") {
					delete(own, name)
				}
			}
			if got := files(t, snap); !maps.Equal(got, own) {
				t.Errorf("snapshot has %q\nwant %q", got, own)
			}
			if got := r.at(clean).git("status", "--porcelain"); got != "" {
				t.Errorf("the clean checkout is not clean: %q", got)
			}
			if runtime.GOOS != "windows" && tt.name == "mode" {
				if fi, err := os.Stat(filepath.Join(snap, "a.txt")); err != nil || fi.Mode()&0o100 == 0 {
					t.Errorf("mode: %v, %v", fi, err)
				}
			}
			if data, err := os.ReadFile(inside); err != nil || string(data) != "package secret\n" {
				t.Fatalf("a file outside of the tree was touched: %q, %v", data, err)
			}
			// go sees the same as we do. (A nested repository and what is only
			// staged exist in the user's repository alone.)
			modified := tt.want != "" && tt.name != "staged, then undone" && tt.name != "a repository inside"
			if got := r.at(snap).git("status", "--porcelain"); (got != "") != modified {
				t.Errorf("status of the snapshot: %q", got)
			}
			if tt.name != "same size" && tt.name != "clean" {
				return
			}
			wantVersion := "v1.0.0"
			if modified {
				wantVersion += "+dirty"
			}
			checkStamp(t, tt.name, snap, stamp{version: wantVersion})
		})
	}
}

var oddNames = []string{" leading", "trailing ", "new\nline", "-dash", "--", "quote\"'", "back\\slash", "tab\t", "\xff\xfenot-utf8", "ümläut", "a -> b", "*", "#", "~", "$HOME", ":x"}

func (r *repo) rm(name string) *repo {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.dir, name)); err != nil {
		r.t.Fatal(err)
	}
	return r
}

func (r *repo) chmod(name string, mode os.FileMode) *repo {
	r.t.Helper()
	if err := os.Chmod(filepath.Join(r.dir, name), mode); err != nil {
		r.t.Fatal(err)
	}
	return r
}

func (r *repo) symlink(target, name string) *repo {
	r.t.Helper()
	if err := os.Symlink(target, filepath.Join(r.dir, name)); err != nil {
		r.t.Skip("SKIPPED: no symbolic links here:", err)
	}
	return r
}

// A checkout with Git LFS installed has the files that the pointers of the
// commit stand for. No filter runs to tell; the pointers do.
func TestStoredFiles(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: needs a shell")
	}
	r := newRepo(t)
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:" +
		"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\nsize 5\n" // of hello
	r.module("", "example.com/m").write(".gitattributes", "*.bin filter=lfs\n").write("a.bin", pointer).write("a.txt", pointer).commit()
	for name, tt := range map[string]struct {
		file, text string
		dirty      bool
	}{
		"the stored file":     {"a.bin", "hello", false},
		"another file":        {"a.bin", "hallo", true},
		"a longer one":        {"a.bin", "hello ", true},
		"not stored with LFS": {"a.txt", "hello", true},
	} {
		r.write("a.bin", pointer).write("a.txt", pointer).write(tt.file, tt.text)
		s := r.mustOpen("")
		if (len(s.Dirty) > 0) != tt.dirty {
			t.Errorf("%s: dirty: %q", name, s.Dirty)
		}
		if got := files(t, r.checkout(s, false))["a.bin"]; got != pointer {
			t.Errorf("%s: the checkout has %q", name, got)
		}
	}
}

// TestUnwatchedClean: files that git was told not to look at are no dirt by that alone.
func TestUnwatchedClean(t *testing.T) {
	r := newRepo(t).module("", "example.com/m").write("a.txt", "one\n").write("b.txt", "two\n")
	r.commit()
	r.git("config", "core.autocrlf", "true")
	r.git("update-index", "--assume-unchanged", "a.txt")
	r.git("update-index", "--skip-worktree", "b.txt")
	r.write("a.txt", "one\r\n").rm("b.txt") // its line ends are the user's, and a sparse checkout leaves files out
	if s := r.mustOpen(""); len(s.Dirty) > 0 {
		t.Errorf("changed: %v", s.Dirty)
	}
	r.write("b.txt", "three\n")
	if s := r.mustOpen(""); !slices.Equal(s.Dirty, []string{"b.txt"}) {
		t.Errorf("changed: %v, want b.txt", s.Dirty)
	}
}
