package profiles

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// Image is one entry of the top-level key `images`: a container image that a release
// has, for several platforms.
type Image struct {
	// Name is that of the entry, and of the file without [fact.ImageSuffix].
	Name string
	// Repository is where it is published, with the registry; "" where -to has to say it.
	Repository string
	Tags       []string // templates; each is for this image alone
	Moving     []string // templates; tags that are moved from one release to the next
	Base       string   // as [fact.ParseImageRef] reads it; "" for none
	Profile    string   // whose programs it has; "" is whichever has some
	Programs   []string // names of those it has; none: all of the profile's
	Platforms  []string // patterns of those it has; none: all of Linux that every machine of an architecture can run
	Bin        string   // directory that the programs are in, absolute
	// Certificates is the file of the commit that lies where programs look for the
	// certificates of authorities; "" for none.
	Certificates string
	Files        map[string]string // path in the image → file of the commit
	// Entrypoint and Cmd are what starts. Of the entrypoint nil is the one program.
	Entrypoint, Cmd     []string
	User                string // "" is the base's, and 65532:65532 without one
	WorkDir             string
	Env                 map[string]string
	Ports               []string          // as 8080/tcp, sorted
	Labels, Annotations map[string]string // values are templates

	patterns []Pattern
	key      string // of the file, images.NAME
}

// Key is the key of the file that says something of the image, by its last word.
func (i *Image) Key(word string) string {
	if word == "" {
		return i.key
	}
	return i.key + "." + word
}

// File is what the image is called in a release.
func (i *Image) File() string { return i.Name + fact.ImageSuffix }

// Selects are those of the platforms that the image is to have, and the patterns that
// match none.
func (i *Image) Selects(all []Platform) (selected []Platform, idle []string) {
	return selects(i.patterns, i.Platforms, all)
}

const (
	defaultImageTag = "{{.Version}}"
	defaultImageBin = "/usr/local/bin"
)

// imageKeys are the keys of an image.
func imageKeys() []key {
	return []key{
		{name: "images.repository", kind: kindText, doc: "Where the image is published, with the registry, such as ghcr.io/acme/greet."},
		{name: "images.tags", kind: kindList, template: true, doc: "Tags that are for this image alone. Default: " + defaultImageTag + "."},
		{name: "images.moving", kind: kindList, template: true, doc: "Tags that are moved from release to release, such as latest."},
		{name: "images.base", kind: kindText, doc: "Image that this one begins with, by digest: HOST/NAME@sha256:…. Default: none (scratch)."},
		{name: "images.profile", kind: kindText, doc: "Name of the profile whose programs are meant, where several have some for a platform."},
		{name: "images.programs", kind: kindList, doc: "Names of the programs that are meant. Default: all."},
		{name: "images.platforms", kind: kindList, doc: "Patterns of the platforms that are meant. Default: those of Linux."},
		{name: "images.bin", kind: kindText, def: defaultImageBin, doc: "Directory of the image that the programs are in."},
		{name: "images.certificates", kind: kindText, doc: "File of the commit with certificates of authorities in PEM, which goes where programs look for them."},
		{name: "images.files", kind: kindMap, doc: "Further files: absolute path in the image: file of the commit."},
		{name: "images.entrypoint", kind: kindList, doc: "What starts, with its first arguments. Default: the program, where there is one."},
		{name: "images.cmd", kind: kindList, doc: "Arguments where whoever starts it gives none."},
		{name: "images.user", kind: kindText, doc: "User, or USER:GROUP, that it runs as. Default: the base's; without a base 65532:65532."},
		{name: "images.workdir", kind: kindText, doc: "Directory that it runs in. Default: the base's, or /."},
		{name: "images.env", kind: kindMap, doc: "Variables that are set in it, beside those of the base."},
		{name: "images.ports", kind: kindList, doc: "Ports that it listens on, such as 8080 or 53/udp."},
		{name: "images.labels", kind: kindMap, template: true, doc: "Labels, beside those that follow from the release."},
		{name: "images.annotations", kind: kindMap, template: true, doc: "Annotations of the index and of each image, beside those that follow from the release."},
	}
}

// images decodes `images`.
func (d *decoder) images(n *yaml.Node) {
	const hint = "write images: {NAME: {repository: ghcr.io/OWNER/NAME}}"
	entries, ok := d.mapEntries(n, "images", hint)
	if !ok {
		return
	}
	if len(entries) == 0 {
		d.errorAt(d.pos(n), hint, "images names no image")
	}
	for _, e := range entries {
		i := Image{Name: e.name, key: "images." + e.name, Tags: []string{defaultImageTag}, Bin: defaultImageBin}
		d.file.positions[i.key] = e.pos
		if err := checkImageName(e.name); err != nil {
			d.err(e.pos, err)
		}
		settings, _ := d.mapEntries(e.value, i.key, hint)
		for _, s := range settings {
			keys := imageKeys()
			at := slices.IndexFunc(keys, func(k key) bool { return k.last() == s.name })
			if at < 0 {
				d.unknownKey(s, i.key, keys, func(name string) string {
					if name == "name" {
						return "the image's file is called as the key; where it is published is repository"
					}
					return ""
				})
				continue
			}
			k := keys[at]
			k.name = i.Key(s.name)
			d.file.positions[k.name] = d.pos(s.value)
			d.imageSetting(&i, k, s)
		}
		d.file.Images = append(d.file.Images, i)
	}
	slices.SortFunc(d.file.Images, func(a, b Image) int { return strings.Compare(a.File(), b.File()) })
}

