package bindiff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// Passes about the kind of file, the toolchain and its settings.

func platform(p *pair) []Finding {
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
	if evidence == nil {
		return nil
	}
	return one(Certain, 0, "compare binaries of one platform", evidence...)
}

func packed(p *pair) []Finding {
	a, b := p.a.file.Packed, p.b.file.Packed
	if a == "" && b == "" {
		return nil
	}
	c := Certain
	if a == b {
		c = Possible // other flags, or other contents: the packing hides which
	}
	return one(c, 0, "unpack with upx -d and compare what the linker wrote; pin the version and flags of UPX", change("packed by", a, b))
}

func codeSignature(p *pair) []Finding {
	n, ok := p.only(gobin.KindSignature)
	if !ok {
		return nil
	}
	return one(Certain, n, "compare before signing, or strip the signatures of both", fmt.Sprintf("only the code signature differs, in %d bytes", n))
}

func buildIDRemoved(p *pair) []Finding {
	a, b := p.a.file, p.b.file
	if (a.BuildID == "") == (b.BuildID == "") || a.Packed != "" || b.Packed != "" {
		return nil
	}
	return one(Certain, 0, "pass -ldflags=-buildid= to both builds or to neither", change("build ID", a.BuildID, b.BuildID))
}

// stripTool: cmd/go computes the last part of the build ID from the linked
// file, so files with one ID were one file when the linker had written them.
func stripTool(p *pair) []Finding {
	if !p.sameBuildID() {
		return nil
	}
	if _, ok := p.only(gobin.KindSignature); ok {
		return nil
	}
	evidence := []string{"both have the build ID " + p.a.file.BuildID + ", yet they differ: at least one was changed after the linker wrote it"}
	for _, s := range p.diff.Sections {
		if s.OnlyIn != "" {
			evidence = append(evidence, fmt.Sprintf("section %s is only in %s", s.Name, strings.ToUpper(s.OnlyIn)))
		}
	}
	return one(Certain, 0, "strip with -ldflags=\"-s -w\", not with a tool after the build", evidence...)
}

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

func toolchainVersion(p *pair) []Finding {
	x, y := p.goVersions()
	a, _ := versionAndExperiment(x)
	b, _ := versionAndExperiment(y)
	if a == b || a == "" || b == "" {
		return nil
	}
	c := Certain
	if p.a.file.BuildInfoFrom == gobin.FromModInfo || p.b.file.BuildInfoFrom == gobin.FromModInfo {
		c = Likely // then the version is only a string that was found
	}
	return one(c, 0, remedyToolchain, change("Go version", a, b))
}

func goexperiment(p *pair) []Finding {
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
	if evidence == nil {
		return nil
	}
	return one(Certain, 0, "leave GOEXPERIMENT unset, also in `go env -w`; naming a default changes the binary too", evidence...)
}

const remedyFIPS = "set GOFIPS140 to one value in both builds"

func microarchitecture(p *pair) []Finding {
	if a, b := p.a.file, p.b.file; a.Arch != b.Arch {
		return nil // each has its own variable
	}
	return recorded("set the variant in the platform (linux/arm/7, linux/amd64/v3); the default depends on the machine and its settings",
		"GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM")(p)
}

func godebugDefault(p *pair) []Finding {
	a, b, differ := p.key("DefaultGODEBUG")
	if !differ || !p.infos() {
		return nil
	}
	c := Certain
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
		c = Possible // each toolchain has its own defaults
	}
	return one(c, 0, "the go line and the godebug lines of go.mod (or go.work) decide: use the same, and GOWORK=off", change("build information DefaultGODEBUG", a, b))
}

func buildTags(p *pair) []Finding {
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
	return one(Certain, 0, "list the tags in the profile, once and sorted", evidence...)
}

func cgoToolchain(p *pair) []Finding {
	var evidence []string
	for _, k := range []string{"CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_FFLAGS", "CGO_LDFLAGS"} {
		// cmd/go records them only without -trimpath and with cgo.
		if a, b, differ := p.key(k); differ && p.both(k) {
			evidence = append(evidence, change("build information "+k, a, b))
		}
	}
	if evidence == nil {
		return nil
	}
	return one(Certain, 0, "pin the C compiler and its flags, or build without cgo", evidence...)
}

func pgoName(p *pair) []Finding {
	a, b, differ := p.key("-pgo")
	if !differ || !p.both("-pgo") {
		return nil
	}
	return one(Certain, 0, "keep one file name for the profile: it is recorded in the binary", change("build information -pgo", a, b))
}

func pgoProfile(p *pair) []Finding {
	a, b, differ := p.key("-pgo")
	if !differ || p.both("-pgo") || !p.infos() {
		return nil
	}
	return one(Certain, 0, "commit the profile and name it in the mintmark profile; only one was built with one", change("build information -pgo", a, b))
}
