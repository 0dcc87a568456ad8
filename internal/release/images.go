package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/mintmark/mintmark/builds/tool"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/channels"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/images"
	"github.com/mintmark/mintmark/internal/registry"
)

// imagesMade is how often each image is made.
const imagesMade = 2

// basesDir is where in the cache directory the bases of images are.
func basesDir(p *fetch.Planned) images.Blobs {
	return images.Blobs{Dir: filepath.Join(p.Cache, "bases")}
}

// fetchBases gets what images begin with, for the fetch phase. Nobody is asked for what is
// there.
func fetchBases(ctx context.Context, p *fetch.Planned, list []images.Image) error {
	missing := slices.DeleteFunc(slices.Clone(list), func(i images.Image) bool {
		return i.Base() == nil || basesDir(p).Fetch(ctx, i.Base(), i.Platforms(), nil) == nil
	})
	if len(missing) == 0 {
		return nil
	}
	if _, err := files.MakeDir(p.Cache, "bases"); err != nil {
		return err
	}
	get, err := bases(ctx, p, registry.New)
	if err != nil {
		return err
	}
	for _, i := range missing {
		p.Phase("base " + i.Base().String())
		if err := basesDir(p).Fetch(ctx, i.Base(), i.Platforms(), get(i.Base())); err != nil {
			return fmt.Errorf("%s: %w", i.Name(), err)
		}
	}
	return nil
}

// bases is what gets bases from their registries.
func bases(ctx context.Context, p *fetch.Planned, connect registry.Connect) (func(base *fact.ImageRef) images.Getter, error) {
	program, err := p.FetchTool(ctx, p.Kit, tool.Crane())
	if err != nil {
		return nil, err
	}
	client, err := connect(program, p.Environ, p.Workspace.Dir)
	if err != nil {
		return nil, err
	}
	return func(base *fact.ImageRef) images.Getter {
		return func(ctx context.Context, hex string, manifest bool, to io.Writer) error {
			return client.Get(ctx, base.Repository, hex, manifest, to)
		}
	}, nil
}

// Again is an image of a release that is to be made once more.
type Again struct {
	images.Image
	base images.Blobs
}

// FetchAgain gets for the fetch phase what an image needs to be made again. Where its base
// is the publisher says: so nobody's credentials are sent there, and no host of a private
// network is asked. The layers are those that the published file has; "" is where it is not here.
// unpack is how many bytes of layers may still be unpacked.
func FetchAgain(ctx context.Context, p *fetch.Planned, i images.Image, published string, layers []string, unpack *int64) (*Again, error) {
	a := &Again{i, basesDir(p)}
	a.base.Unpack = unpack
	base := i.Base()
	if base == nil || a.base.Fetch(ctx, base, i.Platforms(), nil) == nil {
		return a, nil
	}
	if base.Private() {
		return nil, fmt.Errorf("its base, %s, is in a private network by its name, where nobody is asked for what a publisher names", base)
	}
	if published == "" {
		return nil, errors.New("it is not here, and with it the layers of its base")
	}
	dir, err := os.MkdirTemp(p.Workspace.Dir, "base-")
	if err != nil {
		return nil, err
	}
	a.base = images.Blobs{Dir: dir, Complete: true, Unpack: unpack}
	if err := a.base.Take(ctx, published, layers); err != nil {
		return nil, err
	}
	get, err := bases(ctx, p, registry.Anonymous)
	if err != nil {
		return nil, err
	}
	p.Phase("base " + base.String())
	return a, a.base.Fetch(ctx, base, i.Platforms(), get(base))
}

// Image makes a container image of a release again, in a directory that has what the
// units publish. of is the manifest of the release.
func (f *Finished) Image(ctx context.Context, of *checksums.Manifest, i *Again, dir string) (*checksums.Image, error) {
	again := *of
	again.Artifacts = f.Artifacts()
	d := &described{f, &again}
	return d.image(ctx, i.Of(d.aboutImages()), dir, i.base)
}

// images makes the container images in a directory that has what the units publish, and
// notes them in the manifest.
func (f *described) images(ctx context.Context, list []images.Image, dir string) error {
	if len(list) == 0 {
		return nil
	}
	about := f.aboutImages()
	for _, i := range list {
		made, err := f.image(ctx, i.Of(about), dir, basesDir(f.Of))
		if err != nil {
			return err
		}
		f.manifest.Images = append(f.manifest.Images, *made)
	}
	return nil
}

// aboutImages is what images are told of the release.
func (f *described) aboutImages() *images.Release {
	m := f.manifest
	about := images.ReleaseOf(m.Project, m.Version, f.Of.Source.CommitTime, channels.Offers(f.Of.Plan.Offered(), f.sum()))
	about.Commit, about.Module, about.Licenses = m.Source.Commit, m.Source.Module, f.Of.Loader.Licenses("", "", "")
	return about
}

// sum gives the digest of what a unit has made.
func (f *described) sum() func(fact.UnitShape, fact.Expected) string {
	type key struct {
		profile, platform, name string
		stage                   fact.Stage
	}
	sums := map[key]string{}
	for _, a := range f.manifest.Artifacts {
		sums[key{a.Profile, a.Platform, a.Name, a.Stage}] = a.SHA256
	}
	return func(u fact.UnitShape, a fact.Expected) string {
		return sums[key{u.Profile, u.Platform, a.Name, a.Stage}]
	}
}

// image makes one image, each time from another place's copy of the commit's files, as
// far as there are several, and compares.
func (f *described) image(ctx context.Context, i *images.Image, dir string, bases images.Blobs) (*checksums.Image, error) {
	f.Of.Phase("container image " + i.Name())
	made := func(w io.Writer, time int) (m checksums.Image, err error) {
		temp, err := os.MkdirTemp(f.Of.Workspace.Dir, "image-")
		if err != nil {
			return m, err
		}
		defer files.RemoveTree(temp)
		sum := sha256.New()
		m, err = i.Write(ctx, io.MultiWriter(w, sum), &images.Sources{
			Dir: dir, Copy: f.Executors[min(time, len(f.Executors)-1)].Copy, Cache: bases, Temp: temp,
			Executable: func(name string) bool { return f.Of.Source.Executable(path.Join(f.Of.Source.Dir, name)) },
		})
		m.SHA256 = hex.EncodeToString(sum.Sum(nil))
		return m, err
	}
	var first checksums.Image
	err := files.Create(filepath.Join(dir, i.Name()), 0o644, func(out *os.File) (err error) {
		if first, err = made(out, 0); err != nil {
			return err
		}
		fi, err := out.Stat()
		if err == nil {
			first.Size = fi.Size()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for first.Made = 1; first.Made < imagesMade; {
		again, err := made(io.Discard, first.Made)
		if err != nil {
			return nil, err
		}
		again.Made, again.Size = first.Made, first.Size // of the same bytes
		if !reflect.DeepEqual(first, again) {
			return nil, fault.NotReproduciblef("a file that goes into the image may not be the same in two clean checkouts: look for filters and line-ending attributes in .gitattributes", "%s: came out different when it was made again", i.Name())
		}
		first.Made++
	}
	first.Verdict = fact.Identical
	return &first, nil
}
