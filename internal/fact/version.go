package fact

import (
	"cmp"
	"regexp"
	"strings"
)

// VersionFrom says where the version of a release comes from.
type VersionFrom string

const (
	// OfSource is a version that is the source's own, as the go command reads the
	// repository: a version tag of Go's rules, or a pseudo-version.
	OfSource VersionFrom = ""
	// OfTag is one that a tag on the commit says, read by the profile file's form of
	// tags ([TagForm]) and not by Go's rules.
	OfTag VersionFrom = "tag"
	// Given is one that no tag says: whoever released the commit gave it.
	Given VersionFrom = "given"
	// OfTemplate is a snapshot's, made by the profile file's template.
	OfTemplate VersionFrom = "template"
)

// TagForm is how tags say versions: what stands before the version and after it.
// A tag has to be of that form from its first to its last byte.
type TagForm struct{ Before, After string }

// Tag is the tag of a version.
func (f TagForm) Tag(version string) string { return f.Before + version + f.After }

// Version is what a tag says, "" if it is not of the form, or if what is in the
// place of the version is none.
func (f TagForm) Version(tag string) string {
	v, before := strings.CutPrefix(tag, f.Before)
	v, after := strings.CutSuffix(v, f.After)
	if !before || !after || !IsVersion(v) {
		return ""
	}
	return v
}

// TagSays reports whether a tag can say a version, by whatever form: the version is in
// it, no number goes on before or behind it, and it is no part of another version. So
// v1.2.30 says neither 1.2.3 nor 2.30, and v1.2.3-rc.1 says neither 1.2.3 nor 1.
//
// The form is not known, and may end the version with a word: of 1.2.3.Final and
// v1.2.3-ce it is 1.2.3 as well as all of it. What cannot be such a word of a form,
// because it is another one in the next tag or makes a version the forerunner of
// itself, is the version's: a text with a digit in it, as far as a version goes on, and
// what begins with a word for prereleases. Before it, a version of two numbers or more
// does not go on either.
func TagSays(tag, version string) bool {
	for at := 0; version != ""; at++ {
		i := strings.Index(tag[at:], version)
		if i < 0 {
			return false
		}
		at += i
		before, behind := tag[:at], tag[at+len(version):]
		if !endsNumber.MatchString(before) && !endsVersion.MatchString(before) && !beginsNumber.MatchString(behind) && !goesOn(behind) {
			return true
		}
	}
	return false
}

// goesOn reports whether what is behind a version in a tag makes it another version.
func goesOn(behind string) bool {
	more := moreForm.FindString(behind)
	return strings.ContainsAny(more, "0123456789") || prereleaseForm.MatchString(more)
}

// String is the form as the profile file says it.
func (f TagForm) String() string { return f.Tag("{{.Version}}") }

// MaxVersion is the longest version, in bytes.
const MaxVersion = 100

// numbersForm are the numbers of a version, and versionForm is all of it, moreForm what
// it goes on with; a number that goes on ends what is before a version, or begins what
// is behind it.
var (
	numbersForm  = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*`)
	endsNumber   = regexp.MustCompile(`[0-9]\.?$`)
	beginsNumber = regexp.MustCompile(`^\.?[0-9]`)
	versionForm  = regexp.MustCompile(`^[0-9]+((\.|-+|\+|~)?[0-9A-Za-z]+)*$`)
	moreForm     = regexp.MustCompile(`^((\.|-+|\+|~)?[0-9A-Za-z]+)*`)
	endsVersion  = regexp.MustCompile(`[0-9]\.[0-9]+((\.|-+|\+|~)?[0-9A-Za-z]+)*(\.|-+|\+|~)?$`)
	// prereleaseForm begins with what people and tools call a version before it is one.
	prereleaseForm = regexp.MustCompile(`(?i)^[.~+-]*(alpha|beta|rc|cr|pre|preview|milestone|dev|snapshot|nightly|next|canary|unstable)([^A-Za-z]|$)`)
)

// IsVersion reports whether a text, without a v before it, can be the version of a
// release: numbers with dots between them, and then letters and digits in parts
// with a dot, hyphens, a plus or a tilde between them. So it can be part of a
// file's name and of a tag's. What follows a plus is anybody's, as in Semantic
// Versioning, but for the two words that the go command adds itself; see [GoStamp].
func IsVersion(s string) bool {
	return len(s) <= MaxVersion && versionForm.MatchString(s) && GoStamp(s) == ""
}

// GoStamp is the word in a version's build metadata, what follows a plus, by which the
// go command says something of a checkout, as in 1.2.3+dirty: that its tree was changed,
// or that the module's path lacks the major version. "" if there is none. Nobody else
// writes it, or a version would pretend to be of such a checkout.
func GoStamp(version string) string {
	_, metadata, _ := strings.Cut(version, "+")
	for _, word := range strings.FieldsFunc(metadata, func(r rune) bool { return strings.ContainsRune(".-+~", r) }) {
		if word = strings.ToLower(word); word == "dirty" || word == "incompatible" {
			return word
		}
	}
	return ""
}

// CompareVersions orders two versions, of as many numbers as they have: 2.0.46,
// 2026.11.3, 20261129. Numbers are compared from the first on, one that is not
// there is 0. Of equal numbers, what has a prerelease after them is lower, and two
// prereleases are compared as Semantic Versioning does, part by part. What follows
// a plus does not count.
func CompareVersions(a, b string) int {
	an, ap := splitVersion(a)
	bn, bp := splitVersion(b)
	for i := range max(len(an), len(bn)) {
		if c := compareNumbers(part(an, i), part(bn, i)); c != 0 {
			return c
		}
	}
	switch {
	case ap == bp:
		return 0
	case ap == "":
		return 1
	case bp == "":
		return -1
	}
	as, bs := strings.Split(ap, "."), strings.Split(bp, ".")
	for i := range min(len(as), len(bs)) {
		an, bn := isNumber(as[i]), isNumber(bs[i])
		c := strings.Compare(as[i], bs[i])
		switch {
		case an && bn:
			c = compareNumbers(as[i], bs[i])
		case an:
			c = -1
		case bn:
			c = 1
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}

// splitVersion takes a version apart: its numbers, and its prerelease.
func splitVersion(s string) (numbers []string, prerelease string) {
	s, _, _ = strings.Cut(s, "+")
	n := numbersForm.FindString(s)
	return strings.Split(n, "."), strings.TrimLeft(s[len(n):], ".-~")
}

func part(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "0"
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// compareNumbers compares decimal numbers of any length.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// NextVersion is the version after one: its last number one higher, without a
// prerelease, or with one, the same numbers without it.
func NextVersion(s string) string {
	numbers, prerelease := splitVersion(s)
	if prerelease == "" {
		last := []byte(numbers[len(numbers)-1])
		i := len(last) - 1
		for ; i >= 0 && last[i] == '9'; i-- {
			last[i] = '0'
		}
		if i < 0 {
			last = append([]byte{'1'}, last...)
		} else {
			last[i]++
		}
		numbers[len(numbers)-1] = string(last)
	}
	return strings.Join(numbers, ".")
}

// OtherTag is a tag on a commit that the version of the release is not of.
type OtherTag struct {
	Tag  string   `json:"tag"`
	Whys []string `json:"whys"` // at least one
	// Lower says that it is a version too, and not the highest.
	Lower bool `json:"lower,omitempty"`
}

// Skipped are platforms of a profile that are left out of a plan, since the
// toolchain does not know them and the profile says to skip such.
type Skipped struct {
	Profile   string   `json:"profile"`
	Platforms []string `json:"platforms"`
}
