package bindiff

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// pass looks for one cause. It returns no finding when the evidence is not
// there; it must not look at findings of others.
type pass struct {
	cause  fact.Cause
	blames inputs // all that the cause can come from, when it is inferred
	run    func(*pair) []finding
}

// passes is the table of all passes. Their order is that of reading, nothing
// depends on it.
func passes() []pass {
	return []pass{
		// What the files are.
		{"platform", 0, platform},
		{"packed", 0, packed},
		{"code-signature", 0, codeSignature},
		{"buildid-removed", 0, buildIDRemoved},
		{"strip-tool", 0, stripTool},
		// The toolchain and its settings.
		{fact.CauseToolchainVersion, 0, toolchainVersion},
		{fact.CauseToolchainModified, ofToolchain, toolchainModified},
		{"goexperiment", 0, goexperiment},
		{"fips140", 0, recorded(remedyFIPS, "GOFIPS140")},
		{"microarchitecture", 0, microarchitecture},
		{"godebug-default", 0, godebugDefault},
		{"build-tags", 0, buildTags},
		{"buildmode", 0, recorded("build with one -buildmode", "-buildmode")},
		{"race-msan-asan", 0, recorded("build releases without -race, -msan, -asan and -cover", "-race", "-msan", "-asan", "-cover")},
		{"compile-flags", 0, recorded("use one spelling of gcflags and asmflags in the profile", "-gcflags", "-asmflags", "-compiler")},
		{"cgo-enabled", 0, recorded("set cgo in the profile; the default depends on whether a C compiler is installed", "CGO_ENABLED")},
		{"cgo-toolchain", ofFlags | ofEnvironment, cgoToolchain},
		// The link.
		{"linker", ofFlags | ofEnvironment, linked("link with one linker: -linkmode, GO_EXTLINK_ENABLED, CC and -fuse-ld decide which", gobin.LinkLinker, gobin.LinkInterpreter, gobin.LinkDynamic, gobin.LinkHeader, gobin.LinkLayout)},
		{"interpreter", ofFlags | ofEnvironment, linked(remedyLink+"; -I (Go's linker) and --dynamic-linker name the interpreter", gobin.LinkInterpreter)},
		{"dynamic-section", ofFlags | ofEnvironment, linked(remedyLink, gobin.LinkDynamic)},
		{"executable-header", ofFlags | ofEnvironment, linked(remedyLink+"; -H names the subsystem of a Windows program", gobin.LinkHeader)},
		{"link-layout", ofFlags | ofEnvironment, linked(remedyLink+"; -T, -R, -funcalign and -randlayout place code", gobin.LinkLayout)},
		{"dwarf-compression", ofFlags | ofEnvironment, dwarfCompression},
		{"link-flags", ofFlags | ofEnvironment, linkFlags},
		{"ldflags-value", ofFlags, ldflagsValue},
		{"strip-flags", ofFlags, stripFlags},
		{"flag-spelling", ofFlags | ofEnvironment, flagSpelling},
		{"main-package-comment-only", ofSource | ofFlags | ofEnvironment, mainPackageCommentOnly},
		// The source and what is stamped of it.
		{"vcs-missing", 0, vcsMissing},
		{"vcs-dirty", 0, vcsDirty},
		{fact.CauseVCSRevision, 0, vcsRevision},
		{fact.CauseVersionStamp, 0, versionStamp},
		{fact.CauseSource, ofSource, source},
		{"line-endings", ofSource, lineEndings},
		{"package-path", 0, packagePath},
		{"module-version", 0, moduleVersion},
		{"vendoring", 0, vendoring},
		{"replace-path", 0, replacePath},
		{"pgo-name", 0, pgoName},
		{"pgo-profile", ofSource, pgoProfile},
		// Paths.
		{"build-path", 0, buildPath},
		{"goroot-path", 0, gorootPath},
		{"modcache-path", 0, modcachePath},
	}
}

// Causes lists the names of all causes this package can find, in the order of
// its table, [fact.CauseUnknown] last.
func Causes() []fact.Cause {
	var causes []fact.Cause
	for _, p := range passes() {
		causes = append(causes, p.cause)
	}
	return append(causes, fact.CauseUnknown)
}

// pair is what a pass sees.
type pair struct {
	ctx   context.Context
	a, b  *side
	diff  *Diff
	known Known
	notes []string

	// What several passes need is worked out once. It comes from the files, never
	// from findings.
	codeDone, textDone, linkDone bool
	codeDiff                     *codeDiff
	textDiff                     *textDiff
	linkDiff                     *linkDiff
	heldDone, heldDiffer         bool
	undottedDone                 bool
	undottedModules              []string
}

// key returns the two values of a build information entry if they differ.
func (p *pair) key(key string) (a, b string, differ bool) {
	i, ok := slices.BinarySearchFunc(p.diff.BuildInfo, key, func(d KeyDiff, k string) int { return strings.Compare(d.Key, k) })
	if !ok {
		return "", "", false
	}
	return p.diff.BuildInfo[i].A, p.diff.BuildInfo[i].B, true
}

// infos reports whether both files have build information to compare.
func (p *pair) infos() bool {
	return p.a.file.BuildInfo != nil && p.b.file.BuildInfo != nil
}

