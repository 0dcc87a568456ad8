package checksums

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// Image is a published container image: an OCI image layout in a tar, with an index of
// the images of its platforms. What it is made of stands here, so whoever has the file
// sees whether it holds what was built; what of it is the base's is named, and nothing
// is said of that.
type Image struct {
	Name   string `json:"name"` // of the file
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// Digest is the SHA-256 of the index, by which registries know the image.
	Digest     string   `json:"digest"`
	Repository string   `json:"repository,omitempty"` // where it is published, with the registry
	Tags       []string `json:"tags"`                 // for this image alone
	Moving     []string `json:"moving_tags,omitempty"`
	Base       string   `json:"base,omitempty"` // as [fact.ParseImageRef] reads it; "" for none
	// Files are those of the commit that lie in all platforms' images, sorted.
	Files     []Member        `json:"files,omitempty"`
	Platforms []ImagePlatform `json:"platforms"` // in the order of the index
	Made      int             `json:"made"`      // how often it was made
	Tool      string          `json:"tool"`      // what compressed its layers
	// Verdict is of the times that it was made: what differs is not published.
	Verdict fact.Verdict `json:"verdict"`
}

// ImagePlatform is the image of one platform.
type ImagePlatform struct {
	Profile  string `json:"profile"`
	Platform string `json:"platform"`
	Digest   string `json:"digest"` // SHA-256 of its manifest
	// BaseLayers are the SHA-256 of the base's layers, the lowest first.
	BaseLayers []string `json:"base_layers,omitempty"`
	// Programs are those of the release that are in it, sorted by name: where they lie,
	// without the slash at the beginning.
	Programs []Member `json:"programs"`
}

// ImageNamed is the image of that file.
func (m *Manifest) ImageNamed(name string) (Image, bool) {
	i := slices.IndexFunc(m.Images, func(i Image) bool { return i.Name == name })
	if i < 0 {
		return Image{}, false
	}
	return m.Images[i], true
}

// Subject is what the image is called in the record, by its first tag: no two images of
// a release are called so.
func (i *Image) Subject() string {
	where := i.Repository
	if where == "" {
		where = strings.TrimSuffix(i.Name, fact.ImageSuffix)
	}
	if len(i.Tags) == 0 { // not one that is accepted
		return where
	}
	return where + ":" + i.Tags[0]
}

// checkImageSubject accepts what [Image.Subject] gives.
func checkImageSubject(name string) error {
	i := strings.LastIndexByte(name, ':')
	if i < 0 || fact.NotImageTag(name[i+1:]) != "" || fact.NotRepository(name[:i]) != "" && checkName(name[:i]) != nil {
		return fmt.Errorf("%q is no image with its tag", name)
	}
	return nil
}

// once are the files that the manifest has of the whole release, not of a unit.
func (m *Manifest) once() (list []Entry) {
	if a := m.SourceArchive; a != nil {
		list = append(list, Entry{a.Name, a.SHA256})
	}
	for _, i := range m.Images {
		list = append(list, Entry{i.Name, i.SHA256})
	}
	return list
}

// imageStage marks the subject of a record that is a container image, not a file.
const imageStage = "image"

// maxImages and maxImagePlatforms bound what a manifest has of images.
const (
	maxImages         = 100
	maxImagePlatforms = 100
)

// images checks what the manifest says of images; published are the names, folded, of the
// artifacts.
func (v *validation) images(m *Manifest, published map[string]string) {
	if len(m.Images) > maxImages {
		v.addf("%d images, more than %d", len(m.Images), maxImages)
		return
	}
	names := map[string]bool{}
	tags := map[string]bool{}
	for n := range m.Images {
		i := &m.Images[n]
		what := "image " + fact.Plain(i.Name)
		v.check(what, checkName(i.Name))
		if fact.KindOf(i.Name) != fact.ImageFile {
			v.addf("%s: does not end in %s", what, fact.ImageSuffix)
		}
		if _, ok := published[foldName(i.Name)]; ok || names[foldName(i.Name)] {
			v.addf("%s: the name belongs to another file of the release", what)
		}
		if n > 0 && m.Images[n-1].Name >= i.Name {
			v.addf("%s: is not in the order of names", what)
		}
		names[foldName(i.Name)] = true
		v.check(what, checkDigest(i.SHA256))
		v.check(what+": digest", checkDigest(i.Digest))
		if i.Size < 0 {
			v.addf("%s: size %d", what, i.Size)
		}
		if i.Repository != "" {
			if why := fact.NotRepository(i.Repository); why != "" {
				v.addf("%s: repository %s %s", what, fact.Plain(i.Repository), why)
			}
		}
		v.imageTags(what, i, tags)
		if i.Base != "" {
			if _, why := fact.ParseImageRef(i.Base); why != "" {
				v.addf("%s: base %s %s", what, fact.Plain(i.Base), why)
			}
		}
		v.imageMembers(what+": files", i.Files)
		v.imagePlatforms(m, what, i)
		v.check(what+": tool", checkText(i.Tool))
		v.check(what+": verdict", is(i.Verdict, fact.Identical))
		if i.Made < 2 {
			v.addf("%s: identical after it was made %s; nothing was compared", what, fact.Times(i.Made))
		}
	}
}

