package profiles

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"go.yaml.in/yaml/v4"
)

// platformSet is what the key `platforms` of one profile says.
type platformSet struct {
	list []Platform // sorted
	pos  map[Platform]Position
	at   Position // of the key
	// Of os and arch:
	product  map[Platform]bool // those that are combined, and not written out
	excludes []string          // what is excluded, as it is written
	skip     bool              // unknown: skip
}

// add puts a platform into the set. Two spellings of one build are an error,
// since both would be built and would have different names.
func (s *platformSet) add(pl Platform, pos Position) error {
	for _, other := range s.list {
		switch {
		case other == pl:
			return fault.Errorf(fmt.Sprintf("it is there since line %d", s.pos[other].Line), "%s is there twice", pl)
		case other.Canonical() == pl.Canonical():
			return fault.Errorf(fmt.Sprintf("%s is the default; leave one of them out", shorter(other, pl)), "%s and %s (line %d) mean the same build", pl, other, s.pos[other].Line)
		}
	}
	s.list = append(s.list, pl)
	s.pos[pl] = pos
	return nil
}

// shorter names what is left out in the shorter of two spellings.
func shorter(a, b Platform) string {
	return fmt.Sprintf("%s=%s", a.VariantVar(), a.Canonical().Variant)
}

// platforms decodes the key of a profile: a list, or os × arch.
func (d *decoder) platforms(e entry) *platformSet {
	s := &platformSet{pos: map[Platform]Position{}, at: e.pos, product: map[Platform]bool{}}
	if e.value.Kind != yaml.MappingNode {
		d.include(s, e.value, "platforms", "write [linux/amd64, …], or {os: […], arch: […]}")
		return s
	}
	entries, ok := d.mapEntries(e.value, "platforms", "")
	if !ok {
		return s
	}
	nodes := map[string]*yaml.Node{}
	known := structureKeys()[1].sub
	first := len(d.problems)
	for _, e := range entries {
		if !slices.Contains(lastNames(known), e.name) {
			d.unknownKey(e, "platforms", known, func(name string) string {
				return map[string]string{"goos": "did you mean os?", "goarch": "did you mean arch?", "ignore": "did you mean exclude?", "goarm": "write arch: [arm/6]"}[strings.ToLower(name)]
			})
			continue
		}
		nodes[e.name] = e.value
	}
	for _, name := range []string{"os", "arch"} {
		if nodes[name] == nil {
			d.errorAt(e.pos, "write {os: [linux], arch: [amd64]}, or a list of platforms", "platforms has no %s", name)
		}
	}
	before := len(d.problems)
	if nodes["os"] != nil && nodes["arch"] != nil {
		d.product(s, nodes["os"], nodes["arch"])
	}
	if n := nodes["exclude"]; n != nil {
		d.exclude(s, n, len(d.problems) == before)
	}
	if n := nodes["unknown"]; n != nil {
		if text, ok := d.text(n, "platforms.unknown"); ok && d.enum(d.pos(n), "platforms.unknown", text, find(known, "platforms.unknown").enum) {
			s.skip = text == "skip"
		}
	}
	if n := nodes["include"]; n != nil {
		d.include(s, n, "include", "")
	}
	if len(s.list) == 0 && len(d.problems) == first {
		d.errorAt(e.pos, "write platforms: [] for a profile that is only inherited from", "exclude leaves no platforms")
	}
	return s
}

