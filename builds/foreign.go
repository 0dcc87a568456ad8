package builds

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
)

// CheckForeign reports what in a plan of somebody else could make this machine
// run or overwrite something of their choosing. The go command runs nothing of
// a source it builds (https://go.dev/security/policy), but flags and variables
// can name any program. So only those pass that are known to be harmless; the
// list is one of what may be there, not of what may not.
//
// It also refuses a plan whose environment is not this version's.
func (p *Plan) CheckForeign() error {
	var errs []error
	refuse := func(u *Unit, format string, args ...any) {
		errs = append(errs, &toolchain.Error{
			Err: fmt.Errorf("%s: %s", u.ID(), fmt.Sprintf(format, args...)),
			Tip: "a stranger's plan is built only with settings that cannot run a program of their choice; if you trust this one, build its source with its profile file: mintmark release -dir=DIR",
		})
	}
	if !slices.Equal(p.Env, CommonEnv()) {
		errs = append(errs, &toolchain.Error{
			Err: errors.New("the plan was made for another build environment than this mintmark's"),
			Tip: "use the version of mintmark that release.json names under builder",
		})
	}
	if p.Snapshot {
		errs = append(errs, errors.New("the plan is that of a snapshot: what was built is in no commit"))
	}
	for _, u := range p.Units {
		for _, f := range u.Flags {
			if !HarmlessFlag(f) {
				refuse(u, "flag %q", f)
			}
		}
		for _, kv := range u.Env {
			if !HarmlessVariable(kv) {
				refuse(u, "variable %q", kv)
			}
		}
		for _, m := range u.Mains {
			if !packageForm.MatchString(m.Package) || !fileForm.MatchString(m.Binary) {
				refuse(u, "main package %q, binary %q", m.Package, m.Binary)
			}
		}
		if !fileForm.MatchString(u.Name) {
			refuse(u, "name %q", u.Name)
		}
		for _, f := range u.UPX {
			if !upxFlagForm.MatchString(f) { // the room that runs UPX has a list
				refuse(u, "UPX flag %q", f)
			}
		}
		files := slices.Clone(u.Files)
		for _, g := range u.PGO {
			files = append(files, g.Path)
		}
		for _, name := range files {
			if !filepath.IsLocal(filepath.FromSlash(name)) {
				refuse(u, "file %q", name)
			}
		}
	}
	return errors.Join(errs...)
}

var (
	packageForm = regexp.MustCompile(`^[A-Za-z0-9._][A-Za-z0-9._~/+-]*$`)
	upxFlagForm = regexp.MustCompile(`^-[A-Za-z0-9=-]+$`)
	fileForm    = regexp.MustCompile(`^[A-Za-z0-9_+.][A-Za-z0-9_+.~-]*$`)
	// A C compiler by its usual name, to be found on PATH.
	compilerForm = regexp.MustCompile(`^[a-z0-9_.]*([a-z0-9_]+-)*(cc|c\+\+|gcc|g\+\+|clang|clang\+\+)(-[0-9.]+)?$`)
	libraryForm  = regexp.MustCompile(`^(-l[A-Za-z0-9_+.-]+|-static|-s)$`)
	modeForm     = regexp.MustCompile(`^[a-z-]+$`)
	cFlagForm    = regexp.MustCompile(`^(-O[0-3sz]?|-g[0-3]?|-[DU][A-Za-z_][A-Za-z0-9_]*(=[A-Za-z0-9_.]*)?|-m[a-z0-9]+(=[a-z0-9+._-]+)?|-f(no-)?[a-z-]+|-std=[a-z0-9+]+)$`)
)

