package sizes

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// Causes of a change in size, as far as two binaries tell them apart.
const (
	CauseOwn        = "own code"
	CauseUpgrade    = "dependency upgrade" // the versions differ
	CauseAdded      = "dependency added"
	CauseRemoved    = "dependency removed"
	CauseDependency = "dependency unchanged" // same version: used more or less, or compiled differently
	CauseToolchain  = "toolchain"            // the standard library, when the Go versions differ
	CauseStd        = "standard library"     // when they do not: used more or less
	CauseC          = CCode
	CauseUntold     = "not told apart" // of one of the files only sections are known
	CauseShared     = "tables and shared data"
)

// Delta is what changed in size from one binary to another. The packages add
// up to the change in size, and so do the kinds and the causes.
type Delta struct {
	Schema   fact.Schema    `json:"schema"`
	Old      string         `json:"old"`
	New      string         `json:"new"`
	OldSize  int64          `json:"old_size"`
	NewSize  int64          `json:"new_size"`
	OldGo    string         `json:"old_go,omitempty"`
	NewGo    string         `json:"new_go,omitempty"`
	Causes   []Change       `json:"causes"`
	Modules  []ModuleChange `json:"modules"`
	Packages []Change       `json:"packages"`
	Kinds    []Change       `json:"kinds"`
	Notes    []string       `json:"notes,omitempty"`
}

// Change is one part before and after.
type Change struct {
	Name  string   `json:"name"`           // of the new one; of the old one if it is gone
	Was   string   `json:"was,omitempty"`  // its old name, if it was moved or renamed
	From  string   `json:"from,omitempty"` // the package that is still there, but most of this one's code probably was in
	Group string   `json:"group,omitempty"`
	Cause string   `json:"cause,omitempty"`
	Old   int64    `json:"old"`
	New   int64    `json:"new"`
	Kinds []Change `json:"kinds,omitempty"`
}

// Grown is by how much it grew.
func (c Change) Grown() int64 { return c.New - c.Old }

// ModuleChange is a module before and after; a version is "" where the module is not.
type ModuleChange struct {
	Path       string `json:"path"`
	OldVersion string `json:"old_version,omitempty"`
	NewVersion string `json:"new_version,omitempty"`
	Cause      string `json:"cause"`
	Old        int64  `json:"old"`
	New        int64  `json:"new"`
}

// side is one binary of a comparison.
type side struct {
	l     *Breakdown
	kinds map[string]*[numKinds]int64
	funcs map[string]map[string]int64 // package → function without its package → bytes
}

// newSide adds a breakdown up. With sections packages are left out: those of one file
// would be compared with nothing.
func newSide(l *Breakdown, sections bool) *side {
	s := &side{l: l, kinds: map[string]*[numKinds]int64{}, funcs: map[string]map[string]int64{}}
	for _, r := range l.Ranges {
		if sections {
			r.Package, r.Symbol = "", ""
		}
		k := s.kinds[r.Package]
		if k == nil {
			k = &[numKinds]int64{}
			s.kinds[r.Package] = k
		}
		k[r.Kind] += r.Size
		if r.Kind == Text && r.Package != "" {
			f := s.funcs[r.Package]
			if f == nil {
				f = map[string]int64{}
				s.funcs[r.Package] = f
			}
			f[local(r.Symbol, r.Package)] += r.Size
		}
	}
	return s
}

// local is a function's name without its package.
func local(symbol, pkg string) string {
	slash := strings.LastIndexByte(symbol, '/') + 1
	if i := strings.IndexByte(symbol[slash:], '.'); i >= 0 && !strings.Contains(symbol[:slash], "[") {
		return symbol[slash+i+1:]
	}
	return strings.TrimPrefix(symbol, pkg+".")
}