// product adds every OS with every architecture. A platform's position is that
// of its architecture, the more specific of the two.
func (d *decoder) product(s *platformSet, osNode, archNode *yaml.Node) {
	var systems []string
	texts, nodes, _ := d.texts(osNode, "os", "")
	for i, os := range texts {
		if err := checkOS(os); err != nil {
			d.err(d.pos(nodes[i]), err)
		} else if slices.Contains(systems, os) {
			d.errorAt(d.pos(nodes[i]), "", "%s is there twice", os)
		} else {
			systems = append(systems, os)
		}
	}
	archs, archNodes, _ := d.texts(archNode, "arch", "")
	for _, n := range []struct {
		node *yaml.Node
		name string
	}{{osNode, "os"}, {archNode, "arch"}} {
		if n.node.Kind == yaml.SequenceNode && len(n.node.Content) == 0 {
			d.errorAt(d.pos(n.node), "", "%s is empty", n.name)
		}
	}
	probe := &platformSet{pos: map[Platform]Position{}} // reports each bad arch once, not once per OS
	for i, arch := range archs {
		pos := d.pos(archNodes[i])
		if slices.Contains(variantOptions, arch) {
			d.errorAt(pos, fmt.Sprintf(`a variant with a comma needs quotes: "arm/7,%s"`, arch), "unknown architecture %q", arch)
			continue
		}
		pl, err := ParsePlatform("linux/" + arch)
		if err == nil {
			err = probe.add(pl, pos)
		}
		if err != nil {
			if slices.Contains(knownOS, arch) {
				err = fault.Errorf("it belongs under os", "unknown architecture %q", arch)
			}
			// The suggestion is of a whole platform, the value is not.
			d.errorAt(pos, strings.Replace(fault.Hint(err), "did you mean linux/", "did you mean ", 1), "%v", err)
			continue
		}
		for _, os := range systems {
			pl.OS = os
			if len(s.list) >= maxPlatforms {
				d.errorAt(pos, "", "more than %d platforms", maxPlatforms)
				return
			}
			s.list = append(s.list, pl)
			s.pos[pl], s.product[pl] = pos, true
		}
	}
}

// exclude removes what patterns match; each must match something that no
// earlier one removed, which is reported if the combinations are certain.
func (d *decoder) exclude(s *platformSet, n *yaml.Node, certain bool) {
	patterns, positions := d.patterns(n, "exclude")
	for i, p := range patterns {
		s.excludes = append(s.excludes, p.String())
		before := len(s.list)
		s.list = slices.DeleteFunc(s.list, p.Match)
		if len(s.list) == before && certain {
			d.errorAt(positions[i], "", "the exclude %q matches no combination that is left", p)
		}
	}
}

// include adds platforms that are written out.
func (d *decoder) include(s *platformSet, n *yaml.Node, what, hint string) {
	texts, nodes, _ := d.texts(n, what, hint)
	for i, text := range texts {
		pos := d.pos(nodes[i])
		pl, err := ParsePlatform(text)
		if err != nil && slices.Contains(variantOptions, text) {
			err = fault.Errorf(fmt.Sprintf(`a variant with a comma needs quotes: "linux/arm/7,%s"`, text), "bad platform %q", text)
		}
		if err == nil {
			err = s.add(pl, pos)
		}
		if err != nil {
			d.err(pos, err)
		}
	}
}

// Unknown is what the file says of those of p's platforms that a toolchain does not
// know: skip are left out, as `unknown: skip` has it, and the others are wrong, for
// which the error is one for each place that has to be changed.
func (p *Profile) Unknown(unknown []Platform, toolchain string) (skip []Platform, wrong Problems) {
	set := p.resolved
	var combined, written []Platform
	for _, pl := range unknown {
		switch {
		case set == nil || !set.product[pl]:
			written = append(written, pl)
		case set.skip:
			skip = append(skip, pl)
		default:
			combined = append(combined, pl)
		}
	}
	if len(combined) > 0 {
		excludes := append(slices.Clone(set.excludes), pairs(combined)...)
		wrong = append(wrong, p.file.Problem(set.at, fmt.Sprintf("%s cannot build for %s", toolchain, strings.Join(pairs(combined), ", ")),
			"say unknown: skip in platforms, or leave them out yourself:\nexclude: "+listYAML(excludes)))
	}
	for _, pl := range written {
		wrong = append(wrong, p.file.Problem(p.Pos(pl, "platforms"), fmt.Sprintf("%s cannot build for %s", toolchain, pl),
			"`go tool dist list` of that toolchain prints what it can build for"))
	}
	return skip, wrong
}

// pairs are the systems and architectures of platforms, each once.
func pairs(platforms []Platform) (list []string) {
	for _, pl := range platforms {
		if pair := pl.OS + "/" + pl.Arch; !slices.Contains(list, pair) {
			list = append(list, pair)
		}
	}
	return list
}
