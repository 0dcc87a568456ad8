package release

import (
	"context"
	"fmt"
	"slices"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/sbom"
)

// billSteps are the bills of materials of a release, one step for each format. of are the
// published files that have bills of their own.
func billSteps(of []string) (list []step) {
	for _, word := range fact.BillFormats() {
		format := fact.BillFormat(word)
		names := []string{format.File()}
		for _, name := range of {
			names = append(names, format.FileOf(name))
		}
		list = append(list, step{
			names: names,
			needs: func(p *publication) bool {
				return p.manifest.Kind != checksums.KindBuild && slices.Contains(p.Of.File.BillFormats(), format)
			},
			make: func(ctx context.Context, p *publication) (map[string][]byte, error) {
				in, err := p.Contents(ctx, p.manifest)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", format.File(), err)
				}
				made := map[string][]byte{}
				for _, name := range names {
					if made[name], err = in.Write(name); err != nil {
						return nil, err
					}
				}
				return made, nil
			},
		})
	}
	return list
}

// billed are the published files that have bills of their own.
func (p *publication) billed() (names []string) {
	if !p.Of.File.BillPerFile {
		return nil
	}
	for _, a := range p.manifest.Published() {
		if a.Stage.Programs() {
			names = append(names, a.Name)
		}
	}
	return names
}

// Contents are what the bills of materials of a release with that manifest are made of,
// as far as the [Maker] was to find out what is in programs.
func (f *Finished) Contents(ctx context.Context, m *checksums.Manifest) (*sbom.Input, error) {
	l := f.Of.Loader
	in := &sbom.Input{Manifest: m, Licenses: map[sbom.Module][]string{}}
	required, err := l.Required(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range required {
		in.Required = append(in.Required, sbom.Module(r))
	}
	for _, u := range f.Made {
		in.Linked = append(in.Linked, u.contents...)
	}
	for _, x := range in.Modules() {
		in.Licenses[x] = l.Licenses(x.Path, x.Version, x.Dir)
	}
	in.Main, in.Standard = l.Licenses("", "", ""), l.StandardLicenses()
	return in, nil
}

// contentsOf is what the linked programs of a unit say of their modules, and what was
// measured of them. Of a file that cannot be read as one of Go's nothing is known.
func (r *UnitResult) contentsOf(list []*product) (all []sbom.Linked) {
	for _, p := range list {
		l := sbom.Linked{Profile: r.unit.Profile, Platform: r.unit.Platform, Package: p.main.Package}
		if bin, err := openLinked(r.unit, p.paths[0]); err == nil {
			l.Info = bin.BuildInfo
			cgo, err := bin.Cgo()
			l.GoOnly = err == nil && !cgo.Linked && len(cgo.Packages) == 0
			bin.Close()
		}
		for _, s := range r.sized {
			if s.Profile == l.Profile && s.Platform == l.Platform && s.Name == p.name {
				l.Sizes = s.Summary
			}
		}
		all = append(all, l)
	}
	return all
}
