package bindiff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Passes about the kind of file, the toolchain and its settings.

func platform(p *pair) []finding {
	var evidence []string
	a, b := p.a.file, p.b.file
	if a.Format != b.Format || a.Arch != b.Arch {
		evidence = append(evidence, change("file format", string(a.Format)+" "+a.Arch, string(b.Format)+" "+b.Arch))
	}
	for _, k := range []string{"GOOS", "GOARCH"} {
		if x, y, differ := p.key(k); differ && p.both(k) {
			evidence = append(evidence, change("build information "+k, x, y))
		}
	}
	return oneFinding(fact.Certain, 0, "compare binaries of one platform", evidence...)
}

func packed(p *pair) []finding {
	a, b := p.a.file.Packed, p.b.file.Packed
	if a == "" && b == "" {
		return nil
	}
	c := fact.Certain
	evidence := []string{change("packed by", a, b)}
	if x, y := p.a.file.PackedMethod, p.b.file.PackedMethod; x != y && x != "" && y != "" {
		evidence = append(evidence, change("method", x, y))
	} else if a == b {
		c = fact.Possible // other flags, or other contents: the packing hides which
		if x != "" {
			evidence = append(evidence, "method: "+x+" in both")
		}
	}
	return oneFinding(c, 0, "unpack with upx -d and compare what the linker wrote; pin the version and flags of UPX", evidence...)
}

// signatureOnly reports whether only the signatures differ and the fields of
// the headers that say where they are, and in how many bytes.
func (p *pair) signatureOnly() (int64, bool) {
	var n int64
	signed := false
	for _, s := range p.diff.Sections {
		switch {
		case s.Kind == gobin.KindSignature:
			signed = true
		case s.Name == gobin.LinkeditCommand && s.OnlyIn == "" && s.SizeA == s.SizeB && s.Bytes <= 16:
		case s.Name == gobin.FileHeader && s.OnlyIn == "" && s.Bytes <= 16+8 && (s.SizeA == s.SizeB+16 || s.SizeB == s.SizeA+16):
			// One more load command, its count and size.
		case s.gap && s.Bytes <= 16:
			// The padding that makes room for it.
		default:
			return 0, false
		}
		n += s.Bytes
	}
	return n, signed
}

func codeSignature(p *pair) []finding {
	n, ok := p.signatureOnly()
	if !ok {
		return nil
	}
	evidence := []string{fmt.Sprintf("only the code signature differs, in %d bytes", n)}
	a, errA := p.a.file.Signature()
	b, errB := p.b.file.Signature()
	if errA == nil && errB == nil && a != b {
		evidence = append(evidence, change("signature", a.String(), b.String()))
	}
	return oneFinding(fact.Certain, n, "compare before signing, or strip the signatures of both", evidence...)
}

func buildIDRemoved(p *pair) []finding {
	a, b := p.a.file, p.b.file
	if (a.BuildID == "") == (b.BuildID == "") || a.Packed != "" || b.Packed != "" {
		return nil
	}
	return oneFinding(fact.Certain, 0, "pass -ldflags=-buildid= to both builds or to neither", change("build ID", a.BuildID, b.BuildID))
}

const remedyStripTool = "strip with -ldflags=\"-s -w\", not with a tool after the build"

// stripTool: cmd/go computes the last part of the build ID from the linked
// file, so files with one ID were one file when the linker had written them. Of
// files with two, that hash tells whether one was changed since.
func stripTool(p *pair) []finding {
	if !p.sameBuildID() {
		return editedAfterLink(p)
	}
	if _, ok := p.signatureOnly(); ok || p.a.file.Format != p.b.file.Format {
		return nil
	}
	evidence := []string{"both have the build ID " + p.a.file.BuildID + ", yet they differ: at least one was changed after the linker wrote it"}
	n := int64(0)
	for _, s := range p.diff.Sections {
		n += s.Bytes
		if s.OnlyIn != "" {
			evidence = append(evidence, fmt.Sprintf("section %s is only in %s", s.Name, strings.ToUpper(s.OnlyIn)))
		}
	}
	return oneFinding(fact.Certain, n, remedyStripTool, shorten(evidence)...)
}

