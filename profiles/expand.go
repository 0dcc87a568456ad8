package profiles

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// expandError is a template that has no value for some commit, or a bad one.
type expandError struct {
	Key string // as in [Value], such as name or ldflags.set.main.version
	Err error
}

func (e *expandError) Error() string { return e.Key + ": " + e.Err.Error() }

// Unwrap returns Err, which may have a hint.
func (e *expandError) Unwrap() error { return e.Err }

// Expand returns s with every template replaced by its value for v, but for those
// of names ([Settings.Names]); s stays as it is. The values of Env are expanded
// first and are .Env for the others.
// All errors are reported, each an [expandError]; [Profile.Expand] adds their
// positions.
func (s Settings) Expand(v Vars) (Settings, error) {
	out := s
	out.Env, out.Set, out.LDFlags, out.Files = maps.Clone(s.Env), maps.Clone(s.Set), slices.Clone(s.LDFlags), slices.Clone(s.Files)
	var errs []error
	expand := func(key, text string, vars Vars, check func(string) error) string {
		value, err := expandText(text, &vars)
		if err == nil {
			err = check(value)
		}
		if err != nil {
			errs = append(errs, &expandError{key, err})
		}
		return value
	}
	v.Env = nil
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		out.Env[name] = expand("env."+name, s.Env[name], v, checkEnvValue)
	}
	v.Env = out.Env
	for _, name := range slices.Sorted(maps.Keys(s.Set)) {
		out.Set[name] = expand("ldflags.set."+name, s.Set[name], v, checkQuotable)
	}
	for i, flag := range s.LDFlags {
		out.LDFlags[i] = expand(fmt.Sprintf("ldflags.extra[%d]", i), flag, v, checkQuotable)
	}
	v = v.forNames(out.Env)
	for i, f := range s.Files {
		if f.Dst != "" {
			out.Files[i].Dst = expand(fmt.Sprintf("files[%d].dst", i), f.Dst, v, checkDst)
		}
	}
	if len(errs) > 0 {
		return Settings{}, errors.Join(errs...)
	}
	return out, nil
}

// Expand resolves and expands the settings of p on pl. Project, Profile, OS,
// Arch and Variant of v are filled in. The error is [Problems].
func (p *Profile) Expand(pl Platform, v Vars) (Settings, error) {
	s, err := p.Settings(pl).Expand(p.vars(pl, v))
	if err != nil {
		return Settings{}, p.located(pl, err)
	}
	return s, nil
}

// located gives the errors of templates their positions.
func (p *Profile) located(pl Platform, err error) error {
	var problems Problems
	for _, e := range fault.Leaves(err) {
		key := ""
		if ee, ok := errors.AsType[*expandError](e); ok {
			key = ee.Key
		}
		problems = append(problems, p.file.Problem(p.Pos(pl, key), fmt.Sprintf("%s: %s: %v", p.Name, pl, e), fault.Hint(e)))
	}
	return problems.tidy()
}

// CheckName reports whether an artifact's name, without its extension, can be
// a file's name on every system and does not stand for another file of the
// release.
func CheckName(s string) error {
	const hint = "use letters, digits and any of . _ - + ~ @ ="
	switch {
	case s == "":
		return errors.New("the name is empty")
	case len(s) > 200:
		return fmt.Errorf("the name has %d bytes, more than 200", len(s))
	case s[0] == '.' || s[0] == '-':
		return fmt.Errorf("the name %q begins with %q", s, s[0])
	case strings.HasSuffix(s, "."):
		return fault.Errorf("Windows drops it", "the name %q ends with a dot", s)
	}
	for _, r := range s {
		if !isAlnum(r) && !strings.ContainsRune("._-+~@=", r) {
			return fault.Errorf(hint, "the name %q contains %q", s, r)
		}
	}
	if fact.KindOf(s) != fact.Unknown {
		return fault.Errorf("give it another name", "the name %q is that of another file of the release", s)
	}
	if device(s) {
		return fmt.Errorf("the name %q is a device on Windows", s)
	}
	return nil
}

// device reports whether Windows takes a file's name for that of a device.
func device(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	base = strings.TrimRight(base, " ")
	return slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}, base) ||
		len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) && base[3] >= '0' && base[3] <= '9'
}

// CheckPath reports whether s can be the path of a file or directory in an archive,
// whichever system unpacks it: parts that are names everywhere, with slashes
// between them, none of which leads out or is empty. what says what it is.
func CheckPath(what, s string) error {
	const hint = "write a relative path such as bin/tool"
	switch {
	case s == "":
		return fault.Errorf(hint, "%s is empty", what)
	case len(s) > 400:
		return fmt.Errorf("%s has %d bytes, more than 400", what, len(s))
	case strings.Contains(s, `\`):
		return fault.Errorf("write / between the parts of a path, on every system", "%s %q contains a backslash", what, s)
	case s[0] == '/' || len(s) > 1 && s[1] == ':':
		return fault.Errorf(hint, "%s %q is absolute", what, s)
	case s[0] == '-':
		return fault.Errorf(hint, "%s %q looks like a flag", what, s)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || strings.ContainsRune(`:<>"|?*`, r) {
			return fault.Errorf("use letters, digits and any of . _ - + ~ @ =", "%s %q contains %q", what, s, r)
		}
	}
	for _, e := range strings.Split(s, "/") {
		switch {
		case e == "..":
			return fault.Errorf(hint, "%s %q leads out of the archive", what, s)
		case e == "" || e == ".":
			return fault.Errorf(hint, "%s %q has a part that is no name, %q", what, s, e)
		case strings.HasSuffix(e, ".") || strings.HasSuffix(e, " "):
			return fault.Errorf("Windows drops it", "%s %q: %q ends with a dot or a blank", what, s, e)
		case device(e):
			return fmt.Errorf("%s %q: %s is a device on Windows", what, s, e)
		}
	}
	return nil
}

func isAlnum(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// checkQuotable refuses what cannot stand in -ldflags.
func checkQuotable(s string) error {
	if strings.Contains(s, `'`) && strings.Contains(s, `"`) {
		return fault.Errorf("the go command has no way to quote both", "the value contains both single and double quotes")
	}
	return checkEnvValue(s)
}

// checkEnvValue refuses control characters.
func checkEnvValue(s string) error {
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return fault.Errorf("write it in one line, in quotes", "the value contains the control character %q", r)
		}
	}
	return nil
}
