package bindiff

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Passes about what was compiled.

// compileKeys are the settings with which the same source compiles to other code.
var compileKeys = []string{
	keyGo, "GOOS", "GOARCH", "GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM",
	"GOEXPERIMENT", "GOFIPS140", "-tags", "-race", "-msan", "-asan", "-cover", "-buildmode", "-gcflags", "-asmflags", "-compiler",
	"CGO_ENABLED", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "-pgo", keyPath,
}

// compiledDifferently reports whether the files record settings that change
// the code of every package, the standard library's too. What the source
// contributes cannot be told then, and no pass tries to. This looks at what the
// files record, not at what other passes found.
func (p *pair) compiledDifferently() bool {
	if p.a.file.Format != p.b.file.Format || p.a.file.Arch != p.b.file.Arch {
		return true
	}
	for _, k := range compileKeys {
		if _, _, differ := p.key(k); differ {
			return true
		}
	}
	return false
}

// ours are the packages that changed and that no recorded difference of a
// module's version or replacement explains; std says whether packages of the
// standard library are among what changed.
func (p *pair) ours() (list []packageChange, std []packageChange) {
	c := p.code()
	if c == nil {
		return nil, nil
	}
	for _, x := range c.packages {
		switch {
		case x.name == noPackage || x.name == typesPackage:
			// They follow from the packages, and name none.
		case standard(x.name, p):
			std = append(std, x)
		case !p.moduleDiffers(x.name):
			list = append(list, x)
		}
	}
	return list, std
}

// moduleDiffers reports whether the package's module has another version or
// replacement in the other file.
func (p *pair) moduleDiffers(pkg string) bool {
	for _, d := range p.diff.BuildInfo {
		for _, prefix := range []string{keyDep, keyReplace} {
			path, ok := strings.CutPrefix(d.Key, prefix)
			if ok && (pkg == path || strings.HasPrefix(pkg, path+"/")) {
				return true
			}
		}
	}
	return false
}

const remedySource = "build the same source: compare the h1 hashes of the modules, generated files and embedded files, and commit what is generated"

func source(p *pair) []finding {
	if p.a.r == nil || p.sameBuildID() || p.compiledDifferently() {
		return nil
	}
	c := p.code()
	if c == nil {
		return nil
	}
	list, std := p.ours()
	if len(list) == 0 {
		return sourceData(p, c)
	}
	if p.sameMain() && onlyMain(list) {
		return nil // package main was compiled from the same inputs
	}
	if p.cgo() && !anyMoved(list) {
		return nil // flags of the C compiler can do that too, by constants and macros of C
	}
	var evidence []string
	for _, x := range list {
		evidence = append(evidence, x.describe())
	}
	confidence := fact.Likely
	_, profiled := setting(p.a.file.BuildInfo, "-pgo")
	switch {
	case profiled && c.starts == 0:
		// The lines of the source have not moved: rather another profile of one name.
		confidence = fact.Possible
	case len(std) > 0:
		// Then the compiler or its profile is the simpler explanation.
		confidence = fact.Possible
		evidence = append(evidence, fmt.Sprintf("%d packages of the standard library differ too", len(std)))
	case c.std >= 50:
		evidence = append(evidence, fmt.Sprintf("the functions of the standard library that both have are the same (%d)", c.std))
		if anyMoved(list) {
			confidence = fact.Certain // no option of the compiler changes where a function begins
			break
		}
		evidence = append(evidence, "no line of the source has moved: what is recorded nowhere, such as GOCOMPILEDEBUG or -toolexec, can change some packages alone as well")
	}
	return oneFinding(confidence, 0, remedySource, shorten(evidence)...)
}

func onlyMain(list []packageChange) bool { return len(list) == 1 && list[0].name == "main" }

// sameMain reports whether the build IDs say that package main was compiled from
// the same inputs, its own files and the packages it imports.
func (p *pair) sameMain() bool {
	return len(p.diff.BuildIDParts) > 0 && !slices.Contains(p.diff.BuildIDParts, "mainAction")
}

// describe names what changed in a package.
func (x *packageChange) describe() string {
	var counts []string
	for i, n := range x.funcs {
		if n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, funcChange(i)))
		}
	}
	text := fmt.Sprintf("package %s: functions %s", x.name, strings.Join(counts, ", "))
	if len(x.files) > 0 {
		text += " in " + strings.Join(x.files, ", ")
	}
	return text + " (" + strings.Join(x.names[:min(len(x.names), 3)], ", ") + ")"
}

