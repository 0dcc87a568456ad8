package source_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fault"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
)

// TestHash compares our h1 with that of the zip golang.org/x/mod makes of the
// repository, and with that of the zip the go command makes when it fetches
// the repository itself, which is what the module proxy runs.
func TestHash(t *testing.T) {
	for _, tt := range []struct {
		name string
		dir  string
		tag  string
		make func(r *repo)
		// CreateFromVCS follows export-ignore and export-subst, the proxy does not.
		proxyOnly bool
	}{
		{"plain", "", "v1.0.0", func(r *repo) {
			r.write("LICENSE", "free").write("sub/x.go", "package sub\n").write("data/dos.txt", "a\r\nb\r\n").write("run.sh", "#!/bin/sh\n").chmod("run.sh", 0o755)
		}, false},
		{"without tag", "", "", func(r *repo) { r.write("LICENSE", "free") }, false},
		{"what no module has", "", "v1.0.0", func(r *repo) {
			r.write("nested/go.mod", "module example.com/nested\n").write("nested/x.go", "package nested\n")
			r.write("vendor/example.com/dep/x.go", "package dep\n").write("vendor/modules.txt", "# x\n")
			r.symlink("main.go", "link.go")
		}, false},
		{"line endings", "", "v1.0.0", func(r *repo) {
			r.write(".gitattributes", "*.bat text eol=crlf\n*.txt text=auto\nid.txt ident\n*.go filter=none\n")
			r.write("x.bat", "a\nb\n").write("x.txt", "a\nb\n").write("id.txt", "$Id$\n")
		}, false},
		{"subdirectory takes the LICENSE", "sub/dir", "sub/dir/v1.0.0", func(r *repo) { r.module("sub/dir", modPath+"/sub/dir").write("LICENSE", "free") }, false},
		{"subdirectory with a LICENSE", "sub", "sub/v1.0.0", func(r *repo) {
			r.module("sub", modPath+"/sub").write("LICENSE", "free").write("sub/LICENSE", "other").write("subway/x", "x")
		}, false},
		{"subdirectory and a link as LICENSE", "sub", "sub/v1.0.0", func(r *repo) {
			r.module("sub", modPath+"/sub").write("COPYING", "free").symlink("COPYING", "LICENSE")
		}, true},
		{"export attributes", "", "v1.0.0", func(r *repo) {
			r.write(".gitattributes", "*.txt export-subst\nsecret export-ignore\ndocs export-ignore\n")
			r.write("version.txt", "$Format:%H %D$\n").write("secret", "x").write("docs/x.md", "x")
		}, true},
		{"major version in a directory", "v2", "v2.0.0", func(r *repo) { r.module("v2", modPath+"/v2").write("LICENSE", "free") }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t)
			r.module("", modPath)
			tt.make(r)
			r.commit()
			if tt.tag != "" {
				r.tag(tt.tag)
			}
			s := r.mustOpen(tt.dir)
			if err := s.Hash(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !tt.proxyOnly {
				zip := filepath.Join(t.TempDir(), "x.zip")
				var buf bytes.Buffer
				if err := modzip.CreateFromVCS(&buf, module.Version{Path: s.ModulePath, Version: s.Version}, r.dir, s.Commit, tt.dir); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(zip, buf.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				if want, err := dirhash.HashZip(zip, dirhash.Hash1); err != nil || s.Sum != want {
					t.Errorf("%s, x/mod makes %s (%v)", s.Sum, want, err)
				}
			}
			if got := fetchDirect(t, r, s.ModulePath+"@"+s.Version); got.Sum != s.Sum || got.Version != s.Version {
				t.Errorf("%s %s, go makes %s %s", s.Version, s.Sum, got.Version, got.Sum)
			}
		})
	}
}

// modPath has the form for which the go command asks nobody where the repository is.
const modPath = "git.example.com/m.git"

// fetchDirect lets the go command fetch from the repository as the module proxy does.
func fetchDirect(t *testing.T, r *repo, pathVersion string) *toolchain.Module {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "served")
	if err := os.Symlink(r.dir, dir); err != nil {
		t.Skip("SKIPPED: no symbolic links here:", err)
	}
	f := &toolchain.Fetcher{Go: tool(t, "go"), Place: place(t), Settings: toolchain.Settings{
		GOPROXY: "direct", GOSUMDB: "off", GOINSECURE: "git.example.com",
		Network: append(r.env, "GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=url.file://"+filepath.ToSlash(dir)+".insteadOf", "GIT_CONFIG_VALUE_0=https://git.example.com/m",
			"GIT_CONFIG_KEY_1=protocol.file.allow", "GIT_CONFIG_VALUE_1=always"),
	}}
	m, err := f.Module(t.Context(), pathVersion)
	cleanCache(t, f.Place.ModCache)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// cleanCache makes a module cache removable: its directories are read-only.
func cleanCache(t *testing.T, dir string) {
	t.Cleanup(func() {
		filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				os.Chmod(path, 0o755)
			}
			return nil
		})
	})
}

func TestHashRefuses(t *testing.T) {
	r := newRepo(t)
	r.module("", "example.com/m").write("a.txt", "x").write("A.txt", "y").commit()
	if r.git("ls-files", "a.txt", "A.txt") != "A.txt\na.txt" {
		t.Skip("SKIPPED: the file system does not tell A.txt from a.txt")
	}
	err := r.mustOpen("").Hash(t.Context())
	if err == nil || !strings.Contains(err.Error(), "a.txt") || fault.Hint(err) == "" {
		t.Errorf("got %v", err)
	}
}

// What is not committed has no part in the hash.
func TestHashOfDirtyTree(t *testing.T) {
	r := newRepo(t)
	r.module("", "example.com/m").write("x.txt", "one\n").commit()
	var sums []string
	for range 2 {
		s := r.mustOpen("")
		if err := s.Hash(t.Context()); err != nil {
			t.Fatal(err)
		}
		sums = append(sums, s.Sum)
		r.write("x.txt", "two\n").write("new.txt", "new\n")
		r.git("add", "x.txt")
	}
	if sums[0] != sums[1] || !strings.HasPrefix(sums[0], "h1:") {
		t.Errorf("got %q", sums)
	}
	work := r.config(t, "").Work
	s, err := source.Open(t.Context(), source.Config{Dir: r.dir, Git: tool(t, "git"), Env: r.env, Work: work})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Hash(t.Context()); err != nil {
		t.Fatal(err)
	}
	// One git directory of its own serves as long as the run; the export goes.
	left, err := os.ReadDir(work)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if e.IsDir() && (!strings.HasPrefix(e.Name(), "git-") || len(left) > 1) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}
