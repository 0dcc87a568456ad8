package cli

import (
	"context"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/publish"
	"github.com/mintmark/mintmark/internal/registry"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/internal/verify"
)

// imagesDoc is what publish prints with -json of images.
type imagesDoc struct {
	Schema  fact.Schema       `json:"schema"`
	Project string            `json:"project"`
	Version string            `json:"version"`
	Target  string            `json:"target"`
	Images  []registry.Result `json:"images"`
}

// isRegistry reports whether a text names an image in a registry.
func isRegistry(text string) bool { return strings.HasPrefix(strings.ToLower(text), registry.Scheme) }

// registries has something done with registries. How far it is is shown.
func (d *app) registries(ctx context.Context, do func(*verify.Registries) error) error {
	c, err := d.config()
	if err != nil {
		return err
	}
	defer d.watch(&c)()
	r, err := verify.OpenRegistries(ctx, c)
	if err != nil {
		return err
	}
	defer r.Close()
	return do(r)
}

// images publishes the container images of a release.
func (f *publishFlags) images(ctx context.Context, d *app) error {
	to, err := publish.ParseRepository(f.To)
	if err != nil {
		return err
	}
	if f.Tag != "" || f.Notes != "" || f.Draft {
		return fault.Usagef("leave them out", "publish: -tag, -notes and -draft are about a forge, not about a registry of images")
	}
	v, r, err := f.verified(ctx, d)
	if err != nil {
		return err
	}
	sums := map[string]string{}
	for _, file := range r.Files {
		sums[file.Name] = file.SHA256
	}
	list, err := registry.Images(f.Path, r.Manifest, to, sums)
	if err != nil {
		return err
	}
	doc := imagesDoc{Schema: fact.ImagesReport, Project: v.Project, Version: v.Version, Target: f.To}
	err = d.registries(ctx, func(r *verify.Registries) (err error) {
		doc.Images, err = r.Publish(ctx, list, f.DryRun, d.term.Note)
		return err
	})
	if err != nil {
		return err
	}
	if f.JSON {
		return report.WriteJSON(d.stdout(), doc)
	}
	d.publishedImages(doc)
	return nil
}

// publishedImages says what became of images.
func (d *app) publishedImages(doc imagesDoc) {
	for _, i := range doc.Images {
		d.printf("%s@%s: %s\n", i.Repository, i.Digest, stateOf(i.State))
		for _, r := range i.Referrers {
			d.printf("  %-9s %s, which refers to it\n", stateOf(r.State), ui.CleanLine(r.Type))
		}
		for _, t := range i.Tags {
			was := ""
			if t.Was != "" {
				was = " (" + t.Was + " until now)"
			}
			d.printf("  %-9s tag %s%s\n", stateOf(t.State), t.Tag, was)
		}
	}
}

func stateOf(s registry.State) string {
	switch s {
	case registry.There:
		return "is there"
	case registry.Would:
		return "would be written"
	}
	return string(s)
}

// image verifies what a registry has of an image, by what is attached to it.
func (f *verifyFlags) image(ctx context.Context, d *app, text string) (*checksums.Verification, error) {
	ref, err := registry.ParseRef(text)
	if err != nil {
		return nil, err
	}
	if f.Rebuild {
		return nil, fault.Usagef("get the release's files and name their directory", "verify: -rebuild is about a release's directory or one of its files, not about an image in a registry")
	}
	vc := f.expected(d, "")
	vc.Unsigned, vc.Missing, vc.Beside, vc.Rebuilders = f.Unsigned, f.Partial, f.Release, f.Rebuilder.refs(d)
	var v *checksums.Verification
	err = d.registries(ctx, func(r *verify.Registries) (err error) {
		v, err = r.Image(ctx, ref, vc)
		return err
	})
	return v, err
}

// imageHolds holds the image that a registry has against a release that was verified.
func (f *verifyFlags) imageHolds(ctx context.Context, d *app, v *checksums.Verification) error {
	ref, err := registry.ParseRef(f.Published)
	if err != nil {
		return err
	}
	return d.registries(ctx, func(r *verify.Registries) error { return r.Holds(ctx, ref, v) })
}
