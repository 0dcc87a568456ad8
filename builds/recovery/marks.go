package recovery

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// marks are what a binary tells of who made it beside its build information: by the names
// of its functions and source files. Each is empty where there is no such sign.
type marks struct {
	bazel    string // a source file whose name only Bazel's rules_go gives
	goroot   string // where the standard library lay when it was compiled; -trimpath leaves it out
	vendored string // a package in the standard library's vendor directory that no release of Go has
}

// stripped is how rules_go calls the standard library's source files.
const stripped = "GOROOT/src/"

// readMarks looks at all functions. A binary without a table of them has no marks.
func readMarks(f *gobin.File) (m marks, err error) {
	t, err := f.Functions()
	if err != nil {
		if errors.Is(err, gobin.ErrNoPCLNTab) {
			return m, nil
		}
		return m, err
	}
	for i := range t.Len() {
		fn, err := t.Func(i)
		if err != nil {
			return m, err
		}
		m.note(fn.Name, t.File(fn))
	}
	return m, nil
}

// note looks at one function.
func (m *marks) note(function []byte, file string) {
	if m.goroot == "" && bytes.HasPrefix(function, []byte("runtime.")) {
		if dir, ok := strings.CutSuffix(path.Dir(strings.ReplaceAll(file, `\`, "/")), "/src/runtime"); ok && (strings.HasPrefix(dir, "/") || len(dir) > 2 && dir[1] == ':') {
			m.goroot = dir
		}
	}
	if m.vendored == "" {
		// Every release of Go vendors nothing but modules of golang.org/x.
		if pkg, ok := bytes.CutPrefix(function, []byte("vendor/")); ok && !bytes.HasPrefix(pkg, []byte("golang.org/x/")) && !bytes.HasPrefix(pkg, []byte("golang_org/x/")) {
			if i := bytes.LastIndexByte(pkg, '/'); i >= 0 {
				if j := bytes.IndexByte(pkg[i:], '.'); j > 0 {
					m.vendored = "vendor/" + string(pkg[:i+j])
				}
			}
		}
	}
	if strings.HasPrefix(file, "bazel-out/") || strings.HasPrefix(file, "external/") {
		if m.bazel == "" || strings.HasPrefix(m.bazel, stripped) {
			m.bazel = file
		}
	} else if m.bazel == "" && strings.HasPrefix(file, stripped) {
		m.bazel = file
	}
}

// distributions are where they put their Go, by the packages of each.
var distributions = []struct {
	goroot *regexp.Regexp
	name   string
}{
	{regexp.MustCompile(`^/usr/(lib|share)/go-[0-9.]+$`), "Debian's or Ubuntu's"},
	{regexp.MustCompile(`^/usr/lib/golang$`), "Fedora's or Red Hat's"},
	{regexp.MustCompile(`^/usr/lib(64)?/go(/[0-9.]+)?$`), "a distribution's (Arch, Alpine, Gentoo, SUSE)"},
	{regexp.MustCompile(`^/nix/store/[^/]+/share/go$`), "Nixpkgs'"},
	{regexp.MustCompile(`/(Cellar|\.?linuxbrew)/.*go(@[0-9.]+)?/[^/]+/libexec$`), "Homebrew's"},
	{regexp.MustCompile(`^/opt/local/lib/go$`), "MacPorts'"},
}

// otherExperiments are those that no release of the Go project has, by who has them.
var otherExperiments = map[string]string{
	"systemcrypto": microsoft, "opensslcrypto": microsoft, "cngcrypto": microsoft, "darwincrypto": microsoft, "allowcryptofallback": microsoft,
	"nosystemcrypto": microsoft, "ms_nocgo_opensslcrypto": microsoft, "strictfipsruntime": "Red Hat's Go (golang-fips)",
}

const microsoft = "the Microsoft build of Go"

// vendor says whose Go made the binary, where that is certainly no release of the Go
// project's, with the evidence; "" where nothing says so.
func (m marks) vendor(bi *debug.BuildInfo) string {
	for _, s := range bi.Settings {
		if strings.HasPrefix(s.Key, "microsoft_") { // its go command records these since go1.26
			return fmt.Sprintf("%s: its build information has %s=%s", microsoft, s.Key, s.Value)
		}
	}
	if m.vendored == "" {
		return ""
	}
	who := "a vendor's Go"
	if strings.Contains(m.vendored, "microsoft") {
		who = microsoft
	}
	return fmt.Sprintf("%s: the standard library in it has the package %s, which no release of the Go project has", who, m.vendored)
}

// distribution says whose package of Go made the binary, by where that puts it; "" where
// nothing says so. It may be as the Go project's is, or have patches.
func (m marks) distribution() string {
	for _, d := range distributions {
		if d.goroot.MatchString(m.goroot) {
			return fmt.Sprintf("%s Go: its standard library lay in %s", d.name, m.goroot)
		}
	}
	return ""
}

// vendorOf names who calls a Go so, as far as that is known.
func vendorOf(v string) string {
	switch {
	case strings.Contains(v, "gccgo"):
		return "gccgo, not the Go project's compiler"
	case strings.Contains(v, "microsoft"):
		return microsoft
	case strings.Contains(v, "Red Hat"):
		return "Red Hat's Go"
	case regexp.MustCompile(` cl/[0-9]+`).MatchString(v):
		return "Google's own Go"
	case regexp.MustCompile(`^go1\.[0-9.]+b[0-9]+$`).MatchString(v):
		return "Go's branch dev.boringcrypto"
	}
	return "a vendor's Go"
}

// errNoModule says, of a binary whose build information names no module, why it does not.
func (m marks) errNoModule(f *gobin.File) error {
	bi := f.BuildInfo
	pkg := bi.Path
	first, _, _ := strings.Cut(pkg, "/")
	switch {
	case m.bazel != "" && (f.BuildID == "redacted" || !strings.HasPrefix(m.bazel, stripped)):
		id := ""
		if f.BuildID == "redacted" {
			id = `, and its build ID is "redacted"`
		}
		return fmt.Errorf("built by Bazel (rules_go), which records neither package nor module nor settings: it names a source file %s%s", m.bazel, id)
	case first == "cmd":
		return fmt.Errorf("a program of Go itself (%s), which is built of a GOROOT and not of a module; golang.org/x/build/cmd/gorebuild rebuilds those that the Go project publishes", pkg)
	case pkg != "" && pkg != NamedFiles && slices.ContainsFunc(bi.Settings, func(s debug.BuildSetting) bool { return s.Key == "-compiler" }):
		return fmt.Errorf("built in GOPATH mode (GO111MODULE=off): its build information names the package %s and no module, so that no version of it or of what it depends on is recorded", pkg)
	}
	return fmt.Errorf("its build information names neither package nor module: what linked it was not the go command (%s), or it was removed since", cmp.Or(bi.GoVersion, "no version either"))
}

// obfuscated is what garble leaves of the linker's record and of the function table; ""
// where both are as they have to be, or missing.
func obfuscated(f *gobin.File) (string, error) {
	version, err := f.RecordedVersion()
	if err != nil {
		return "", err
	}
	_, err = f.PCLNTab()
	unknown, ok := errors.AsType[*gobin.UnknownTableError](err)
	switch {
	case version == "unknown" && ok && unknown.Magic != 0:
		return fmt.Sprintf(`obfuscated by garble (the linker's record says "unknown" where the version of Go has to be, and the function table begins with %#08x, which no Go writes)`, unknown.Magic), nil
	case version == "unknown":
		return `obfuscated, as by garble (the linker's record says "unknown" where the version of Go has to be)`, nil
	}
	return "", nil
}
