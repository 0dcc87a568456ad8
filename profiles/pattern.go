package profiles

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// Pattern selects platforms. It is written like a platform; a pattern with
// fewer parts matches all below it (`linux`, `linux/arm`), and `*` stands for
// any one part (`*/arm`, `linux/*/softfloat`). Variants are compared by what
// they mean: linux/arm/7 matches linux/arm, whose default is 7.
//
// An empty part matches everything; the zero Pattern matches all platforms.
type Pattern struct {
	OS, Arch, Variant string
}

// parsePattern reads one pattern.
func parsePattern(s string) (Pattern, error) {
	parts := strings.Split(s, "/")
	switch {
	case s == "":
		return Pattern{}, fault.Errorf("write a pattern such as linux, linux/arm or */arm64", "empty pattern")
	case len(parts) > 3:
		return Pattern{}, fault.Errorf("write OS, OS/arch or OS/arch/variant", "bad pattern %q", s)
	case archKnown(parts[0]):
		return Pattern{}, fault.Errorf("write */"+s, "%q is no pattern: the OS comes first", s)
	case slices.Contains(variantOptions, s):
		return Pattern{}, fault.Errorf(fmt.Sprintf("a variant with a comma needs quotes in a list: \"linux/arm/7,%s\"", s), "%q is no pattern", s)
	}
	if slices.Contains(parts, "") {
		return Pattern{}, fault.Errorf("write * for any one part, and leave out the parts after the last that matters", "pattern %q has an empty part", s)
	}
	parts = append(parts, "", "")
	p := Pattern{OS: parts[0], Arch: parts[1], Variant: parts[2]}
	if p.OS != "*" {
		if err := checkOS(p.OS); err != nil {
			return Pattern{}, err
		}
	}
	if p.Arch != "*" && p.Arch != "" {
		if err := checkArch(p.Arch); err != nil {
			return Pattern{}, err
		}
	}
	switch {
	case p.Variant == "" || p.Variant == "*":
	case p.Arch == "*":
		if !slices.ContainsFunc(knownArch(), func(arch string) bool {
			_, err := canonicalVariant(arch, p.Variant)
			return err == nil
		}) {
			return Pattern{}, fmt.Errorf("no architecture has the variant %q", p.Variant)
		}
	default:
		if _, err := canonicalVariant(p.Arch, p.Variant); err != nil {
			return Pattern{}, err
		}
	}
	return p, nil
}

// String is the pattern as [parsePattern] reads it; "*" for the zero Pattern.
func (p Pattern) String() string {
	s := p.OS
	if s == "" {
		s = "*"
	}
	if p.Arch != "" || p.Variant != "" {
		if p.Arch == "" {
			s += "/*"
		} else {
			s += "/" + p.Arch
		}
	}
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

// Match reports whether pl is one of the platforms p selects.
func (p Pattern) Match(pl Platform) bool {
	if !partMatches(p.OS, pl.OS) || !partMatches(p.Arch, pl.Arch) {
		return false
	}
	if p.Variant == "" || p.Variant == "*" || p.Variant == pl.Variant {
		return true
	}
	v, err := canonicalVariant(pl.Arch, p.Variant)
	return err == nil && v == pl.Canonical().Variant
}

func partMatches(pattern, part string) bool {
	return pattern == "" || pattern == "*" || pattern == part
}

// Platform returns the one platform that p spells out, and false if p leaves
// the OS or the architecture open.
func (p Pattern) Platform() (Platform, bool) {
	if p.OS == "" || p.OS == "*" || p.Arch == "" || p.Arch == "*" || p.Variant == "*" {
		return Platform{}, false
	}
	return Platform(p), true
}

// variantOptions are the words that follow a comma inside a variant.
var variantOptions = []string{"softfloat", "hardfloat", "lse", "crypto", "satconv", "signext"}

// ParsePatternList reads a comma-separated list of patterns, as a flag holds
// it. Since some variants contain a comma, an element that is one of their
// options (linux/arm/7,softfloat) is joined to the variant before it. An empty
// string is an empty list.
func ParsePatternList(s string) ([]Pattern, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var words []string
	for word := range strings.SplitSeq(s, ",") {
		word = strings.TrimSpace(word)
		if last := len(words) - 1; last >= 0 && slices.Contains(variantOptions, word) && strings.Count(words[last], "/") == 2 {
			words[last] += "," + word
			continue
		}
		words = append(words, word)
	}
	var list []Pattern
	for _, word := range words {
		p, err := parsePattern(word)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}
