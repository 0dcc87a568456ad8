package source

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/memo"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
)

// Hash computes the h1 of the module zip the module proxy would make of the
// commit, and stores it in Sum. It exports the commit the way the proxy's go
// command does (cmd/go/internal/modfetch/codehost.(*gitRepo).ReadZip): git
// archive, with line endings as committed and without export-ignore and
// export-subst, which would depend on the version of git. The same tree has the
// same hash for ever, so it is remembered.
func (r *Repo) Hash(ctx context.Context) error {
	key := memo.NewKey("h1 of a commit 2", r.Files(), r.Dir, r.ModulePath, r.Version)
	if r.cfg.Known.Get(key, &r.Sum) && r.Sum != "" {
		return nil
	}
	tmp, err := os.MkdirTemp(r.cfg.Work, "export-")
	if err != nil {
		return err
	}
	defer files.RemoveTree(tmp)
	zipFile := filepath.Join(tmp, "source.zip")
	if err := r.git.Archive(ctx, r.Commit, zipFile); err != nil {
		return fmt.Errorf("exporting the commit: %w", r.partial(err))
	}
	sum, err := hashExport(zipFile, r.Source.Dir, module.Version{Path: r.ModulePath, Version: r.Version})
	if err != nil {
		return fault.Errorf("the module proxy would refuse it as well: see https://go.dev/ref/mod#zip-path-size-constraints", "the commit does not make a valid module: %w", err)
	}
	r.Sum = sum
	r.cfg.Known.Put(key, sum)
	return nil
}

// exported lists the files of the module in dir of a zip of the whole
// repository. golang.org/x/mod/zip.CreateFromVCS would do it, but runs git with
// the user's settings. What does not belong to a module (nested modules,
// vendored packages) is left out later, by x/mod/zip.CheckFiles.
func exported(zipFile, dir string) ([]modzip.File, func() error, error) {
	z, err := files.OpenZip(zipFile)
	if err != nil {
		return nil, nil, err
	}
	prefix := ""
	if dir != "" {
		prefix = dir + "/"
	}
	var files []modzip.File
	var license *zip.File
	haveLicense := false
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if f.Name == "LICENSE" {
			license = f
		}
		if name, ok := strings.CutPrefix(f.Name, prefix); ok {
			files = append(files, zipEntry{f, name})
			haveLicense = haveLicense || name == "LICENSE"
		}
	}
	if !haveLicense && license != nil {
		// A module in a subdirectory takes the repository's licence
		// (https://go.dev/ref/mod#vcs-license).
		files = append(files, licence{zipEntry{license, "LICENSE"}})
	}
	return files, z.Close, nil
}

// zipEntry is a zip member as x/mod/zip wants a file.
type zipEntry struct {
	f    *zip.File
	name string
}

func (e zipEntry) Path() string                 { return e.name }
func (e zipEntry) Lstat() (fs.FileInfo, error)  { return e.f.FileInfo(), nil }
func (e zipEntry) Open() (io.ReadCloser, error) { return e.f.Open() }

// licence is the repository's LICENSE in a module of a subdirectory. cmd/go
// takes the blob as a file even where it is a symbolic link.
type licence struct{ zipEntry }

func (l licence) Lstat() (fs.FileInfo, error) { return plainInfo{l.f.FileInfo()}, nil }

type plainInfo struct{ fs.FileInfo }

func (plainInfo) Mode() fs.FileMode { return 0o644 }

func hashExport(zipFile, dir string, m module.Version) (string, error) {
	files, closer, err := exported(zipFile, dir)
	if err != nil {
		return "", err
	}
	defer closer()
	checked, err := modzip.CheckFiles(files)
	if err != nil {
		return "", err
	}
	if err := checked.Err(); err != nil {
		return "", err
	}
	byName := map[string]modzip.File{}
	for _, f := range files {
		byName[f.Path()] = f
	}
	prefix := m.Path + "@" + m.Version + "/"
	var names []string
	for _, name := range checked.Valid {
		names = append(names, prefix+name)
	}
	return dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		return byName[strings.TrimPrefix(name, prefix)].Open()
	})
}

// HashSnapshot puts the hash of a snapshot's checkout into Sum: what is built is
// not the commit, and two states of one tree must not have one plan ID. It is
// the h1 of all files but those of version control, with "+dirty" added to the
// version in their names; no proxy knows it.
func (r *Repo) HashSnapshot(moduleDir string) error {
	if len(r.Dirty) == 0 {
		return nil
	}
	names, err := dirhash.DirFiles(moduleDir, r.ModulePath+"@"+r.Version+"+dirty")
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return strings.Contains(name, "/.git/") || strings.HasSuffix(name, "/.git")
	})
	prefix := r.ModulePath + "@" + r.Version + "+dirty/"
	r.Sum, err = dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		path := filepath.Join(moduleDir, filepath.FromSlash(strings.TrimPrefix(name, prefix)))
		if fi, err := os.Lstat(path); err != nil {
			return nil, err
		} else if fi.Mode()&os.ModeSymlink != 0 { // its target is its content, wherever it leads
			target, err := os.Readlink(path)
			return io.NopCloser(strings.NewReader(target)), err
		}
		return files.Open(path)
	})
	return err
}
