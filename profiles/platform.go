package profiles

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// Platform is what a binary runs on, written OS/arch or OS/arch/variant:
// linux/amd64, linux/arm/7, linux/mipsle/softfloat, linux/arm/6,softfloat.
//
// Variant is the literal value of the architecture's variable (GOAMD64, GOARM,
// GOARM64, GO386, GOMIPS, GOMIPS64, GOPPC64, GORISCV64, GOWASM). An empty
// Variant means that variable's default; see [Platform.Canonical].
//
// A Platform is comparable. Two unequal platforms may still mean the same
// build; compare their canonical forms to know.
type Platform struct {
	OS, Arch, Variant string
}

// knownOS are the GOOS values that some Go since 1.16 can build for. Which
// pairs of OS and architecture exist depends on the toolchain and is asked of
// it (`go tool dist list`), not of this list.
var knownOS = []string{
	"aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux",
	"netbsd", "openbsd", "plan9", "solaris", "wasip1", "windows",
}

// archVariants names, for each architecture, its variable and the default.
var archVariants = map[string]struct{ variable, defaultValue, want string }{
	"386":      {"GO386", "sse2", "sse2 or softfloat"},
	"amd64":    {"GOAMD64", "v1", "v1, v2, v3 or v4"},
	"arm":      {"GOARM", "7", "5, 6 or 7, optionally with ,softfloat or ,hardfloat"},
	"arm64":    {"GOARM64", "v8.0", "v8.0 to v8.9 or v9.0 to v9.5, optionally with ,lse and ,crypto"},
	"loong64":  {},
	"mips":     {"GOMIPS", "hardfloat", "hardfloat or softfloat"},
	"mips64":   {"GOMIPS64", "hardfloat", "hardfloat or softfloat"},
	"mips64le": {"GOMIPS64", "hardfloat", "hardfloat or softfloat"},
	"mipsle":   {"GOMIPS", "hardfloat", "hardfloat or softfloat"},
	"ppc64":    {"GOPPC64", "power8", "power8, power9 or power10"},
	"ppc64le":  {"GOPPC64", "power8", "power8, power9 or power10"},
	"riscv64":  {"GORISCV64", "rva20u64", "rva20u64, rva22u64 or rva23u64"},
	"s390x":    {},
	"wasm":     {"GOWASM", "", "satconv, signext, or satconv,signext"},
}

func knownArch() []string { return slices.Sorted(maps.Keys(archVariants)) }

// ParsePlatform reads one full platform. It accepts every variant of the
// architecture in the go command's own spelling and keeps that spelling.
// Whether a toolchain can build for it is not checked here.
func ParsePlatform(s string) (Platform, error) {
	p, err := parsePlatform(s)
	if err == nil {
		return p, nil
	}
	check := func(s string) error {
		_, err := parsePlatform(s)
		return err
	}
	return Platform{}, fault.Errorf(suggested(check, fault.Hint(err), platformMeant(s)...), "%v", err)
}

func parsePlatform(s string) (Platform, error) {
	parts := strings.Split(s, "/")
	switch {
	case s == "":
		return Platform{}, fault.Errorf("write OS/arch, such as linux/amd64", "empty platform")
	case slices.Contains(parts, "*"):
		return Platform{}, fault.Errorf("write OS/arch, such as linux/amd64", "%q is a pattern, want one platform", s)
	case len(parts) == 1 && slices.Contains(knownOS, s):
		return Platform{}, fault.Errorf(fmt.Sprintf("write OS/arch, such as %s/%s", s, archOf(s)), "platform %q has no architecture", s)
	case len(parts) == 1 && archKnown(s):
		return Platform{}, fault.Errorf(fmt.Sprintf("write OS/arch, such as %s/%s", osOf(s), s), "platform %q has no OS", s)
	case len(parts) < 2 || len(parts) > 3:
		return Platform{}, fault.Errorf("write OS/arch or OS/arch/variant, such as linux/arm/7", "bad platform %q", s)
	}
	if err := checkOS(parts[0]); err != nil {
		return Platform{}, err
	}
	if err := checkArch(parts[1]); err != nil {
		return Platform{}, err
	}
	p := Platform{OS: parts[0], Arch: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
		if _, err := canonicalVariant(p.Arch, p.Variant); err != nil {
			return Platform{}, err
		}
	}
	return p, nil
}

