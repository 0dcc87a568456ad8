package profiles

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// Selected is a profile with those of its platforms that were asked for.
type Selected struct {
	Profile   *Profile
	Platforms []Platform // sorted, at least one
}

// Select picks profiles by name and platforms by pattern. Without names, all
// profiles that have platforms are meant; without patterns, all platforms. A
// profile that no pattern matches is left out, but a pattern must match
// somewhere. The result has the order of the file; all errors are reported.
func (f *File) Select(names []string, pats []Pattern) ([]Selected, error) {
	var known []string
	for _, p := range f.Profiles {
		if len(p.Platforms) > 0 {
			known = append(known, p.Name)
		}
	}
	var errs []error
	wanted := map[string]bool{}
	for _, name := range names {
		switch p := f.profile(name); {
		case p == nil:
			errs = append(errs, fault.Errorf(didYouMean(name, known, nil), "no profile %q", name))
		case len(p.Platforms) == 0:
			errs = append(errs, fault.Errorf(didYouMean("", known, nil), "profile %q has no platforms: it is only inherited from", name))
		}
		wanted[name] = true
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	var result []Selected
	matched := make([]bool, len(pats))
	for _, p := range f.Profiles {
		if len(p.Platforms) == 0 || len(names) > 0 && !wanted[p.Name] {
			continue
		}
		s := Selected{Profile: p}
		for _, pl := range p.Platforms {
			hit := len(pats) == 0
			for i, pat := range pats {
				if pat.Match(pl) {
					hit, matched[i] = true, true
				}
			}
			if hit {
				s.Platforms = append(s.Platforms, pl)
			}
		}
		if len(s.Platforms) > 0 {
			result = append(result, s)
		}
	}
	for i, pat := range pats {
		if !matched[i] {
			errs = append(errs, fault.Errorf(f.platformHint(pat), "no platform of %s matches %q", describe(names), pat))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return result, nil
}

func describe(names []string) string {
	if len(names) == 0 {
		return "any profile"
	}
	return "profile " + strings.Join(names, ", ")
}

// platformHint lists what a pattern could have matched.
func (f *File) platformHint(pat Pattern) string {
	var sameOS, all []string
	for _, p := range f.Profiles {
		for _, pl := range p.Platforms {
			all = append(all, pl.String())
			if pl.OS == pat.OS {
				sameOS = append(sameOS, pl.String())
			}
		}
	}
	if len(sameOS) > 0 {
		all = sameOS
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > 12 {
		all = append(all[:12], "…")
	}
	return fmt.Sprintf("the file has %s", strings.Join(all, ", "))
}

func (f *File) profile(name string) *Profile {
	for _, p := range f.Profiles {
		if p.Name == name {
			return p
		}
	}
	return nil
}
