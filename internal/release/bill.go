package release

import (
	"context"
	"fmt"
	"slices"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/sbom"
)

// billSteps are the bills of materials of a release, one step for each format.
func billSteps() (list []step) {
	for _, f := range []struct {
		format fact.BillFormat
		write  func(sbom.Input) ([]byte, error)
	}{{fact.CycloneDX, sbom.CycloneDX}, {fact.SPDX, sbom.SPDX}} {
		list = append(list, step{
			names: []string{f.format.File()},
			needs: func(p *publication) bool {
				return p.manifest.Kind != checksums.KindBuild && slices.Contains(p.Of.File.BillFormats(), f.format)
			},
			make: func(ctx context.Context, p *publication) (map[string][]byte, error) {
				in, err := p.bill(ctx)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", f.format.File(), err)
				}
				data, err := f.write(in)
				return map[string][]byte{f.format.File(): data}, err
			},
		})
	}
	return list
}

// bill is what a release's bill of materials is made of.
func (p *publication) bill(ctx context.Context) (sbom.Input, error) {
	l := p.Of.Loader
	in := sbom.Input{Manifest: p.manifest, Licenses: map[sbom.Module][]string{}}
	required, err := l.Required(ctx)
	if err != nil {
		return in, err
	}
	for _, r := range required {
		in.Required = append(in.Required, sbom.Module(r))
	}
	for _, u := range p.Made {
		in.Linked = append(in.Linked, u.contents...)
	}
	for _, m := range in.Modules() {
		in.Licenses[m] = l.Licenses(m.Path, m.Version, m.Dir)
	}
	in.Main, in.Standard = l.Licenses("", "", ""), l.StandardLicenses()
	return in, nil
}

// contents are what the linked programs of a unit say of their modules, and what was
// measured of them. Of a file that cannot be read as one of Go's nothing is known.
func (r *UnitResult) contentsOf(list []*product) (all []sbom.Linked) {
	for _, p := range list {
		l := sbom.Linked{Profile: r.unit.Profile, Platform: r.unit.Platform, Name: p.name}
		if bin, err := openLinked(r.unit, p.paths[0]); err == nil {
			l.Info = bin.BuildInfo
			cgo, err := bin.Cgo()
			l.GoOnly = err == nil && !cgo.Linked && len(cgo.Packages) == 0
			bin.Close()
		}
		for _, s := range r.sized {
			if s.Profile == l.Profile && s.Platform == l.Platform && s.Name == l.Name {
				l.Sizes = s.Summary
			}
		}
		all = append(all, l)
	}
	return all
}