// sourceData: all functions are the same and the data differs, with the inputs
// of package main or without anything recorded that would explain it.
func sourceData(p *pair, c *codeDiff) []finding {
	if len(c.packages) > 0 || c.used > 0 || len(p.diff.BuildInfo) > 0 {
		return nil
	}
	var names []string
	var first *SectionDiff
	for i, s := range p.diff.Sections {
		if (s.Kind == gobin.KindROData || s.Kind == gobin.KindData) && s.OnlyIn == "" && s.Bytes > 0 {
			names = append(names, s.Name)
			if first == nil && s.Kind == gobin.KindROData {
				first = &p.diff.Sections[i]
			}
		}
	}
	if names == nil || len(ldflagsText(p)) > 0 || p.onlyC() != nil {
		return nil // what differs in the data is the value of a variable, or comes from C
	}
	// The linker alone can make all data differ, since it places what addresses
	// are of. Where nothing says that something else was compiled, or C code is in
	// it, only a text of a variable of Go is proof that it is not that.
	if p.sameMain() || (len(p.diff.BuildIDParts) == 0 || p.cgo()) && !p.goTextsDiffer() {
		return nil
	}
	if t := p.texts(); t != nil && t.crlfA+t.crlfB > 0 && !t.otherLines {
		return nil // the line endings
	}
	evidence := []string{fmt.Sprintf("the code and the lines of all %d functions are the same; data differs in %s", c.functions, strings.Join(names, ", "))}
	if first != nil {
		if a, b := p.around(*first); a != b {
			evidence = append(evidence, change("first difference in "+first.Name, a, b))
		}
	}
	confidence := fact.Likely
	if l := p.link(); len(p.diff.BuildIDParts) == 0 || l == nil || !l.none() {
		confidence = fact.Possible // an -X value, or other flags of the link, would look the same
	}
	return oneFinding(confidence, 0, remedySource, evidence...)
}

// around returns the text around the first difference of a section, with
// everything unprintable as dots.
func (p *pair) around(d SectionDiff) (a, b string) {
	sa, sb := p.a.file.Section(d.Name), p.b.file.Section(d.Name)
	if sa == nil || sb == nil {
		return "", ""
	}
	const before, after = 8, 40
	at := int64(-1)
	err := differences(p.ctx, p.a.r, p.b.r, sa.Offset, sb.Offset, min(sa.Size, sb.Size), func(off, _ int64) {
		if at < 0 {
			at = off
		}
	})
	if err != nil || at < 0 {
		return "", ""
	}
	text := func(s *side, sec *gobin.Section) string {
		from := max(0, at-before)
		buf := make([]byte, min(before+after, sec.Size-from))
		if _, err := io.ReadFull(io.NewSectionReader(s.r, sec.Offset+from, int64(len(buf))), buf); err != nil {
			return ""
		}
		for i, c := range buf {
			if c < 0x20 || c > 0x7e {
				buf[i] = '.'
			}
		}
		return string(buf)
	}
	return text(p.a, sa), text(p.b, sb)
}

// toolchainModified: what the Go version does not tell.
func toolchainModified(p *pair) []finding {
	x, y := p.goVersions()
	if x == "" && y == "" || p.sameBuildID() || p.a.r == nil {
		return nil
	}
	const remedy = "trust the hash of a toolchain, never its version; never share a build cache between toolchains of one version"
	if f := recordMissing(p, remedy); f != nil {
		return f
	}
	if x != y || p.compiledDifferently() {
		return nil
	}
	if _, ok := setting(p.a.file.BuildInfo, "-pgo"); ok {
		return nil // another profile of the same name does the same
	}
	list, std := p.ours()
	if len(std) == 0 || len(list) > 0 {
		return nil
	}
	var evidence []string
	for i := range std {
		evidence = append(evidence, std[i].describe())
	}
	evidence = shorten(evidence)
	evidence = append(evidence, "both say "+x+", and nothing outside the standard library differs")
	return oneFinding(fact.Likely, 0, remedy, evidence...)
}

// recordMissing: the linker of one file did not write the record that holds
// what cmd/go has put into runtime.modinfo of the same file.
func recordMissing(p *pair, remedy string) []finding {
	a, b := p.a.file, p.b.file
	missing, name := p.a, "A"
	switch {
	case a.BuildInfoFrom == gobin.FromModInfo && b.BuildInfoFrom == gobin.FromSection:
	case b.BuildInfoFrom == gobin.FromModInfo && a.BuildInfoFrom == gobin.FromSection:
		missing, name = p.b, "B"
	default:
		return nil
	}
	x, y := p.goVersions()
	if x != y && x != "" && y != "" {
		return nil
	}
	evidence := []string{fmt.Sprintf("%s has runtime.modinfo and no section with the build information, which every linker since Go 1.18 writes", name)}
	u, err := missing.file.Untouched()
	if err != nil {
		p.note(missing, err)
		return nil
	}
	switch u.State {
	case gobin.UntouchedYes:
		return oneFinding(fact.Certain, 0, remedy, append(evidence, "no tool removed it: "+u.Reason)...)
	case gobin.UntouchedNo:
		return nil // a tool after the link may have removed it
	}
	return oneFinding(fact.Likely, 0, remedy, evidence...)
}

// pgoCode: profiles of one name, and the code differs.
func pgoCode(p *pair) []finding {
	a, b, inA, inB := p.setting("-pgo")
	if !inA || !inB || a != b || p.a.r == nil || p.sameBuildID() || p.compiledDifferently() {
		return nil
	}
	list, std := p.ours()
	list = append(list, std...)
	if len(list) == 0 {
		return nil
	}
	evidence := []string{"both name the profile " + a + ", which is recorded without its contents"}
	confidence := fact.Possible
	if p.code().starts == 0 {
		confidence = fact.Likely
		evidence = append(evidence, "no function starts at another line, as it does after most changes of the source")
	}
	for i := range list {
		evidence = append(evidence, list[i].describe())
	}
	return oneFinding(confidence, 0, "commit the profile, and record its hash: the binary holds only its name", shorten(evidence)...)
}
