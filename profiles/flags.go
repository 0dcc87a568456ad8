package profiles

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/goflags"
)

// The spelling of flags is an input of the build: cmd/go hashes -ldflags as
// written, so "-w -s" and "-s -w" make binaries with different build IDs. This
// file is the one place that spells them, and reads that spelling back.

// LinkerFlags is the value of -ldflags: -s -w or -w as Strip says, then -X for each
// entry of Set, sorted, then LDFlags in their order; "" if there is none.
// Arguments are quoted the way cmd/go splits them (goflags.Quote), and only if
// necessary. The settings must have been expanded, which also makes sure that
// all can be quoted.
func (s Settings) LinkerFlags() string {
	var args []string
	switch s.Strip {
	case StripAll:
		args = append(args, "-s", "-w")
	case StripDebug:
		args = append(args, "-w")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Set)) {
		args = append(args, "-X", name+"="+s.Set[name])
	}
	return joinQuoted(append(args, s.LDFlags...))
}

// joinQuoted joins arguments for cmd/go. Since the whole may not begin with a
// quote, and a quote inside a word does not count, an argument -flag=value
// that needs quotes is written as two: -flag 'value'.
func joinQuoted(args []string) string {
	var words []string
	for _, arg := range args {
		flag, value, ok := strings.Cut(arg, "=")
		if ok && strings.HasPrefix(arg, "-") && goflags.Quote(arg) != arg && goflags.Quote(flag) == flag {
			words = append(words, flag, goflags.Quote(value))
			continue
		}
		words = append(words, goflags.Quote(arg))
	}
	return strings.Join(words, " ")
}

// BuildFlags are the flags of `go build` for s, in one order and spelling,
// without -o, -p and the packages. goVersion is the toolchain, such as
// "go1.26.8"; "" means the newest.
//
// A flag that the toolchain does not know is left out where its absence means
// the same: -buildvcs before go1.18, -pgo=off before go1.20. An empty BuildMode
// or PGO gives no flag either: that is a plain build's default, and naming it
// (-buildmode=exe) can change the build ID.
func (s Settings) BuildFlags(goVersion string) []string {
	minor := goMinor(goVersion)
	var flags []string
	for _, f := range buildFlags() {
		for _, value := range f.spell(&s, minor) {
			if value != "" {
				value = "=" + value
			}
			flags = append(flags, f.name+value)
		}
	}
	return flags
}

// buildFlag is a flag of go build that settings decide.
type buildFlag struct {
	name  string
	spell func(s *Settings, goMinor int) []string // its values, each a flag; "" is a flag without one
	read  func(s *Settings, value string) error   // the way back
}

// buildFlags are all of them, in the order in which they are written.
func buildFlags() []buildFlag {
	when := func(given bool, value string) []string {
		if given {
			return []string{value}
		}
		return nil
	}
	return []buildFlag{
		{"-trimpath",
			func(s *Settings, _ int) []string { return when(s.Trimpath, "") },
			func(s *Settings, _ string) error { s.Trimpath = true; return nil }},
		{"-buildvcs",
			func(s *Settings, goMinor int) []string { return when(goMinor >= 18, strconv.FormatBool(s.BuildVCS)) },
			func(s *Settings, value string) error { s.BuildVCS = value == "true"; return nil }},
		{"-mod",
			func(s *Settings, _ int) []string { return when(s.Mod != "", s.Mod) },
			func(s *Settings, value string) error { s.Mod = value; return oneOf("mod", value) }},
		{"-tags",
			func(s *Settings, _ int) []string { return when(len(s.Tags) > 0, strings.Join(s.Tags, ",")) },
			(*Settings).readTags},
		{"-gcflags",
			func(s *Settings, _ int) []string { return perPackage(s.GCFlags) },
			func(s *Settings, value string) error { return readPerPackage(value, &s.GCFlags) }},
		{"-asmflags",
			func(s *Settings, _ int) []string { return perPackage(s.ASMFlags) },
			func(s *Settings, value string) error { return readPerPackage(value, &s.ASMFlags) }},
		{"-ldflags",
			func(s *Settings, _ int) []string { v := s.LinkerFlags(); return when(v != "", v) },
			(*Settings).readLinkerFlags},
		{"-pgo",
			func(s *Settings, goMinor int) []string {
				return when(s.PGO != "" && (s.PGO != "off" || goMinor >= 20), s.PGO)
			},
			(*Settings).readPGO},
		{"-buildmode",
			func(s *Settings, _ int) []string { return when(s.BuildMode != "", s.BuildMode) },
			func(s *Settings, value string) error { s.BuildMode = value; return oneOf("buildmode", value) }},
	}
}

// perPackage turns a list of compiler flags into values of -gcflags: an element
// that does not begin with "-" has the form pattern=-flag and opens a new
// value. (Of several values that match a package, cmd/go uses the last alone.)
func perPackage(list []string) []string {
	var values []string
	var args []string
	prefix := ""
	flush := func() {
		if len(args) > 0 {
			values = append(values, prefix+joinQuoted(args))
		}
		args = nil
	}
	for _, arg := range list {
		if !strings.HasPrefix(arg, "-") {
			flush()
			pattern, flag, _ := strings.Cut(arg, "=")
			prefix, arg = pattern+"=", flag
		}
		args = append(args, arg)
	}
	flush()
	return values
}

// goMinor is N of go1.N…; a large number for "" and what is not understood.
func goMinor(version string) int {
	const newest = 1 << 20
	rest, ok := strings.CutPrefix(strings.TrimPrefix(version, "go"), "1.")
	if !ok {
		return newest
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.Atoi(rest[:end])
	if err != nil {
		return newest
	}
	return n
}
