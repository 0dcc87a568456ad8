package bindiff

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Passes about the source and what is stamped of it.

func (p *pair) setting(key string) (a, b string, inA, inB bool) {
	a, inA = setting(p.a.file.BuildInfo, key)
	b, inB = setting(p.b.file.BuildInfo, key)
	return a, b, inA, inB
}

func vcsMissing(p *pair) []finding {
	if !p.infos() {
		return nil
	}
	a, b, inA, inB := p.setting("vcs.revision")
	if inA == inB {
		return nil
	}
	return oneFinding(fact.Certain, 0, "build in a clone whose .git is a directory, with git installed, and with -buildvcs=true, which fails instead of leaving the stamp out; or with -buildvcs=false on both sides",
		change("build information vcs.revision", a, b))
}

func vcsDirty(p *pair) []finding {
	a, b, inA, inB := p.setting("vcs.modified")
	if !inA || !inB || a == b {
		return nil
	}
	return oneFinding(fact.Certain, 0, "build from a clean checkout, and write the output outside of it", change("build information vcs.modified", a, b))
}

func vcsRevision(p *pair) []finding {
	var evidence []string
	for _, k := range []string{"vcs", "vcs.revision", "vcs.time"} {
		if a, b, inA, inB := p.setting(k); inA && inB && a != b {
			evidence = append(evidence, change("build information "+k, a, b))
		}
	}
	return oneFinding(fact.Certain, 0, "build the same commit", evidence...)
}

func versionStamp(p *pair) []finding {
	if !p.infos() {
		return nil
	}
	a, b := p.a.file.BuildInfo.Main, p.b.file.BuildInfo.Main
	va, vb := strings.TrimSuffix(a.Version, "+dirty"), strings.TrimSuffix(b.Version, "+dirty")
	revA, revB, inA, inB := p.setting("vcs.revision")
	if a.Path != b.Path || va == vb || inA != inB || revA != revB {
		return nil // consequences of another module, or of the commit
	}
	c := fact.Certain
	if x, y := p.goVersions(); x != y && (va == "(devel)" || vb == "(devel)") {
		c = fact.Possible // Go before 1.24 does not derive a version
	}
	remedy := "fetch all tags and the full history, and pin the tag: Go 1.24 and later derive the version from them"
	if !inA {
		remedy = "build the same version of the module"
	}
	return oneFinding(c, 0, remedy, change("version of "+a.Path, a.Version, b.Version))
}

func packagePath(p *pair) []finding {
	a, b, differ := p.key(keyPath)
	if !differ || !p.infos() {
		return nil
	}
	return oneFinding(fact.Certain, 0, "build packages (./cmd/app), not files (main.go), and compare binaries of one package", change("main package", a, b))
}

// deps returns the dependencies of both sides by path.
func (p *pair) deps() (a, b map[string]*debug.Module) {
	m := func(bi *debug.BuildInfo) map[string]*debug.Module {
		out := map[string]*debug.Module{}
		for _, d := range bi.Deps {
			out[d.Path] = d
		}
		return out
	}
	return m(p.a.file.BuildInfo), m(p.b.file.BuildInfo)
}

func moduleVersion(p *pair) []finding {
	if !p.infos() {
		return nil
	}
	a, b := p.deps()
	var evidence []string
	for _, d := range p.diff.BuildInfo {
		if path, ok := strings.CutPrefix(d.Key, keyDep); ok {
			if path == p.a.file.BuildInfo.Main.Path || path == p.b.file.BuildInfo.Main.Path {
				continue // `go build main.go` lists its own module among the others
			}
			x, y := a[path], b[path]
			if x != nil && y != nil && x.Version == y.Version && (x.Sum == "" || y.Sum == "") {
				continue // a missing sum is vendoring's or a replacement's
			}
			evidence = append(evidence, change("module "+path, d.A, d.B))
		}
		if path, ok := strings.CutPrefix(d.Key, keyReplace); ok && !local(d.A) && !local(d.B) {
			evidence = append(evidence, change("replacement of "+path, d.A, d.B))
		}
	}
	return oneFinding(fact.Certain, 0, "build with the same go.mod and go.sum, and with -mod=readonly", shorten(evidence)...)
}

// vendoring: `go build -mod=vendor` records no sums.
func vendoring(p *pair) []finding {
	if !p.infos() {
		return nil
	}
	a, b := p.deps()
	common, sumsA, sumsB := 0, 0, 0
	for path, x := range a {
		y := b[path]
		if y == nil || x.Replace != nil || y.Replace != nil || x.Version != y.Version {
			continue
		}
		common++
		if x.Sum != "" {
			sumsA++
		}
		if y.Sum != "" {
			sumsB++
		}
	}
	if common == 0 || !(sumsA == 0 && sumsB == common || sumsB == 0 && sumsA == common) {
		return nil
	}
	vendored := "A"
	if sumsB == 0 {
		vendored = "B"
	}
	return oneFinding(fact.Likely, 0, "set mod in the profile to vendor or readonly for both", fmt.Sprintf("the same versions of %d modules, without checksums in %s: built from a vendor directory", common, vendored))
}

func replacePath(p *pair) []finding {
	var evidence []string
	for _, d := range p.diff.BuildInfo {
		if path, ok := strings.CutPrefix(d.Key, keyReplace); ok && (local(d.A) || local(d.B)) {
			evidence = append(evidence, change("replacement of "+path, d.A, d.B))
		}
	}
	return oneFinding(fact.Certain, 0, "release without replacements by directories: their paths are in the binary even with -trimpath", shorten(evidence)...)
}

// local reports whether a replacement is a directory: a path that starts with
// ./ or ../, or an absolute one (https://go.dev/ref/mod#go-mod-file-replace).
func local(replacement string) bool {
	return strings.HasPrefix(replacement, ".") || gobin.Absolute(replacement)
}

func shorten(evidence []string) []string {
	const most = 10
	if len(evidence) <= most {
		return evidence
	}
	return append(slices.Clone(evidence[:most]), fmt.Sprintf("and %d more", len(evidence)-most))
}
