package source_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/source"
)

// TestUncounted: why a tag is no version of the module, and which one would be;
// each that is named instead counts once it is there.
func TestUncounted(t *testing.T) {
	for _, tt := range []struct{ module, dir, others, tag, why, instead string }{
		{"example.com/m", "", "", "nightly", "is no version", ""},
		{"example.com/m", "", "", "v", "is no version", ""},
		{"example.com/m", "", "", "build5", "is no version", ""},
		{"example.com/m", "", "", "rev5-2024", "is no version", ""},
		{"example.com/m", "", "", "0.9.0", "lacks the v", "v0.9.0"},
		{"example.com/m", "", "", "V1.14.0", "has a V in place of the v", "v1.14.0"},
		{"example.com/m", "", "", "v1.2", "has 2 of the 3 numbers of a version", "v1.2.0"},
		{"example.com/m", "", "", "v1", "has 1 of the 3 numbers of a version", "v1.0.0"},
		{"example.com/m", "", "", "v1.16.0.1", "has 4 numbers, and a version has 3", "v1.16.0"},
		{"example.com/m", "", "", "v01.17.0", "has a number with a leading zero, 01", "v1.17.0"},
		{"example.com/m", "", "", "release-1.2.3", `has "release-" before the version; lacks the v`, "v1.2.3"},
		{"example.com/m", "", "", "dev1.0.0", `has "dev" before the version; lacks the v`, "v1.0.0"},
		{"example.com/m", "", "", "m-v1.2.3-rc.1", `has "m-" before the version`, "v1.2.3-rc.1"},
		{"example.com/m", "", "", "release/v1.2.3", `has "release/" before the version`, "v1.2.3"},
		{"example.com/m", "", "", "release/m-1.2.3", `has "release/m-" before the version; lacks the v`, "v1.2.3"},
		{"example.com/m", "", "", "v1.2.3rc1", "lacks the hyphen before the prerelease, rc1", "v1.2.3-rc1"},
		{"example.com/m", "", "", "v1.2.3beta2.1", "lacks the hyphen before the prerelease, beta2.1", "v1.2.3-beta2.1"},
		{"example.com/m", "", "", "1.2rc1", "lacks the v; has 2 of the 3 numbers of a version; lacks the hyphen before the prerelease, rc1", "v1.2.0-rc1"},
		{"example.com/m", "", "", "v1.2.3.rc1", `has "." in place of the hyphen before the prerelease`, "v1.2.3-rc1"},
		{"example.com/m", "", "", "v1.2.3/linux", `has "/" in place of the hyphen before the prerelease`, "v1.2.3-linux"},
		{"example.com/m", "", "", "v1.2.3-rc_1", `has characters in the prerelease, "rc_1", that no version can have`, "v1.2.3-rc-1"},
		{"example.com/m", "", "", "v1.2.3-", `has "-" after the version`, "v1.2.3"},
		{"example.com/m", "", "", "v1.2.3-01", "has a number with a leading zero in the prerelease, 01", "v1.2.3-1"},
		{"example.com/m", "", "", "v1.2.3-rc.01", "has a number with a leading zero in the prerelease, 01", "v1.2.3-rc.1"},
		{"example.com/m", "", "", "v1.2.3-rc.0a", "", "v1.2.3-rc.0a"}, // counts
		{"example.com/m", "", "", "v1.2.3+build5", "has build metadata, +build5, which the version of a module cannot have", "v1.2.3"},
		{"example.com/m", "", "", "v1.2.3+", `has "+" after the version`, "v1.2.3"},
		{"example.com/m", "", "", "v2.1.2", "is of major version v2, which the path of the module, example.com/m, would have to end in: /v2", ""},
		{"example.com/m", "", "v2", "v2.1.2", "is for the module in v2", ""},
		{"example.com/m", "", "", "2.0.46-beta3", "lacks the v; is of major version v2, which the path of the module, example.com/m, would have to end in: /v2", ""},
		{"example.com/m/v3", "", "", "v2.1.2", "is of major version v2, and the path of the module, example.com/m/v3, says v3", ""},
		{"gopkg.in/m.v2", "", "", "v1.0.0", "is of major version v1, and the path of the module, gopkg.in/m.v2, says v2", ""},
		{"example.com/m", "", "", "v1.2.4-0.20200101000000-abcdefabcdef", "looks like a pseudo-version, which only the go command makes", ""},
		{"example.com/m", "", "", "v1.2.3\u3000tag", "has \"\\u3000\" in place of the hyphen before the prerelease", "v1.2.3-tag"},
		{"example.com/m", "", "api", "api/v1.0.213", "is for the module in api", ""},
		{"example.com/m", "", "api/v2", "api/v2.0.213", "is for the module in api/v2", ""},
		{"example.com/m", "", "", "api/v1.0.213", `has "api/" before the version`, "v1.0.213"},
		{"example.com/m", "", "api", "api/old", "is no version", ""},
		{"example.com/m/src", "src", "none", "v1.4.0", "lacks src/, with which tags of the module in src begin", "src/v1.4.0"},
		{"example.com/m/src", "src", "", "v1.4.0", "is for the module at the top of the repository: those of the module in src begin with src/", "src/v1.4.0"},
		{"example.com/m/src", "src", "", "1.4", "is for the module at the top of the repository: those of the module in src begin with src/; lacks the v; has 2 of the 3 numbers of a version", "src/v1.4.0"},
		{"example.com/m/src", "src", "", "src/1.4.0", "lacks the v", "src/v1.4.0"},
		{"example.com/m/src", "src", "src/x", "src/x/v1.4.0", "is for the module in src/x", ""},
		{"example.com/m/src", "src", "", "src/x/v1.4.0", `has "x/" before the version`, "src/v1.4.0"},
		{"example.com/m/src", "src", "lib", "lib/v1.4.0", "is for the module in lib", ""},
		{"example.com/m/src", "src", "", "lib/v1.4.0", `lacks src/, with which tags of the module in src begin; has "lib/" before the version`, "src/v1.4.0"},
		{"example.com/m/src/v2", "src/v2", "", "src/v2/v2.9.0", "names the directory of the major version, which tags leave out", "src/v2.9.0"},
	} {
		u := source.UncountedOf(tt.module, tt.dir, tt.tag, strings.Split(tt.others, " ")...)
		if why := strings.Join(u.Whys, "; "); why != tt.why || u.Instead != tt.instead {
			t.Errorf("%s of %s: %s; %q\nwant %s; %q", tt.tag, tt.module, why, u.Instead, tt.why, tt.instead)
		}
		if tt.instead != "" && !source.Counts(tt.module, tt.dir, tt.instead) {
			t.Errorf("%s: %s does not count", tt.module, tt.instead)
		}
	}
}

