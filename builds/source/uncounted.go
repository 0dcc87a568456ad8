package source

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/internal/fact"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Uncounted is a tag on the commit that is no version of the module.
type Uncounted struct {
	Tag  string
	Whys []string // why not; at least one
	// Like is the version that the tag looks like, canonical; "" for a tag that
	// looks like none of this module's, such as nightly or another directory's.
	Like string
	// Instead is the tag that would count in its place; "" where none would, as
	// the module's path does not permit Like, or where another commit has it.
	Instead string
	// Form is the form of tags by which it says a version; nil if there is none.
	Form *fact.TagForm
}

// Uncounted are the tags on the commit that are no version of the module: those
// that look like one first, the highest of them before the others.
func (r *Repo) Uncounted() []Uncounted {
	var out []Uncounted
	for _, t := range r.git.Tags {
		if t.Commit == r.Commit && !slices.Contains(r.Tags, t.Name) {
			u := r.uncounted(t.Name, r.holdsModule)
			if slices.ContainsFunc(r.git.Tags, func(t git.Tag) bool { return t.Name == u.Instead }) {
				u.Instead = "" // another commit's
			}
			out = append(out, u)
		}
	}
	slices.SortStableFunc(out, func(a, b Uncounted) int {
		if a.Like == "" || b.Like == "" {
			return strings.Compare(b.Like, a.Like)
		}
		return semver.Compare(b.Like, a.Like)
	})
	return out
}

// holdsModule reports whether the commit has a module in a directory of the
// repository; "" is its top.
func (r *Repo) holdsModule(dir string) bool {
	_, ok := slices.BinarySearch(r.names, path.Join(dir, "go.mod"))
	return ok
}

// NextTag is a tag that would give the commit a version and that no commit has
// yet: an example for who has none.
func (r *Repo) NextTag() string {
	return r.nextTag(func(tag string) bool {
		return slices.ContainsFunc(r.git.Tags, func(t git.Tag) bool { return t.Name == tag })
	})
}

func (s *Source) nextTag(taken func(tag string) bool) string {
	// A pseudo-version is between the highest version below it and the next.
	next, _, _ := strings.Cut(s.Version, "-")
	next, _, _ = strings.Cut(next, "+")
	if next == "v0.0.0" || !semver.IsValid(next) || !module.MatchPathMajor(next, s.pathMajor()) {
		next = cmp.Or(semver.Major(s.majorPrefix()), "v1") + ".0.0"
	}
	major, rest, _ := strings.Cut(next, ".")
	minor, patch, _ := strings.Cut(rest, ".")
	n, _ := strconv.Atoi(patch)
	for taken(s.tagPrefix() + next) {
		n++
		next = fmt.Sprintf("%s.%s.%d", major, minor, n)
	}
	return s.tagPrefix() + next
}

// TagFor is the tag that would have the go command find that version, which begins with v,
// for the commit; "" if its rules have none.
func (s *Source) TagFor(version string) string {
	if semver.Canonical(version) != version || !module.MatchPathMajor(version, s.pathMajor()) {
		return ""
	}
	return s.tagPrefix() + version
}

// pathMajor is what the module's path says of its major version: /v2, .v2 or "".
func (s *Source) pathMajor() string {
	_, major, _ := module.SplitPathVersion(s.ModulePath)
	return major
}

// majorPrefix is the major version that the module's path says, v2 or more, or "".
func (s *Source) majorPrefix() string { return module.PathMajorPrefix(s.pathMajor()) }

// numbered is what may be the v and the numbers of a version.
var numbered = regexp.MustCompile(`[vV]?[0-9]+(?:\.[0-9]+)*`)

// looks is a tag that has something like a version in it.
type looks struct {
	dir     string // with its slash: the directories before the part that has the version
	before  string // in that part
	letter  string // v, V or ""
	numbers []string
	after   string
}

// lookAt finds the version that a tag looks like: the first in the last of its
// parts that has one. Two numbers make one, or a v with one: a number alone,
// as in build5, says nothing, and neither does the v at the end of a word.
func lookAt(tag string) (looks, bool) {
	for end := len(tag); end >= 0; end = strings.LastIndexByte(tag[:end], '/') {
		dir, part := path.Split(tag[:end])
		for _, at := range numbered.FindAllStringIndex(part, -1) {
			start, text := at[0], part[at[0]:at[1]]
			l := looks{dir: dir, after: tag[len(dir)+at[1]:]}
			if text[0] > '9' {
				if last, _ := utf8.DecodeLastRuneInString(part[:start]); !unicode.IsLetter(last) && !unicode.IsDigit(last) {
					l.letter = text[:1]
				} else {
					start++
				}
				text = text[1:]
			}
			l.before, l.numbers = part[:start], strings.Split(text, ".")
			if l.letter != "" || len(l.numbers) > 1 {
				return l, true
			}
		}
	}
	return looks{}, false
}

