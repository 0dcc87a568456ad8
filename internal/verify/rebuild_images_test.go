package verify

import (
	"errors"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/release"
)

// TestCompareImage: an image that came out other than the published one says where.
func TestCompareImage(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(i *checksums.Image)
		says    []string // of itself, that differs; of the file, nil: it is not here
		verdict fact.Verdict
		want    string // of the finding, or the reason
	}{
		{"the same", func(i *checksums.Image) { i.SHA256 = "1" }, nil, fact.Identical, ""},
		{"another file of the commit", func(i *checksums.Image) { i.Files = []checksums.Member{{Name: "etc/x", SHA256: "b"}} }, nil, fact.Different, "etc/x"},
		{"one file less", func(i *checksums.Image) { i.Files = nil }, nil, fact.Different, "etc/x"},
		{"one more", func(i *checksums.Image) {
			i.Files = []checksums.Member{{Name: "etc/x", SHA256: "a"}, {Name: "etc/y"}}
		}, nil, fact.Different, "etc/y"},
		{"another program", func(i *checksums.Image) { i.Platforms[0].Programs = []checksums.Member{{Name: "bin/x", SHA256: "b"}} }, nil, fact.Different, "linux/amd64: bin/x"},
		{"another base", func(i *checksums.Image) { i.Platforms[0].BaseLayers = []string{"b"} }, nil, fact.Different, "the layers of the base for linux/amd64"},
		{"another platform", func(i *checksums.Image) { i.Platforms[0].Platform = "linux/arm64" }, nil, fact.Different, "that it is for linux/amd64, that it is not for linux/arm64"},
		{"another configuration", func(i *checksums.Image) { i.Platforms[0].Digest = "b" }, nil, fact.Different, "what it says of itself"},
		{"another configuration, which is here", func(i *checksums.Image) {}, []string{"the configuration for x"}, fact.Different, "the configuration for x"},
		{"another compressor", func(i *checksums.Image) { i.Tool = "b" }, []string{}, fact.Unchecked, "compressed by a, here by b; all files in them are identical, and so is what it says of itself"},
		{"another compressor, and it is not here", func(i *checksums.Image) { i.Tool = "b" }, nil, fact.Unchecked, "what it says of itself was not compared: it is not here"},
		{"another compressor as a pretext", func(i *checksums.Image) { i.Tool = "b" }, []string{"the configuration for x"}, fact.Different, "the configuration for x"},
		{"another compressor, and another file", func(i *checksums.Image) { i.Tool, i.Files = "b", nil }, nil, fact.Different, "etc/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			image := func() *checksums.Image {
				return &checksums.Image{Name: "x.oci.tar", SHA256: "1", Tool: "a", Files: []checksums.Member{{Name: "etc/x", SHA256: "a"}}, Platforms: []checksums.ImagePlatform{{
					Platform: "linux/amd64", Digest: "a", BaseLayers: []string{"a"}, Programs: []checksums.Member{{Name: "bin/x", SHA256: "a"}},
				}}}
			}
			made := image()
			made.SHA256 = "2"
			c.change(made)
			r := checksums.RebuiltFile{Kind: fact.ImageFile, Name: "x.oci.tar", SHA256: "1"}
			compareImage(&r, image(), made, func() ([]string, error) {
				if c.says == nil {
					return nil, errors.New("it is not here")
				}
				return c.says, nil
			})
			said := r.Reason
			for _, f := range r.Findings {
				said += strings.Join(f.Evidence, ", ")
			}
			if r.Verdict != c.verdict || !strings.Contains(said, c.want) || (c.want == "") != (said == "") {
				t.Errorf("%s: %q; want %s, %q", r.Verdict, said, c.verdict, c.want)
			}
		})
	}
}

// TestImageLeftOut: an image is made of all platforms. Where some are left out it is not
// compared, which is said and is no error; and one that cannot be made is.
func TestImageLeftOut(t *testing.T) {
	of := &plan.Plan{Images: []fact.Image{{Name: "x", Tags: []string{"1"}}}}
	file := &rebuiltFiles{
		publication: &publication{m: &checksums.Manifest{Images: []checksums.Image{{Name: "x.oci.tar"}}}, out: &checksums.Verification{}},
		made:        &release.Finished{Prepared: &release.Prepared{Of: &fetch.Planned{Plan: of.Select(nil)}}},
	}
	if of.Units = []*plan.Unit{{}}; len(of.Select(nil).Images) != 0 || len(of.Select(of.Units).Images) != 1 {
		t.Error("the images of some platforms are not those of all")
	}
	for _, c := range []struct {
		plan  *plan.Plan
		can   makeable
		said  string
		files int
	}{
		{&plan.Plan{}, makeable{}, "left out by -platform=linux", 0},
		{of, makeable{not: map[string]string{"x.oci.tar": "its base is elsewhere"}}, "its base is elsewhere", 1},
		{of, makeable{}, "nothing was made here in its place", 1},
	} {
		file.made.Of.Plan, file.out = c.plan, &checksums.Verification{}
		if err := file.compareImages(t.Context(), c.can, "linux"); err != nil {
			t.Fatal(err)
		}
		if _, open := file.out.Checks.Sentences(); len(open) != 1 || !strings.HasSuffix(open[0], c.said) || len(file.out.RebuiltFiles) != c.files {
			t.Errorf("%q, %v; want %s", open, file.out.RebuiltFiles, c.said)
		}
	}
}