// imageSetting decodes one value of an image.
func (d *decoder) imageSetting(i *Image, k key, e entry) {
	switch k.kind {
	case kindText:
		d.imageText(i, k, e)
	case kindMap:
		d.imageMap(i, k, e)
	default:
		d.imageList(i, k, e)
	}
}

func (d *decoder) imageText(i *Image, k key, e entry) {
	s, ok := d.text(e.value, k.name)
	if !ok {
		return
	}
	form := map[string]struct {
		to    *string
		check func(string) error
	}{
		"repository":   {&i.Repository, checkRepository},
		"base":         {&i.Base, checkBaseImage},
		"profile":      {&i.Profile, checkLine},
		"bin":          {&i.Bin, checkImageDir},
		"certificates": {&i.Certificates, func(s string) error { return checkImageSource("certificates", s) }},
		"user":         {&i.User, checkUser},
		"workdir":      {&i.WorkDir, checkImageDir},
	}[k.last()]
	if k.last() == "base" && s == "scratch" {
		return
	}
	if err := form.check(s); err != nil {
		d.errorAt(d.pos(e.value), fault.Hint(err), "%s: %v", k.name, err)
		return
	}
	*form.to = s
}

func (d *decoder) imageList(i *Image, k key, e entry) {
	list, nodes, ok := d.texts(e.value, k.name, "")
	if !ok {
		return
	}
	if list == nil {
		list = []string{}
	}
	for n, s := range list {
		if err := checkLine(s); err != nil && !(s == "" && k.last() == "cmd") {
			d.errorAt(d.pos(nodes[n]), fault.Hint(err), "an element of %s %v", k.name, err)
		} else if k.template {
			d.publishedTemplate(k, nodes[n], s)
		}
	}
	switch k.last() {
	case "tags":
		if i.Tags = list; len(list) == 0 {
			d.errorAt(d.pos(e.value), "leave it out for the version", "%s is empty", k.name)
		}
	case "moving":
		i.Moving = list
	case "platforms":
		i.patterns, _ = d.patterns(e.value, k.name)
		if i.Platforms = list; len(list) == 0 {
			d.errorAt(d.pos(e.value), "leave it out for all of Linux", "%s is empty", k.name)
		}
	case "programs":
		if i.Programs = list; len(list) == 0 {
			d.errorAt(d.pos(e.value), "leave it out for all", "%s is empty", k.name)
		}
	case "entrypoint":
		i.Entrypoint = list
	case "cmd":
		i.Cmd = list
	case "ports":
		for n, s := range list {
			port, err := imagePort(s)
			if err != nil {
				d.err(d.pos(nodes[n]), err)
			}
			i.Ports = append(i.Ports, port)
		}
		slices.Sort(i.Ports)
		i.Ports = slices.Compact(i.Ports)
	}
}

func (d *decoder) imageMap(i *Image, k key, e entry) {
	entries, _ := d.mapEntries(e.value, k.name, map[string]string{
		"files": "write files: {/etc/greet.yaml: conf/greet.yaml}",
	}[k.last()])
	values := map[string]string{}
	for _, s := range entries {
		v, ok := d.text(s.value, k.name+"."+s.name)
		if !ok {
			continue
		}
		name := checkLine
		value := checkLine
		switch k.last() {
		case "files":
			name = checkImagePath
			value = func(v string) error { return checkImageSource("a file", v) }
		case "env":
			name, value = checkImageVariable, checkEnvValue
			if looksSecret(strings.ToUpper(s.name)) {
				d.secret[s.pos.Line] = true
			}
		default:
			value = checkEnvValue
		}
		if err := name(s.name); err != nil {
			d.errorAt(s.pos, fault.Hint(err), "a key of %s: %v", k.name, err)
			continue
		}
		if err := value(v); err != nil {
			d.errorAt(d.pos(s.value), fault.Hint(err), "%s.%s: %v", k.name, s.name, err)
			continue
		}
		if k.template {
			d.publishedTemplate(k, s.value, v)
		}
		values[s.name] = v
	}
	switch k.last() {
	case "files":
		i.Files = values
	case "env":
		i.Env = values
	case "labels":
		i.Labels = values
	case "annotations":
		i.Annotations = values
	}
}

