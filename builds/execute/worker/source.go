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
// as they are, and nothing is written through one.
func unpackSource(ctx context.Context, name, dir string) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	tr := tar.NewReader(files.Reader(ctx, f))
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpacking the source: %w", err)
		}
		if err := unpackMember(root, tr, h); err != nil {
			return fmt.Errorf("unpacking the source: %.200q: %w", h.Name, err)
		}
	}
}

func unpackMember(root *os.Root, r io.Reader, h *tar.Header) error {
	first, _, _ := strings.Cut(h.Name, "/")
	if !local(strings.ReplaceAll(h.Name, ":", "")) || strings.EqualFold(first, ".git") {
		return errors.New("is no name of a file in a source")
	}
	name := filepath.FromSlash(h.Name)
	if dir := filepath.FromSlash(path.Dir(h.Name)); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	switch h.Typeflag {
	case tar.TypeSymlink:
		return root.Symlink(filepath.FromSlash(h.Linkname), name)
	case tar.TypeReg:
		mode := os.FileMode(0o644)
		if h.Mode&0o100 != 0 {
			mode = 0o755
		}
		out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, r)
		return errors.Join(err, out.Close())
	}
	return errors.New("is neither a file nor a link")
}
