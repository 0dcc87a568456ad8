package profiles

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// resolve links profiles to their parents, gives them their platforms, and
// checks what can only be seen then.
func (d *decoder) resolve() {
	f := d.file
	d.inherit()
	total := 0
	for _, p := range f.Profiles {
		set := (*platformSet)(nil)
		for q := p; q != nil && set == nil; q = q.parent {
			set = q.platforms
		}
		if set == nil {
			continue
		}
		p.resolved = set
		p.Platforms = slices.SortedFunc(slices.Values(set.list), comparePlatforms)
		for _, pl := range p.Platforms {
			p.platformPos[pl] = set.pos[pl]
		}
		if total += len(p.Platforms); total > maxPlatforms {
			d.errorAt(p.pos, "", "the profiles have more than %d platforms together", maxPlatforms)
			return
		}
	}
	d.checkUse()
	badName := map[Position]bool{}
	for _, p := range f.Profiles {
		d.checkOverrides(p)
		d.checkSettings(p, badName)
	}
}

// inherit sets the parents. A profile whose parent is unknown, or that
// inherits from itself, is left without one after the report.
func (d *decoder) inherit() {
	f := d.file
	var names []string
	byName := map[string]*Profile{}
	for _, p := range f.Profiles {
		names = append(names, p.Name)
		byName[p.Name] = p
	}
	for _, p := range f.Profiles {
		if p.Inherit == "" {
			if p.inheritPos != (Position{}) {
				d.errorAt(p.inheritPos, "leave the key out", "inherit is empty")
			}
			continue
		}
		parent := byName[p.Inherit]
		if parent == nil {
			others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == p.Name })
			d.errorAt(p.inheritPos, cmp.Or(didYouMean(p.Inherit, others, nil), "leave the key out: there is no other profile"), "profile %q inherits from %q, which does not exist", p.Name, p.Inherit)
			continue
		}
		p.parent = parent
	}
	reported := map[*Profile]bool{}
	for _, p := range f.Profiles {
		var cycle []string
		seen := map[*Profile]bool{}
		q := p
		for ; q != nil && !seen[q]; q = q.parent {
			seen[q] = true
			cycle = append(cycle, q.Name)
		}
		if q != p || reported[p] { // p leads into a cycle at most; its members report it
			continue
		}
		for q := range seen {
			reported[q] = true
		}
		if len(cycle) > 12 {
			cycle = append(cycle[:12], "…")
		}
		d.errorAt(p.inheritPos, "one of them must not inherit", "profiles inherit in a circle: %s -> %s", strings.Join(cycle, " -> "), p.Name)
	}
	for p := range reported {
		p.parent = nil
	}
}

// checkUse reports a file that builds nothing and profiles without use.
func (d *decoder) checkUse() {
	inherited := map[string]bool{}
	any := d.builtin
	for _, p := range d.file.Profiles {
		inherited[p.Inherit] = true
		any = any || len(p.Platforms) > 0 || p.unclear
	}
	if !any && len(d.file.Profiles) > 0 {
		d.errorAt(d.file.Profiles[0].pos, "add platforms: [linux/amd64]", "no profile has platforms: there is nothing to build")
		return
	}
	for _, p := range d.file.Profiles {
		if len(p.Platforms) == 0 && !inherited[p.Name] && !p.unclear && !d.builtin {
			d.warnAt(p.pos, "add platforms, or inherit from it", "profile %q has no platforms and no other profile inherits from it", p.Name)
		}
	}
}

// checkOverrides reports patterns that match nothing. An override of a profile
// that is only inherited from must match in some profile that inherits it; an
// inherited one need not match in every child.
func (d *decoder) checkOverrides(p *Profile) {
	if len(p.overrides) == 0 {
		return
	}
	platforms, unclear := p.Platforms, false
	for _, q := range p.lineage() {
		unclear = unclear || q.unclear
	}
	if len(platforms) == 0 {
		for _, q := range d.file.Profiles {
			if q != p && slices.Contains(q.lineage(), p) {
				platforms = append(platforms, q.Platforms...)
				unclear = unclear || q.unclear
			}
		}
		if len(platforms) == 0 {
			return
		}
	}
	if unclear {
		return
	}
	for _, o := range p.overrides {
		for i, pat := range o.patterns {
			if !slices.ContainsFunc(platforms, pat.Match) {
				d.errorAt(o.patPos[i], "", "the override for %q matches no platform of profile %q", pat, p.Name)
			}
		}
	}
}

