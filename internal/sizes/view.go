package sizes

import (
	"cmp"
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
)

// Revision changes with what [Analyze] and [Summarize] say of the same bytes:
// what they said before may be remembered.
const Revision = "4"

// Summary is a breakdown added up: by group, module and package, by kind, by
// function, and the embedded files. All parts add up to the size, but Functions and
// Embedded, which are parts of what the packages have.
type Summary struct {
	Schema      fact.Schema `json:"schema"`
	File        string      `json:"file"`
	Size        int64       `json:"size"`
	Packed      string      `json:"packed,omitempty"`
	PackedSize  int64       `json:"packed_size,omitempty"`
	Format      string      `json:"format"`
	Arch        string      `json:"arch"`
	GoVersion   string      `json:"go_version,omitempty"`
	VersionFrom string      `json:"go_version_from,omitempty"`
	SymbolsFrom string      `json:"symbols_from"`
	Totals      Totals      `json:"totals"`
	Reach       int64       `json:"reach"` // bytes with a package or a kind that says more than the section
	BSS         int64       `json:"bss"`   // memory without bytes in the file
	Groups      []Group     `json:"groups"`
	Kinds       []Amount    `json:"kinds"`
	Functions   []Amount    `json:"functions,omitempty"`
	Sections    []Amount    `json:"sections,omitempty"` // of a file of which no more is known
	Embedded    []Amount    `json:"embedded,omitempty"` // files of embed.FS variables, by their paths there
	Lookups     []Lookup    `json:"method_lookups,omitempty"`
	Notes       []string    `json:"notes,omitempty"`
}

// Group is the packages of one origin: own, dependency, std, cgo, none.
type Group struct {
	Name    string   `json:"name"`
	Size    int64    `json:"size"`
	Modules []Module `json:"modules"`
}

// Module is the packages of one module.
type Module struct {
	Mod
	Size     int64     `json:"size"`
	Packages []Package `json:"packages"`
}

// Package is what one package takes.
type Package struct {
	Path   string   `json:"path"`
	Size   int64    `json:"size"`
	Totals Totals   `json:"totals"`
	Kinds  []Amount `json:"kinds,omitempty"`
}

// Amount is bytes of something with a name.
type Amount struct {
	Name       string `json:"name"`
	Package    string `json:"package,omitempty"`
	Kind       string `json:"kind,omitempty"` // of a section
	Size       int64  `json:"size"`
	Confidence string `json:"confidence,omitempty"`
}