func TestNextTag(t *testing.T) {
	for _, tt := range []struct{ module, dir, version, taken, want string }{
		{"example.com/m", "", "v0.0.0-20260102030405-abcdefabcdef", "", "v1.0.0"},
		{"example.com/m", "", "v0.0.0-20260102030405-abcdefabcdef", "v1.0.0 v1.0.1", "v1.0.2"}, // on another branch
		{"example.com/m", "", "v1.2.4-0.20260102030405-abcdefabcdef", "", "v1.2.4"},
		{"example.com/m", "", "v1.3.0-rc.1.0.20260102030405-abcdefabcdef", "", "v1.3.0"},
		{"example.com/m/v2", "", "v2.0.0-20260102030405-abcdefabcdef", "", "v2.0.0"},
		{"gopkg.in/m.v3", "", "v3.1.1-0.20260102030405-abcdefabcdef", "", "v3.1.1"},
		{"example.com/m/sub", "sub", "v0.0.0-20260102030405-abcdefabcdef", "v1.0.0", "sub/v1.0.0"},
		{"example.com/m/sub/v2", "sub/v2", "v2.0.0-20260102030405-abcdefabcdef", "", "sub/v2.0.0"},
	} {
		got := source.NextTagOf(tt.module, tt.dir, tt.version, strings.Fields(tt.taken)...)
		if got != tt.want || !source.Counts(tt.module, tt.dir, got) {
			t.Errorf("%s %s: %s, want %s", tt.module, tt.version, got, tt.want)
		}
	}
}

