package recovery

import (
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/goflags"
)

// Stripped is what symbol table and sections say of the linker's flags.
type Stripped struct {
	Symbols bool // there is a symbol table
	DWARF   bool
}

func strippedOf(f *gobin.File) Stripped {
	symbols, err := f.HasSymbols()
	return Stripped{Symbols: symbols || err != nil, DWARF: f.HasDWARF()} // a damaged table is one
}

// spellings of -s and -w that leave these sections, likely ones first. Since
// go1.22 -s implies -w; before, a link with -s alone kept no DWARF either.
func (s Stripped) spellings() [][]string {
	none, both, back, onlyS, onlyW := []string{}, []string{"-s", "-w"}, []string{"-w", "-s"}, []string{"-s"}, []string{"-w"}
	switch {
	case !s.Symbols && !s.DWARF:
		return [][]string{both, back, onlyS, onlyW, {"-s", "-w", "-s", "-w"}, none}
	case s.Symbols && !s.DWARF:
		return [][]string{onlyW, both, onlyS, back, none}
	case !s.Symbols:
		return [][]string{{"-s", "-w=0"}, {"-w=0", "-s"}, {"-s", "-w=false"}, onlyS, both, none}
	default:
		return [][]string{none, onlyW, both, back, onlyS}
	}
}

// extras are further flags that releases are linked with.
func extras(f *gobin.File) [][]string {
	list := [][]string{
		{}, {"-extldflags", "-static"}, {"-extldflags=-static"}, {"-buildid="}, {"-checklinkname=0"}, {"-compressdwarf=false"},
		{"-linkmode=external"}, {"-linkmode", "external"}, {"-linkmode=internal"}, {"-linkmode", "internal"},
		{"-linkmode", "external", "-extldflags", "-static"}, {"-linkmode=external", "-extldflags=-static"}, {"-d"}, {"-v"},
	}
	if f.Format == gobin.PE {
		list = slices.Insert(list, 1, []string{"-H=windowsgui"}, []string{"-H", "windowsgui"})
	}
	return list
}

// candidate is one spelling of the linker's flags with where it comes from.
type candidate struct {
	Flags []string
	From  string
	// recorded is the flag as the build information has it, whose spelling is
	// then a part of the binary.
	recorded goflags.Flag
}

// Text is the value of -ldflags that the go command splits into these flags; ""
// if there is none.
func (c candidate) Text() string {
	if c.recorded.Name() != "" {
		return c.recorded.Value()
	}
	text, err := goflags.Join(c.Flags)
	if err != nil {
		return ""
	}
	return text
}

// flag is what the go command is given; the zero Flag for no flags. It is an
// error if any of them is not known to be harmless: they may be those of a
// configuration in the source.
func (c candidate) flag() (goflags.Flag, error) {
	if c.recorded.Name() != "" || len(c.Flags) == 0 {
		return c.recorded, nil
	}
	return goflags.LinkerFlags(c.Flags)
}

// candidates gives spellings, likely ones first, each once.
func candidates(f *gobin.File, templates []template, v *Values) iter.Seq[candidate] {
	return func(yield func(candidate) bool) {
		seen := map[string]bool{}
		give := func(flags []string, from string) bool {
			key := strings.Join(flags, "\x00")
			if seen[key] {
				return true
			}
			seen[key] = true
			return yield(candidate{Flags: slices.Clone(flags), From: from})
		}
		strips := strippedOf(f).spellings()
		for _, s := range strips {
			if !give(s, "the sections") {
				return
			}
		}
		// With values that occur in the binary first, then with any: the
		// linker ignores a variable that does not exist.
		for _, present := range []bool{true, false} {
			for _, t := range templates {
				for flags := range t.expand(v, present) {
					if !give(flags, t.From) {
						return
					}
				}
			}
			for _, t := range templates {
				for flags := range t.expand(v, present) {
					bare := slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return f == "-s" || f == "-w" })
					for _, s := range strips {
						if !give(slices.Concat(s, bare), t.From) || !give(slices.Concat(bare, s), t.From) {
							return
						}
					}
				}
			}
			if present {
				for _, x := range extras(f) {
					for _, s := range strips {
						if !give(slices.Concat(s, x), "the sections and common flags") || !give(slices.Concat(x, s), "the sections and common flags") {
							return
						}
					}
				}
			}
		}
	}
}

// dateText is what -X values with a date look like. The linker ends the text of
// a variable it sets with a NUL, the compiler does not.
var dateText = regexp.MustCompile(`(20[0-9]{2}-?[01][0-9]-?[0-3][0-9](?:[T_ -]?[0-2][0-9][:-]?[0-5][0-9](?:[:-]?[0-5][0-9])?(?:Z|[+-][0-2][0-9]:?[0-5][0-9])?)?|1[5-9][0-9]{8})\x00`)
