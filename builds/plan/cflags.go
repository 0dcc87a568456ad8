package plan

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/goflags"
)

// CRisk is something of a unit's C code, or of the flags for it, with which two
// builds of one source differ. The go command cannot know: it keeps what the C
// compiler makes by the flags and the files of a package alone.
type CRisk struct {
	Package string // whose code it is in; "" for flags that all packages get
	Where   string // "CGO_CFLAGS", "#cgo CFLAGS of PACKAGE", "FILE:LINE"
	What    string // the flag or macro
	Why     string // what it makes differ
	Instead string // what to do
}

func (r CRisk) String() string {
	return fmt.Sprintf("%s has %s, %s: %s", r.Where, r.What, r.Why, r.Instead)
}

// cFlagRules are the flags of gcc and clang that make builds differ; each was
// measured to do so between two builds, or says itself that it asks the machine.
var cFlagRules = []struct {
	flag         *regexp.Regexp
	why, instead string
}{
	{regexp.MustCompile(`^-flto(=.*)?$`),
		"with which gcc names sections by numbers drawn at random (-frandom-seed does not settle all of them)",
		"build without link-time optimisation of C"},
	{regexp.MustCompile(`^(-Wl,|-Xlinker,?)*(.*,)?--build-id=uuid(,.*)?$`),
		"with which the linker draws a build ID at random",
		"leave it out, or ask for --build-id=sha1"},
	{regexp.MustCompile(`^(--coverage|-coverage|-fprofile-arcs|-ftest-coverage|-fprofile-generate(=.*)?|-fprofile-instr-generate(=.*)?|-fcs-profile-generate(=.*)?)$`),
		"with which the compiler writes the directory of the build, and a stamp of its time, into the object",
		"release without instrumentation"},
	{regexp.MustCompile(`^(-fprofile-use|-fprofile-instr-use|-fauto-profile|-fprofile-sample-use)(=.*)?$`),
		"with which the compiler reads a profile that the go command does not know of",
		"build without a profile of C, or keep it in the package and change its name with its contents"},
	{regexp.MustCompile(`^-(f|g)record-gcc-switches$|^-frecord-command-line$|^-grecord-command-line$`),
		"with which the compiler writes its command line, temporary directory and all, into the object",
		"leave it out"},
	{regexp.MustCompile(`^-m(arch|tune|cpu)=native$`),
		"with which the code depends on the processor of the machine that builds",
		"name the processor, as in -march=x86-64-v2"},
}

// srcDir stands for the directory of a package in its #cgo lines.
const srcDir = "${SRCDIR}"

// riskyFlag judges one flag.
func riskyFlag(flag string) (why, instead string, ok bool) {
	for _, r := range cFlagRules {
		if r.flag.MatchString(flag) {
			return r.why, r.instead, true
		}
	}
	if strings.Contains(flag, srcDir) {
		return "the directory of the checkout, which the go command hashes into the build ID even with -trimpath (a relative -I or -L is made one too)",
			"name headers relative to the package, as in #include \"include/x.h\", without -I, and put libraries into the package as .syso files instead of -L", true
	}
	return "", "", false
}

