package worker

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/builds/execute/parcel"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// PackSource writes the files of a private checkout: all but its git directory. Equal
// files give an equal archive. executable says of a file's slash-separated path whether
// it can be executed: not every system's files do.
func PackSource(ctx context.Context, w io.Writer, top string, executable func(name string) bool) error {
	tw := tar.NewWriter(w)
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil || name == top {
			return err
		}
		rel, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case rel == ".git" && d.IsDir():
			return fs.SkipDir
		case rel == ".git", d.IsDir():
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(name)
			if err != nil {
				return err
			}
			return tw.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: rel, Linkname: filepath.ToSlash(to), Mode: 0o777, Format: tar.FormatPAX})
		case !d.Type().IsRegular():
			return fmt.Errorf("%s: is no file", rel)
		}
		return packFile(tw, name, rel, executable(rel))
	})
	if err != nil {
		return fmt.Errorf("packing the source: %w", err)
	}
	return tw.Close()
}

func packFile(tw *tar.Writer, name, rel string, executable bool) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	h := &tar.Header{Name: rel, Mode: 0o644, Size: fi.Size(), Format: tar.FormatPAX}
	if executable {
		h.Mode = 0o755
	}
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(tw, f)
	return err
}

// unpackSource unpacks what PackSource wrote into dir, which it makes. Links are made
// as they are, wherever they lead, and nothing is written through one.
func unpackSource(ctx context.Context, name, dir string) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	u := &unpacker{root: root, dirs: map[string]bool{".": true}, left: fi.Size()}
	tr := tar.NewReader(parcel.Whole(files.Reader(ctx, f)))
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpacking the source: %w", err)
		}
		if err := u.member(tr, h); err != nil {
			return fmt.Errorf("unpacking the source: %.200q: %w", h.Name, err)
		}
	}
}

// unpacker unpacks an archive.
type unpacker struct {
	root *os.Root
	dirs map[string]bool // that it has made
	left int64           // bytes that may be written: an archive has all of them
}

func (u *unpacker) member(r io.Reader, h *tar.Header) error {
	if !local(strings.ReplaceAll(h.Name, ":", "")) || !filepath.IsLocal(filepath.FromSlash(h.Name)) || fact.OfGit(h.Name) {
		return errors.New("is no name of a file in a source")
	}
	name := filepath.FromSlash(h.Name)
	if err := u.parents(path.Dir(h.Name)); err != nil {
		return err
	}
	switch {
	case h.Typeflag == tar.TypeSymlink:
		if h.Linkname == "" {
			return errors.New("is a link to nothing")
		}
		return u.root.Symlink(filepath.FromSlash(h.Linkname), name)
	case !parcel.Plain(h):
		return errors.New("is neither a file nor a link")
	case h.Size > u.left:
		return errors.New("is larger than the archive")
	}
	u.left -= h.Size
	mode := os.FileMode(0o644)
	if h.Mode&0o100 != 0 {
		mode = 0o755
	}
	out, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, r)
	return errors.Join(err, out.Close())
}

// parents makes a directory, which no link stands for. Asking the file system is what
// knows two names for one.
func (u *unpacker) parents(dir string) error {
	if u.dirs[dir] {
		return nil
	}
	if err := u.parents(path.Dir(dir)); err != nil {
		return err
	}
	name := filepath.FromSlash(dir)
	if err := u.root.Mkdir(name, 0o755); err != nil {
		fi, serr := u.root.Lstat(name)
		if serr != nil {
			return errors.Join(err, serr)
		}
		if !fi.IsDir() {
			return fmt.Errorf("%.200q is no directory", dir)
		}
	}
	u.dirs[dir] = true
	return nil
}
