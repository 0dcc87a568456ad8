package importer

import (
	"slices"
	"strings"

	"github.com/mintmark/mintmark/profiles"
)

// target is one platform. The variant is written where the default of mintmark, or
// the name of the artifact, would be another one without it.
type target struct{ os, arch, variant string }

func (t target) String() string {
	if t.variant == "" {
		return t.os + "/" + t.arch
	}
	return t.os + "/" + t.arch + "/" + t.variant
}

// variantOf describes the variants of an architecture in GoReleaser.
type variantOf struct {
	key     string // of a build, such as goarm
	field   string // of a template, such as Arm
	def     string // what GoReleaser builds without the key
	written bool   // a profile says it also for the default: mintmark's is another, or names have it
}

// variants are by architecture. Of 386 on: https://goreleaser.com/customization/builds/go/
func variants() map[string]variantOf {
	mips := variantOf{"gomips", "Mips", "hardfloat", true}
	ppc := variantOf{"goppc64", "Ppc64", "power8", false}
	return map[string]variantOf{
		"amd64": {"goamd64", "Amd64", "v1", false}, "386": {"go386", "I386", "sse2", false},
		"arm": {"goarm", "Arm", "6", true}, "arm64": {"goarm64", "Arm64", "v8.0", false},
		"mips": mips, "mipsle": mips, "mips64": mips, "mips64le": mips,
		"ppc64": ppc, "ppc64le": ppc, "riscv64": {"goriscv64", "Riscv64", "rva20u64", false},
	}
}

// literal is the variant that GoReleaser builds.
func (t target) literal() string {
	if t.variant != "" {
		return t.variant
	}
	return variants()[t.arch].def
}

// systemsOf are the architectures that GoReleaser 2.15.2 builds for each system,
// and skips without a word where there is no such pair.
func pairs() map[string]string {
	return map[string]string{
		"aix": "ppc64", "android": "386 amd64 arm arm64", "darwin": "amd64 arm64", "dragonfly": "amd64", "freebsd": "386 amd64 arm arm64",
		"illumos": "amd64", "ios": "arm64", "js": "wasm", "wasip1": "wasm",
		"linux":  "386 amd64 arm arm64 ppc64 ppc64le mips mipsle mips64 mips64le s390x riscv64 loong64",
		"netbsd": "386 amd64 arm arm64", "openbsd": "386 amd64 arm arm64 riscv64", "plan9": "386 amd64 arm",
		"solaris": "amd64", "windows": "386 amd64 arm64",
	}
}

// exists reports whether GoReleaser builds for it, and a profile can name it.
func (t target) exists() bool {
	if !slices.Contains(strings.Fields(pairs()[t.os]), t.arch) {
		return false
	}
	_, err := profiles.ParsePlatform(t.String())
	return err == nil
}

// spell gives targets the variants as a profile has to write them: all of an
// architecture, if one of its variants is not the default.
func spell(targets []target) []target {
	special := map[string]bool{}
	for _, t := range targets {
		if v := variants()[t.arch]; v.written || t.literal() != v.def {
			special[t.arch] = true
		}
	}
	out := []target{}
	for _, t := range targets {
		if t.variant = t.literal(); !special[t.arch] {
			t.variant = ""
		}
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}
