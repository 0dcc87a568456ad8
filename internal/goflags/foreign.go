package goflags

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Flag is a flag of go build that a stranger chose and that can neither run a
// program, nor read or write a file of his choosing. Only [ForeignFlag] makes one.
type Flag struct {
	name, value string
	bare        bool // -name, without a value
	pattern     string
	args        []Arg
	canonical   bool
}

// maxValue bounds the value of a flag or variable, in bytes. An argument of a
// process may have 128 KiB on Linux.
const maxValue = 64 << 10

// ForeignFlag reads -name or -name=value. Its error says what is not known to be
// harmless in it.
func ForeignFlag(flag string) (Flag, error) {
	var f Flag
	var ok bool
	f.name, f.value, ok = strings.Cut(flag, "=")
	f.bare, f.canonical = !ok, true
	if len(f.value) > maxValue {
		return Flag{}, fmt.Errorf("%s: the value has %d bytes, more than %d", f.name, len(f.value), maxValue)
	}
	var err error
	switch f.name {
	case "-trimpath":
		if ok {
			err = errors.New("write -trimpath")
		}
	case "-buildvcs":
		err = f.oneOf("true", "false")
	case "-race", "-msan", "-asan", "-cover":
		if ok {
			err = f.oneOf("true")
		}
	case "-mod":
		err = f.oneOf("vendor", "mod", "readonly")
	case "-buildmode":
		// Not shared, which installs into the toolchain.
		err = f.oneOf("exe", "pie", "default", "c-archive", "c-shared", "plugin")
	case "-tags":
		if !tagsForm.MatchString(f.value) {
			err = errors.New("not a list of tags")
		}
	case "-pgo":
		if f.bare || f.value != "off" && f.value != "auto" && !localFile(f.value) {
			err = errors.New("neither off, nor auto, nor a file of the source")
		}
	case "-gcflags":
		err = f.perPackage(Compiler)
	case "-asmflags":
		err = f.perPackage(Assembler)
	case "-ldflags":
		err = f.perPackage(Linker)
	default:
		err = errors.New("not a flag that is known to name no program and no file")
	}
	if err != nil {
		return Flag{}, fmt.Errorf("%s: %w", f.name, err)
	}
	return f, nil
}

var (
	tagsForm    = regexp.MustCompile(`^[\pL\pN_.]+(,[\pL\pN_.]+)*$`)
	patternForm = regexp.MustCompile(`^[A-Za-z0-9._][A-Za-z0-9._~/+-]*$`)
)

func (f *Flag) oneOf(values ...string) error {
	if f.bare || !slices.Contains(values, f.value) {
		return fmt.Errorf("%q is none of %s", f.value, strings.Join(values, ", "))
	}
	return nil
}

// perPackage takes the value apart and writes it anew from the parts. What was
// written otherwise is kept only where every reader must find the same parts in
// it: the go command hashes or records some values as they are written.
func (f *Flag) perPackage(tool Tool) error {
	if f.bare {
		return errors.New("it lacks its value")
	}
	p, err := ParsePerPackage(f.value)
	if err != nil {
		return err
	}
	if p.Pattern != "" && !patternForm.MatchString(p.Pattern) {
		return fmt.Errorf("the pattern %q is none of packages", p.Pattern)
	}
	if f.args, err = tool.Parse(p.Words); err != nil {
		return err
	}
	f.pattern = p.Pattern
	written := PerPackage{Pattern: p.Pattern}
	for _, a := range f.args {
		written.Words = append(written.Words, a.words()...)
	}
	text, err := written.Text()
	if err != nil {
		return err
	}
	if f.canonical = text == f.value; !f.canonical && (!plain(f.value) || !written.equal(p)) {
		return fmt.Errorf("%q is not plain ASCII, and not in the form %q", f.value, text)
	}
	return nil
}

// localFile reports whether s is a path below the directory it is looked up in,
// in one spelling, on every system.
func localFile(s string) bool {
	return s != "" && s == path.Clean(s) && plain(s) && !strings.ContainsAny(s, separators+`\:'"`) &&
		s != "." && s != ".." && !strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "../") && !strings.HasPrefix(s, "-")
}

// String is the flag as the go command is given it.
func (f Flag) String() string {
	if f.bare {
		return f.name
	}
	return f.name + "=" + f.value
}

// Name is the flag's name, with "-".
func (f Flag) Name() string { return f.name }

// Value is what follows "=".
func (f Flag) Value() string { return f.value }

// Canonical reports whether the flag is in the one spelling of its parts.
func (f Flag) Canonical() bool { return f.canonical }

// Words are what the tool is given, of -gcflags, -asmflags or -ldflags.
func (f Flag) Words() []string {
	var words []string
	for _, a := range f.args {
		words = append(words, a.words()...)
	}
	return words
}

// LinkerFlags is the flag that hands these words to the linker.
func LinkerFlags(words []string) (Flag, error) {
	text, err := PerPackage{Words: words}.Text()
	if err != nil {
		return Flag{}, err
	}
	return ForeignFlag("-ldflags=" + text)
}

// Strings are flags as the go command is given them.
func Strings(flags []Flag) []string {
	var out []string
	for _, f := range flags {
		out = append(out, f.String())
	}
	return out
}
