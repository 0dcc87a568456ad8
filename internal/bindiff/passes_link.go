package bindiff

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/goflags"
)

// Passes about the linker's flags. They are recorded only without -trimpath.

// ldflags is what an -ldflags string means, as far as it is understood.
type ldflags struct {
	strip  string            // "", "-s", "-w" or "-s -w"
	values map[string]string // -X: variable → value
	rest   []string          // in order
}

func parseLdflags(s string) ldflags {
	f := ldflags{values: map[string]string{}}
	args, err := goflags.Split(s)
	if err != nil {
		args = strings.Fields(s) // a quote that does not end, which no build was given
	}
	strip := map[string]bool{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if strings.HasPrefix(arg, "--") {
			arg = arg[1:]
		}
		switch {
		case arg == "-s" || arg == "-w":
			strip[arg] = true
		case arg == "-X" && i+1 < len(args):
			i++
			f.set(args[i])
		case strings.HasPrefix(arg, "-X="):
			f.set(arg[3:])
		default:
			f.rest = append(f.rest, arg)
		}
	}
	if strip["-s"] {
		strip["-w"] = true // -s implies -w
	}
	f.strip = strings.Join(slices.Sorted(maps.Keys(strip)), " ")
	return f
}

func (f *ldflags) set(def string) {
	name, value, _ := strings.Cut(def, "=")
	f.values[name] = value // the last one wins in the linker too
}

// recordedLdflags returns the flags of both when both record them and they differ.
func (p *pair) recordedLdflags() (a, b ldflags, evidence string, ok bool) {
	x, y, differ := p.key("-ldflags")
	if !differ || !p.infos() {
		return a, b, "", false
	}
	// Without the flag nothing is recorded either; -trimpath says which it is.
	for _, s := range []*side{p.a, p.b} {
		if v, _ := setting(s.file.BuildInfo, "-trimpath"); v == "true" {
			return a, b, "", false
		}
	}
	return parseLdflags(x), parseLdflags(y), change("build information -ldflags", x, y), true
}

func ldflagsValue(p *pair) []finding {
	a, b, _, ok := p.recordedLdflags()
	if !ok {
		return ldflagsText(p)
	}
	var evidence []string
	names := slices.Concat(slices.Collect(maps.Keys(a.values)), slices.Collect(maps.Keys(b.values)))
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		va, inA := a.values[n]
		vb, inB := b.values[n]
		if va != vb || inA != inB {
			evidence = append(evidence, described("-X "+n, va, vb))
		}
	}
	return stated(fact.Certain, 0, remedyValue, evidence...)
}

func stripFlags(p *pair) []finding {
	const remedy = "set ldflags.strip in the profile"
	if a, b, evidence, ok := p.recordedLdflags(); ok && a.strip != b.strip {
		return stated(fact.Certain, 0, remedy, evidence)
	}
	if p.sameBuildID() || p.a.file.Packed != "" || p.b.file.Packed != "" || p.a.file.Format != p.b.file.Format {
		return nil
	}
	evidence := p.stripped()
	if evidence == nil || p.a.r == nil {
		return nil
	}
	c := fact.Certain
	for _, s := range []*side{p.a, p.b} {
		switch u, err := s.file.Untouched(); {
		case err != nil:
			p.note(s, err)
			return nil
		case u.State == gobin.UntouchedNo:
			return nil // a tool did that, or could have
		case u.State != gobin.UntouchedYes:
			c = fact.Likely
		}
	}
	if c == fact.Certain {
		evidence = append(evidence, "both files are as the linker wrote them")
	}
	return oneFinding(c, 0, remedy, evidence...)
}

// flagSpelling: the link's inputs differ in a way that changes nothing in the
// output but the build ID and what derives from it.
func flagSpelling(p *pair) []finding {
	const remedy = "use one canonical flag string; drop -X of variables that do not exist, an explicit -buildmode=exe and GO_EXTLINK_ENABLED"
	if a, b, evidence, ok := p.recordedLdflags(); ok && a.strip == b.strip && maps.Equal(a.values, b.values) && slices.Equal(a.rest, b.rest) {
		return stated(fact.Certain, 0, remedy, evidence, "the flags mean the same")
	}
	if !p.parts("linkAction") || len(p.diff.BuildInfo) > 0 {
		return nil
	}
	n, ok := p.only(gobin.KindBuildID, gobin.KindSignature)
	if !ok {
		return nil
	}
	return oneFinding(fact.Certain, n, remedy,
		"build ID differs in linkAction alone: the same code, linked with flags or environment spelled differently",
		fmt.Sprintf("all %d bytes that differ are the build ID and what is derived from it", n))
}

func mainPackageCommentOnly(p *pair) []finding {
	if !p.parts("linkAction", "mainAction") || len(p.diff.BuildInfo) > 0 {
		return nil
	}
	n, ok := p.only(gobin.KindBuildID, gobin.KindSignature)
	if !ok {
		return nil
	}
	return oneFinding(fact.Likely, n, "use the same source (line endings included: .gitattributes) and a clean environment",
		"build ID differs in linkAction and mainAction: the inputs of package main differ without effect on its object (a comment, line endings, GOCOMPILEDEBUG, an unused C flag)",
		fmt.Sprintf("all %d bytes that differ are the build ID and what is derived from it", n))
}
