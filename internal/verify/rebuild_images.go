package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/channels"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/images"
	"github.com/mintmark/mintmark/internal/release"
)

// makeable are the container images of a release that can be made again here.
type makeable struct {
	images map[string]*release.Again // by their names
	not    map[string]string         // why not the others
}

// maxUnpacked bounds what the layers of bases unpack to, each time that one is read: some
// minutes of a processor.
const maxUnpacked = 256 << 30

// maxFetching is how long registries that a publisher names are waited for, all together.
const maxFetching = 20 * time.Minute

// images plans the release's container images, and fetches what they begin with.
func (f *fetching) images(ctx context.Context, p *fetch.Planned) (can makeable, err error) {
	can = makeable{map[string]*release.Again{}, map[string]string{}}
	all, err := images.Plan(f.plan.Images, images.ReleaseOf(f.plan.Project, f.plan.Version, p.Source.CommitTime, channels.Offers(f.plan.Offered(), nil)))
	if err != nil {
		var wrong refusals
		for _, e := range fault.Leaves(err) {
			wrong.add("the plan has an image that cannot be made: %v", e)
		}
		return can, wrong.err()
	}
	unpack := int64(maxUnpacked)
	within, cancel := context.WithTimeoutCause(ctx, maxFetching, fault.Errorf("try again, or look whether the registry answers anybody", "the registries of bases have not given everything within %s", maxFetching))
	defer cancel()
	for _, i := range all {
		published, ok := f.m.ImageNamed(i.Name())
		if !ok || f.only != "" || len(p.Plan.Images) == 0 {
			continue
		}
		var layers []string
		for _, p := range published.Platforms {
			layers = append(layers, p.BaseLayers...)
		}
		file := ""
		if f.dir != "" {
			file = filepath.Join(f.dir, i.Name())
		}
		again, err := release.FetchAgain(within, p, i, file, layers, &unpack)
		if ctx.Err() != nil {
			return can, context.Cause(ctx)
		}
		if err != nil {
			can.not[i.Name()] = err.Error()
			continue
		}
		can.images[i.Name()] = again
	}
	return can, nil
}

// compareImages makes the container images again, of what was built here, and compares.
// platforms are those that were selected: an image is made of all.
func (t *rebuiltFiles) compareImages(ctx context.Context, can makeable, platforms string) error {
	for _, i := range t.m.Images {
		if t.only != "" {
			t.out.Checks.Open(fact.ImageAgain, i.Name, onlyOne(t.only))
			continue
		}
		if len(t.made.Of.Plan.Images) == 0 {
			t.out.Checks.Open(fact.ImageAgain, i.Name, leftOut(platforms))
			continue
		}
		r := checksums.RebuiltFile{Kind: fact.ImageFile, Name: i.Name, SHA256: i.SHA256, Verdict: fact.Unchecked}
		r.Reason = cmp.Or(can.not[i.Name], t.programsUnchecked(i))
		switch again := can.images[i.Name]; {
		case r.Reason != "":
		case again == nil:
			r.Reason = "nothing was made here in its place"
		default:
			made, err := t.made.Image(ctx, t.m, again, t.stage)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				r.Reason = err.Error()
			} else {
				compareImage(&r, &i, made, func() ([]string, error) { return t.imageSays(ctx, &i) })
			}
		}
		t.again(r, "")
	}
	return nil
}

// programsUnchecked says which program of an image was not compared; "" for none.
func (t *rebuiltFiles) programsUnchecked(i checksums.Image) string {
	for _, p := range i.Platforms {
		for _, f := range p.Programs {
			for _, r := range t.out.Rebuilt {
				if r.Profile == p.Profile && r.Platform == p.Platform && r.SHA256 == f.SHA256 && r.Verdict == fact.Unchecked {
					return fmt.Sprintf("%s of %s was not compared: %s", f.Name, p.Platform, r.Reason)
				}
			}
		}
	}
	return ""
}

// imageSays compares what the published image says of itself, such as what it starts, with
// what the one made here says.
func (t *rebuiltFiles) imageSays(ctx context.Context, i *checksums.Image) ([]string, error) {
	if t.dir == "" {
		return nil, errors.New("only its digest is known here")
	}
	published := filepath.Join(t.dir, i.Name)
	if _, err := os.Lstat(published); errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("it is not here")
	}
	return images.Differences(ctx, i, published, filepath.Join(t.stage, i.Name))
}

// compareImage holds an image that was made here against the published one. says gives
// what else is not the same in two of the same files.
func compareImage(r *checksums.RebuiltFile, published, made *checksums.Image, says func() ([]string, error)) {
	r.Rebuilt, r.Verdict = made.SHA256, fact.Identical
	if r.Same() {
		return
	}
	differ := imageDifferences(published, made)
	if len(differ) == 0 {
		var err error
		differ, err = says()
		if len(differ) == 0 && made.Tool != published.Tool {
			// That another program has compressed them is the publisher's word.
			r.Verdict = fact.Unchecked
			r.Reason = fmt.Sprintf("its layers were compressed by %s, here by %s; all files in them are identical", published.Tool, made.Tool)
			if err != nil {
				r.Reason += ", and what it says of itself was not compared: " + err.Error()
			} else {
				r.Reason += ", and so is what it says of itself"
			}
			return
		}
		if len(differ) == 0 {
			differ = []string{"all files in it are identical: what it says of itself is another, or its form"}
		}
	}
	r.Verdict = fact.Different
	r.Findings = []fact.Finding{{Cause: fact.CauseUnknown, Confidence: fact.Certain, Evidence: differ, Remedy: "do not use the image before its publisher explains it"}}
}

// byName are members by their names, which are different in an image.
func byName(list []checksums.Member) map[string]checksums.Member {
	m := make(map[string]checksums.Member, len(list))
	for _, f := range list {
		m[f.Name] = f
	}
	return m
}

// imageDifferences are the parts of two images that differ.
func imageDifferences(a, b *checksums.Image) (list []string) {
	members := func(of string, x, y []checksums.Member) {
		before, after := byName(x), byName(y) // there may be very many
		for _, f := range x {
			if after[f.Name] != f {
				list = append(list, of+f.Name)
			}
		}
		for _, f := range y {
			if _, ok := before[f.Name]; !ok {
				list = append(list, of+f.Name)
			}
		}
	}
	members("", a.Files, b.Files)
	platform := func(i *checksums.Image, p checksums.ImagePlatform) (checksums.ImagePlatform, bool) {
		n := slices.IndexFunc(i.Platforms, func(x checksums.ImagePlatform) bool { return x.Profile == p.Profile && x.Platform == p.Platform })
		if n < 0 {
			return p, false
		}
		return i.Platforms[n], true
	}
	for _, p := range a.Platforms {
		o, ok := platform(b, p)
		if !ok {
			list = append(list, "that it is for "+p.Platform)
			continue
		}
		if !slices.Equal(p.BaseLayers, o.BaseLayers) {
			list = append(list, "the layers of the base for "+p.Platform)
		}
		members(p.Platform+": ", p.Programs, o.Programs)
	}
	for _, p := range b.Platforms {
		if _, ok := platform(a, p); !ok {
			list = append(list, "that it is not for "+p.Platform)
		}
	}
	return list
}
