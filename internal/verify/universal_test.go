package verify

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/forgery"
)

// macRelease is a release with a universal binary, made and not signed.
func macRelease(t *testing.T, archive string, replace bool) *forgery.Release {
	t.Helper()
	r, err := forgery.Small(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r.AddUniversal(archive, replace)
	if err := r.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestUniversal: universal binaries are checked to be the programs of the manifest put
// together, bare and in an archive, beside these and in their place.
func TestUniversal(t *testing.T) {
	k := newKeys(t)
	for _, replace := range []bool{false, true} {
		for _, format := range []string{fact.NoArchive, fact.TarGz, fact.Zip} {
			r := macRelease(t, format, replace)
			if err := r.Sign(t.Context(), k.publisher); err != nil {
				t.Fatal(err)
			}
			v, err := Release(t.Context(), Config{Path: r.Dir, Key: k.public})
			if err != nil {
				t.Fatalf("%s, replace %t: %v", format, replace, err)
			}
			if !v.Checks.All(fact.Slices) {
				t.Errorf("%s: %+v", format, v.Checks.Answers())
			}
			if _, err := readPlan(v.Manifest); err != nil {
				t.Errorf("%s: %v", format, err)
			}
			bare := slices.ContainsFunc(v.Listed, func(e checksums.Entry) bool { return strings.HasPrefix(e.Name, "small_darwin_arm64") })
			if bare == replace {
				t.Errorf("%s, replace %t: %q", format, replace, v.Listed)
			}
			name := "small_darwin_all"
			if format != fact.NoArchive {
				name += "." + format
			}
			v, err = At(t.Context(), Config{Path: filepath.Join(r.Dir, name), Key: k.public})
			if err != nil || !v.Checks.All(fact.Slices) || len(v.Artifacts) < 3 {
				t.Errorf("%s alone: %+v, %v", name, v.Artifacts, err)
			}
		}
	}
}

// TestUniversalForged: what is not these programs put together is refused, however well
// it is signed and described.
func TestUniversalForged(t *testing.T) {
	k := newKeys(t)
	sliceOf := func(r *forgery.Release, platform string) string {
		return r.Contents[r.Artifact(platform, fact.Linked).SHA256]
	}
	// other replaces the file and every digest of it.
	other := func(content func(r *forgery.Release, was string) string) func(*testing.T, *forgery.Release) {
		return func(t *testing.T, r *forgery.Release) {
			a := r.Artifact("darwin/all", fact.Universal)
			made := content(r, r.Contents[a.SHA256])
			if made == r.Contents[a.SHA256] {
				t.Fatal("nothing was changed")
			}
			a.Size, a.SHA256 = int64(len(made)), files.DigestBytes([]byte(made))
			if err := os.WriteFile(filepath.Join(r.Dir, a.Name), []byte(made), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	join := func(t *testing.T, parts ...string) string {
		made, err := forgery.Join(parts...)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	for _, tc := range []struct {
		name  string
		alter func(*testing.T, *forgery.Release)
		want  string
	}{
		{"a slice that is another program", other(func(r *forgery.Release, _ string) string {
			return join(t, sliceOf(r, "darwin/amd64"), sliceOf(r, "darwin/arm64")+"and more")
		}), "has 8 bytes behind its last slice"},
		{"a slice with other bytes", other(func(_ *forgery.Release, was string) string { return was[:len(was)-2] + "x\n" }), "slice 2 is another program"},
		{"a slice less", other(func(r *forgery.Release, _ string) string { return join(t, sliceOf(r, "darwin/arm64")) }), "has 1 slices, want 2"},
		{"bytes behind", other(func(_ *forgery.Release, was string) string { return was + "\x00" }), "has 1 bytes behind its last slice"},
		{"bytes between", other(func(_ *forgery.Release, was string) string { return was[:100] + "x" + was[101:] }), "bytes that are in no slice"},
		{"one program", other(func(r *forgery.Release, _ string) string {
			return sliceOf(r, "darwin/arm64") + strings.Repeat("x", 100)
		}), "is no universal binary"},
		{"slices in another order", func(t *testing.T, r *forgery.Release) {
			slices.Reverse(r.Artifact("darwin/all", fact.Universal).From)
		}, "is made from"},
		{"made of another program", func(t *testing.T, r *forgery.Release) {
			r.Artifact("darwin/all", fact.Universal).From[1] = r.Artifact("windows/amd64", fact.Linked).SHA256
		}, "is made from"},
		{"not there", func(t *testing.T, r *forgery.Release) {
			if err := r.Drop(func(a checksums.Artifact) bool { return a.Stage == fact.Universal }); err != nil {
				t.Fatal(err)
			}
		}, "universal small_darwin_all: the plan makes it"},
		{"not in the plan", func(t *testing.T, r *forgery.Release) { r.Plan.Universal = nil }, "the plan has no unit of that profile and platform"},
		{"of a unit that is not there", func(t *testing.T, r *forgery.Release) { r.Plan.Universal[0].Slices[0] = "darwin/386" }, "the plan has no unit of its slice darwin/386"},
		{"of one unit twice", func(t *testing.T, r *forgery.Release) { r.Plan.Universal[0].Slices[0] = "darwin/arm64" }, "has the slice darwin/arm64 twice"},
		{"of no unit", func(t *testing.T, r *forgery.Release) { r.Plan.Universal[0].Slices = nil }, "slices is \"null\""},
		{"of other programs", func(t *testing.T, r *forgery.Release) { r.Plan.Units[0].Mains[0].Package += "/x" }, "links other programs"},
		{"twice", func(t *testing.T, r *forgery.Release) {
			r.Plan.Universal = append(r.Plan.Universal, r.Plan.Universal[0])
		}, "mac darwin/all is there twice"},
		{"a unit that nothing is published of", func(t *testing.T, r *forgery.Release) { r.Plan.Units[3].Replaced = true }, "is replaced, and nothing is there in its place"},
		{"units replaced, and published", func(t *testing.T, r *forgery.Release) {
			r.Plan.Units[0].Replaced = true
		}, "linked small_darwin_amd64: the plan's unit makes no such artifact"},
		{"links of its own", func(t *testing.T, r *forgery.Release) {
			r.Manifest.Rebuild.Actions = []checksums.UnitActions{{Profile: "mac", Platform: "darwin/all", Links: 1}}
		}, "rebuild: actions of mac darwin/all: there is no artifact of that profile and platform"},
		{"identical of builds that are not known to be two", func(t *testing.T, r *forgery.Release) {
			for _, u := range r.Plan.Units {
				i := checksums.UnitIndependence{Profile: u.Profile, Platform: u.Platform, Independence: fact.OneMachine}
				if u.Platform == "darwin/arm64" {
					i.Independence = fact.Unproven
					r.Artifact(u.Platform, fact.Linked).Verdict, r.Artifact(u.Platform, fact.Linked).Reason = fact.Unchecked, "not proven"
				}
				r.Manifest.Rebuild.Independence = append(r.Manifest.Rebuild.Independence, i)
			}
		}, "independence of mac darwin/arm64: unproven, and mac/darwin/all/universal/small_darwin_all is called identical"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := macRelease(t, fact.NoArchive, false)
			tc.alter(t, r)
			if err := r.Sign(t.Context(), k.publisher); err != nil {
				t.Fatal(err)
			}
			_, err := Release(t.Context(), Config{Path: r.Dir, Key: k.public})
			if err == nil || !strings.Contains(err.Error(), tc.want) || fault.ExitCode(err) != fault.Refused {
				t.Errorf("%v (exit code %d), want %q", err, fault.ExitCode(err), tc.want)
			}
		})
	}
}

// TestUniversalPlan: by a plan of universal binaries that is none, nothing is built.
func TestUniversalPlan(t *testing.T) {
	k := newKeys(t)
	for _, tc := range []struct {
		name   string
		change func(*forgery.Release)
		want   string
		// asBuilt leaves the files as they were: nothing can be built so.
		asBuilt bool
	}{
		{"slices in another order", func(r *forgery.Release) {
			slices.Reverse(r.Plan.Universal[0].Slices)
			slices.Reverse(r.Artifact("darwin/all", fact.Universal).From)
		}, "slice 1 is another program", true},
		{"of one slice", func(r *forgery.Release) { r.Plan.Universal[0].Slices = r.Plan.Universal[0].Slices[1:] }, "1 slices; want one for each of amd64, arm64", false},
		{"of another system", func(r *forgery.Release) { r.Plan.Universal[0].Platform = "linux/all" }, "universal binaries are for darwin/all", false},
		{"for one architecture", func(r *forgery.Release) { r.Plan.Universal[0].Platform = "darwin/riscv64" }, "universal binaries are for darwin/all", false},
		{"the name of another file", func(r *forgery.Release) { r.Plan.Universal[0].Name = "small_darwin_arm64" }, "two published files have this name", false},
		{"a hidden name", func(r *forgery.Release) { r.Plan.Universal[0].Name = ".x" }, `the name ".x" begins with`, false},
		{"a file from above", func(r *forgery.Release) {
			r.Plan.Universal[0].Archive, r.Plan.Universal[0].PlacedFiles = fact.Zip, []fact.File{{Src: "../x", Dst: "x"}}
		}, "no path in the commit", false},
		{"half of it published", func(r *forgery.Release) { r.Plan.Units[0].Replaced, r.Plan.Units[0].Name = true, "" }, "is not what can be in one of these universal binaries", false},
		{"a name of what is not published", func(r *forgery.Release) {
			r.Plan.Units[0].Replaced, r.Plan.Units[1].Replaced = true, true
		}, "names of what is published, and nothing is", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := macRelease(t, fact.NoArchive, false)
			tc.change(r)
			if !tc.asBuilt {
				if err := r.Build(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Sign(t.Context(), k.publisher); err != nil {
				t.Fatal(err)
			}
			_, err := Rebuild(t.Context(), k.config(t), Config{Path: r.Dir, Key: k.public}, "")
			if err == nil || !strings.Contains(err.Error(), tc.want) || fault.ExitCode(err) != fault.Refused {
				t.Errorf("%v (exit code %d), want %q", err, fault.ExitCode(err), tc.want)
			}
		})
	}
}
