package bindiff

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Passes about what the linker alone decides: how a program is loaded, with
// which libraries, where its parts lie. A distribution links the same compiled
// packages with other flags than the project does.

// linkDiff is how the links of both files differ.
type linkDiff struct {
	facts   map[gobin.LinkKind][]string // evidence
	aligned [2]uint64                   // of the functions of Go in both files; 0 when unknown
	order   int                         // functions of the standard library in another order within their package
}

// none reports whether nothing of the link differs.
func (l *linkDiff) none() bool { return len(l.facts) == 0 }

// link compares what the linkers decided, once for all passes; nil when it
// follows from what the files record: another toolchain, platform or build mode.
func (p *pair) link() *linkDiff {
	if p.linkDone {
		return p.linkDiff
	}
	p.linkDone = true
	if p.a.r == nil || p.b.r == nil || p.a.file.Format != p.b.file.Format || p.a.file.Packed != "" || p.b.file.Packed != "" || p.compiledDifferently() {
		return nil
	}
	a, errA := p.a.file.LinkFacts()
	b, errB := p.b.file.LinkFacts()
	for i, err := range []error{errA, errB} {
		if err != nil {
			p.note([]*side{p.a, p.b}[i], err)
		}
	}
	if errA != nil || errB != nil {
		return nil
	}
	d := &linkDiff{facts: map[gobin.LinkKind][]string{}}
	value := func(list []gobin.LinkFact, name string) string {
		for _, f := range list {
			if f.Name == name {
				return f.Value
			}
		}
		return ""
	}
	seen := map[string]bool{}
	for _, f := range slices.Concat(a, b) {
		x, y := value(a, f.Name), value(b, f.Name)
		if seen[f.Name] || x == y || p.derived(f.Name) {
			continue
		}
		seen[f.Name] = true
		d.facts[f.Kind] = append(d.facts[f.Kind], change(f.Name, x, y))
	}
	p.places(d)
	p.linkDiff = d
	return d
}

// derived reports whether a fact follows from something that has a cause of its own.
func (p *pair) derived(name string) bool {
	return (name == "GNU build ID" || name == "UUID") && (p.a.file.BuildID == "") != (p.b.file.BuildID == "")
}

// places compares where the linker has put functions.
func (p *pair) places(d *linkDiff) {
	c := p.code()
	if c == nil {
		return
	}
	d.aligned, d.order = c.aligned, c.reordered
	if x, y := d.aligned[0], d.aligned[1]; x != y && x != 0 && y != 0 {
		d.facts[gobin.LinkLayout] = append(d.facts[gobin.LinkLayout], change("alignment of functions", fmt.Sprint(x), fmt.Sprint(y)))
	}
	if d.order > 0 {
		d.facts[gobin.LinkLayout] = append(d.facts[gobin.LinkLayout], fmt.Sprintf("%d functions of the standard library come in another order within their packages", d.order))
	}
}

// alignment is the largest power of two that divides all these addresses.
func alignment(or uint64) uint64 {
	if or == 0 {
		return 0
	}
	return 1 << bits.TrailingZeros64(or)
}

const remedyLink = "link with the same flags: -ldflags, -extldflags within them, CGO_LDFLAGS, and what the C compiler of a distribution adds by itself"

// linked makes the pass for facts of some kinds. It is certain that they differ
// by the link while all code is the same. What asks the link for it may be the
// source (#cgo LDFLAGS).
func linked(remedy string, kinds ...gobin.LinkKind) func(*pair) []finding {
	return func(p *pair) []finding {
		l := p.link()
		if l == nil {
			return nil
		}
		other := len(l.facts[gobin.LinkLinker]) > 0
		if other != slices.Contains(kinds, gobin.LinkLinker) {
			return nil // all of it follows from another linker
		}
		var evidence []string
		for _, k := range kinds {
			evidence = append(evidence, l.facts[k]...)
		}
		if evidence == nil {
			return nil
		}
		c := fact.Possible
		if d := p.code(); other || d != nil && len(d.packages) == 0 && d.used == 0 {
			c = fact.Certain
			if !p.known.Source && p.cgo() {
				// Neither changes a function of Go.
				evidence = append(evidence, "in a program with C code, #cgo LDFLAGS in the source or its first file with C code can be what asks for it")
			}
		}
		return oneFinding(c, 0, remedy, shorten(evidence)...)
	}
}

// dwarfCompression: -compressdwarf, by the headers of the sections.
func dwarfCompression(p *pair) []finding {
	if p.link() == nil {
		return nil
	}
	var packed [2]bool
	for i, s := range []*side{p.a, p.b} {
		found := false
		for _, sec := range s.file.Sections {
			if sec.Kind != gobin.KindDebug || sec.Nested || !strings.Contains(sec.Name, "debug_info") {
				continue
			}
			found = true
			skip, err := s.compressed(sec)
			if err != nil {
				p.note(s, err)
				return nil
			}
			packed[i] = packed[i] || skip > 0
		}
		if !found {
			return nil
		}
	}
	if packed[0] == packed[1] {
		return nil
	}
	word := func(b bool) string {
		if b {
			return "compressed"
		}
		return "not compressed"
	}
	var n int64
	for _, s := range p.diff.Sections {
		if s.Kind == gobin.KindDebug {
			n += s.Bytes
		}
	}
	return oneFinding(fact.Certain, n, "use one value of -compressdwarf, or leave DWARF out (-w)", change("DWARF", word(packed[0]), word(packed[1])))
}

// linkFlags: flags of the linker that are recorded, or the build ID says that
// something of the link differs and nothing else tells what.
func linkFlags(p *pair) []finding {
	if a, b, _, ok := p.recordedLdflags(); ok {
		if slices.Equal(a.rest, b.rest) {
			return nil
		}
		return stated(fact.Certain, 0, remedyLink, change("flags of the linker in -ldflags", strings.Join(a.rest, " "), strings.Join(b.rest, " ")))
	}
	l := p.link()
	if l == nil || !l.none() || !p.parts("linkAction", "linkContent") || len(p.diff.BuildInfo) > 0 || p.debugDiffers() || len(ldflagsText(p)) > 0 || dwarfCompression(p) != nil {
		return nil
	}
	if c := p.code(); c != nil && (len(c.packages) > 0 || c.used > 0) {
		return nil
	}
	if _, only := p.only(gobin.KindBuildID, gobin.KindSignature, gobin.KindHeader); only {
		return nil
	}
	return oneFinding(fact.Possible, 0, remedyLink+"; and compare the packages that main does not import itself",
		"build ID differs in linkAction and linkContent alone: package main was compiled from the same inputs"+meaningLink)
}

const meaningLink = ", so flags of the link differ, or data of a package that main does not import itself"
