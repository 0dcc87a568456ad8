package worker

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/builds/execute/parcel"
	"github.com/mintmark/mintmark/internal/files"
)

// Store has inputs by their SHA-256: one file each in one directory.
type Store struct {
	Dir string
	// Further are directories in which inputs are looked for as well, and into which
	// nothing is written.
	Further []string

	shelf *shelf // is told which are used; nil: nobody is
}

// find is the file of an input, if it is there with that size.
func (s *Store) find(in Input) (name string, ok bool) {
	for _, dir := range append([]string{s.Dir}, s.Further...) {
		name = filepath.Join(dir, in.SHA256)
		if fi, err := os.Lstat(name); err == nil && fi.Mode().IsRegular() && fi.Size() == in.Size {
			return name, true
		}
	}
	return "", false
}

// Missing are the inputs that are not there.
func (s *Store) Missing(list []Input) (missing []string) {
	for _, in := range list {
		if _, ok := s.find(in); !ok {
			missing = append(missing, in.SHA256)
		}
	}
	return missing
}

// check reads an input to its end, so that what is used is what it is called by.
func (s *Store) check(ctx context.Context, in Input) (name string, err error) {
	if s.shelf != nil {
		if err := s.shelf.use(ctx, inputsName, in.SHA256); err != nil {
			return "", err
		}
	}
	name, ok := s.find(in)
	if !ok {
		return "", fmt.Errorf("input %.12s was not sent", in.SHA256)
	}
	sum, _, err := files.Digest(ctx, name)
	if err == nil && sum != in.SHA256 {
		err = fmt.Errorf("input %.12s has the sha256 %s", in.SHA256, sum)
		if filepath.Dir(name) == s.Dir {
			err = errors.Join(err, os.Remove(name)) // it is sent again the next time
		}
	}
	return name, err
}

// take reads the rest of a tar, which are inputs.
func (s *Store) take(ctx context.Context, tr *tar.Reader, list []Input) error {
	want := map[string]int64{}
	for _, in := range list {
		want[in.SHA256] = in.Size
	}
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		sum, ok := strings.CutPrefix(h.Name, inputDir)
		size, asked := want[sum]
		if !ok || !asked || !parcel.Plain(h) {
			return fmt.Errorf("%.200q is not an input of the request, or there twice", h.Name)
		}
		delete(want, sum)
		if h.Size != size {
			return fmt.Errorf("input %.12s has %d bytes, not %d", sum, h.Size, size)
		}
		if err := s.put(ctx, sum, tr); err != nil {
			return err
		}
	}
}

// put writes an input, if it is what it is called by.
func (s *Store) put(ctx context.Context, sum string, r io.Reader) error {
	if !isSum(sum) {
		return fmt.Errorf("%.80q is no digest", sum)
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(s.Dir, "new-")
	if err != nil {
		return err
	}
	defer files.RemoveTree(tmp)
	h := sha256.New()
	file := filepath.Join(tmp, sum)
	if err := files.WriteFrom(file, io.TeeReader(files.Reader(ctx, r), h), 0o644); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("input %.12s has the sha256 %s", sum, got)
	}
	return os.Rename(file, filepath.Join(s.Dir, sum))
}
