package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/mintmark/mintmark/builds/tool"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/registry"
	"github.com/mintmark/mintmark/internal/run"
)

// Registries is a client of registries, and the run that it belongs to.
type Registries struct {
	*registry.Client
	run *run.Run
}

// OpenRegistries gets what speaks to registries. The caller closes it.
func OpenRegistries(ctx context.Context, cfg run.Config) (_ *Registries, err error) {
	defer func() { err = run.ExplainFull(err) }()
	r, err := run.Begin(&cfg)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	program, err := fetch.ToolAlone(ctx, r, tool.Crane())
	if err != nil {
		return nil, err
	}
	c, err := registry.New(program, cfg.Environ, r.Workspace.Dir)
	return &Registries{c, r}, err
}

// Close removes what was fetched.
func (r *Registries) Close() { r.run.Close() }

// Image checks the image that a reference leads to by what refers to it in its registry:
// the release's manifest, with the record that is signed by the key. Of what others have
// attached, nothing is believed; the first that verifies and is about the image counts.
func (r *Registries) Image(ctx context.Context, ref registry.Ref, cfg Config) (*checksums.Verification, error) {
	if len(cfg.Rebuilders) > 0 || cfg.Missing || cfg.Beside != "" {
		return nil, fault.Usagef("verify the release's directory with them, and -published="+ref.String(), "%s: -rebuilder, -partial and -release are about files of a release", ref)
	}
	vc, _, err := cfg.expected(ctx)
	if err != nil {
		return nil, err
	}
	hex, err := r.Resolve(ctx, ref)
	if err != nil {
		return nil, err
	}
	manifests, err := r.Attached(ctx, ref.Repository, hex, registry.TypeManifest)
	if err != nil {
		return nil, err
	}
	bundles, err := r.Attached(ctx, ref.Repository, hex, registry.TypeBundle)
	if err != nil {
		return nil, err
	}
	const hint = "get the release's files from where they are published, and name their directory: mintmark verify -published=… DIR"
	switch {
	case len(manifests) == 0:
		return nil, fault.Refusedf(hint, "%s: no manifest of a release is attached to sha256:%s", ref, hex)
	case len(bundles) == 0 && vc.Trust != nil:
		return nil, fault.Refusedf("the release is unsigned, or its record was taken away: ask the publisher for it", "%s: no record is attached to sha256:%s", ref, hex)
	}
	if len(bundles) == 0 {
		bundles = [][]byte{nil}
	}
	var refused []error
	for _, m := range manifests {
		for _, b := range bundles {
			v, err := r.attached(ctx, m, b, vc)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err == nil {
				return v, r.Holds(ctx, ref, v)
			}
			refused = append(refused, err)
		}
	}
	if len(refused) == 1 {
		return nil, refused[0]
	}
	return nil, fault.Refusedf(hint, "%s: none of %s with %s that are attached to it can be believed: %w", ref, fact.Count(len(manifests), "manifest"), fact.Count(len(bundles), "record"), errors.Join(refused...))
}

// attached verifies a manifest with a record, nil for none.
func (r *Registries) attached(ctx context.Context, manifest, bundle []byte, vc checksums.VerifyConfig) (*checksums.Verification, error) {
	dir, err := os.MkdirTemp(r.run.Workspace.Dir, "attached-")
	if err != nil {
		return nil, err
	}
	defer files.RemoveTree(dir)
	name := filepath.Join(dir, checksums.ManifestFile)
	if err := files.Write(name, manifest, 0o600); err != nil {
		return nil, err
	}
	if bundle != nil {
		if err := files.Write(filepath.Join(dir, checksums.ProvenanceBundle), bundle, 0o600); err != nil {
			return nil, err
		}
	}
	return checksums.VerifyManifest(ctx, name, vc)
}

// Holds holds the image that a reference leads to against a release that was verified, and
// adds what was found to that.
func (r *Registries) Holds(ctx context.Context, ref registry.Ref, v *checksums.Verification) error {
	if v.OtherTool || v.Manifest == nil {
		v.Checks.Open(fact.PublishedFiles, ref.String(), "nothing here says which images the release has")
		return nil
	}
	hex, err := r.Resolve(ctx, ref)
	if err != nil {
		return err
	}
	const remedy = "what is published there now is not what was released: do not use it, and tell the publisher"
	n := slices.IndexFunc(v.Manifest.Images, func(i checksums.Image) bool { return i.Digest == hex })
	if n < 0 {
		return fault.Refusedf(remedy, "%s leads to sha256:%s, which is no image of %s %s", ref, hex, v.Manifest.Project, v.Manifest.Version)
	}
	i := &v.Manifest.Images[n]
	if err := r.Compare(ctx, ref.Repository, i, v.Manifest.Source.CommitTime); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, ok := errors.AsType[*registry.RequestError](err); ok {
			return err
		}
		return fault.Refusedf(remedy, "%w", err)
	}
	found := fmt.Sprintf("its %s, byte for byte, by the digest sha256:%s", i.Name, hex)
	if ref.Repository != i.Repository && i.Repository != "" {
		found += "; the release names another repository, " + i.Repository
	}
	v.Checks.Done(fact.PublishedFiles, ref.String(), found)
	v.Checks.Done(fact.InImage, i.Name, "")
	imageOpen(v, i, "its layers are named by digest, and what is in them was not looked at")
	return nil
}