func editedAfterLink(p *pair) []finding {
	if p.a.r == nil || !p.debugDiffers() {
		return nil
	}
	var evidence []string
	for i, s := range []*side{p.a, p.b} {
		u, err := s.file.Untouched()
		if err != nil {
			p.note(s, err)
			return nil
		}
		if u.State == gobin.UntouchedNo && !u.Resigned {
			evidence = append(evidence, fmt.Sprintf("%c was changed after the linker wrote it: %s", 'A'+i, u.Reason))
		}
	}
	if evidence == nil { // that something is missing proves nothing by itself
		return nil
	}
	return oneFinding(fact.Certain, 0, remedyStripTool, append(evidence, p.stripped()...)...)
}

// stripped says what of DWARF and the symbol table is in one file only.
func (p *pair) stripped() []string {
	var evidence []string
	symbols := func(s *side) bool {
		named, err := s.file.HasSymbols()
		if err != nil {
			p.note(s, err)
		}
		return named
	}
	for _, x := range []struct {
		name string
		a, b bool
	}{
		{"DWARF", p.a.file.HasDWARF(), p.b.file.HasDWARF()},
		{"symbol table", symbols(p.a), symbols(p.b)},
	} {
		if a, b := x.a, x.b; a != b {
			side := "A"
			if b {
				side = "B"
			}
			evidence = append(evidence, x.name+" is only in "+side)
		}
	}
	return evidence
}

// debugDiffers reports whether one file was stripped of more than the other.
func (p *pair) debugDiffers() bool { return len(p.stripped()) > 0 }

const remedyToolchain = "pin the exact toolchain: go: go1.X.Y in the profile"

// versionAndExperiment splits "go1.26.8 X:a,b" and "go1.26.8-X:a,b".
func versionAndExperiment(s string) (version, experiment string) {
	for _, sep := range []string{" X:", "-X:"} {
		if v, x, ok := strings.Cut(s, sep); ok {
			return v, x
		}
	}
	return s, ""
}

func toolchainVersion(p *pair) []finding {
	x, y := p.goVersions()
	a, _ := versionAndExperiment(x)
	b, _ := versionAndExperiment(y)
	if a == b || a == "" || b == "" {
		return nil
	}
	c := fact.Certain
	if p.a.file.BuildInfoFrom == gobin.FromModInfo || p.b.file.BuildInfoFrom == gobin.FromModInfo {
		c = fact.Likely // then the version is only a string that was found
	}
	return oneFinding(c, 0, remedyToolchain, change("Go version", a, b))
}

func goexperiment(p *pair) []finding {
	if !p.infos() {
		return nil
	}
	x, y := p.goVersions()
	_, a := versionAndExperiment(x)
	_, b := versionAndExperiment(y)
	var evidence []string
	if a != b {
		evidence = append(evidence, change("experiments in the Go version", a, b))
	}
	if a, b, differ := p.key("GOEXPERIMENT"); differ {
		evidence = append(evidence, change("build information GOEXPERIMENT", a, b))
	}
	return oneFinding(fact.Certain, 0, "leave GOEXPERIMENT unset, also in `go env -w`; naming a default changes the binary too", evidence...)
}

const remedyFIPS = "set GOFIPS140 to one value in both builds"

func microarchitecture(p *pair) []finding {
	if a, b := p.a.file, p.b.file; a.Arch != b.Arch {
		return nil // each has its own variable
	}
	return recorded("set the variant in the platform (linux/arm/7, linux/amd64/v3); the default depends on the machine and its settings",
		"GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM")(p)
}