// Summarize adds a breakdown up. The parts are sorted by size, the largest first.
func Summarize(l *Breakdown) *Summary {
	s := &Summary{
		Schema: fact.SizeReport, File: l.File, Size: l.Size, Packed: l.Packed, PackedSize: l.PackedSize, Format: l.Format, Arch: l.Arch,
		GoVersion: l.GoVersion, VersionFrom: l.GoVersionFrom, SymbolsFrom: l.SymbolsFrom, Totals: l.Totals, Reach: l.Reach(), Lookups: l.Lookups, Notes: l.Notes,
	}
	for _, r := range l.BSS {
		s.BSS += r.Size
	}
	type pkgSum struct {
		totals Totals
		kinds  [numKinds]int64
	}
	pkgs := map[string]*pkgSum{}
	var kinds [numKinds]int64
	funcs, sections, embedded := map[[2]string]int64{}, map[[2]string]int64{}, map[Range]int64{}
	for _, r := range l.Ranges {
		p := pkgs[r.Package]
		if p == nil {
			p = &pkgSum{}
			pkgs[r.Package] = p
		}
		p.totals.add(r.Confidence, r.Size)
		p.kinds[r.Kind] += r.Size
		kinds[r.Kind] += r.Size
		if name := functionOf(r); name != "" {
			funcs[[2]string{r.Package, name}] += r.Size
		}
		if l.BySection && r.Package == "" {
			sections[[2]string{r.Symbol, r.Kind.String()}] += r.Size
		}
		if r.Kind == Embedded {
			embedded[Range{Package: r.Package, Symbol: r.Symbol, Confidence: r.Confidence}] += r.Size
		}
	}
	groups := map[string]map[Mod][]Package{}
	for path, p := range pkgs {
		group, mod := l.Modules.Of(path)
		if groups[group] == nil {
			groups[group] = map[Mod][]Package{}
		}
		groups[group][mod] = append(groups[group][mod], Package{Path: path, Size: p.totals.Sum(), Totals: p.totals, Kinds: kindAmounts(&p.kinds)})
	}
	for _, name := range Groups() {
		g := Group{Name: name}
		for mod, list := range groups[name] {
			m := Module{Mod: mod, Packages: list}
			for _, p := range list {
				m.Size += p.Size
			}
			slices.SortFunc(m.Packages, func(a, b Package) int {
				return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Path, b.Path))
			})
			g.Size += m.Size
			g.Modules = append(g.Modules, m)
		}
		slices.SortFunc(g.Modules, func(a, b Module) int {
			return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version))
		})
		if g.Size > 0 {
			s.Groups = append(s.Groups, g)
		}
	}
	s.Kinds = kindAmounts(&kinds)
	for k, n := range funcs {
		s.Functions = append(s.Functions, Amount{Name: k[1], Package: k[0], Size: n})
	}
	sortAmounts(s.Functions)
	for k, n := range sections {
		name := k[0]
		if name == "" {
			name = "(" + k[1] + ")"
		}
		s.Sections = append(s.Sections, Amount{Name: name, Kind: k[1], Size: n})
	}
	sortAmounts(s.Sections)
	for r, n := range embedded {
		s.Embedded = append(s.Embedded, Amount{Name: r.Symbol, Package: r.Package, Size: n, Confidence: r.Confidence.String()})
	}
	sortAmounts(s.Embedded)
	return s
}

// Names in the list of functions of what no single function has.
const (
	SeveralFunctions = "(tables of several functions)"
	SeveralPackages  = "(tables of several packages)"
)

// functionOf is the function that a range is counted for: its code, record and
// names, and its pc tables and funcdata. A table that several functions of one
// package share is counted for the package alone, and one that several packages
// share for none, as in the packages' totals. "" is no function's.
func functionOf(r Range) string {
	switch r.Kind {
	case Text, FuncRecord, FuncName:
		return r.Symbol
	case Code:
		if r.Package != "" {
			return r.Symbol
		}
	case PCTable, FuncData:
		switch {
		case r.Symbol != "":
			return r.Symbol
		case r.Package != "":
			return SeveralFunctions
		}
		return SeveralPackages
	}
	return ""
}

func kindAmounts(k *[numKinds]int64) []Amount {
	var out []Amount
	for i, n := range k {
		if n > 0 {
			out = append(out, Amount{Name: Kind(i).String(), Size: n})
		}
	}
	sortAmounts(out)
	return out
}

func sortAmounts(a []Amount) {
	slices.SortFunc(a, func(x, y Amount) int {
		return cmp.Or(cmp.Compare(y.Size, x.Size), cmp.Compare(x.Package, y.Package), cmp.Compare(x.Name, y.Name))
	})
}

// Packages are all packages of a summary, the largest first; bytes that are of
// no single package are under the path "".
func (s *Summary) Packages() []Package {
	var out []Package
	for _, g := range s.Groups {
		for _, m := range g.Modules {
			out = append(out, m.Packages...)
		}
	}
	slices.SortFunc(out, func(a, b Package) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Path, b.Path))
	})
	return out
}

// Top are the n largest packages, for saying who is to blame when a budget is
// exceeded. Bytes without a package are left out; n below 1 is all.
func Top(s *Summary, n int) []Amount {
	var out []Amount
	for _, p := range s.Packages() {
		if p.Path == "" {
			continue
		}
		if n > 0 && len(out) == n {
			break
		}
		out = append(out, Amount{Name: p.Path, Size: p.Size})
	}
	return out
}

// GroupTitle is a group of packages in words.
func GroupTitle(group string) string {
	switch group {
	case GroupOwn:
		return "own code"
	case GroupDependency:
		return "dependencies"
	case GroupStd:
		return "standard library"
	case GroupC:
		return CCode
	}
	return "no single package"
}
