package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

const (
	maxFile   = 2 << 30 // bytes; GitHub's own limit
	maxAll    = 8 << 30
	maxAssets = 1000 // GitHub's own limit
)

// Fetch brings what a target has published under a tag into an empty directory: every
// file that is there now. What is a draft, what is not complete and what cannot be a
// file of a release is refused. Nothing else is checked with that.
func Fetch(ctx context.Context, cfg Config, tag, dir string) error {
	p := open(&cfg, about{target: cfg.Target, tag: tag})
	defer p.close()
	return p.explain(p.fetch(ctx, dir))
}

func (p *publication) fetch(ctx context.Context, dir string) error {
	r, err := p.publishedNow(ctx)
	if err != nil {
		return err
	}
	list, err := p.host.assets(ctx, r)
	if err != nil {
		return err
	}
	if len(list) > maxAssets {
		return fault.Refusedf("it is not what was published: do not use it", "%s: %d files are there", p.target, len(list))
	}
	var errs []error
	seen := map[string]bool{}
	left := int64(maxAll)
	for _, a := range list {
		wrong := func(format string, args ...any) {
			errs = append(errs, fault.Refusedf("it is not what was published: do not use it", "%.100q "+format, append([]any{a.Name}, args...)...))
		}
		left -= max(a.Size, 0)
		switch err := checksums.CheckFileName(a.Name); {
		case err != nil:
			wrong("is no file of a release: %w", err)
		case seen[a.Name]:
			wrong("is there twice")
		case !a.Complete:
			wrong("was not uploaded in full")
		case a.Link != "":
			wrong("leads elsewhere, to %.200q", a.Link)
		case a.Size < 0 || a.Size > maxFile || left < 0:
			wrong("has more bytes than are fetched")
		}
		seen[a.Name] = true
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, a := range list {
		p.cfg.say(Event{Text: "fetching " + a.Name})
		if err := p.fetchOne(ctx, a, filepath.Join(dir, a.Name)); err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	return nil
}

// fetchOne fetches one file, of exactly the size and the digest that the forge says.
func (p *publication) fetchOne(ctx context.Context, a asset, to string) error {
	sum, size := "", int64(0)
	err := p.host.read(ctx, a, func(r io.Reader) error {
		return files.Replace(to, 0o644, func(f *os.File) (err error) {
			sum, size, err = files.DigestOf(ctx, io.TeeReader(io.LimitReader(r, a.Size+1), f))
			return err
		})
	})
	switch {
	case err != nil:
		return err
	case size != a.Size:
		return fault.Refusedf("try again; if it stays so, do not use it", "came with another number of bytes than the %d that %s says", a.Size, p.target)
	case a.SHA256 != "" && sum != a.SHA256:
		return fault.Refusedf("try again; if it stays so, do not use it", "came with the digest %s, %s says %.100s", sum, p.target, a.SHA256)
	}
	return nil
}

// publishedNow is what is published under the tag.
func (p *publication) publishedNow(ctx context.Context) (*remote, error) {
	r, drafts, err := p.host.find(ctx)
	switch {
	case err != nil:
		return nil, err
	case r == nil && len(drafts) > 0 && p.target.Kind != GitLab:
		return nil, fault.Errorf("publish it first: mintmark publish", "%s: %s is a draft, which is not published", p.target, p.tag)
	case r == nil:
		return nil, fault.Errorf("check the target and the tag", "%s has published nothing as %s", p.target, p.tag)
	}
	return r, nil
}

// Same demands that what a target has published under a tag is a release: the tag on
// its commit, each of its files with its digest, and no others. The result says where
// it is.
func Same(ctx context.Context, r *Release, cfg Config, tag string) (*Result, error) {
	p := open(&cfg, about{target: cfg.Target, tag: tag, release: r})
	defer p.close()
	own, err := r.tag("")
	if own != "" && own != tag {
		return nil, fault.Refusedf("name the tag of this version: "+own, "%s says that the version %s is of the tag %s, not %s", checksums.ManifestFile, r.Manifest.Version, own, tag)
	}
	if own != "" && err != nil {
		return nil, err
	}
	res := &Result{Target: p.target.String(), Tag: tag, Commit: r.Manifest.Source.Commit, State: Already}
	if err := p.checkTag(ctx); err != nil {
		return nil, p.explain(err)
	}
	there, err := p.publishedNow(ctx)
	if err != nil {
		return nil, p.explain(err)
	}
	if err := p.finished(ctx, res, there, nil); err != nil {
		return nil, p.explain(err)
	}
	return res, nil
}
