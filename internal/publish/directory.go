package publish

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// directory is a directory with a directory for each release, named as the tag. It
// appears in one rename; until then it is beside its place, with a name that begins
// with a dot.
type directory struct {
	*about
	cfg          *Config
	final, draft string
	would        bool
}

func newDirectory(cfg *Config, a *about) *directory {
	final := filepath.Join(a.target.Path, filepath.FromSlash(a.tag))
	return &directory{about: a, cfg: cfg, final: final, draft: filepath.Join(filepath.Dir(final), "."+filepath.Base(final)+".draft")}
}

// does says what is done to a path, and reports whether it is.
func (d *directory) does(what, path string, f File) bool {
	d.cfg.say(Event{Method: what, URL: path, Size: f.Size, File: f.Name, Would: d.would})
	return !d.would
}

func (d *directory) rehearse() { d.would = true }

func (d *directory) commit(context.Context) (string, error) { return "", nil } // there are no tags

func (d *directory) find(context.Context) (*remote, []*remote, error) {
	for _, r := range []*remote{{ID: d.final, URL: d.final}, {ID: d.draft, URL: d.draft, Draft: true}} {
		fi, err := os.Lstat(r.ID)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, nil, err
		case !fi.IsDir():
			return nil, nil, fault.Errorf("move it away", "%s is %s, where the release's directory would be", r.ID, files.Kind(fi.Mode()))
		case r.Draft:
			return nil, []*remote{r}, nil
		}
		return r, nil, nil
	}
	return nil, nil, nil
}

func (d *directory) create(context.Context) (*remote, error) {
	if d.does("mkdir", d.draft, File{}) {
		if err := os.MkdirAll(filepath.Dir(d.draft), 0o755); err != nil {
			return nil, err
		}
		if err := os.Mkdir(d.draft, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return &remote{ID: d.draft, URL: d.draft, Draft: true}, nil
}

func (d *directory) assets(ctx context.Context, r *remote) ([]asset, error) {
	if d.would {
		return nil, nil
	}
	entries, err := os.ReadDir(r.ID)
	if err != nil {
		return nil, err
	}
	var all []asset
	for _, e := range entries {
		a := asset{ID: filepath.Join(r.ID, e.Name()), Name: e.Name(), Complete: true}
		switch temp := files.Unfinished(e.Name()); {
		case !e.Type().IsRegular():
			a.Size, a.Link = -1, files.Kind(e.Type())
		case temp && r.Draft:
			a.Complete, a.Ours = false, true
		default:
			if a.SHA256, a.Size, err = files.Digest(ctx, a.ID); err != nil {
				return nil, err
			}
		}
		all = append(all, a)
	}
	return all, nil
}

func (d *directory) upload(ctx context.Context, r *remote, f File) error {
	to := filepath.Join(d.draft, f.Name)
	if !d.does("write", to, f) {
		return nil
	}
	in, err := files.Open(filepath.Join(d.release.Dir, f.Name))
	if err != nil {
		return err
	}
	defer in.Close()
	mode := fs.FileMode(0o644)
	if fi, err := in.Stat(); err == nil && fi.Mode()&0o100 != 0 {
		mode = 0o755
	}
	return files.Replace(to, mode, func(w *os.File) error {
		_, err := io.Copy(w, files.Reader(ctx, in))
		return errors.Join(err, w.Sync()) // it is published once, and is all there then
	})
}

func (d *directory) remove(_ context.Context, a asset) error {
	if !d.does("remove", a.ID, File{}) {
		return nil
	}
	if err := os.Remove(a.ID); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *directory) read(_ context.Context, a asset, to func(io.Reader) error) error {
	f, err := files.Open(a.ID)
	if err != nil {
		return err
	}
	defer f.Close()
	return to(f)
}

func (d *directory) publish(context.Context, *remote) error {
	if !d.does("rename", d.draft+" "+d.final, File{}) {
		return nil
	}
	err := os.Rename(d.draft, d.final)
	if _, there := os.Lstat(d.final); err != nil && there == nil {
		return &unsureError{err} // somebody else was first: what is there is looked at
	}
	return err
}