// both reports whether both files record the setting.
func (p *pair) both(key string) bool {
	_, inA := setting(p.a.file.BuildInfo, key)
	_, inB := setting(p.b.file.BuildInfo, key)
	return inA && inB
}

// only reports whether all differing sections are of the given kinds, and how
// many bytes differ.
func (p *pair) only(kinds ...gobin.Kind) (int64, bool) {
	var n int64
	for _, s := range p.diff.Sections {
		if !slices.Contains(kinds, s.Kind) || s.OnlyIn != "" {
			return 0, false
		}
		n += s.Bytes
	}
	return n, n > 0
}

// parts reports whether exactly these parts of the build ID differ.
func (p *pair) parts(names ...string) bool {
	return slices.Equal(p.diff.BuildIDParts, names)
}

// sameBuildID reports whether both have the same complete build ID.
func (p *pair) sameBuildID() bool {
	return p.a.file.BuildID == p.b.file.BuildID && p.a.file.BuildIDParts()[0] != ""
}

func (p *pair) goVersions() (a, b string) {
	if !p.infos() {
		return "", ""
	}
	return p.a.file.BuildInfo.GoVersion, p.b.file.BuildInfo.GoVersion
}

// oneFinding makes the result of a pass that has one finding; without evidence, none.
func oneFinding(c fact.Confidence, bytes int64, remedy string, evidence ...string) []finding {
	if len(evidence) == 0 {
		return nil
	}
	return []finding{{Finding: fact.Finding{Confidence: c, Evidence: evidence, Remedy: remedy, Bytes: bytes}}}
}

// stated is one for what both files record: it holds whatever is known of the builds.
func stated(c fact.Confidence, bytes int64, remedy string, evidence ...string) []finding {
	list := oneFinding(c, bytes, remedy, evidence...)
	for i := range list {
		list[i].recorded = true
	}
	return list
}

// recorded makes a pass for settings that differ in the build information,
// which is all the proof it takes.
func recorded(remedy string, keys ...string) func(*pair) []finding {
	return func(p *pair) []finding {
		if !p.infos() {
			return nil
		}
		// Go versions record different settings: between two of them an entry
		// that one lacks may only be one that it does not write.
		va, vb := p.goVersions()
		confidence := fact.Possible
		var evidence []string
		for _, k := range keys {
			if a, b, differ := p.key(k); differ {
				evidence = append(evidence, change("build information "+k, a, b))
				if va == vb || a != "" && b != "" {
					confidence = fact.Certain
				}
			}
		}
		return stated(confidence, 0, remedy, evidence...)
	}
}

// unknown says what is known when no cause is.
func unknown(p *pair) fact.Finding {
	d := p.diff
	f := fact.Finding{
		Cause: fact.CauseUnknown, Confidence: fact.Possible, Bytes: 0,
		Remedy: p.known.compareRest(),
	}
	f.Evidence = append(f.Evidence, fmt.Sprintf("%d of %d and %d bytes differ, first at offset %d", d.DifferentBytes, d.SizeA, d.SizeB, d.FirstOffset))
	if len(d.BuildIDParts) > 0 {
		f.Evidence = append(f.Evidence, "build ID differs in "+strings.Join(d.BuildIDParts, ", ")+meaning(d.BuildIDParts))
	}
	sections := slices.Clone(d.Sections)
	slices.SortStableFunc(sections, func(x, y SectionDiff) int { return int(min(max(y.Bytes-x.Bytes, -1), 1)) })
	const most = 8
	for i, s := range sections {
		if i == most {
			f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more sections", len(sections)-most))
			break
		}
		text := fmt.Sprintf("section %s: %d bytes differ", s.Name, s.Bytes)
		switch {
		case s.OnlyIn != "":
			text = fmt.Sprintf("section %s: %d bytes, only in %s", s.Name, s.Bytes, strings.ToUpper(s.OnlyIn))
		case s.SizeA != s.SizeB:
			text += fmt.Sprintf(", %d bytes long in A, %d in B", s.SizeA, s.SizeB)
		}
		f.Evidence = append(f.Evidence, text)
	}
	f.Evidence = append(f.Evidence, p.seen()...)
	return f
}

// seen is what differs of code and link, for when no cause can be named by it:
// the builds are known to be alike in all that it would blame.
func (p *pair) seen() (evidence []string) {
	if p.a.file == nil || p.b.file == nil || len(p.a.file.Slices) > 0 || len(p.b.file.Slices) > 0 {
		return nil
	}
	list, std := p.ours()
	for _, x := range slices.Concat(list, std) {
		evidence = append(evidence, x.describe())
	}
	if l := p.link(); l != nil {
		for _, k := range slices.Sorted(maps.Keys(l.facts)) {
			evidence = append(evidence, l.facts[k]...)
		}
	}
	return bounded(shorten(evidence))
}

// meaning says what it tells that exactly these parts of the build ID differ.
// Measured on pairs of Go 1.26 binaries that differ in one thing.
func meaning(parts []string) string {
	switch strings.Join(parts, " ") {
	case "linkAction linkContent":
		return ": only link flags, or a package other than main, or GOROOT"
	case "linkAction mainAction linkContent":
		return ": what is stamped into the binary"
	case "linkAction mainAction mainContent linkContent":
		return ": what was compiled (source, profile, flags or toolchain)"
	}
	return ""
}
