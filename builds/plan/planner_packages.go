package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// packageUp says of the unit's packages what is in them and what they are called. Units
// for other systems than Linux have none.
func (pl *Planner) packageUp(ctx context.Context, d *draft, problem reporter) error {
	s, u := d.settings.Packages, d.unit
	if len(s.Formats) == 0 || len(u.Mains) == 0 {
		return nil
	}
	if d.platform.OS != "linux" {
		if !slices.ContainsFunc(d.profile.Platforms, func(p profiles.Platform) bool { return p.OS == "linux" }) {
			pl.remark(d, "packages.formats", "leave it out for profile "+d.profile.Name+", or add a platform", "packages has no effect: it is of programs for Linux, and none of the profile's platforms is one of Linux")
		}
		return nil
	}
	if u.Mode().Library() {
		problem("packages.formats", "leave it out for the libraries: packages: {formats: none}", "packages are of programs, and buildmode %s makes a library", u.Mode())
		return nil
	}
	p := newPackages(s, pl.File.Project, pl.Version)
	for _, format := range s.Formats {
		if fact.PackageArch(format, u.Platform) == "" {
			continue
		}
		p.Formats = append(p.Formats, format)
		for _, r := range profiles.PackageRules(format, p) {
			key := r.Key
			if d.profile.Pos(d.platform, key).Line == 0 {
				key = "packages.formats" // it is what nobody has written
			}
			problem(key, r.Hint, "%s", r.Message)
		}
	}
	const without = "an override can leave it without: {platforms: [%s], packages: {formats: %s}}"
	if len(p.Formats) == 0 {
		problem("packages.formats", fmt.Sprintf(without, u.Platform, fact.NoArchive), "%s has no packages for %s", orFormats(s.Formats), u.Platform)
		return nil
	}
	if len(p.Formats) < len(s.Formats) {
		missing := slices.DeleteFunc(slices.Clone(s.Formats), func(f string) bool { return slices.Contains(p.Formats, f) })
		pl.remark(d, "packages.formats", fmt.Sprintf(without, u.Platform, "["+strings.Join(p.Formats, ", ")+"]"), fmt.Sprintf("%s has no packages for %s: there are none of it", orFormats(missing), u.Platform))
	}
	report, wrong := problem.counting()
	if err := pl.contents(ctx, d, p, report); err != nil {
		return err
	}
	u.Packages = p
	if *wrong {
		return nil
	}
	for _, err := range fault.Leaves(checkUnitPackages(u)) {
		if _, said := errors.AsType[profiles.PackageRule](err); !said {
			problem("packages.formats", fault.Hint(err), "%v", err)
		}
	}
	return nil
}

// newPackages are packages without formats and contents.
func newPackages(s profiles.Packages, project, version string) *fact.Packages {
	p := &fact.Packages{
		Name: cmp.Or(s.Name, project), Version: version, Release: s.Release, Bin: s.Bin,
		PackageAbout: s.PackageAbout,
		Scripts:      s.Scripts,
	}
	p.Description = strings.TrimSuffix(p.Description, "\n")
	return p
}

// orFormats is "apk or deb".
func orFormats(formats []string) string { return strings.Join(formats, " or ") }

