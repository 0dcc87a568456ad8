package source

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// File is a file of a commit.
type File struct {
	Name       string // slash-separated, from the root of the repository
	Executable bool
	Link       bool // a symbolic link: the content is where it leads
	Open       func() (io.ReadCloser, int64, error)
}

// maxLink is more bytes than the target of a link has.
const maxLink = 4096

// Export exports the commit and calls use with all its files, as they are in it:
// whatever attributes say, no line ending is changed, nothing filtered, substituted
// or left out. Submodules are no files of it. They are read from a copy that is gone
// when use returns. A link that leads out of the commit is an error.
func (r *Repo) Export(ctx context.Context, use func(list []File) error) error {
	tmp, err := os.MkdirTemp(r.cfg.Work, "export-")
	if err != nil {
		return err
	}
	defer files.RemoveTree(tmp)
	zipFile := filepath.Join(tmp, "source.zip")
	if err := r.git.Export(ctx, r.Commit, zipFile); err != nil {
		return fmt.Errorf("exporting the commit: %w", r.partial(err))
	}
	z, err := files.OpenZip(zipFile)
	if err != nil {
		return err
	}
	defer z.Close()
	var list []File
	var errs []error
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		file := File{Name: f.Name, Executable: f.Mode()&0o111 != 0, Link: f.Mode()&fs.ModeSymlink != 0, Open: opener(f)}
		if file.Link {
			target, err := linkTarget(f)
			if err == nil && leadsOut(f.Name, target) {
				err = fault.Errorf("commit what it leads to in its place", "%s: is a link to %q, which is not in the commit", f.Name, target)
			}
			errs = append(errs, err)
		}
		list = append(list, file)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return use(list)
}

func opener(f *zip.File) func() (io.ReadCloser, int64, error) {
	return func() (io.ReadCloser, int64, error) {
		r, err := f.Open()
		return r, int64(f.UncompressedSize64), err
	}
}

func linkTarget(f *zip.File) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := files.ReadAll(r, maxLink)
	return string(data), err
}

// In is the file's name below a directory, "" for none.
func (f File) In(dir string) string { return path.Join(dir, f.Name) }