// imageTags checks the tags of an image; seen are those before, with their repository.
func (v *validation) imageTags(what string, i *Image, seen map[string]bool) {
	if len(i.Tags) == 0 {
		v.addf("%s: has no tags", what)
	}
	where := i.Repository
	if where == "" {
		where = i.Name
	}
	for _, t := range slices.Concat(i.Tags, i.Moving) {
		if why := fact.NotImageTag(t); why != "" {
			v.addf("%s: %s %s", what, fact.Plain(t), why)
		}
		if seen[where+":"+t] {
			v.addf("%s: the tag %s is there twice", what, fact.Plain(t))
		}
		seen[where+":"+t] = true
	}
}

func (v *validation) imageMembers(what string, list []Member) {
	for n, f := range list {
		v.check(what, checkPath(f.Name))
		if strings.Contains("/"+f.Name, "/.wh.") {
			v.addf("%s: %s would hide what is below it", what, fact.Plain(f.Name))
		}
		v.check(what+": "+fact.Plain(f.Name), checkDigest(f.SHA256))
		v.check(what+": "+fact.Plain(f.Name)+": mode", is(f.Mode, fact.Modes()...))
		if f.Size < 0 {
			v.addf("%s: %s: size %d", what, fact.Plain(f.Name), f.Size)
		}
		if n > 0 && list[n-1].Name >= f.Name {
			v.addf("%s: %s is not in the order of names", what, fact.Plain(f.Name))
		}
	}
}

// plannedImages holds the images against the plan's. A build has none, and its plan is
// that of a release.
func (v *validation) plannedImages(m *Manifest, p *fact.PlanShape) {
	if m.Kind == KindBuild && len(m.Images) == 0 {
		return
	}
	planned := map[string]fact.ImageShape{}
	for _, i := range p.Images {
		planned[i.Name] = i
		if _, ok := m.ImageNamed(i.Name); !ok {
			v.addf("image %s: the plan has it, and it is not in the manifest", fact.Plain(i.Name))
		}
	}
	for n := range m.Images {
		i := &m.Images[n]
		what := "image " + fact.Plain(i.Name)
		want, ok := planned[i.Name]
		if !ok {
			v.addf("%s: the plan has no such image, so nobody could make it again", what)
			continue
		}
		var has []string
		for _, f := range i.Files {
			has = append(has, f.Name)
		}
		for _, c := range []struct {
			word       string
			plan, here []string
		}{
			{"repository", []string{want.Repository}, []string{i.Repository}}, {"base", []string{want.Base}, []string{i.Base}},
			{"tags", want.Tags, i.Tags}, {"moving tags", want.Moving, i.Moving}, {"files", want.Files, has},
		} {
			if !slices.Equal(c.plan, c.here) {
				v.addf("%s: its %s: %q in the plan, %q in the manifest", what, c.word, c.plan, c.here)
			}
		}
	}
}

func (v *validation) imagePlatforms(m *Manifest, what string, i *Image) {
	switch {
	case len(i.Platforms) == 0:
		v.addf("%s: has no platform", what)
	case len(i.Platforms) > maxImagePlatforms:
		v.addf("%s: %d platforms, more than %d", what, len(i.Platforms), maxImagePlatforms)
		return
	}
	type program struct{ profile, platform, sum string }
	built := map[program]bool{}
	for _, a := range m.Artifacts {
		if a.Stage == fact.Linked || a.Stage == fact.Packed {
			built[program{a.Profile, a.Platform, a.SHA256}] = true
		}
	}
	seen := map[string]bool{}
	for _, p := range i.Platforms {
		at := fmt.Sprintf("%s: %s", what, fact.Plain(p.Platform))
		if seen[p.Platform] {
			v.addf("%s: is there twice", at)
		}
		seen[p.Platform] = true
		v.check(at+": digest", checkDigest(p.Digest))
		for _, l := range p.BaseLayers {
			v.check(at+": layer of the base", checkDigest(l))
		}
		if (i.Base == "") != (len(p.BaseLayers) == 0) {
			v.addf("%s: has %d layers of the base %q", at, len(p.BaseLayers), i.Base)
		}
		if len(p.Programs) == 0 {
			v.addf("%s: has no program", at)
		}
		v.imageMembers(at, p.Programs)
		for _, f := range p.Programs {
			if !built[program{p.Profile, p.Platform, f.SHA256}] {
				v.addf("%s: %s is no program of %s %s", at, fact.Plain(f.Name), fact.Plain(p.Profile), fact.Plain(p.Platform))
			}
			if slices.ContainsFunc(i.Files, func(x Member) bool { return x.Name == f.Name }) {
				v.addf("%s: %s is one of the files too", at, fact.Plain(f.Name))
			}
		}
	}
}
