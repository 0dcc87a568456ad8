package source

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/git"
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
}

// Uncounted are the tags on the commit that are no version of the module: those
// that look like one first, the highest of them before the others.
func (r *Repo) Uncounted() []Uncounted {
	var out []Uncounted
	for _, t := range r.git.Tags {
		if t.Commit == r.Commit && !slices.Contains(r.Tags, t.Name) {
			u := r.uncounted(t.Name)
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

// pathMajor is what the module's path says of its major version: /v2, .v2 or "".
func (s *Source) pathMajor() string {
	_, major, _ := module.SplitPathVersion(s.ModulePath)
	return major
}

// majorPrefix is the major version that the module's path says, v2 or more, or "".
func (s *Source) majorPrefix() string { return module.PathMajorPrefix(s.pathMajor()) }

// like finds what looks like a version at the end of a tag's last part: what is
// before it, a v, numbers, a prerelease and build metadata.
var like = regexp.MustCompile(`^(.*?)([vV]?)([0-9]+(?:\.[0-9]+)*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// uncounted says why a tag on the commit does not count.
func (s *Source) uncounted(tag string) Uncounted {
	u := Uncounted{Tag: tag}
	why := func(format string, args ...any) { u.Whys = append(u.Whys, fmt.Sprintf(format, args...)) }
	dir, v := path.Split(tag)
	parts := like.FindStringSubmatch(v)
	if parts == nil || parts[2] == "" && !strings.Contains(parts[3], ".") {
		why("is no version")
		return u
	}
	before, letter, numbers, prerelease, metadata := parts[1], parts[2], strings.Split(parts[3], "."), parts[4], parts[5]
	ours := true
	switch dir {
	case s.tagPrefix():
	case "":
		why("is one of a module at the top of the repository: those of the module in %s begin with %s", s.Dir, s.tagPrefix())
	case s.Dir + "/":
		why("names the directory of the major version, which tags leave out")
	default:
		why("is one of a module in %s", path.Clean(dir))
		ours = false
	}
	if before != "" {
		why("has %q before the version", before)
	}
	switch letter {
	case "":
		why("lacks the v")
	case "V":
		why("has a V in place of the v")
	}
	if n := len(numbers); n != 3 {
		why("has %d of the 3 numbers of a version", n)
	}
	for i, n := range numbers {
		if len(n) > 1 && n[0] == '0' {
			why("has a number with a leading zero")
			numbers[i] = strings.TrimLeft(n[:len(n)-1], "0") + n[len(n)-1:]
		}
	}
	if metadata != "" {
		why("has build metadata, %s, which the version of a module cannot have", metadata)
	}
	for len(numbers) < 3 {
		numbers = append(numbers, "0")
	}
	version := "v" + strings.Join(numbers[:3], ".") + prerelease
	s.checkLike(&u, version, ours, why)
	if len(u.Whys) == 0 {
		why("is no semantic version")
	}
	return u
}

// checkLike says whether the module could have the version that a tag looks like.
func (s *Source) checkLike(u *Uncounted, version string, ours bool, why func(format string, args ...any)) {
	switch {
	case !semver.IsValid(version):
		return
	case module.IsPseudoVersion(version):
		why("looks like a pseudo-version, which only the go command makes")
		return
	case !ours:
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