func checkImageName(s string) error {
	if !wordForm.MatchString(s) || !isAlnum(rune(s[0])) || len(s) > maxProject {
		return fault.Errorf("use letters, digits, dot, underscore and minus", "bad name of an image %q", clip(s))
	}
	return nil
}

func checkRepository(s string) error {
	if why := fact.NotRepository(s); why != "" {
		return fault.Errorf("write HOST/OWNER/NAME, such as ghcr.io/acme/greet, without a tag", "%q %s", clip(s), why)
	}
	return nil
}

// checkBaseImage accepts an image by its digest.
func checkBaseImage(s string) error {
	ref, why := fact.ParseImageRef(s)
	if why == "" {
		return nil
	}
	hint := "write HOST/NAME@sha256:…, such as gcr.io/distroless/static-debian12@sha256:…"
	if !strings.Contains(s, "@") && fact.NotRepository(ref.Repository) == "" {
		hint = fmt.Sprintf("write %s@sha256:…, with what crane digest %s prints, or docker buildx imagetools inspect %s", ref.Name(), ref.Name(), ref.Name())
	}
	return fault.Errorf(hint, "%q %s", clip(s), why)
}

func checkImageTag(s string) error {
	if why := fact.NotImageTag(s); why != "" {
		return fault.Errorf("a version with + in it cannot be one: name a tag that has none", "%q %s", clip(s), why)
	}
	return nil
}

// checkImageDir accepts an absolute path of a system like Linux in its shortest form.
func checkImageDir(s string) error {
	if !path.IsAbs(s) || path.Clean(s) != s {
		return fault.Errorf("write an absolute path in its shortest form, such as /usr/local/bin", "%q is no directory of an image", clip(s))
	}
	return checkLine(s)
}

// checkImagePath accepts the path of a file in an image. What begins with .wh. would
// hide another file
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts).
func checkImagePath(s string) error {
	if err := checkImageDir(s); err != nil {
		return err
	}
	if s == "/" {
		return fault.Errorf("name a file below it", "/ is no file")
	}
	for p := range strings.SplitSeq(s, "/") {
		if strings.HasPrefix(p, ".wh.") {
			return fmt.Errorf("%q would hide a file of another layer, not be one", clip(s))
		}
	}
	return nil
}

func checkImageSource(what, s string) error {
	if err := checkInCommit(what, s); err != nil {
		return err
	}
	if path.Clean(s) != s || s == "." {
		return fault.Errorf("name one file, in its shortest form", "%s %q is no file", what, clip(s))
	}
	return nil
}

var userForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$`)

func checkUser(s string) error {
	if !userForm.MatchString(s) {
		return fault.Errorf("write USER or USER:GROUP, by names that the base has or by numbers", "%q is no user", clip(s))
	}
	return nil
}

func checkImageVariable(s string) error {
	switch {
	case !variableForm.MatchString(s):
		return fault.Errorf("use letters, digits and underscore", "bad variable %q", clip(s))
	case looksSecret(strings.ToUpper(s)):
		return fault.Errorf("whoever has the image reads it: give it to the container when it starts", "the variable %s looks like a secret", s)
	}
	return nil
}

// imagePort is a port as images have it, with its protocol.
func imagePort(s string) (string, error) {
	number, protocol, ok := strings.Cut(s, "/")
	if !ok {
		protocol = "tcp"
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != number || !slices.Contains([]string{"tcp", "udp", "sctp"}, protocol) {
		return "", fault.Errorf("write 8080, 8080/tcp or 53/udp", "%q is no port", clip(s))
	}
	return number + "/" + protocol, nil
}

// ImagesOf are the images for that commit and version.
func (f *File) ImagesOf(v Vars) (list []Image, err error) {
	var errs []error
	expand := func(key string, texts []string) (out []string) {
		for _, t := range texts {
			s, err := f.published(key, t, v, checkImageTag)
			errs = append(errs, err)
			if err == nil && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
		return out
	}
	values := func(key string, m map[string]string) map[string]string {
		out := map[string]string{}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			s, err := f.published(key, m[k], v, checkEnvValue)
			errs = append(errs, err)
			out[k] = s
		}
		return out
	}
	for _, i := range f.Images {
		i.Tags, i.Moving = expand(i.Key("tags"), i.Tags), expand(i.Key("moving"), i.Moving)
		for _, t := range i.Moving {
			if slices.Contains(i.Tags, t) {
				errs = append(errs, f.Problem(f.Pos(i.Key("moving")), fmt.Sprintf("%s: the tag %s is one of tags too, which are not moved", i.Key("moving"), t), "leave it out of one of them"))
			}
		}
		i.Labels, i.Annotations = values(i.Key("labels"), i.Labels), values(i.Key("annotations"), i.Annotations)
		list = append(list, i)
	}
	return list, errors.Join(errs...)
}
