package plan

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/buildstest"
	"github.com/mintmark/mintmark/internal/fact"
)

// TestUniversal: what is published of universal binaries is named by what the profile
// says for macOS, beside the programs for one architecture or in their place; what
// cannot be is said, with its place, before anything is built.
func TestUniversal(t *testing.T) {
	f := newFixture(t, buildstest.Sample())
	f.deps = false
	const both = "main: ./cmd/a\nprofiles:\n  release:\n    platforms: [linux/amd64, darwin/arm64, darwin/amd64]\n"
	const thin, linux = "fx_1.2.3_darwin_amd64.tar.gz fx_1.2.3_darwin_arm64.tar.gz ", "fx_1.2.3_linux_amd64.tar.gz"
	for _, tc := range []struct{ name, yaml, want, remark string }{
		{"true", both + "    universal: true\n", thin + linux + " fx_1.2.3_darwin_all.tar.gz", ""},
		{"beside", both + "    universal: beside\n", thin + linux + " fx_1.2.3_darwin_all.tar.gz", ""},
		{"replace", both + "    universal: replace\n    files: [LICENSE]\n", linux + " fx_1.2.3_darwin_all.tar.gz", ""},
		{"false", both + "    universal: false\n", thin + linux, ""},
		{"of all, replaced for macOS", both + "    overrides: [{platforms: [darwin], universal: replace, archive: [zip, tar.gz]}]\n", linux + " fx_1.2.3_darwin_all.tar.gz fx_1.2.3_darwin_all.zip", ""},
		{"for one architecture alone", both + "    universal: replace\n    overrides: [{platforms: [darwin/arm64], archive: zip}]\n", linux + " fx_1.2.3_darwin_all.tar.gz", ""},
		{"bare, several", strings.Replace(both, "./cmd/a", "./cmd/...", 1) + "    archive: none\n    universal: replace\n    name: \"{{.Binary}}-{{.OS}}\"\n", "a-linux b-linux a-darwin b-darwin", ""},
		{"its name", both + "    universal: replace\n    name: \"{{.Project}}-{{.OS}}-{{if eq .Arch \\\"all\\\"}}universal{{else}}{{.Arch}}{{end}}\"\n", "fx-linux-amd64.tar.gz fx-darwin-universal.tar.gz", ""},
		{"a variant", strings.Replace(both, "darwin/amd64", "darwin/amd64/v3", 1) + "    universal: replace\n", linux + " fx_1.2.3_darwin_all.tar.gz", ""},
		{"no macOS", "main: ./cmd/a\nprofiles: {release: {platforms: [linux/amd64], universal: true}}\n", linux, ""},
		{"half of it", "main: ./cmd/a\nprofiles: {release: {platforms: [darwin/arm64], universal: replace}}\n", "fx_1.2.3_darwin_arm64.tar.gz", "no universal binary: of its architectures, only darwin/arm64 is built"},

		{"one name", both + "    universal: true\n    name: \"x-{{.OS}}-{{if eq .Arch \\\"all\\\"}}arm64{{else}}{{.Arch}}{{end}}\"\n", "would both publish x-darwin-arm64.tar.gz", ""},
		{"not the same", both + "    universal: true\n    overrides: [{platforms: [darwin/arm64], universal: replace}]\n", "mintmark.yaml:7:16: release darwin/amd64 and release darwin/arm64 are in one universal binary, and universal is not the same for both", ""},
		{"packed", both + "    universal: true\n    upx: [--best]\n", "a packed program is not put into a universal binary", ""},
		{"a library", both + "    universal: true\n    cgo: true\n    buildmode: c-shared\n    env: {CC: gcc}\n", "a library is not put into a universal binary", ""},
		{"two of one architecture", strings.Replace(both, "darwin/amd64", "darwin/amd64, darwin/amd64/v3", 1) + "    universal: true\n", "are for one architecture, of which a universal binary has one slice", ""},
		{"other programs", both + "    universal: true\n    overrides: [{platforms: [darwin/arm64], main: ./cmd/b}]\n", "have different programs", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pl := f.planner(head + tc.yaml)
			plan, err := pl.Plan(t.Context())
			if err != nil || strings.Contains(tc.want, " is not ") || strings.Contains(tc.want, "would") {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%v, want %q", err, tc.want)
				}
				return
			}
			var got []string
			for _, s := range plan.Shapes() {
				got = append(got, s.Published()...)
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			var remarks []string
			for _, r := range pl.Remarks() {
				remarks = append(remarks, r.Message)
			}
			if strings.Join(remarks, "; ") != tc.remark {
				t.Errorf("remarks %q, want %q", remarks, tc.remark)
			}
			data, err := plan.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Universal) == 0 && (strings.Contains(string(data), `"universal"`) || strings.Contains(string(data), `"replaced"`)) {
				t.Errorf("a plan without them is another than before: %s", data)
			}
			again, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if err := again.CheckForeign(); err != nil {
				t.Error(err)
			}
			shape, err := fact.ReadPlan(data)
			if err != nil {
				t.Fatal(err)
			}
			if want := plan.Shapes(); !reflect.DeepEqual(slices.Concat(shape.Units, shape.Universal), want) {
				t.Errorf("%+v\nwant %+v", shape, want)
			}
		})
	}
}

// TestUniversalSelected: of some of a plan's units only what can be made of them is made.
func TestUniversalSelected(t *testing.T) {
	f := newFixture(t, buildstest.Sample())
	f.deps = false
	plan, err := f.plan(head + "main: ./cmd/a\nprofiles: {release: {platforms: [darwin/amd64, darwin/arm64, linux/amd64], universal: replace}}\n")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 0, 1, 1} {
		if got := len(plan.Select(plan.Units[:i]).Universal); got != want {
			t.Errorf("of %d units: %d, want %d", i, got, want)
		}
	}
	if got := plan.Offered(); len(got) != 4 || len(got[3].Slices) != 2 {
		t.Errorf("offered: %+v", got)
	}
	x := plan.Universal[0]
	for name, tc := range map[string]struct {
		change func()
		want   string
	}{
		"order":      {func() { slices.Reverse(x.Slices) }, "slice 1 is of darwin/arm64; want darwin/amd64"},
		"another":    {func() { x.Slices = []string{"darwin/amd64", "linux/amd64"} }, "slice 2 is of linux/amd64; want darwin/arm64"},
		"nobody":     {func() { x.Slices = []string{"darwin/amd64", "x"} }, `the plan has no unit of the slice "x"`},
		"as before":  {func() { x.Slices = []string{"darwin/amd64", "darwin/arm64"} }, ""},
		"no program": {func() { x.Mains = nil }, "no main package"},
	} {
		before := *x
		before.Slices = slices.Clone(x.Slices)
		tc.change()
		err := plan.Check()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		*x = before
	}
}