// checkSettings checks the settings that result on each platform. Platforms to
// which the same overrides apply have the same settings.
func (d *decoder) checkSettings(p *Profile, badName map[Position]bool) {
	done := map[string]layer{}
	for _, pl := range p.Platforms {
		if len(d.problems) >= 4*maxProblems {
			return
		}
		var signature strings.Builder
		for _, q := range p.lineage() {
			for i, o := range q.overrides {
				if matchesAny(o.patterns, pl) {
					fmt.Fprintf(&signature, "%s %d,", q.Name, i)
				}
			}
		}
		if pl.Arch == "wasm" {
			signature.WriteString("wasm")
		}
		all, ok := done[signature.String()]
		if !ok {
			all = p.effective(pl)
			done[signature.String()] = all
			d.checkEffective(pl, all)
		}
		d.checkSample(p, pl, all, badName)
	}
}

func (d *decoder) checkEffective(pl Platform, all layer) {
	cgo := all["cgo"]
	env := func(name string) bool { return all["env."+name] != nil }
	used := map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		v := all[path]
		switch name, isEnv := strings.CutPrefix(path, "env."); {
		case isEnv:
			if forCgo(name) && !cgo.flag {
				d.warnAt(v.pos, "set cgo: true, or leave it out", "%s has no effect with cgo: false", name)
			}
			if other, ok := used[strings.ToUpper(name)]; ok {
				d.errorAt(v.pos, "", "%s and %s are one variable on Windows", name, other)
			}
			used[strings.ToUpper(name)] = name
		case strings.HasPrefix(path, "ldflags.set."):
			d.checkEnvUse(find(leafKeys(), "ldflags.set"), v, -1, v.text, env)
		case path == "name", path == "binary", path == "wrap":
			d.checkEnvUse(find(leafKeys(), path), v, -1, v.text, env)
		case path == "ldflags.extra":
			for i, text := range v.list {
				d.checkEnvUse(find(leafKeys(), path), v, i, text, env)
			}
		case path == "files":
			for i, f := range v.files {
				d.checkEnvUse(key{}, v, i, f.Dst, env)
			}
		}
	}
	if cgo.flag && !env("CC") {
		d.warnAt(cgo.pos, "name it: env: {CC: gcc-12}", "cgo without CC: the C compiler is whatever the machine has")
	}
	if flags := all["upx.flags"]; flags.pos == builtIn {
		for _, name := range []string{"upx.version", "upx.sha256"} {
			if pin := all[name]; pin.pos != builtIn {
				d.warnAt(pin.pos, "add upx: {flags: [--best]}, or upx: off", "%s has no effect: nothing says how to pack", name)
			}
		}
	}
	d.checkLibrary(pl, all)
	if pgo := all["pgo"]; d.file.Go != "" && goMinor(d.file.Go) < 20 && pgo.text != "off" && pgo.text != "auto" {
		d.errorAt(pgo.pos, "use a later toolchain, or pgo: off", "%s has no profile-guided optimisation", d.file.Go)
	}
}

// checkEnvUse reports variables that a template uses and env does not have.
func (d *decoder) checkEnvUse(k key, v *value, item int, text string, env func(string) bool) {
	if !strings.Contains(text, ".Env") {
		return
	}
	if _, faults := parseTemplate(text, k.scope(func(string) bool { return true })); len(faults) > 0 {
		return // reported when it was read
	}
	_, faults := parseTemplate(text, k.scope(env))
	for _, f := range faults {
		d.errorAt(v.at(item, f.offset), f.hint, "%s", f.msg)
	}
}

// checkSample makes the names of an invented program of an invented tagged commit,
// so that one that can be no file's name is found before the first release. bad are
// the values that were reported, of whatever platform and profile.
func (d *decoder) checkSample(p *Profile, pl Platform, all layer, bad map[Position]bool) {
	if checkProject(d.file.Project) != nil {
		return
	}
	v := Vars{
		Project: d.file.Project, Profile: p.Name, OS: pl.OS, Arch: pl.Arch, Variant: pl.Variant,
		Version: "1.2.3", Tag: "v1.2.3", Commit: strings.Repeat("0123456789", 4), ShortCommit: "0123456",
		CommitDate: "2006-01-02T15:04:05Z", CommitTimestamp: "1136214245", Summary: "v1.2.3",
	}
	s := Settings{Name: all["name"].text, Binary: all["binary"].text, Wrap: all["wrap"].text, Archive: all["archive"].list}
	s.Env = all.entries("env.")
	expanded, err := s.Expand(v)
	if err == nil {
		_, names := expanded.Names(v, []string{"tool"})
		s.Files = all["files"].files
		_, files := s.Expand(v)
		err = errors.Join(names, files)
	}
	for _, err := range fault.Leaves(err) {
		var template *templateFault
		var e *expandError
		if errors.As(err, &template) || !errors.As(err, &e) || strings.HasPrefix(e.Key, "env.") {
			continue // reported when it was read, or by the plan
		}
		if pos := p.Pos(pl, e.Key); !bad[pos] {
			bad[pos] = true
			d.errorAt(pos, fault.Hint(err), "profile %q on %s: %v", p.Name, pl, e.Err)
		}
	}
}
