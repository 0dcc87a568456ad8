package goflags

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// form is a check by a regular expression of the whole value.
func form(expr string) func(string) error {
	re := regexp.MustCompile(`^(?:` + expr + `)$`)
	return func(value string) error {
		if !re.MatchString(value) {
			return fmt.Errorf("not of the form %s", expr)
		}
		return nil
	}
}

// The tables of flags that anybody may set: those of go1.18 to go1.26 that name
// no program and no file to read or write. Their kinds are the same in all of
// these releases, or the flag is not there, and the tool ends with an error.
var (
	compilerTable = map[string]row{
		"B": {kind: count}, "C": {kind: count}, "N": {kind: count}, "S": {kind: count},
		"e": {kind: count}, "l": {kind: count}, "m": {kind: count}, "w": {kind: count},
		"c":       {kind: text, check: form(`[1-9][0-9]?`)},
		"d":       {kind: text, check: checkDebug},
		"dwarf":   {kind: boolean},
		"lang":    {kind: text, check: form(`go1\.[0-9]{1,3}`)},
		"spectre": {kind: text, check: form(`(all|index|ret)(,(all|index|ret))*`)},
		"wb":      {kind: boolean}, "smallframes": {kind: boolean},
		"dwarfbasentries": {kind: boolean}, "dwarflocationlists": {kind: boolean},
	}
	assemblerTable = map[string]row{
		"S": {kind: count}, "e": {kind: boolean},
		"D":       {kind: text, check: form(`[A-Za-z_][A-Za-z0-9_]*(=[A-Za-z0-9_.+-]*)?`)},
		"spectre": {kind: text, check: form(`(all|ret)(,(all|ret))*`)},
	}
	linkerTable = map[string]row{
		"s": {kind: boolean}, "w": {kind: boolean}, "d": {kind: boolean}, "f": {kind: boolean}, "g": {kind: boolean},
		"aslr": {kind: boolean}, "bindnow": {kind: boolean}, "checklinkname": {kind: boolean}, "compressdwarf": {kind: boolean},
		"v":          {kind: count},
		"X":          {kind: text, check: checkX},
		"B":          {kind: text, check: form(`0x[0-9A-Fa-f]+|gobuildid|none`)},
		"H":          {kind: text, check: form(`[a-z0-9]+`)},
		"E":          {kind: text, check: form(`[A-Za-z0-9_./]+`)},
		"T":          {kind: text, check: form(`(0x)?[0-9A-Fa-f]{1,16}`)},
		"R":          {kind: text, check: form(`(0x)?[0-9A-Fa-f]{1,16}`)},
		"k":          {kind: text, check: form(`[A-Za-z0-9_./]+`)},
		"buildid":    {kind: text, check: form(`[A-Za-z0-9_./+=-]*`)},
		"extldflags": {kind: text, check: checkExternal},
		"funcalign":  {kind: text, check: form(`[0-9]{1,4}`)},
		"linkmode":   {kind: text, check: form(`auto|internal|external`)},
		"randlayout": {kind: text, check: form(`[0-9]{1,18}`)},
		// These two are written into the program; the linker opens neither.
		"I": {kind: text, check: form(`[A-Za-z0-9_./+-]*`)},
		"r": {kind: text, check: form(`[A-Za-z0-9_./+$:-]*`)},
	}
)

func (t Tool) table() map[string]row {
	switch t {
	case Compiler:
		return compilerTable
	case Assembler:
		return assemblerTable
	case Linker:
		return linkerTable
	}
	return nil
}

// checkX wants importpath.name=value.
func checkX(value string) error {
	name, _, ok := strings.Cut(value, "=")
	if !ok || name == "" || strings.HasPrefix(name, "-") {
		return errors.New("not importpath.name=value")
	}
	return nil
}

// debugSettings are those of the compiler's -d that are numbers and say how to
// compile. The others print, or write files of their own: ssa/PASS/dump,
// dumpinlfuncprops.
var debugSettings = []string{
	"alignhot", "checkptr", "compressinstructions", "disablenil", "inlfuncswithclosures", "inlstaticinit", "libfuzzer", "loopvar", "maxshapelen",
	"mergelocals", "noopendefer", "panic", "pgodevirtualize", "pgoinline", "rangefunccheck", "softfloat", "typecheckinl", "zerocopy",
}

// checkDebug reads name=number or name, several separated by commas
// (cmd/internal/objabi.(*DebugFlag).Set).
func checkDebug(value string) error {
	for setting := range strings.SplitSeq(value, ",") {
		name, number, ok := strings.Cut(setting, "=")
		if !slices.Contains(debugSettings, name) {
			return fmt.Errorf("the debug setting %q is none of %s", name, strings.Join(debugSettings, ", "))
		}
		if _, err := strconv.ParseInt(number, 10, 32); ok && err != nil {
			return fmt.Errorf("%s=%s: not a number", name, number)
		}
	}
	return nil
}

// checkExternal splits -extldflags as the linker does, at its separators.
func checkExternal(value string) error {
	if !plain(value) || strings.ContainsAny(value, `'"`) {
		return errors.New("a quote or a character that is not of ASCII")
	}
	return eachWord(value, func(w string) error {
		if !externalForm.MatchString(w) {
			return fmt.Errorf("%q is none of the flags known to name no program and no file", w)
		}
		return nil
	})
}

// external is what releases pass to the C linker.
const external = `-static|-static-pie|-static-libgcc|-static-libstdc\+\+|-pie|-no-pie|-pthread|-s|` +
	`-Wl(?:,-z,(?:relro|now|noexecstack|nodelete|text|separate-code))+|-Wl,--build-id=none|-Wl,-O[0-9]|` +
	`-Wl,--(?:no-)?as-needed|-Wl,--hash-style=(?:sysv|gnu|both)|-Wl,--gc-sections|-Wl,-s`

var externalForm = regexp.MustCompile(`^(?:` + external + `)$`)

func eachWord(value string, check func(string) error) error {
	words, err := Split(value)
	var errs []error
	for _, w := range words {
		errs = append(errs, check(w))
	}
	return errors.Join(append(errs, err)...)
}