// uncounted says why a tag on the commit does not count. holds reports whether
// the commit has a module in a directory. Every reason names what has to change,
// and Instead is the tag with all of it changed.
func (s *Source) uncounted(tag string, holds func(dir string) bool) Uncounted {
	u := Uncounted{Tag: tag}
	why := func(format string, args ...any) { u.Whys = append(u.Whys, fmt.Sprintf(format, args...)) }
	l, ok := lookAt(tag)
	if !ok {
		why("is no version")
		return u
	}
	if other := s.otherModule(l, holds); other != "" {
		why("is for the module in %s", other)
		return u
	}
	if form := (fact.TagForm{Before: l.dir + l.before + l.letter}); form.Version(tag) != "" {
		u.Form = &form
	}
	prefix := s.tagPrefix()
	before, has := strings.CutPrefix(l.dir+l.before, prefix)
	switch {
	case l.dir != prefix && l.dir == s.Dir+"/":
		why("names the directory of the major version, which tags leave out")
		before = l.before
	case !has && l.dir == "" && holds(""):
		why("is for the module at the top of the repository: those of the module in %s begin with %s", s.Dir, prefix)
	case !has:
		why("lacks %s, with which tags of the module in %s begin", prefix, s.Dir)
	}
	if before != "" {
		why("has %q before the version", before)
	}
	switch l.letter {
	case "":
		why("lacks the v")
	case "V":
		why("has a V in place of the v")
	}
	switch n := len(l.numbers); {
	case n < 3:
		why("has %d of the 3 numbers of a version", n)
	case n > 3:
		why("has %d numbers, and a version has 3", n)
	}
	numbers := append(l.numbers, "0", "0")[:3]
	for i, n := range numbers {
		if trimmed := trimZeros(n); trimmed != n {
			why("has a number with a leading zero, %s", n)
			numbers[i] = trimmed
		}
	}
	s.checkLike(&u, "v"+strings.Join(numbers, ".")+prerelease(l.after, why), why)
	return u
}

// trimZeros is a decimal number without leading zeros.
func trimZeros(n string) string {
	return cmp.Or(strings.TrimLeft(n, "0"), n[len(n)-1:])
}

// otherModule is the directory of another module of the commit whose tags begin
// like the tag: the tag's directory, or one of the major version in it; "" for none.
func (s *Source) otherModule(l looks, holds func(dir string) bool) string {
	dir := strings.TrimSuffix(l.dir, "/")
	if dir != "" && dir != s.Dir && l.dir != s.tagPrefix() && holds(dir) {
		return dir
	}
	major := "v" + trimZeros(l.numbers[0])
	dir = path.Join(dir, major)
	if major != "v0" && major != "v1" && major != s.majorPrefix() && dir != s.Dir && holds(dir) {
		return dir
	}
	return ""
}

// prerelease is what the version has of what follows its numbers in the tag, with
// its hyphen: what cannot stay is told to why.
func prerelease(after string, why func(format string, args ...any)) string {
	pre, metadata, has := strings.Cut(after, "+")
	text, hyphen := strings.CutPrefix(pre, "-")
	separator := ""
	if first, size := utf8.DecodeRuneInString(text); !hyphen && size > 0 && !permitted(first) {
		separator, text = text[:size], text[size:]
	}
	// A version has letters, digits and hyphens there, in parts between dots.
	mended := strings.Map(func(r rune) rune {
		if r == '.' || permitted(r) {
			return r
		}
		return '-'
	}, text)
	parts := slices.DeleteFunc(strings.Split(mended, "."), func(p string) bool { return p == "" })
	switch {
	case pre == "":
	case len(parts) == 0:
		why("has %q after the version", pre)
	case separator != "":
		why("has %q in place of the hyphen before the prerelease", separator)
	case !hyphen:
		why("lacks the hyphen before the prerelease, %s", mended)
	}
	if len(parts) > 0 {
		if mended != text {
			why("has characters in the prerelease, %q, that no version can have", text)
		}
		if strings.Join(parts, ".") != mended {
			why("has an empty part in the prerelease, %q", text)
		}
	}
	for i, p := range parts {
		if trimmed := trimZeros(p); trimmed != p && strings.Trim(p, "0123456789") == "" {
			why("has a number with a leading zero in the prerelease, %s", p)
			parts[i] = trimmed
		}
	}
	switch {
	case has && semver.IsValid("v1.0.0+"+metadata):
		why("has build metadata, +%s, which the version of a module cannot have", metadata)
	case has:
		why("has %q after the version", "+"+metadata)
	}
	if len(parts) == 0 {
		return ""
	}
	return "-" + strings.Join(parts, ".")
}

// permitted reports whether a part of a prerelease can have the character.
func permitted(r rune) bool {
	return r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// checkLike says whether the module could have the version that a tag looks like.
func (s *Source) checkLike(u *Uncounted, version string, why func(format string, args ...any)) {
	if module.IsPseudoVersion(version) {
		why("looks like a pseudo-version, which only the go command makes")
		return
	}
	u.Like = version
	if module.MatchPathMajor(version, s.pathMajor()) {
		u.Instead = s.tagPrefix() + version
		return
	}
	if want := s.majorPrefix(); want != "" {
		why("is of major version %s, and the path of the module, %s, says %s", semver.Major(version), s.ModulePath, want)
		return
	}
	why("is of major version %s, which the path of the module, %s, would have to end in: /%s", semver.Major(version), s.ModulePath, semver.Major(version))
}
