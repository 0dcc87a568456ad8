package fact

import (
	"slices"
	"testing"
)

// TestCompareVersions: each is higher than all before it.
func TestCompareVersions(t *testing.T) {
	order := []string{
		"0.9", "1-alpha.1", "1-alpha.2", "1-alpha.10", "1-alpha.x", "1-beta", "1rc1", "1", "1.0.0.1", "1.2.9", "1.2.10-rc.1", "1.2.10",
		"2.0.46-beta3", "2.0.46", "2026.11.3", "2026.11.29", "20261129", "20261129.1", "99999999999999999999999",
	}
	for i, a := range order {
		if !IsVersion(a) {
			t.Errorf("%s is no version", a)
		}
		for j, b := range order {
			want := min(max(i-j, -1), 1)
			if got := CompareVersions(a, b); got != want {
				t.Errorf("%s and %s: %d, want %d", a, b, got, want)
			}
		}
	}
	for _, same := range [][2]string{{"1.0", "1"}, {"1.2.3+a", "1.2.3+b"}, {"2026.01.03", "2026.1.3"}} {
		if CompareVersions(same[0], same[1]) != 0 {
			t.Errorf("%q: one is higher", same)
		}
	}
}

func TestTagForm(t *testing.T) {
	for _, tt := range []struct{ before, after, tag, want string }{
		{"v", "", "v2.1.2", "2.1.2"},
		{"", "", "2.0.46-beta3", "2.0.46-beta3"},
		{"", "", "20261129", "20261129"},
		{"release-", "", "release-1.2", "1.2"},
		{"kustomize/v", "", "kustomize/v5.8.1", "5.8.1"},
		{"v", "-final", "v1.2.3-final", "1.2.3"},
		{"v", "", "v1.0.0+build.5", "1.0.0+build.5"},
		{"v", "", "version", ""},
		{"v", "", "vnext", ""},
		{"v", "", "kustomize/v5.8.1", ""},
		{"", "", "v1.2.3", ""},
		{"v", "", "v1.2.3/x", ""},
		{"v", "", "v1..2", ""},
		{"v", "", "v1.2.", ""},
		{"v1", "1", "v1", ""}, // the two texts overlap
		{"release-", "", "release-1.2 x", ""},
	} {
		f := TagForm{tt.before, tt.after}
		if got := f.Version(tt.tag); got != tt.want {
			t.Errorf("%s: %s says %q, want %q", f, tt.tag, got, tt.want)
		}
		if tt.want != "" && f.Tag(tt.want) != tt.tag {
			t.Errorf("%s: the tag of %s is %s", f, tt.want, f.Tag(tt.want))
		}
	}
}

func TestNextVersion(t *testing.T) {
	var got []string
	for _, v := range []string{"1.2.3", "1.9", "1.99", "2.0.46-beta3", "20261129", "2026.11.09"} {
		got = append(got, NextVersion(v))
	}
	if want := []string{"1.2.4", "1.10", "1.100", "2.0.46", "20261130", "2026.11.10"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestTagSays: a version that a tag says is all of the number in it.
func TestTagSays(t *testing.T) {
	for _, c := range []struct {
		tag, version string
		want         bool
	}{
		{"v1.2.3", "1.2.3", true}, {"1.2.3", "1.2.3", true}, {"release-1.2.3", "1.2.3", true}, {"go1-1.2.3-ce", "1.2.3", true}, {"a/v2/v2.0", "2.0", true},
		{"2-v12-v2", "2", true}, // where it is by itself
		{"v1.2.30", "1.2.3", false}, {"v11.2.3", "1.2.3", false}, {"v1.2.3", "1.2", false}, {"v1.2.3", "2.3", false}, {"v1.2.3-rc.10", "1.2.3-rc.1", false},
		{"v1.2.3", "", false}, {"", "1", false}, {"release-1", "1.2.3", false},
		{"v1.2.3-ce", "1.2.3", true}, {"v1.2.3-ce", "1.2.3-ce", true}, {"1.2.3.Final", "1.2.3", true}, {"v1.2.3_el8", "1.2.3", true}, {"v1.2.3-devel", "1.2.3", true},
		{"v1.2.3-rc.1", "1.2.3-rc.1", true}, {"k8s-v1.2.3", "1.2.3", true}, {"s3/v2-1.2.3", "1.2.3", true},
		{"v1.2.3-rc.1", "1.2.3", false}, {"v1.2.3-rc1", "1.2.3", false}, {"v1.2.3rc1", "1.2.3", false}, {"v1.2.3-rc", "1.2.3", false}, {"v1.2.3-Beta", "1.2.3", false}, {"v1.2.3--x-2", "1.2.3", false},
		{"v1.2.3+build.5", "1.2.3", false}, {"v1.2.3~dev", "1.2.3", false}, {"v1.2.3-rc.1", "1", false}, {"v1.2.3-rc1", "1", false}, {"1.2.3-1.2.4", "1.2.4", false},
	} {
		if got := TagSays(c.tag, c.version); got != c.want {
			t.Errorf("%q says %q: %t", c.tag, c.version, got)
		}
	}
}

// TestGoStamp: what the go command adds to a version is no version of anybody else.
func TestGoStamp(t *testing.T) {
	for version, want := range map[string]string{
		"1.2.3": "", "1.2.3+build.5": "", "1.2.3-dirty": "", "1.2.3+dirtyish": "",
		"1.2.3+dirty": "dirty", "1.2.3+Dirty": "dirty", "2.0.0+incompatible": "incompatible", "1.2.3+build.dirty": "dirty", "1.2.3+dirty-1": "dirty",
	} {
		if got := GoStamp(version); got != want || IsVersion(version) != (want == "") {
			t.Errorf("%s: stamp %q, a version: %t", version, got, IsVersion(version))
		}
	}
}