// archOf and osOf complete an example for somebody who gave the other half.
func archOf(os string) string {
	if os == "js" || os == "wasip1" {
		return "wasm"
	}
	if os == "aix" {
		return "ppc64"
	}
	return "amd64"
}

func osOf(arch string) string {
	if arch == "wasm" {
		return "wasip1"
	}
	return "linux"
}

// platformMeant are what may be meant by something that is no platform, as a whole.
func platformMeant(s string) []string {
	parts := strings.Split(strings.ToLower(strings.ReplaceAll(s, "-", "/")), "/")
	if len(parts) < 2 {
		return nil
	}
	if archKnown(parts[0]) || archMeant(parts[0]) != parts[0] && osMeant(parts[0]) == parts[0] {
		parts[0], parts[1] = parts[1], parts[0]
	}
	parts[0], parts[1] = osMeant(parts[0]), archMeant(parts[1])
	list := []string{strings.Join(parts, "/")}
	if len(parts) > 2 {
		rest := strings.Join(parts[:2], "/")
		if !strings.Contains(parts[1], "/") {
			list = nil
			for _, v := range variantsMeant(parts[2]) {
				list = append(list, rest+"/"+v)
			}
		}
		list = append(list, rest)
	}
	return list
}

// String is the platform as [ParsePlatform] reads it.
func (p Platform) String() string {
	if p.Variant == "" {
		return p.OS + "/" + p.Arch
	}
	return p.OS + "/" + p.Arch + "/" + p.Variant
}

// comparePlatforms orders platforms by OS, architecture and variant, each as text.
func comparePlatforms(a, b Platform) int {
	return cmp.Or(strings.Compare(a.OS, b.OS), strings.Compare(a.Arch, b.Arch), strings.Compare(a.Variant, b.Variant))
}

// VariantVar is the name of the variable that holds the variant, such as
// GOARM; it is empty for an architecture without one.
func (p Platform) VariantVar() string { return archVariants[p.Arch].variable }

// Env is the platform as environment: GOOS, GOARCH and the variant's variable,
// which is always explicit, since a value set by `go env -w` or by the builder
// of the toolchain would otherwise decide.
func (p Platform) Env() []string {
	env := []string{"GOOS=" + p.OS, "GOARCH=" + p.Arch}
	if name := p.VariantVar(); name != "" {
		value := p.Variant
		if value == "" {
			value = p.defaultVariant()
		}
		env = append(env, name+"="+value)
	}
	return env
}

func (p Platform) defaultVariant() string { return archVariants[p.Arch].defaultValue }

// Canonical is the one spelling of all platforms that mean the same build: the
// variant is explicit and says nothing twice. linux/amd64 becomes
// linux/amd64/v1, linux/arm/7,hardfloat becomes linux/arm/7 and
// linux/arm64/v8.1,lse becomes linux/arm64/v8.1.
func (p Platform) Canonical() Platform {
	if p.Variant == "" {
		p.Variant = p.defaultVariant()
		return p
	}
	if v, err := canonicalVariant(p.Arch, p.Variant); err == nil {
		p.Variant = v
	}
	return p
}

func archKnown(s string) bool {
	_, ok := archVariants[s]
	return ok
}

// osElsewhere and archElsewhere are what others call a system, and an
// architecture with or without its variant.
var (
	osElsewhere = map[string]string{
		"macos": "darwin", "osx": "darwin", "mac": "darwin", "win": "windows", "win32": "windows", "win64": "windows", "wasi": "wasip1",
	}
	archElsewhere = map[string]string{
		"x86_64": "amd64", "x64": "amd64", "x86": "386", "i386": "386", "i686": "386", "aarch64": "arm64",
		"armv5": "arm/5", "armv6": "arm/6", "armv7": "arm/7", "armhf": "arm/7", "arm6": "arm/6", "arm7": "arm/7",
		"armv6l": "arm/6", "armv7l": "arm/7", "armel": "arm/5", "armv8": "arm64", "mipsel": "mipsle", "mips64el": "mips64le",
		"ppc64el": "ppc64le", "powerpc64le": "ppc64le", "riscv": "riscv64", "loongarch64": "loong64",
	}
)

// osMeant is the system that s means, or s.
func osMeant(s string) string { return cmp.Or(meant(s, knownOS, osElsewhere), s) }