// cVariables are the variables with flags for C.
var cVariables = []string{"CC", "CXX", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_FFLAGS", "CGO_LDFLAGS"}

// clock finds what the preprocessor replaces by the time of the build.
var clock = regexp.MustCompile(`\b__(DATE|TIME|TIMESTAMP)__\b`)

// Bounds on what is read of C sources. The largest known, SQLite's, has 9 MB.
const (
	maxCSource  = 16 << 20
	maxCSources = 256 << 20 // of a unit
)

// CRisks lists what of the unit's C code and flags makes two builds of one
// source differ, sorted; none for units without C code. It is known after a plan
// with Deps, and reads the C sources. Flags are known for sure to be used; a macro
// may stand where the preprocessor does not look.
func (pl *Planner) CRisks(ctx context.Context, u *Unit) ([]CRisk, error) {
	pl.mu.Lock()
	pkgs, c := pl.cPackages[u.ID()], len(pl.c[u.ID()])
	pl.mu.Unlock()
	if c == 0 {
		return nil, nil
	}
	var out []CRisk
	add := func(pkg, where string, flags []string) {
		for _, f := range flags {
			if why, instead, ok := riskyFlag(f); ok {
				out = append(out, CRisk{pkg, where, f, why, instead})
			}
		}
	}
	for _, kv := range u.Env {
		name, value, _ := strings.Cut(kv, "=")
		if slices.Contains(cVariables, name) {
			add("", name, words(value))
		}
	}
	for _, f := range u.Flags {
		if value, ok := strings.CutPrefix(f, "-ldflags="); ok {
			add("", "-extldflags", extLDFlags(words(value)))
		}
	}
	if err := pl.Loader.ready(ctx); err != nil {
		return nil, err
	}
	left := int64(maxCSources)
	for _, p := range pkgs {
		for _, x := range []struct {
			name  string
			flags []string
		}{{"CFLAGS", p.CgoCFLAGS}, {"CPPFLAGS", p.CgoCPPFLAGS}, {"CXXFLAGS", p.CgoCXXFLAGS}, {"FFLAGS", p.CgoFFLAGS}, {"LDFLAGS", p.CgoLDFLAGS}} {
			add(p.ImportPath, "#cgo "+x.name+" of "+p.ImportPath, x.flags)
		}
		clocks, err := p.clocks(&left)
		if err != nil {
			return nil, err
		}
		out = append(out, clocks...)
	}
	slices.SortFunc(out, func(a, b CRisk) int {
		return strings.Compare(a.Package+"\x00"+a.Where+"\x00"+a.What, b.Package+"\x00"+b.Where+"\x00"+b.What)
	})
	return slices.Compact(out), nil
}

// words splits flags as the go command does; what it would refuse is one word.
func words(text string) []string {
	list, err := goflags.Split(text)
	if err != nil {
		return []string{text}
	}
	return list
}

// extLDFlags are the words that the linker hands to the C compiler.
func extLDFlags(ldflags []string) (out []string) {
	for i, w := range ldflags {
		w = strings.TrimPrefix(strings.TrimPrefix(w, "-"), "-")
		switch {
		case w == "extldflags" && i+1 < len(ldflags):
			out = append(out, words(ldflags[i+1])...)
		case strings.HasPrefix(w, "extldflags="):
			out = append(out, words(w[len("extldflags="):])...)
		}
	}
	return out
}

// clocks finds the macros of time in the C code of a package: the first in each file.
func (p *Package) clocks(left *int64) (out []CRisk, err error) {
	for _, name := range slices.Concat(p.CgoFiles, p.CFiles, p.CXXFiles, p.HFiles) {
		if *left <= 0 {
			break
		}
		file := name
		if !filepath.IsAbs(file) {
			file = filepath.Join(p.Dir, name)
		}
		data, err := files.Read(file, maxCSource)
		if err != nil {
			return nil, fmt.Errorf("package %s: %w", p.ImportPath, err)
		}
		*left -= int64(len(data))
		at := clock.FindIndex(data)
		if at == nil {
			continue
		}
		out = append(out, CRisk{
			Package: p.ImportPath,
			Where:   fmt.Sprintf("%s:%d", path.Join(p.ImportPath, name), 1+bytes.Count(data[:at[0]], []byte("\n"))),
			What:    string(data[at[0]:at[1]]),
			Why:     "the time at which the file is compiled",
			Instead: "set the value from the commit by -X, or leave it out (-Werror=date-time in CGO_CFLAGS finds all that are compiled)",
		})
	}
	return out, nil
}

// symbolic writes ${SRCDIR} for the package's directory, which go list has put
// into the flags of #cgo lines.
func (p *Package) symbolic() {
	if p.Dir == "" {
		return
	}
	for _, list := range [][]string{p.CgoCFLAGS, p.CgoCPPFLAGS, p.CgoCXXFLAGS, p.CgoFFLAGS, p.CgoLDFLAGS} {
		for i, f := range list {
			list[i] = replaceDir(f, filepath.ToSlash(p.Dir))
			list[i] = replaceDir(list[i], p.Dir)
		}
	}
}

// replaceDir replaces a directory where its name ends.
func replaceDir(text, dir string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(text, dir)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		if after == "" || strings.ContainsAny(after[:1], `/\:,"'`) {
			b.WriteString(srcDir)
		} else {
			b.WriteString(dir)
		}
		text = after
	}
}
