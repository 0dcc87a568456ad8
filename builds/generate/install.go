package generate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Install copies generated files from a directory into a private checkout, the
// module's directory of which is to. A file of the commit stays as it is: one that
// came out with other content is an error, since the commit says one thing and its
// command another. It returns the names of what is new in the checkout.
func Install(ctx context.Context, from string, list []fact.GeneratedFile, to string, tracked func(name string) bool) (added []string, err error) {
	var errs []error
	for _, f := range list {
		if why := fact.NeverGenerated(f.Name); why != "" {
			errs = append(errs, fmt.Errorf("generated file %s: %s", f.Name, why))
			continue
		}
		local := filepath.FromSlash(f.Name)
		target := filepath.Join(to, local)
		if tracked(f.Name) {
			if err := asCommitted(ctx, f, target); err != nil {
				errs = append(errs, err)
			}
			continue
		}
		if _, err := files.MakeDir(to, filepath.Dir(local)); err != nil {
			errs = append(errs, fmt.Errorf("generated file %s: %w", f.Name, err))
			continue
		}
		mode := fs.FileMode(0o644)
		if f.Mode == "0755" {
			mode = 0o755
		}
		sum, _, err := files.Copy(ctx, filepath.Join(from, local), target, mode)
		if err == nil && sum != f.SHA256 {
			err = fmt.Errorf("has digest %s, and %s was made", sum, f.SHA256)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("generated file %s: %w", f.Name, err))
			continue
		}
		added = append(added, f.Name)
	}
	return added, errors.Join(errs...)
}

// asCommitted wants a generated file that the commit has too to be the commit's.
func asCommitted(ctx context.Context, f fact.GeneratedFile, name string) error {
	sum := "no regular file"
	if fi, err := os.Lstat(name); err == nil && fi.Mode().IsRegular() {
		digest, _, err := files.Digest(ctx, name)
		if err != nil {
			return err
		}
		sum = digest
	}
	if sum == f.SHA256 {
		return nil
	}
	return fault.Errorf("commit what the command makes (run it and git add "+f.Name+"), or take the file out of the commit (git rm --cached "+f.Name+")",
		"%s is in the commit, and command %d makes another: sha256 %s in the commit, %s generated", f.Name, f.Command, sum, f.SHA256)
}

// Pack writes the files below dir into an archive of their own, whose bytes depend
// on them and on the time alone.
func Pack(ctx context.Context, w io.Writer, dir string, list []fact.GeneratedFile, when time.Time) error {
	var members []archive.Member
	for _, f := range list {
		members = append(members, archive.Member{
			Name: f.Name, Executable: f.Mode == "0755", SHA256: f.SHA256,
			Open: func() (io.ReadCloser, int64, error) {
				in, err := files.Open(filepath.Join(dir, filepath.FromSlash(f.Name)))
				if err != nil {
					return nil, 0, err
				}
				return in, f.Size, nil
			},
		})
	}
	_, err := archive.Write(ctx, w, archive.TarGz, members, when)
	return err
}

// Unpack takes the files of a list out of an archive that [Pack] has written, to
// below dir. What the archive has in another way than the list, or besides it, is an
// error: nothing of the archive is believed.
func Unpack(ctx context.Context, name string, list []fact.GeneratedFile, dir string) error {
	wanted := map[string]fact.GeneratedFile{}
	for _, f := range list {
		wanted[f.Name] = f
	}
	_, err := archive.Scan(ctx, name, func(h archive.Header, r io.Reader) error {
		f, ok := wanted[h.Name]
		if !ok || h.Type != archive.TypeFile {
			return fmt.Errorf("%q is not among the files that the manifest says were generated", h.Name)
		}
		delete(wanted, h.Name)
		local := filepath.FromSlash(f.Name)
		if _, err := files.MakeDir(dir, filepath.Dir(local)); err != nil {
			return err
		}
		target := filepath.Join(dir, local)
		if err := files.WriteFrom(target, io.LimitReader(r, f.Size+1), 0o644); err != nil {
			return err
		}
		sum, _, err := files.Digest(ctx, target)
		if err == nil && sum != f.SHA256 {
			err = fmt.Errorf("%s has digest %s, the manifest says %s", f.Name, sum, f.SHA256)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	for _, f := range list {
		if _, missing := wanted[f.Name]; missing {
			return fmt.Errorf("%s: %s is missing", filepath.Base(name), f.Name)
		}
	}
	return nil
}