// contents puts what the profile lists into the packages: the files that patterns match,
// each in its place.
func (pl *Planner) contents(ctx context.Context, d *draft, p *fact.Packages, problem reporter) error {
	const key = "packages.contents"
	rules := d.settings.Packages.Contents
	var patterns []profiles.FileRule // of those that are files
	var of []int                     // the rule of each
	parts := []string{"contents 1"}
	for i, c := range rules {
		if c.Type.File() {
			patterns, of = append(patterns, profiles.FileRule{Src: c.Src, Dst: c.Dst, Mode: c.Mode}), append(of, i)
			parts = append(parts, c.Src, c.Dst, c.Mode)
		} else {
			p.Contents = append(p.Contents, fact.PackageContent{Type: c.Type, Src: c.Src, Dst: c.Dst, Mode: c.Mode, Owner: c.Owner, Group: c.Group})
		}
	}
	scripts, scriptKeys := scriptsOf(p.Scripts)
	parts = append(append(parts, "scripts"), scripts...)
	named := func(i int) string { return fmt.Sprintf("%s[%d]", key, of[i]) }
	report, wrong := problem.counting()
	found, err := memoized(ctx, pl.Loader, func() (globbed, bool) {
		found, ferr := pl.findFiles(patterns, named, report)
		_, serr := pl.findFiles(asRules(scripts), func(i int) string { return scriptKeys[i] }, report)
		if err := errors.Join(ferr, serr); err != nil {
			d.errs = append(d.errs, err)
			return found, false
		}
		return found, !*wrong
	}, parts...)
	if err != nil {
		return err
	}
	for _, i := range found.Unmatched {
		pl.remark(d, named(i), "leave it out, or commit what it should match", patterns[i].Src+" matches no file")
	}
	for _, f := range found.Placed {
		rule := rules[of[f.Rule]]
		c := fact.PackageContent{Type: rule.Type, Src: f.File.Src, Dst: path.Join("/", f.File.Dst), Mode: rule.Mode, Owner: rule.Owner, Group: rule.Group}
		if err := profiles.CheckInstalled(c.Dst); err != nil {
			problem(named(f.Rule)+".dst", fault.Hint(err), "%s would be in the package: %v", c.Src, err)
			continue
		}
		p.Contents = append(p.Contents, c)
	}
	slices.SortStableFunc(p.Contents, func(a, b fact.PackageContent) int { return strings.Compare(a.Dst, b.Dst) })
	p.Contents = slices.CompactFunc(p.Contents, func(a, b fact.PackageContent) bool { return a == b })
	return nil
}

// scriptsOf are the scripts there are, and their keys.
func scriptsOf(s fact.Scripts) (files, keys []string) {
	for _, one := range [][2]string{{"preinstall", s.PreInstall}, {"postinstall", s.PostInstall}, {"preremove", s.PreRemove}, {"postremove", s.PostRemove}} {
		if one[1] != "" {
			files, keys = append(files, one[1]), append(keys, "packages.scripts."+one[0])
		}
	}
	return files, keys
}

// asRules are files of the commit, where they are.
func asRules(names []string) (rules []profiles.FileRule) {
	for _, name := range names {
		rules = append(rules, profiles.FileRule{Src: name})
	}
	return rules
}

// checkUnitPackages wants each file of a package in a place of its own, and nothing in a
// place that is no directory.
func checkUnitPackages(u *Unit) error {
	p := u.Packages
	if p == nil {
		return nil
	}
	errs := []error{profiles.CheckPackages(p, u.Platform)}
	if u.Mode().Library() {
		errs = append(errs, errors.New("packages of a library"))
	}
	type place struct {
		what string
		dir  bool
	}
	taken := map[string]place{}
	shape := u.Shape()
	put := func(at, what string, dir bool) {
		const hint = "give one of them another dst"
		// Case counts on Linux; but the lists of a release are read everywhere.
		if before, ok := taken[foldName(at)]; ok {
			errs = append(errs, fault.Errorf(hint, "%s and %s would both be /%s in the package", before.what, what, at))
			return
		}
		taken[foldName(at)] = place{what, dir}
	}
	for _, m := range u.Mains {
		put(p.Installed(shape, m), "the program "+m.Binary, false)
	}
	for _, c := range p.Contents {
		what := c.Src
		if !c.Type.File() {
			what = "the " + string(c.Type)
		}
		put(strings.TrimPrefix(c.Dst, "/"), what, c.Type == fact.ContentDir)
	}
	for at, f := range taken {
		for above := path.Dir(at); above != "."; above = path.Dir(above) {
			if in, ok := taken[above]; ok && !in.dir {
				errs = append(errs, fault.Errorf("give one of them another dst", "%s would be in /%s, which is %s", f.what, above, in.what))
			}
		}
	}
	return errors.Join(errs...)
}