// Compare compares two breakdowns. Packages that were moved or renamed are
// matched, so that a move does not show as a loss and a gain.
func Compare(old, new *Breakdown) *Delta {
	d := &Delta{Schema: fact.SizeDeltaReport, Old: old.File, New: new.File, OldSize: old.Size, NewSize: new.Size, OldGo: old.GoVersion, NewGo: new.GoVersion}
	sections := old.BySection || new.BySection
	a, b := newSide(old, sections), newSide(new, sections)
	moved := matchMoves(a, b) // new → old
	parts := partFrom(a, b, moved)
	gone := map[string]bool{}
	for _, from := range moved {
		gone[from] = true
	}
	paths := map[string]bool{}
	for p := range b.kinds {
		paths[p] = true
	}
	for p := range a.kinds {
		if !gone[p] {
			paths[p] = true
		}
	}
	causes := map[string]*Change{}
	var kinds [2][numKinds]int64
	for p := range paths {
		was := p
		if from, ok := moved[p]; ok {
			was = from
		}
		ka, kb := a.kinds[was], b.kinds[p]
		c := Change{Name: p, From: parts[p]}
		if was != p {
			c.Was = was
		}
		for k := range numKinds {
			var x, y int64
			if ka != nil {
				x = ka[k]
			}
			if kb != nil {
				y = kb[k]
			}
			c.Old, c.New = c.Old+x, c.New+y
			kinds[0][k] += x
			kinds[1][k] += y
			if x != y {
				c.Kinds = append(c.Kinds, Change{Name: k.String(), Old: x, New: y})
			}
		}
		sortChanges(c.Kinds)
		c.Group, c.Cause = cause(old, new, was, p, ka != nil, kb != nil)
		if sections {
			c.Cause = CauseUntold
		}
		t := causes[c.Cause]
		if t == nil {
			t = &Change{Name: c.Cause}
			causes[c.Cause] = t
		}
		t.Old, t.New = t.Old+c.Old, t.New+c.New
		if c.Old != c.New || c.Was != "" {
			d.Packages = append(d.Packages, c)
		}
	}
	for k := range numKinds {
		if kinds[0][k] != kinds[1][k] {
			d.Kinds = append(d.Kinds, Change{Name: k.String(), Old: kinds[0][k], New: kinds[1][k]})
		}
	}
	for _, c := range causes {
		d.Causes = append(d.Causes, *c)
	}
	sortChanges(d.Causes)
	sortChanges(d.Packages)
	sortChanges(d.Kinds)
	if sections {
		d.Notes = append(d.Notes, "of one of the files only sections are known: packages and causes are not told apart, and kinds are only those of sections there")
	} else {
		d.Modules = moduleChanges(a, b)
	}
	switch {
	case sections:
	case old.GoVersion == "" || new.GoVersion == "":
		d.Notes = append(d.Notes, "which Go built them is not known of both: what another compiler made is not separated")
	case old.GoVersion != new.GoVersion:
		d.Notes = append(d.Notes, "the toolchains differ: what another compiler made of own code and of dependencies is not separated from their own changes; for that the old source has to be built with the new toolchain")
	}
	if !sections && (old.SymbolsFrom == SymbolsNone) != (new.SymbolsFrom == SymbolsNone) {
		d.Notes = append(d.Notes, "one of the files has symbols and one has none: whose a variable is was read in the one and inferred in the other, so that packages can differ by variables that neither lost nor gained")
	}
	if !sections && (!old.Modules.Known || !new.Modules.Known) {
		d.Notes = append(d.Notes, "a binary has no build information: versions of dependencies are not known, and upgrades not separated")
	}
	for _, l := range []*Breakdown{old, new} {
		for _, n := range l.Notes {
			d.Notes = append(d.Notes, l.File+": "+n)
		}
	}
	return d
}

func sortChanges(c []Change) {
	abs := func(n int64) int64 { return max(n, -n) }
	slices.SortFunc(c, func(x, y Change) int {
		return cmp.Or(cmp.Compare(abs(y.Grown()), abs(x.Grown())), cmp.Compare(x.Name, y.Name))
	})
}

// cause tells why a package changed.
func cause(old, new *Breakdown, was, now string, before, after bool) (group, why string) {
	var m Mod
	l, p := new, now
	if !after {
		l, p = old, was
	}
	group, m = l.Modules.Of(p)
	switch group {
	case GroupOwn:
		return group, CauseOwn
	case GroupStd:
		if old.GoVersion != new.GoVersion && old.GoVersion != "" && new.GoVersion != "" {
			return group, CauseToolchain
		}
		return group, CauseStd
	case GroupC:
		return group, CauseC
	case GroupNone:
		return group, CauseShared
	}
	if !old.Modules.Known || !new.Modules.Known {
		return group, CauseDependency
	}
	x, y := version(&old.Modules, m.Path), version(&new.Modules, m.Path)
	switch {
	case x == y:
		return group, CauseDependency
	case x == "":
		return group, CauseAdded
	case y == "":
		return group, CauseRemoved
	}
	return group, CauseUpgrade
}

// version is the version of a dependency, "" when there is no such.
func version(m *Modules, path string) string {
	i, ok := slices.BinarySearchFunc(m.Deps, path, func(d Mod, p string) int { return strings.Compare(d.Path, p) })
	if !ok {
		return ""
	}
	return cmp.Or(m.Deps[i].Version, "(no version)")
}

// moduleChanges are the modules whose version or size changed.
func moduleChanges(a, b *side) []ModuleChange {
	sum := func(s *side) map[string]int64 {
		out := map[string]int64{}
		for p, k := range s.kinds {
			group, m := s.l.Modules.Of(p)
			if group == GroupDependency {
				for _, n := range k {
					out[m.Path] += n
				}
			}
		}
		return out
	}
	x, y := sum(a), sum(b)
	var out []ModuleChange
	add := func(p string) {
		c := ModuleChange{Path: p, OldVersion: version(&a.l.Modules, p), NewVersion: version(&b.l.Modules, p), Old: x[p], New: y[p]}
		_, c.Cause = causeOfModule(a.l, b.l, c)
		if c.Old != c.New || c.OldVersion != c.NewVersion {
			out = append(out, c)
		}
	}
	for p := range y {
		add(p)
	}
	for p := range x {
		if _, ok := y[p]; !ok {
			add(p)
		}
	}
	slices.SortFunc(out, func(p, q ModuleChange) int {
		abs := func(c ModuleChange) int64 { return max(c.New-c.Old, c.Old-c.New) }
		return cmp.Or(cmp.Compare(abs(q), abs(p)), cmp.Compare(p.Path, q.Path))
	})
	return out
}

func causeOfModule(old, new *Breakdown, c ModuleChange) (string, string) {
	switch {
	case !old.Modules.Known || !new.Modules.Known || c.OldVersion == c.NewVersion:
		return GroupDependency, CauseDependency
	case c.OldVersion == "":
		return GroupDependency, CauseAdded
	case c.NewVersion == "":
		return GroupDependency, CauseRemoved
	}
	return GroupDependency, CauseUpgrade
}
