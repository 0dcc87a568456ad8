package channels

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// chosen is the file that a channel has for a platform, in its words.
type chosen struct {
	Offer
	system, arch string
}

// wordsFor are the channel's words for a platform; false if it knows it not.
func (c channel) wordsFor(p profiles.Platform) ([2]string, bool) {
	name := p.OS + "/" + p.Arch
	if w, ok := c.words[name+"/"+p.Canonical().Variant]; ok {
		return w, true
	}
	w, ok := c.words[name]
	return w, ok
}

// Everywhere reports whether all machines of a platform's architecture start a program
// of its variant. For 32-bit ARM there is no such variant that is in use.
func Everywhere(p profiles.Platform) bool {
	return p.Arch == "arm" || p.Variant == "softfloat" || p.Canonical() == profiles.Platform{OS: p.OS, Arch: p.Arch}.Canonical()
}

// choose is the one file for each platform.
func (c channel) choose(s *profiles.Channel, r *Release) (list []chosen, err error) {
	var all []profiles.Platform
	byName := map[string]profiles.Platform{}
	for _, o := range r.Offers {
		p, err := profiles.ParsePlatform(o.Platform)
		if err != nil {
			return nil, err
		}
		if _, ok := byName[o.Platform]; !ok {
			all, byName[o.Platform] = append(all, p), p
		}
	}
	selected, idle := s.Selects(all)
	var errs []error
	wrong := func(word, hint, format string, args ...any) {
		errs = append(errs, &Wrong{s.Key(word), fault.Errorf(hint, format, args...)})
	}
	for _, pat := range idle {
		wrong("platforms", "", "no program is published for %q", pat)
	}
	if s.Profile != "" && !slices.ContainsFunc(r.Offers, func(o Offer) bool { return o.Profile == s.Profile }) {
		wrong("profile", "name one of "+strings.Join(published(r.Offers), ", "), "profile %q publishes no program", s.Profile)
		return nil, errors.Join(errs...)
	}
	slots := map[string][]chosen{}
	var order []string
	unusable := map[string][]string{} // by slot: files that it cannot use
	for _, o := range r.Offers {
		p := byName[o.Platform]
		w, known := c.wordsFor(p)
		if !known || s.Profile != "" && o.Profile != s.Profile || !slices.Contains(selected, p) || s.Platforms == nil && !Everywhere(p) {
			continue
		}
		slot := strings.TrimSpace(w[0] + " " + w[1])
		if _, ok := slots[slot]; !ok {
			slots[slot] = nil
			order = append(order, slot)
		}
		if s.Program != "" {
			o.Programs = slices.DeleteFunc(slices.Clone(o.Programs), func(x Program) bool {
				return c.one && x.Name != s.Program || o.Format == fact.NoArchive && x.Name != s.Program
			})
			if len(o.Programs) == 0 {
				continue
			}
		}
		if !slices.Contains(c.formats, o.Format) {
			unusable[slot] = append(unusable[slot], o.File)
			continue
		}
		slots[slot] = append(slots[slot], chosen{o, w[0], w[1]})
	}
	if len(order) == 0 && len(errs) == 0 {
		wrong("", "leave it out, or build for a platform that it has", "no program is published for a platform of %s", c.name)
	}
	for _, slot := range order {
		candidates := c.best(slots[slot])
		switch {
		case len(candidates) == 0 && len(unusable[slot]) > 0:
			wrong("", fmt.Sprintf("let archive have one of %s for this platform, beside others or not", strings.Join(c.formats, ", ")), "%s: it cannot use %s", slot, strings.Join(unusable[slot], ", "))
		case len(candidates) == 0:
			wrong("program", "", "%s: there is no program %q", slot, s.Program)
		case len(candidates) > 1:
			var names []string
			for _, o := range candidates {
				names = append(names, fmt.Sprintf("%s (profile %s, %s)", o.File, o.Profile, o.Platform))
			}
			wrong("", fmt.Sprintf("say which with channels: {%s: {%s}}", c.name, distinguished(candidates)), "%s: it can have one of these files: %s", slot, strings.Join(names, ", "))
		case c.one && len(candidates[0].Programs) > 1:
			wrong("program", fmt.Sprintf("say which with channels: {%s: {program: %s}}", c.name, candidates[0].Programs[0].Name), "%s: it can have one of the programs in %s: %s", slot, candidates[0].File, strings.Join(candidates[0].called(), ", "))
		default:
			list = append(list, candidates[0])
		}
	}
	slices.SortFunc(list, func(a, b chosen) int { return cmp.Or(cmp.Compare(a.system, b.system), cmp.Compare(a.arch, b.arch)) })
	return list, errors.Join(errs...)
}

// best leaves of several files of one unit those of the format that the channel likes
// best.
func (c channel) best(list []chosen) (left []chosen) {
	rank := func(o chosen) int { return slices.Index(c.formats, o.Format) }
	for _, o := range list {
		if !slices.ContainsFunc(list, func(x chosen) bool { return x.Profile == o.Profile && x.Platform == o.Platform && rank(x) < rank(o) }) {
			left = append(left, o)
		}
	}
	return left
}

// distinguished is a setting that leaves one of several files.
func distinguished(list []chosen) string {
	a, b := list[0], list[1]
	switch {
	case a.Profile != b.Profile:
		return "profile: " + a.Profile
	case a.Platform != b.Platform:
		return "platforms: [" + a.Platform + ", …]"
	}
	return "program: " + a.Programs[0].Name
}

// called are the names of the programs.
func (o Offer) called() (names []string) {
	for _, p := range o.Programs {
		names = append(names, p.Name)
	}
	return names
}

// published are the profiles that publish programs.
func published(offers []Offer) (names []string) {
	for _, o := range offers {
		if !slices.Contains(names, o.Profile) {
			names = append(names, o.Profile)
		}
	}
	slices.Sort(names)
	return names
}
