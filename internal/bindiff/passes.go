package bindiff

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// CauseUnknown is the cause when no pass has found one.
const CauseUnknown = "unknown"

// pass looks for one cause. It returns no finding when the evidence is not
// there; it must not look at findings of others.
type pass struct {
	name string // stable: it is in reports and documents
	run  func(*pair) []Finding
}

// passes is the table of all passes. Their order is that of reading, nothing
// depends on it.
func passes() []pass {
	return []pass{
		// What the files are.
		{"platform", platform},
		{"packed", packed},
		{"code-signature", codeSignature},
		{"buildid-removed", buildIDRemoved},
		{"strip-tool", stripTool},
		// The toolchain and its settings.
		{"toolchain-version", toolchainVersion},
		{"toolchain-modified", toolchainModified},
		{"goexperiment", goexperiment},
		{"fips140", recorded(remedyFIPS, "GOFIPS140")},
		{"microarchitecture", microarchitecture},
		{"godebug-default", godebugDefault},
		{"build-tags", buildTags},
		{"buildmode", recorded("build with one -buildmode", "-buildmode")},
		{"race-msan-asan", recorded("build releases without -race, -msan, -asan and -cover", "-race", "-msan", "-asan", "-cover")},
		{"compile-flags", recorded("use one spelling of gcflags and asmflags in the profile", "-gcflags", "-asmflags", "-compiler")},
		{"cgo-enabled", recorded("set cgo in the profile; the default depends on whether a C compiler is installed", "CGO_ENABLED")},
		{"cgo-toolchain", cgoToolchain},
		// The link.
		{"ldflags-value", ldflagsValue},
		{"strip-flags", stripFlags},
		{"flag-spelling", flagSpelling},
		{"main-package-comment-only", mainPackageCommentOnly},
		// The source and what is stamped of it.
		{"vcs-missing", vcsMissing},
		{"vcs-dirty", vcsDirty},
		{"vcs-revision", vcsRevision},
		{"version-stamp", versionStamp},
		{"source", source},
		{"line-endings", lineEndings},
		{"package-path", packagePath},
		{"module-version", moduleVersion},
		{"vendoring", vendoring},
		{"replace-path", replacePath},
		{"pgo-name", pgoName},
		{"pgo-profile", pgoProfile},
		// Paths.
		{"build-path", buildPath},
		{"goroot-path", gorootPath},
		{"modcache-path", modcachePath},
	}
}

// Causes lists the names of all causes this package can find, in the order of
// its table, [CauseUnknown] last.
func Causes() []string {
	var names []string
	for _, p := range passes() {
		names = append(names, p.name)
	}
	return append(names, CauseUnknown)
}

// pair is what a pass sees.
type pair struct {
	ctx   context.Context
	a, b  *side
	diff  *Diff
	notes []string

	// What several passes need is worked out once. It comes from the files, never
	// from findings.
	codeDone, textDone bool
	codeDiff           *codeDiff
	textDiff           *textDiff
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

// one makes the result of a pass that has one finding.
func one(c Confidence, bytes int64, remedy string, evidence ...string) []Finding {
	return []Finding{{Confidence: c, Evidence: evidence, Remedy: remedy, Bytes: bytes}}
}

// change describes two values of one thing.
func change(what, a, b string) string {
	quote := func(s string) string {
		if s == "" {
			return "absent"
		}
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%s: %s in A, %s in B", what, quote(a), quote(b))
}

// recorded makes a pass for settings that differ in the build information,
// which is all the proof it takes.
func recorded(remedy string, keys ...string) func(*pair) []Finding {
	return func(p *pair) []Finding {
		if !p.infos() {
			return nil
		}
		// Go versions record different settings: between two of them an entry
		// that one lacks may only be one that it does not write.
		va, vb := p.goVersions()
		confidence := Possible
		var evidence []string
		for _, k := range keys {
			if a, b, differ := p.key(k); differ {
				evidence = append(evidence, change("build information "+k, a, b))
				if va == vb || a != "" && b != "" {
					confidence = Certain
				}
			}
		}
		if evidence == nil {
			return nil
		}
		return one(confidence, 0, remedy, evidence...)
	}
}

// unknown says what is known when no cause is.
func unknown(d *Diff) Finding {
	f := Finding{
		Cause: CauseUnknown, Confidence: Possible, Bytes: 0,
		Remedy: "compare the two source trees, the flags and the environment of the builds",
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
	return f
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