// archMeant is the architecture that s means, perhaps with a variant, or s.
func archMeant(s string) string { return cmp.Or(meant(s, knownArch(), archElsewhere), s) }

func checkOS(s string) error {
	if slices.Contains(knownOS, s) {
		return nil
	}
	if archKnown(s) {
		return fault.Errorf("the OS comes first: linux/"+s, "unknown OS %q", s)
	}
	return fault.Errorf(didYouMean(s, knownOS, osElsewhere), "unknown OS %q", s)
}

func checkArch(s string) error {
	if archKnown(s) {
		return nil
	}
	return fault.Errorf(didYouMean(s, knownArch(), archElsewhere), "unknown architecture %q", s)
}

// canonicalVariant checks a variant of arch and returns its canonical form.
// The rules are those of internal/buildcfg, except that a repeated suffix is
// refused.
func canonicalVariant(arch, v string) (string, error) {
	base, options, _ := strings.Cut(v, ",")
	var opts []string
	if strings.Contains(v, ",") {
		opts = strings.Split(options, ",")
	}
	bad := func() error {
		switch a, ok := archVariants[arch]; {
		case !ok:
			return fmt.Errorf("unknown architecture %q", arch)
		case a.variable == "":
			return fault.Errorf("leave the variant out", "%s has no variants, but got %q", arch, v)
		default:
			return fault.Errorf("leave the variant out for the default, "+a.defaultValue, "no such %s: %q, want %s", a.variable, v, a.want)
		}
	}
	oneOf := func(list ...string) (string, error) {
		if len(opts) == 0 && slices.Contains(list, base) {
			return base, nil
		}
		return "", bad()
	}
	switch arch {
	case "386":
		return oneOf("sse2", "softfloat")
	case "amd64":
		return oneOf("v1", "v2", "v3", "v4")
	case "mips", "mipsle", "mips64", "mips64le":
		return oneOf("hardfloat", "softfloat")
	case "ppc64", "ppc64le":
		return oneOf("power8", "power9", "power10")
	case "riscv64":
		return oneOf("rva20u64", "rva22u64", "rva23u64")
	case "arm":
		if !slices.Contains([]string{"5", "6", "7"}, base) || len(opts) > 1 {
			return "", bad()
		}
		if len(opts) == 0 {
			return base, nil
		}
		// 5 is softfloat unless told otherwise, 6 and 7 are hardfloat.
		switch soft := opts[0] == "softfloat"; {
		case !soft && opts[0] != "hardfloat":
			return "", bad()
		case soft == (base == "5"):
			return base, nil
		}
		return v, nil
	case "arm64":
		return canonicalARM64(base, opts, bad)
	case "wasm":
		parts := strings.Split(v, ",")
		slices.Sort(parts)
		for i, p := range parts {
			if p != "satconv" && p != "signext" || i > 0 && parts[i-1] == p {
				return "", bad()
			}
		}
		return strings.Join(parts, ","), nil
	}
	return "", bad()
}

// variantsMeant are what may be meant by something that is no variant: with or
// without its v, with the rest of its number, without the name of its
// architecture or a letter behind it.
func variantsMeant(v string) (list []string) {
	digits := strings.TrimLeft(strings.ToLower(v), "abcdefghijklmnopqrstuvwxyz-_")
	number := strings.TrimRight(digits, "abcdefghijklmnopqrstuvwxyz")
	for _, c := range []string{digits, number} {
		list = append(list, c, "v"+c, "v"+c+".0")
	}
	return list
}

func canonicalARM64(base string, opts []string, bad func() error) (string, error) {
	if len(base) != 4 || base[0] != 'v' || base[2] != '.' ||
		!(base[1] == '8' && base[3] >= '0' && base[3] <= '9' || base[1] == '9' && base[3] >= '0' && base[3] <= '5') {
		return "", bad()
	}
	var lse, crypto bool
	for _, o := range opts {
		switch {
		case o == "lse" && !lse:
			lse = true
		case o == "crypto" && !crypto:
			crypto = true
		default:
			return "", bad()
		}
	}
	if lse && base == "v8.0" { // from v8.1 on LSE is mandatory
		base += ",lse"
	}
	if crypto {
		base += ",crypto"
	}
	return base, nil
}
