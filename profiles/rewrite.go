package profiles

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/goflags"
)

// This file writes what somebody wrote for a command line as a profile says it,
// for hints. What it writes is not refused next.

// fieldsOf are the words of a text, as the go command splits it.
func fieldsOf(s string) []string {
	words, err := goflags.Split(s)
	if err != nil {
		return strings.Fields(s) // a quote that does not end
	}
	return words
}

// takesText reports whether the linker takes the word after this flag as its value.
func takesText(flag string) bool {
	if strings.Contains(flag, "=") {
		return false
	}
	_, err := goflags.Linker.Parse([]string{flag})
	return err != nil && slices.Contains([]string{"X", "B", "H", "E", "T", "R", "k", "I", "r", "extldflags", "extld", "extar", "funcalign", "linkmode", "buildmode", "buildid", "randlayout"}, strings.TrimLeft(flag, "-"))
}

// linkerSettings takes the words of -ldflags apart into the settings of a
// profile that mean the same. A flag with a value is one element.
func linkerSettings(words []string) (strip string, set map[string]string, extra []string) {
	set = map[string]string{}
	for i := 0; i < len(words); i++ {
		name, value, hasValue := strings.Cut(words[i], "=")
		if takesText(words[i]) && i+1 < len(words) {
			i++
			value, hasValue = words[i], true
		}
		switch flag := "-" + strings.TrimLeft(name, "-"); {
		case !strings.HasPrefix(name, "-"):
			extra = append(extra, words[i])
		case flag == "-s": // the linker takes it for -w as well
			strip = StripAll
		case flag == "-w":
			strip = cmp.Or(strip, StripDebug)
		case flag == "-X":
			if variable, text, ok := strings.Cut(value, "="); ok && checkVariable(variable) == nil {
				set[variable] = text
			}
		case slices.Contains(linkerOwned, flag) || flag == "-buildmode" || flag == "-buildid":
		case hasValue:
			extra = append(extra, name+"="+value)
		default:
			extra = append(extra, name)
		}
	}
	return strip, set, extra
}

// ldflagsYAML writes the words of -ldflags as the key of a profile.
func ldflagsYAML(words []string) string {
	strip, set, extra := linkerSettings(words)
	var parts []string
	if strip != "" {
		parts = append(parts, "strip: "+strip)
	}
	if len(set) > 0 {
		var entries []string
		for _, name := range slices.Sorted(maps.Keys(set)) {
			entries = append(entries, name+": "+quoteYAML(set[name]))
		}
		parts = append(parts, "set: {"+strings.Join(entries, ", ")+"}")
	}
	if len(extra) > 0 {
		parts = append(parts, "extra: "+listYAML(extra))
	}
	return "ldflags: {" + strings.Join(parts, ", ") + "}"
}

// severalHint says how several linker flags in one text are written.
func severalHint(text string) string {
	words := fieldsOf(text)
	strip, set, extra := linkerSettings(words)
	switch {
	case strip == "" && len(set) == 0 && len(extra) == 0:
		return "leave it out"
	case strip != "" || len(set) > 0:
		return "use " + ldflagsYAML(words)
	}
	return "write " + listYAML(extra)
}

// listHint says how a text that should be a list of that key is written as one.
func listHint(key, text string) string {
	switch key {
	case "ldflags.extra":
		return severalHint(text)
	case "gcflags", "asmflags", "upx.flags":
		return "write " + listYAML(fieldsOf(text))
	}
	return "write " + listYAML(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }))
}
