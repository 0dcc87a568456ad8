package goflags

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Variable is a variable of a build that a stranger chose; see [Flag]. Only
// [ForeignVariable] makes one.
type Variable struct{ name, value string }

// String is name=value.
func (v Variable) String() string { return v.name + "=" + v.value }

// Name is the variable's name.
func (v Variable) Name() string { return v.name }

// Environ are variables as a process is given them.
func Environ(vars []Variable) []string {
	var out []string
	for _, v := range vars {
		out = append(out, v.String())
	}
	return out
}

// variables are what a stranger may set, and to what. Which platforms there are
// is not asked here.
var variables = map[string]func(string) error{
	"GOOS": form(`[a-z0-9]+`), "GOARCH": form(`[a-z0-9]+`),
	"GO386": form(variant), "GOAMD64": form(variant), "GOARM": form(variant), "GOARM64": form(variant), "GOMIPS": form(variant),
	"GOMIPS64": form(variant), "GOPPC64": form(variant), "GORISCV64": form(variant), "GOWASM": form(variant),
	"CGO_ENABLED":  form(`[01]`),
	"GOEXPERIMENT": form(`[a-z0-9]*(,[a-z0-9]+)*`),
	// cmd/go/internal/fips140 reads the file of that name in the toolchain.
	"GOFIPS140": form(`off|latest|inprocess|certified|v[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?`),
	// A C compiler by its usual name, to be found on PATH.
	"CC": form(compilerName), "CXX": form(compilerName),
	"CGO_CFLAGS": cFlags(false), "CGO_CXXFLAGS": cFlags(false), "CGO_CPPFLAGS": cFlags(false), "CGO_LDFLAGS": cFlags(true),
}

const (
	variant      = `[a-z0-9.]*(,[a-z0-9.]+)*`
	compilerName = `[a-z0-9_.]*([a-z0-9_]+-)*(cc|c\+\+|gcc|g\+\+|clang|clang\+\+)(-[0-9.]+)?`
)

// ForeignVariable reads name=value.
func ForeignVariable(kv string) (Variable, error) {
	name, value, ok := strings.Cut(kv, "=")
	check := variables[name]
	switch {
	case !ok || check == nil:
		return Variable{}, fmt.Errorf("%s: not a variable that is known to name no program and no file", name)
	case len(value) > maxValue:
		return Variable{}, fmt.Errorf("%s: the value has %d bytes, more than %d", name, len(value), maxValue)
	}
	if err := check(value); err != nil {
		return Variable{}, fmt.Errorf("%s: %w", name, err)
	}
	return Variable{name, value}, nil
}

// cFlags checks what the go command hands to a C compiler: it splits the value
// as it does other lists of words.
func cFlags(link bool) func(string) error {
	return func(value string) error {
		if !plain(value) || strings.ContainsAny(value, `'"\`) {
			return errors.New("a quote, a backslash or a character that is not of ASCII")
		}
		return eachWord(value, func(w string) error {
			if !compileForm.MatchString(w) && !(link && linkForm.MatchString(w) && !takesNext.MatchString(w)) {
				return fmt.Errorf("%q is none of the flags known to name no program and no file", w)
			}
			return nil
		})
	}
}

// Flags of GCC and Clang that are whole by themselves and name no file to read
// or write and no plugin. Many that begin like these do: -fplugin=, -fdump-…,
// -fprofile-use=, -gsplit-dwarf, -mllvm (whose value is the next word), -mmcu=
// (which reads specs). The list is a part of cmd/go/internal/work's
// (validCompilerFlags in security.go), which lets a source name files too.
var compileForm = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`-O(?:[0-3sgz]|fast)?`, `-g[0-3]?`, `-gdwarf-[2-5]`,
	`-D[A-Za-z_][A-Za-z0-9_]*(?:=[A-Za-z0-9_.+-]*)?`, `-U[A-Za-z_][A-Za-z0-9_]*`,
	`-std=[a-z0-9+]+`, `-ansi`, `-pedantic`, `-pipe`, `-pthread`, `-w`,
	`-W[a-z][a-z0-9+-]+(?:=[a-z0-9-]+)?`, `-Wp,-D_[A-Z_]+=[0-9]`, `-Wp,-U_[A-Z_]+`,
	`-m(?:32|64|arm|thumb|threads|windows)`,
	`-m(?:abi|arch|branch-protection|cmodel|cpu|float-abi|fpmath|fpu|simd|tls-dialect|tune)=[A-Za-z0-9+._,-]+`,
	`-m(?:no-)?(?:aes|avx[0-9a-z.]*|bmi2?|fma|omit-leaf-frame-pointer|popcnt|red-zone|relax|sse[0-9.]*|ssse3|strict-align)`,
	`-m(?:soft|single|double|hard)-float`, `-mmacosx-version-min=[0-9.]+`,
	`-f(?:no-)?(?:asynchronous-unwind-tables|builtin|common|data-sections|delete-null-pointer-checks|exceptions|fast-math|function-sections|` +
		`ident|inline-functions|math-errno|merge-constants|omit-frame-pointer|PIC|pic|PIE|pie|plt|semantic-interposition|stack-clash-protection|` +
		`stack-protector|stack-protector-all|stack-protector-strong|strict-aliasing|strict-overflow|trapv|tree-vectorize|unwind-tables|wrapv)`,
	`-f(?:un)?signed-char`, `-fcf-protection(?:=(?:full|branch|return|none))?`, `-fvisibility=(?:default|hidden|internal|protected)`,
	`-f(?:debug|file|macro)-prefix-map=[A-Za-z0-9_./+-]*=[A-Za-z0-9_./+-]*`, `-frandom-seed=[A-Za-z0-9]+`,
	`-grecord-gcc-switches`, `-gno-record-gcc-switches`,
}, "|") + `)$`)

// linkForm is libraries by their names, and what -extldflags may say.
var linkForm = regexp.MustCompile(`^(?:-l[A-Za-z0-9_+.-]+|-rdynamic|` + external + `)$`)

// takesNext are flags of Apple's linker that look like libraries, and load the
// file that the next word names.
var takesNext = regexp.MustCompile(`^-l(?:to_|azy)`)