// Flags of the compiler, the assembler and the linker that name no program and
// no file to read or write.
var (
	compilerFlags = []string{"-B", "-C", "-N", "-S", "-c", "-d", "-dwarf", "-dwarfbasentries", "-dwarflocationlists", "-e", "-l", "-lang", "-m", "-smallframes", "-spectre", "-w", "-wb"}
	linkerFlags   = []string{"-B", "-E", "-H", "-I", "-R", "-T", "-X", "-aslr", "-bindnow", "-buildid", "-checklinkname", "-compressdwarf", "-d", "-f", "-funcalign", "-g", "-k", "-linkmode", "-r", "-randlayout", "-s", "-v", "-w"}
	// What releases pass to the C linker; it names no file either.
	externalFlags = []string{"", "-static", "-static-pie"}
)

// HarmlessFlag reports whether a flag of go build, -name or -name=value, can
// neither name a program to run nor a file to write.
func HarmlessFlag(f string) bool {
	name, value, _ := strings.Cut(f, "=")
	switch name {
	case "-trimpath":
		return value == "" || value == "true"
	case "-buildvcs":
		return value == "true" || value == "false"
	case "-mod":
		return value == "vendor" || value == "mod" || value == "readonly"
	case "-tags":
		return true
	case "-race", "-msan", "-asan", "-cover":
		return value == "" || value == "true"
	case "-buildmode":
		return modeForm.MatchString(value)
	case "-pgo":
		return value == "off" || value == "auto" || filepath.IsLocal(filepath.FromSlash(value))
	case "-gcflags", "-asmflags":
		if !strings.HasPrefix(value, "-") { // PATTERN=-flag
			_, value, _ = strings.Cut(value, "=")
		}
		return harmlessArguments(value, append(slices.Clone(compilerFlags), "-D"))
	case "-ldflags":
		return harmlessArguments(value, linkerFlags)
	}
	return false
}

// harmlessArguments splits a value as cmd/go does (cmd/internal/quoted). What
// is no flag must be the value of the flag before it.
func harmlessArguments(value string, allowed []string) bool {
	wantsValue, wantsExternal := false, false
	for value = strings.TrimLeft(value, " \t\r\n"); value != ""; value = strings.TrimLeft(value, " \t\r\n") {
		var word string
		if q := value[0]; q == '\'' || q == '"' {
			end := strings.IndexByte(value[1:], q)
			if end < 0 {
				return false
			}
			word, value = value[1:1+end], value[end+2:]
		} else if i := strings.IndexAny(value, " \t\r\n"); i >= 0 {
			word, value = value[:i], value[i:]
		} else {
			word, value = value, ""
		}
		if wantsExternal {
			if !slices.Contains(externalFlags, word) {
				return false
			}
			wantsExternal = false
			continue
		}
		if wantsValue && !strings.HasPrefix(word, "-") {
			wantsValue = false
			continue
		}
		name, flags, has := strings.Cut(word, "=")
		name = "-" + strings.TrimLeft(name, "-")
		if name == "-extldflags" && slices.Contains(allowed, "-linkmode") {
			if has && !slices.Contains(externalFlags, flags) {
				return false
			}
			wantsValue, wantsExternal = false, !has
			continue
		}
		if !strings.HasPrefix(word, "-") || !slices.Contains(allowed, name) {
			return false
		}
		wantsValue = !has
	}
	return !wantsExternal
}

// HarmlessVariable is [HarmlessFlag] for a variable of a build, name=value.
func HarmlessVariable(kv string) bool {
	name, value, _ := strings.Cut(kv, "=")
	switch name {
	case "GOOS", "GOARCH", "GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM", "CGO_ENABLED", "GOEXPERIMENT", "GOFIPS140":
		return true
	case "CC", "CXX":
		return compilerForm.MatchString(value)
	case "CGO_CFLAGS", "CGO_CXXFLAGS", "CGO_CPPFLAGS":
		return !slices.ContainsFunc(strings.Fields(value), func(f string) bool { return !cFlagForm.MatchString(f) })
	case "CGO_LDFLAGS":
		return !slices.ContainsFunc(strings.Fields(value), func(f string) bool { return !cFlagForm.MatchString(f) && !libraryForm.MatchString(f) })
	}
	return false
}
