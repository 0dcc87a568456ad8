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

// ImagePlatforms are those of the platforms that an image is to have, and the patterns that
// match none.
func ImagePlatforms(i *fact.Image, all []Platform) (selected []Platform, idle []string) {
	var patterns []Pattern
	for _, s := range i.Platforms {
		p, err := parsePattern(s)
		if err != nil {
			return nil, []string{s}
		}
		patterns = append(patterns, p)
	}
	return selects(patterns, i.Platforms, all)
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
		i := fact.Image{Name: e.name, Tags: []string{defaultImageTag}, Bin: defaultImageBin}
		d.file.positions[i.Key("")] = e.pos
		if err := checkImageName(e.name); err != nil {
			d.err(e.pos, err)
		}
		settings, _ := d.mapEntries(e.value, i.Key(""), hint)
		for _, s := range settings {
			keys := imageKeys()
			at := slices.IndexFunc(keys, func(k key) bool { return k.last() == s.name })
			if at < 0 {
				d.unknownKey(s, i.Key(""), keys, func(name string) string {
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
	slices.SortFunc(d.file.Images, func(a, b fact.Image) int { return strings.Compare(a.File(), b.File()) })
}

// imageSetting decodes one value of an image.
func (d *decoder) imageSetting(i *fact.Image, k key, e entry) {
	switch k.kind {
	case kindText:
		d.imageText(i, k, e)
	case kindMap:
		d.imageMap(i, k, e)
	default:
		d.imageList(i, k, e)
	}
}

// imageText is a key that has one text, and what it may be.
type imageText struct {
	of    *string
	check func(string) error
}

// imageTexts are these keys of an image, by their last words.
func imageTexts(i *fact.Image) map[string]imageText {
	return map[string]imageText{
		"repository":   {&i.Repository, checkRepository},
		"base":         {&i.Base, checkBaseImage},
		"profile":      {&i.Profile, checkLine},
		"bin":          {&i.Bin, checkImageDir},
		"certificates": {&i.Certificates, func(s string) error { return checkImageSource("certificates", s) }},
		"user":         {&i.User, checkUser},
		"workdir":      {&i.WorkDir, checkImageDir},
	}
}

// imageMaps are the keys that have pairs.
func imageMaps(i *fact.Image) map[string]*map[string]string {
	return map[string]*map[string]string{"files": &i.Files, "env": &i.Env, "labels": &i.Labels, "annotations": &i.Annotations}
}

// imagePair is what the two of a pair may be.
func imagePair(word string) (name, value func(string) error) {
	switch word {
	case "files":
		return checkImagePath, func(v string) error { return checkImageSource("a file", v) }
	case "env":
		return checkImageVariable, checkEnvValue
	}
	return checkLine, checkEnvValue
}

func (d *decoder) imageText(i *fact.Image, k key, e entry) {
	s, ok := d.text(e.value, k.name)
	if !ok {
		return
	}
	form := imageTexts(i)[k.last()]
	if k.last() == "base" && s == "scratch" {
		return
	}
	if err := form.check(s); err != nil {
		d.errorAt(d.pos(e.value), fault.Hint(err), "%s: %v", k.name, err)
		return
	}
	*form.of = s
}

func (d *decoder) imageList(i *fact.Image, k key, e entry) {
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
		d.patterns(e.value, k.name)
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

func (d *decoder) imageMap(i *fact.Image, k key, e entry) {
	entries, _ := d.mapEntries(e.value, k.name, map[string]string{
		"files": "write files: {/etc/greet.yaml: conf/greet.yaml}",
	}[k.last()])
	values := map[string]string{}
	for _, s := range entries {
		v, ok := d.text(s.value, k.name+"."+s.name)
		if !ok {
			continue
		}
		name, value := imagePair(k.last())
		if k.last() == "env" && looksSecret(strings.ToUpper(s.name)) {
			d.secret[s.pos.Line] = true
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
	*imageMaps(i)[k.last()] = values
}

// CheckImage holds what a plan says of an image against the forms of its keys. All that is
// wrong is reported.
func CheckImage(i *fact.Image) error {
	var errs []error
	add := func(word string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", clip(i.Key(word)), err))
		}
	}
	add("", checkImageName(i.Name))
	for word, t := range imageTexts(i) {
		if *t.of != "" || word == "bin" {
			add(word, t.check(*t.of))
		}
	}
	for word, pairs := range imageMaps(i) {
		name, value := imagePair(word)
		for k, v := range *pairs {
			add(word, name(k))
			add(word, value(v))
		}
	}
	if len(i.Tags) == 0 {
		add("tags", errors.New("there is none"))
	}
	for _, l := range []struct {
		word  string
		list  []string
		check func(string) error
	}{
		{"tags", i.Tags, checkImageTag}, {"moving", i.Moving, checkImageTag}, {"programs", i.Programs, checkLine},
		{"platforms", i.Platforms, func(s string) error { _, err := parsePattern(s); return err }},
		{"entrypoint", i.Entrypoint, checkLine},
		{"cmd", i.Cmd, func(s string) error {
			if s == "" {
				return nil
			}
			return checkLine(s)
		}},
		{"ports", i.Ports, func(s string) error {
			port, err := imagePort(s)
			if err == nil && port != s {
				err = fmt.Errorf("%q is not as plans have it, %s", clip(s), port)
			}
			return err
		}},
	} {
		for _, s := range l.list {
			add(l.word, l.check(s))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) }) // of maps
	return errors.Join(errs...)
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
func (f *File) ImagesOf(v Vars) (list []fact.Image, err error) {
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
