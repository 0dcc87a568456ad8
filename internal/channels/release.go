package channels

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
)

// Release is what channels are told of.
type Release struct {
	Project string
	Version string // without v
	Time    time.Time
	Offers  []Offer
}

// Offer is a published file that has programs for one platform.
type Offer struct {
	Profile, Platform string
	File              string
	Format            string // of an archive, or [fact.NoArchive] for a program by itself
	SHA256            string // lower-case hex
	Programs          []Program
	Documents         []string // paths of the other files in an archive
}

// Program is one in an offer.
type Program struct {
	Path   string // in the archive, or the file itself
	Name   string // that people call it by, without .exe
	SHA256 string // lower-case hex
}

// placeholder stands for the digest of what is not built yet.
var placeholder = strings.Repeat("0", 64)

// Offers are what units publish. sum has the digest of an artifact of a unit, by its
// place in the unit's list; nil: nothing is built.
func Offers(units []fact.UnitShape, sum func(u fact.UnitShape, artifact fact.Expected) string) (list []Offer) {
	if sum == nil {
		sum = func(fact.UnitShape, fact.Expected) string { return placeholder }
	}
	for _, u := range units {
		if u.Mode.Library() {
			continue
		}
		all := u.Artifacts()
		for _, a := range all {
			if !a.Published || a.Stage == fact.PackageStage {
				continue // other package managers take programs and archives
			}
			o := Offer{Profile: u.Profile, Platform: u.Platform, File: a.Name, Format: a.Format, SHA256: sum(u, a)}
			platforms := []string{u.Platform}
			if len(u.Slices) > 0 {
				platforms = u.Slices // each of them starts it
			}
			if a.Stage == fact.Archived {
				for i, from := range a.From {
					name := a.Members[i]
					o.Programs = append(o.Programs, Program{name, strings.TrimSuffix(path.Base(name), u.Ext()), sum(u, all[from])})
				}
				o.Documents = a.Members[len(a.From):]
			} else {
				linked := a
				for linked.Stage != fact.Linked && linked.Stage != fact.Universal {
					linked = all[linked.From[0]]
				}
				i := slices.IndexFunc(u.Mains, func(m fact.Main) bool { return m.Package == linked.Package })
				o.Format = fact.NoArchive
				o.Programs = []Program{{a.Name, called(u.Mains[i]), o.SHA256}}
			}
			for _, o.Platform = range platforms {
				list = append(list, o)
			}
		}
	}
	return list
}

// called is what people call a program.
func called(m fact.Main) string {
	if m.Path != "" {
		return path.Base(m.Path)
	}
	return m.Binary
}

// Top is the directory that everything in an archive is in; "" if there is none.
func (o Offer) Top() string {
	top := ""
	paths := slices.Clone(o.Documents)
	for _, p := range o.Programs {
		paths = append(paths, p.Path)
	}
	for i, p := range paths {
		first, _, inside := strings.Cut(p, "/")
		if !inside || i > 0 && first != top {
			return ""
		}
		top = first
	}
	return top
}

// licenses are the documents that say under which licence the programs are.
func (o Offer) licenses() []string {
	return slices.DeleteFunc(slices.Clone(o.Documents), func(p string) bool { return !named(p, "LICENSE", "LICENCE", "COPYING", "NOTICE") })
}

// named reports whether a file's name begins so, with whatever ending.
func named(name string, words ...string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(path.Base(name)), ".")
	return slices.ContainsFunc(words, func(w string) bool { return base == w || strings.HasPrefix(base, w+"-") })
}