func TestTagFor(t *testing.T) {
	for _, tt := range []struct{ module, dir, version, want string }{
		{"example.com/m", "", "v1.0.0", "v1.0.0"},
		{"example.com/m", "", "v1.0.0-rc.1", "v1.0.0-rc.1"},
		{"example.com/m", "", "v2.0.0", ""},
		{"example.com/m", "", "v1.0", ""},
		{"example.com/m", "", "v1.0.0+build.5", ""},
		{"example.com/m/v2", "", "v2.0.0", "v2.0.0"},
		{"example.com/m/sub", "sub", "v1.0.0", "sub/v1.0.0"},
	} {
		got := (&source.Source{ModulePath: tt.module, Dir: tt.dir}).TagFor(tt.version)
		if got != tt.want || got != "" && !source.Counts(tt.module, tt.dir, got) {
			t.Errorf("%s %s: %q, want %q", tt.module, tt.version, got, tt.want)
		}
	}
}

// The highest first, what looks like no version last; a name that another commit
// has is not advised.
func TestUncountedOrder(t *testing.T) {
	r := newRepo(t)
	r.module("", "example.com/m").module("api", "example.com/m/api").commit()
	r.tag("v1.2.0", "v0.1.0")
	r.commit()
	r.tag("0.1.0", "1.10", "1.9.0", "a", "api/v9.0.0", "1.2.0", "z", "release/v1.1.0")
	s := r.mustOpen("")
	if len(s.Tags) > 0 {
		t.Errorf("version tags %q", s.Tags)
	}
	var got []string
	for _, u := range s.Uncounted() {
		got = append(got, u.Tag+" "+u.Instead)
	}
	r.tag("v1.10.0")
	if s = r.mustOpen(""); !slices.Equal(s.Tags, []string{"v1.10.0"}) || len(s.Uncounted()) != 8 {
		t.Errorf("after git tag v1.10.0: version tags %q, others %q", s.Tags, s.Uncounted())
	}
	if want := []string{"1.10 v1.10.0", "1.9.0 v1.9.0", "1.2.0 ", "release/v1.1.0 v1.1.0", "0.1.0 ", "a ", "api/v9.0.0 ", "z "}; !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// FuzzUncounted: whatever a tag is called, there is a reason, each is true, and the
// name with all of them mended counts. There is one unless the version is another
// module's, or one that the module cannot have.
func FuzzUncounted(f *testing.F) {
	for _, tag := range []string{
		"v1.2.3", "1.2.3", "release-1.2", "a/v1.2.3-x+y", "v1.2.3.4", "V0", "00.00", "\u3000v1.0.0", "-1.0", "v99999999999999999999", "release/v1.2.3", "v1.2.3beta2.1",
		"dev1.0.0", "v1.2.3-01.rc_1..x", "1.2/3.4/x", "sub/x/v1.2.3", "other/1.0", "other/v2.0", "v2/v2.0.0", "v1.0.0-+", "v1.0.0\xff", "1.0_", "v1.2.3~rc.1+a_b", "x1.2v3.4",
	} {
		for _, module := range []string{"example.com/m", "example.com/m/v2", "gopkg.in/m.v3"} {
			f.Add(module, "", tag)
			f.Add(module, "sub", tag)
		}
	}
	f.Fuzz(func(t *testing.T, module, dir, tag string) {
		if source.Counts(module, dir, tag) {
			return
		}
		others := []string{"", "other"}
		u := source.UncountedOf(module, dir, tag, others...)
		if len(u.Whys) == 0 {
			t.Errorf("%q of %s in %q: no reason", tag, module, dir)
		}
		hopeless := false
		for _, why := range u.Whys {
			truth, ends := reasonHolds(why, tag, others)
			if !truth {
				t.Errorf("%q of %s in %q: %s", tag, module, dir, why)
			}
			hopeless = hopeless || ends
		}
		if u.Instead == "" != hopeless || u.Instead != "" && !source.Counts(module, dir, u.Instead) {
			t.Errorf("%q of %s in %q: %q: %q does not count", tag, module, dir, u.Whys, u.Instead)
		}
	})
}

// reasonHolds reports whether a reason is true of a tag, as far as the tag's text
// says, and whether no other name would help.
func reasonHolds(why, tag string, others []string) (truth, hopeless bool) {
	const zero = `(^|[^0-9])0[0-9]`
	quoted := func(before, after string) string {
		text, _ := strconv.Unquote(strings.TrimSuffix(strings.TrimPrefix(why, before), after))
		return text
	}
	match := func(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }
	has := func(text string) bool { return text != "" && strings.Contains(tag, text) }
	switch other, foreign := strings.CutPrefix(why, "is for the module in "); {
	case why == "is no version":
		return !match(`[0-9]\.[0-9]`, tag), true
	case foreign:
		return slices.Contains(others, other) && strings.HasPrefix(tag, other+"/"), true
	case strings.HasPrefix(why, "is for the module at the top"):
		return true, false
	case strings.HasPrefix(why, "is of major version "), strings.HasPrefix(why, "looks like a pseudo-version"):
		return true, true
	case strings.HasSuffix(why, " before the version"):
		text := quoted("has ", " before the version")
		// The letter v of a word is not that of a version.
		return has(text) && !(match(`[\pL\pN]$`, text) && match(`^[vV][0-9]`, strings.TrimPrefix(tag, text))), false
	case strings.HasSuffix(why, " after the version"):
		return strings.Contains(tag+" ", quoted("has ", " after the version")), false
	case strings.HasSuffix(why, " in place of the hyphen before the prerelease"):
		return has(quoted("has ", " in place of the hyphen before the prerelease")), false
	case why == "lacks the v":
		return match(`(^|[^v])[0-9]`, tag) || match(`[\pL\pN]v[0-9]`, tag), false
	case why == "has a V in place of the v":
		return has("V"), false
	case strings.HasPrefix(why, "lacks the hyphen before the prerelease"):
		return match(`[0-9][A-Za-z]`, tag), false
	case strings.HasPrefix(why, "has a number with a leading zero"):
		return match(zero, tag), false
	case strings.HasPrefix(why, "has build metadata, "):
		return has("+"), false
	case strings.HasPrefix(why, "has characters in the prerelease, "):
		return match(`[^-0-9A-Za-z.]`, quoted("has characters in the prerelease, ", ", that no version can have")), false
	case strings.HasPrefix(why, "has an empty part in the prerelease, "):
		return match(`^\.|\.\.|\.$`, quoted("has an empty part in the prerelease, ", "")), false
	case strings.HasPrefix(why, "has 1 "), strings.HasPrefix(why, "has 2 "):
		return true, false
	case strings.HasSuffix(why, " numbers, and a version has 3"):
		return match(`[0-9]+(\.[0-9]+){3}`, tag), false
	case strings.HasPrefix(why, "names the directory of the major version"):
		return match(`v[0-9]+/`, tag), false
	case strings.HasPrefix(why, "lacks "):
		prefix, _, _ := strings.Cut(strings.TrimPrefix(why, "lacks "), ", with which")
		return !strings.HasPrefix(tag, prefix), false
	}
	return false, false
}