func godebugDefault(p *pair) []finding {
	a, b, differ := p.key("DefaultGODEBUG")
	if !differ || !p.infos() {
		return nil
	}
	c := fact.Certain
	if _, _, fips := p.key("GOFIPS140"); fips {
		// GOFIPS140 adds its own entry.
		drop := func(s string) string {
			return strings.Join(slices.DeleteFunc(strings.Split(s, ","), func(e string) bool { return strings.HasPrefix(e, "fips140=") }), ",")
		}
		if drop(a) == drop(b) {
			return nil
		}
	}
	if x, y := p.goVersions(); x != y {
		c = fact.Possible // each toolchain has its own defaults
	}
	evidence := []string{change("build information DefaultGODEBUG", a, b)}
	x, y := godebugKeys(a), godebugKeys(b)
	for _, k := range union(x, y) {
		if x[k] != y[k] {
			evidence = append(evidence, change("GODEBUG "+k, x[k], y[k]))
		}
	}
	return oneFinding(c, 0, "the go line and the godebug lines of go.mod (or go.work) decide: use the same, and GOWORK=off", shorten(evidence)...)
}

// godebugKeys splits "k=v,k=v".
func godebugKeys(s string) map[string]string {
	m := map[string]string{}
	for e := range strings.SplitSeq(s, ",") {
		if k, v, ok := strings.Cut(e, "="); ok {
			m[k] = v
		}
	}
	return m
}

func buildTags(p *pair) []finding {
	a, b, differ := p.key("-tags")
	if !differ || !p.infos() {
		return nil
	}
	// GOFIPS140=v1.0.0 adds a tag of its own.
	split := func(s string) []string {
		return slices.DeleteFunc(strings.Split(s, ","), func(t string) bool { return t == "" || strings.HasPrefix(t, "fips140v") })
	}
	ta, tb := split(a), split(b)
	if slices.Equal(ta, tb) {
		return nil
	}
	evidence := []string{change("build information -tags", a, b)}
	slices.Sort(ta)
	slices.Sort(tb)
	if slices.Equal(ta, tb) {
		evidence = append(evidence, "the same tags in another order")
	}
	return oneFinding(fact.Certain, 0, "list the tags in the profile, once and sorted", evidence...)
}

func cgoToolchain(p *pair) []finding {
	var evidence []string
	for _, k := range []string{"CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_FFLAGS", "CGO_LDFLAGS"} {
		// cmd/go records them only without -trimpath and with cgo.
		if a, b, differ := p.key(k); differ && p.both(k) {
			evidence = append(evidence, change("build information "+k, a, b))
		}
	}
	const remedy = "pin the C compiler and its flags (a container image by digest, for one), or build without cgo"
	if evidence != nil {
		return stated(fact.Certain, 0, remedy, evidence...)
	}
	if p.a.r == nil || p.sameBuildID() || p.a.file.Format != p.b.file.Format {
		return nil
	}
	for _, s := range []*side{p.a, p.b} {
		if v, ok := setting(s.file.BuildInfo, "CGO_ENABLED"); ok && v != "1" {
			return nil
		}
	}
	a, errA := p.a.compilers()
	b, errB := p.b.compilers()
	if errA != nil || errB != nil {
		return nil
	}
	if len(a) == 0 || len(b) == 0 {
		return p.cFlags(remedy) // without any in one file, it was stripped or built without cgo
	}
	if slices.Equal(a, b) {
		return p.cFlags(remedy)
	}
	for _, t := range a {
		if !slices.Contains(b, t) {
			evidence = append(evidence, "only in A, "+t)
		}
	}
	for _, t := range b {
		if !slices.Contains(a, t) {
			evidence = append(evidence, "only in B, "+t)
		}
	}
	c := fact.Certain
	if _, _, differ := p.key("CGO_ENABLED"); differ || p.debugDiffers() {
		c = fact.Possible // the texts went with what is missing
	}
	return oneFinding(c, 0, remedy, shorten(evidence)...)
}

func pgoName(p *pair) []finding {
	a, b, differ := p.key("-pgo")
	if !differ || !p.both("-pgo") {
		return nil
	}
	return oneFinding(fact.Certain, 0, "keep one file name for the profile: it is recorded in the binary", change("build information -pgo", a, b))
}

func pgoProfile(p *pair) []finding {
	a, b, differ := p.key("-pgo")
	if !differ || p.both("-pgo") || !p.infos() {
		return pgoCode(p)
	}
	return stated(fact.Certain, 0, "commit the profile and name it in the mintmark profile; only one was built with one", change("build information -pgo", a, b))
}
