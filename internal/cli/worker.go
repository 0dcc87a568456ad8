package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/run"
)

// workerFlags are what mintmark worker takes.
type workerFlags struct {
	commandOnly
	In       string   `flag:"in" takes:"file" reads:"-in names a request" help:"the request (default: standard input)"`
	Out      string   `flag:"out" takes:"file" help:"where the answer goes (default: standard output)"`
	Work     string   `flag:"work" takes:"dir" reads:"-work names a directory that is there" dirs:"true" help:"the worker's own directory (default: worker in mintmark's cache directory)"`
	Inputs   []string `flag:"inputs" reads:"-inputs names directories that are there" dirs:"true" help:"further directories with inputs, separated by commas"`
	Attended bool     `flag:"attended" help:"give up when standard input ends: whoever asks keeps it open until the answer is there"`
}

func (f *workerFlags) run(ctx context.Context, d *app) (err error) {
	cfg := release.WorkConfig{Inputs: f.Inputs, Version: version(), Key: d.keyRef(d.getenv("MINTMARK_KEY")), Now: time.Now}
	if p, ok := d.givenPassword(); ok {
		cfg.Given = func() ([]byte, error) { return p, nil }
	}
	if cfg.Dir = f.Work; cfg.Dir == "" {
		c, err := d.config()
		if err != nil {
			return err
		}
		// As every run in the cache directory: it is looked through first, and nobody
		// clears it meanwhile.
		r, err := run.Begin(&c)
		if err != nil {
			return err
		}
		defer r.Workspace.Close()
		cfg.Dir, cfg.Secret = filepath.Join(c.Cache, "worker"), c.Secret
	}
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return fault.Usagef("-work=DIR names another directory", "worker: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	in := d.term.Stdin()
	if f.In != "" {
		file, err := files.Open(f.In)
		if err != nil {
			return fault.Usagef("-in=FILE names a request", "request: %w", err)
		}
		defer file.Close()
		in = file
	}
	if f.Attended {
		in = attended(in, func() { cancel(errors.New("whoever asked is gone")) })
	}
	if f.Out == "" {
		return release.Work(ctx, cfg, in, d.stdout())
	}
	return files.Create(f.Out, 0o644, func(out *os.File) error { return release.Work(ctx, cfg, in, out) })
}

// attended reads in to its end, also when nobody reads the result any more, and calls
// gone then.
func attended(in io.Reader, gone func()) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, in)
		w.CloseWithError(err)
		io.Copy(io.Discard, in)
		gone()
	}()
	return r
}
