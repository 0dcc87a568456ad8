package foreign

import (
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// Stripped is what the sections say of the linker's flags.
type Stripped struct {
	Symbols bool // there is a symbol table
	DWARF   bool
}

func strippedOf(f *gobin.File) Stripped {
	var s Stripped
	for _, sec := range f.Sections {
		switch {
		case sec.Kind == gobin.KindDebug && sec.Size > 0:
			s.DWARF = true
		case f.Format == gobin.ELF:
			// The table of dynamic symbols and the names of sections always stay.
			s.Symbols = s.Symbols || sec.Name == ".symtab"
		case f.Format == gobin.PE:
			// With -s a symbol table of a few bytes stays.
			s.Symbols = s.Symbols || sec.Kind == gobin.KindSymbols && sec.Size > 4096
		case sec.Kind == gobin.KindSymbols:
			s.Symbols = true
		}
	}
	if f.Format == gobin.MachO {
		s.Symbols = s.DWARF // with -s, imported symbols stay
	}
	return s
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

// Candidate is one spelling of the linker's flags with where it comes from.
type Candidate struct {
	Flags []string
	From  string
}

// Text is the value of -ldflags that the go command splits into these flags.
func (c Candidate) Text() string {
	var parts []string
	for _, f := range c.Flags {
		switch {
		case f != "" && !strings.ContainsAny(f, " \t\n'\""):
		case !strings.Contains(f, "'"):
			f = "'" + f + "'"
		default:
			f = `"` + f + `"`
		}
		parts = append(parts, f)
	}
	return strings.Join(parts, " ")
}

// candidates gives spellings, likely ones first, each once.
func candidates(f *gobin.File, templates []Template, v *Values) iter.Seq[Candidate] {
	return func(yield func(Candidate) bool) {
		seen := map[string]bool{}
		give := func(flags []string, from string) bool {
			key := strings.Join(flags, "\x00")
			if seen[key] {
				return true
			}
			seen[key] = true
			return yield(Candidate{slices.Clone(flags), from})
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

// split is how the go command splits -ldflags (cmd/internal/quoted.Split):
// blanks separate, a field may be quoted as a whole.
func split(s string) ([]string, bool) {
	var out []string
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			return out, true
		}
		if s[0] == '"' || s[0] == '\'' {
			end := strings.IndexByte(s[1:], s[0])
			if end < 0 {
				return nil, false
			}
			out, s = append(out, s[1:1+end]), s[2+end:]
			continue
		}
		end := strings.IndexAny(s, " \t\r\n")
		if end < 0 {
			end = len(s)
		}
		out, s = append(out, s[:end]), s[end:]
	}
}

// dateText is what -X values with a date look like. The linker ends the text of
// a variable it sets with a NUL, the compiler does not.
var dateText = regexp.MustCompile(`(20[0-9]{2}-?[01][0-9]-?[0-3][0-9](?:[T_ -]?[0-2][0-9][:-]?[0-5][0-9](?:[:-]?[0-5][0-9])?(?:Z|[+-][0-2][0-9]:?[0-5][0-9])?)?|1[5-9][0-9]{8})\x00`)
