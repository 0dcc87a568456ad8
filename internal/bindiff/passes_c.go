package bindiff

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// What C code leaves in a program, and what its flags can change: the code and
// data of C, and the Go code that cgo writes or that uses constants of C.

// cgoStandard are the packages of the standard library with cgo code of their own.
var cgoStandard = []string{"runtime/cgo", "net", "os/user", "plugin", "runtime/race"}

// cgo reports whether one of the files has a package outside of the standard
// library that uses cgo, by the files it generates.
func (p *pair) cgo() bool {
	for _, s := range []*side{p.a, p.b} {
		files, err := s.sourceFiles()
		if err != nil {
			p.note(s, err)
			continue
		}
		for _, f := range files {
			if cgoWrote(f) && !slices.Contains(cgoStandard, path.Dir(f)) {
				return true
			}
		}
	}
	return false
}

// cFlags is the finding for what other flags of the C compiler and linker leave
// in files whose compilers are the same or not recorded.
func (p *pair) cFlags(remedy string) []finding {
	if p.compiledDifferently() || len(p.diff.BuildInfo) > 0 || p.code() == nil {
		return nil
	}
	if e := p.onlyC(); e != nil {
		return oneFinding(fact.Likely, 0, remedy, e...)
	}
	if len(p.diff.BuildIDParts) > 0 && !slices.Contains(p.diff.BuildIDParts, "mainAction") || !p.cgo() {
		return nil
	}
	c := p.code()
	const both = "the flags of the C compiler or linker, or the source: both can do that"
	list, std := p.ours()
	switch {
	case len(std) > 0 || c.used > 0 && len(list) == 0:
		return nil
	case len(list) == 0 && c.generated > 0:
		return oneFinding(fact.Likely, 0, remedy, fmt.Sprintf("all functions that somebody wrote are the same; %d differ in code or lines that cgo generated", c.generated), "the flags of the C compiler or linker (CGO_LDFLAGS is written into generated files), or a comment of the source that cgo reads")
	case len(list) == 0 && p.dataDiffers() && !p.goTextsDiffer():
		return oneFinding(fact.Possible, 0, remedy+", and build the same source", fmt.Sprintf("the code and the lines of all %d functions of Go are the same, and so are the texts of Go's variables; other data differs", c.functions), both)
	case len(list) > 0 && !anyMoved(list):
		evidence := []string{both, "no line of a file that somebody wrote has moved"}
		for _, x := range list {
			evidence = append(evidence, x.describe())
		}
		return oneFinding(fact.Possible, 0, remedy+", and build the same source", shorten(evidence)...)
	}
	return nil
}

func anyMoved(list []packageChange) bool {
	return slices.ContainsFunc(list, func(x packageChange) bool { return x.moved > 0 })
}

// dataDiffers reports whether data differs in a section that both have.
func (p *pair) dataDiffers() bool {
	return slices.ContainsFunc(p.diff.Sections, func(s SectionDiff) bool {
		return (s.Kind == gobin.KindROData || s.Kind == gobin.KindData) && s.OnlyIn == ""
	})
}

// onlyC gives the evidence that code outside of Go's functions differs and no
// Go function does: tables that only C compilers and their linkers write, of
// another size. At the same size they may differ in addresses alone, and where
// the links differ, these may have brought other C code.
func (p *pair) onlyC() []string {
	if l := p.link(); p.compiledDifferently() || len(p.diff.BuildInfo) > 0 || l == nil || !l.none() {
		return nil
	}
	var names []string
	for _, s := range p.diff.Sections {
		table := strings.HasPrefix(s.Name, ".eh_frame") || s.Name == "__TEXT,__eh_frame" || s.Name == "__TEXT,__unwind_info"
		if table && s.SizeA != s.SizeB {
			names = append(names, s.Name)
		}
	}
	if c := p.code(); names == nil || c == nil || len(c.packages) > 0 {
		return nil
	}
	return []string{
		fmt.Sprintf("all %d functions of Go are the same; %s has another size, which describes the code of C", p.code().functions, strings.Join(names, ", ")),
		"the flags of the C compiler, or the source in C: both name the same compiler",
	}
}
