package profiles

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// Packages is the key packages: packages for Linux distributions of what a profile
// builds for Linux.
type Packages struct {
	Formats []string // sorted, of fact.PackageFormats; none: no packages
	Name    string   // "" is the project's
	Release string   // default "1"
	Bin     string   // default "/usr/bin"
	fact.PackageAbout
	Contents []ContentRule
	Scripts  fact.Scripts
}

// ContentRule is an element of packages.contents.
type ContentRule struct {
	Type fact.ContentType
	// Src is a glob of files of the commit; of a link, where it leads; of a directory "".
	Src string
	// Dst is where they go: as in [FileRule], but from the root of the file system.
	Dst                string
	Mode, Owner, Group string // "": the commit's, root
}

// Place is the path in the package of a file of the commit that Src matches.
func (c ContentRule) Place(name string) string { return FileRule{Src: c.Src, Dst: c.Dst}.Place(name) }

// packagesKey is `packages`.
func packagesKey() key {
	formats := append([]string{fact.NoArchive}, fact.PackageFormats()...)
	text := func(name, doc string, to func(*Packages) *string) key {
		return key{name: "packages." + name, kind: kindText, doc: doc, into: func(s *Settings, v *value) { *to(&s.Packages) = v.text }}
	}
	list := func(name, doc string, to func(*Packages) *[]string) key {
		return key{name: "packages." + name, kind: kindList, doc: doc, into: func(s *Settings, v *value) { *to(&s.Packages) = v.list }}
	}
	with := func(k key, def string) key {
		k.def = def
		return k
	}
	return key{name: "packages", kind: kindGroup, doc: "Packages for Linux distributions, of the programs that are built for Linux.", sub: []key{
		{name: "packages.formats", kind: kindTexts, def: fact.NoArchive, enum: formats, doc: "Formats, each of which is published: apk, archlinux, deb, rpm; none makes no packages.",
			into: func(s *Settings, v *value) {
				s.Packages.Formats = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(v.list))), func(f string) bool { return f == fact.NoArchive })
			}},
		text("name", "Name of the package. Default: the project's.", func(p *Packages) *string { return &p.Name }),
		with(text("release", "Which package of one version it is: a number.", func(p *Packages) *string { return &p.Release }), fact.DefaultPackageRelease),
		with(text("bindir", "Directory that the programs are installed in.", func(p *Packages) *string { return &p.Bin }), "/usr/bin"),
		text("maintainer", "Who looks after it, as Jo Doe <jo@example.org>. Debian packages need one.", func(p *Packages) *string { return &p.Maintainer }),
		text("description", "What it is: one sentence, and more lines after that if need be.", func(p *Packages) *string { return &p.Description }),
		text("homepage", "URL of the project's page.", func(p *Packages) *string { return &p.Homepage }),
		text("license", "Licence, as an SPDX expression such as MIT or Apache-2.0.", func(p *Packages) *string { return &p.License }),
		text("vendor", "Who made the program.", func(p *Packages) *string { return &p.Vendor }),
		text("section", "Section of a Debian package, such as utils.", func(p *Packages) *string { return &p.Section }),
		list("depends", "Packages that it needs, as each format writes them.", func(p *Packages) *[]string { return &p.Depends }),
		list("recommends", "Packages that are installed with it unless somebody says otherwise: of deb and rpm.", func(p *Packages) *[]string { return &p.Recommends }),
		list("suggests", "Packages that go well with it: of deb and rpm.", func(p *Packages) *[]string { return &p.Suggests }),
		list("conflicts", "Packages that cannot be installed beside it.", func(p *Packages) *[]string { return &p.Conflicts }),
		list("replaces", "Packages that it takes the place of.", func(p *Packages) *[]string { return &p.Replaces }),
		list("provides", "What it is besides.", func(p *Packages) *[]string { return &p.Provides }),
		{name: "packages.contents", kind: kindContents, doc: "What is in it beside the programs.", sub: []key{
			{name: "packages.contents.src", kind: kindText, doc: "Glob of files of the commit; of a symlink, where it leads."},
			{name: "packages.contents.dst", kind: kindText, doc: "Where it goes, from / on: a file's name; of a glob, and where it ends in /, a directory."},
			{name: "packages.contents.type", kind: kindText, enum: fact.ContentTypes(), doc: "config is a configuration file that its user may change, dir an empty directory, symlink a link. Default: a file."},
			{name: "packages.contents.mode", kind: kindText, doc: "Its mode, such as \"0644\". Default: 0755 for what is executable in the commit and for directories, else 0644."},
			{name: "packages.contents.owner", kind: kindText, doc: "The user it belongs to. Default: root."},
			{name: "packages.contents.group", kind: kindText, doc: "The group it belongs to. Default: root."},
		},
			into: func(s *Settings, v *value) { s.Packages.Contents = v.contents }},
		{name: "packages.scripts", kind: kindGroup, doc: "Files of the commit that the package manager runs.", sub: []key{
			text("scripts.preinstall", "Before the files are installed.", func(p *Packages) *string { return &p.Scripts.PreInstall }),
			text("scripts.postinstall", "After the files are installed.", func(p *Packages) *string { return &p.Scripts.PostInstall }),
			text("scripts.preremove", "Before the files are removed.", func(p *Packages) *string { return &p.Scripts.PreRemove }),
			text("scripts.postremove", "After the files are removed.", func(p *Packages) *string { return &p.Scripts.PostRemove }),
		}},
	}}
}

var (
	packageForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$`)
	releaseForm  = regexp.MustCompile(`^[1-9][0-9]{0,8}$`)
	sectionForm  = regexp.MustCompile(`^[a-z0-9][a-z0-9/+.-]*$`)
	relationForm = regexp.MustCompile(`^[A-Za-z0-9(/!][A-Za-z0-9 ._+:/@()<>=~|*^-]*$`)
	ownerForm    = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)
	// Of the names of files in packages all formats take these: a blank ends a line of
	// pacman's list of them, and the programs that read the lists of others split there.
	installedForm = regexp.MustCompile(`^(/[A-Za-z0-9._+@~,=%-]+)+$`)
	leadsForm     = regexp.MustCompile(`^/?[A-Za-z0-9._+@~,=%-]+(/[A-Za-z0-9._+@~,=%-]+)*$`)
)

// checkPackage checks one text of `packages`, by the last words of its key.
func checkPackage(word, s string) error {
	const key = "packages."
	line := func(form *regexp.Regexp, hint string) error {
		if err := checkPackageLine(s); err != nil {
			return fault.Errorf(fault.Hint(err), "%s%s %v", key, word, err)
		}
		if form != nil && !form.MatchString(s) {
			return fault.Errorf(hint, "%s%s is %q", key, word, clip(s))
		}
		return nil
	}
	switch word {
	case "name":
		return line(packageForm, "use letters, digits and any of . _ + -")
	case "release":
		return line(releaseForm, "a number: 1 for the first package of a version")
	case "bindir":
		return checkInstalled(key+word, s)
	case "section":
		return line(sectionForm, "such as utils; https://packages.debian.org/stable/ lists them")
	case "homepage":
		if err := line(nil, ""); err != nil {
			return err
		}
		if err := checkPage(s); err != nil {
			return fault.Errorf(fault.Hint(err), "%s%s: %v", key, word, err)
		}
		return nil
	case "license", "vendor", "maintainer": // what dpkg takes; GitHub's packages are maintained by "GitHub"
		return line(nil, "")
	case "depends", "recommends", "suggests", "conflicts", "replaces", "provides":
		return line(relationForm, "one package per element, such as libc6 or git >= 2.30")
	case "description":
		if n := strings.Count(s, "\n"); n > maxDescription {
			return fmt.Errorf("%sdescription has %d lines, more than %d", key, n, maxDescription)
		}
		for i, l := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
			if err := checkPackageLine(l); err != nil && (l != "" || i == 0) {
				return fault.Errorf(fault.Hint(err), "line %d of %s%s %v", i+1, key, word, err)
			}
		}
		return nil
	}
	if err := checkInCommit(key+word, s); err != nil { // a script
		return err
	}
	if strings.ContainsAny(s, patternChars) {
		return fault.Errorf("name one file of the commit", "%s%s %q is a pattern", key, word, clip(s))
	}
	return nil
}

// maxDescription is the most lines that a description has.
const maxDescription = 100

// checkPackageLine accepts a line that the formats write as it is: nfpm puts the values of
// variables in the place of their names, and no format has an escape for that.
func checkPackageLine(s string) error {
	if err := checkLine(s); err != nil {
		return err
	}
	switch {
	case strings.Contains(s, "$"):
		return fault.Errorf("leave it out: nfpm would put a variable there", "contains %q", "$")
	case strings.Contains(s, "{{"):
		return fault.Errorf(templatesWork(), "cannot be a template")
	}
	return nil
}

// checkInstalled checks where a file is installed.
func checkInstalled(what, s string) error {
	const hint = "write an absolute path such as /usr/share/doc/tool/README"
	switch {
	case len(s) > 400:
		return fmt.Errorf("%s has %d bytes, more than 400", what, len(s))
	case !strings.HasPrefix(s, "/"):
		return fault.Errorf(hint, "%s %q does not begin with /", what, clip(s))
	case path.Clean(s) != s || s == "/":
		return fault.Errorf(hint, "%s %q is no clean path", what, clip(s))
	case !installedForm.MatchString(s):
		return fault.Errorf("use letters, digits and any of . _ + @ ~ , = % -, which all formats can write", "%s %q has another character", what, clip(s))
	case strings.HasPrefix(s, "/."):
		return fault.Errorf("give it another name: those are of the formats", "%s %q begins with a dot", what, clip(s))
	}
	return nil
}

// CheckInstalled reports whether a file of a package can be installed there.
func CheckInstalled(place string) error { return checkInstalled("its place", place) }

// checkContentSrc checks where what is no file of the commit comes from.
func checkContentSrc(t fact.ContentType, src string) error {
	switch {
	case t == fact.ContentDir && src != "":
		return fault.Errorf("leave src out, or name its files: {src: \"DIR/**\", dst: /PLACE/}", "a dir has a src, and is made empty")
	case t == fact.ContentSymlink && (!leadsForm.MatchString(src) || path.Clean(src) != src || len(src) > 400):
		return fault.Errorf("write where the link leads, such as ../lib/tool/tool", "a symlink leads to %q", clip(src))
	}
	return nil
}

func checkContentMode(t fact.ContentType, mode string) error {
	switch {
	case mode == "":
		return nil
	case !fact.PackageModes.MatchString(mode):
		return fault.Errorf("four octal digits in quotes, such as \"0644\"; more than rights is not offered", "the mode %q", clip(mode))
	case t == fact.ContentSymlink:
		return fault.Errorf("leave it out", "a symlink has no mode")
	}
	return nil
}

func checkOwner(name string) error {
	if name != "" && !ownerForm.MatchString(name) {
		return fault.Errorf("such as root", "no name of a user or group: %q", clip(name))
	}
	return nil
}

// CheckPackages reports everything that keeps these from being the packages of a unit
// for a platform. A planner makes none that are refused here.
func CheckPackages(p *fact.Packages, platform string) error {
	var errs []error
	add := func(err error) { errs = append(errs, err) }
	addf := func(format string, args ...any) { add(fmt.Errorf(format, args...)) }
	for i, f := range p.Formats {
		if fact.PackageArch(f, platform) == "" {
			addf("the format %q has no packages for %s", clip(f), platform)
		}
		if i > 0 && p.Formats[i-1] >= f {
			addf("the formats %q and %q are not in order", clip(p.Formats[i-1]), clip(f))
		}
		for _, r := range PackageRules(f, p) {
			add(r)
		}
	}
	if len(p.Formats) == 0 {
		addf("packages of no format")
	}
	if !fact.IsVersion(p.Version) && CheckVersion(p.Version) != nil {
		addf("%q is no version", clip(p.Version))
	}
	one := func(word, s string, needed bool) {
		if s != "" || needed {
			add(checkPackage(word, s))
		}
	}
	one("name", p.Name, true)
	one("release", p.Release, true)
	one("bindir", p.Bin, true)
	one("maintainer", p.Maintainer, false)
	one("description", p.Description, false)
	one("homepage", p.Homepage, false)
	one("license", p.License, false)
	one("vendor", p.Vendor, false)
	one("section", p.Section, false)
	for word, list := range map[string][]string{"depends": p.Depends, "recommends": p.Recommends, "suggests": p.Suggests, "conflicts": p.Conflicts, "replaces": p.Replaces, "provides": p.Provides} {
		if len(list) > maxEntries {
			addf("packages.%s has %d elements, more than %d", word, len(list), maxEntries)
			continue
		}
		for _, s := range list {
			one(word, s, true)
		}
	}
	for _, s := range p.Scripts.List() {
		one("scripts", s, true)
	}
	return errors.Join(append(errs, checkContents(p.Contents))...)
}

// checkContents wants contents sorted, each in a place of its own.
func checkContents(list []fact.PackageContent) error {
	var errs []error
	for i, c := range list {
		errs = append(errs, checkInstalled("content", c.Dst), checkContentSrc(c.Type, c.Src), checkContentMode(c.Type, c.Mode), checkOwner(c.Owner), checkOwner(c.Group))
		if c.Type != fact.ContentFile && !slices.Contains(fact.ContentTypes(), string(c.Type)) {
			errs = append(errs, fmt.Errorf("content %q: the type %q", clip(c.Dst), clip(string(c.Type))))
		}
		if c.Type.File() {
			errs = append(errs, checkInCommit("content", c.Src))
			if path.Clean(c.Src) != c.Src || c.Src == "." {
				errs = append(errs, fmt.Errorf("content %q is no path in the commit", clip(c.Src)))
			}
		}
		if i > 0 && list[i-1].Dst > c.Dst {
			errs = append(errs, fmt.Errorf("the contents %q and %q are not in order", clip(list[i-1].Dst), clip(c.Dst)))
		}
	}
	return errors.Join(errs...)
}

// PackageRule is a rule of a format that packages break, with the key that is to blame.
type PackageRule struct{ Key, Message, Hint string }

func (r PackageRule) Error() string { return r.Message }

// Forms of the names of packages: Debian policy 5.6.1, Alpine's abuild, pacman's makepkg.
var (
	debName  = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	lowName  = regexp.MustCompile(`^[a-z0-9][a-z0-9._+-]*$`)
	debStart = regexp.MustCompile(`^[0-9]`)
)

// PackageRules are what packages break of a format's rules, beyond what all formats have
// in common.
func PackageRules(format string, p *fact.Packages) (broken []PackageRule) {
	lower := "packages: {name: " + strings.ReplaceAll(strings.ToLower(p.Name), "_", "-") + "}"
	switch {
	case format == fact.Deb && !debName.MatchString(p.Name):
		broken = append(broken, PackageRule{"packages.name", fmt.Sprintf("%q is no name of a Debian package: at least two of a-z 0-9 + . -", clip(p.Name)), lower})
	case (format == fact.APK || format == fact.ArchLinux) && !lowName.MatchString(p.Name):
		broken = append(broken, PackageRule{"packages.name", fmt.Sprintf("%q is no name of a package of the format %s: a-z 0-9 . _ + -", clip(p.Name), format), lower})
	}
	if format == fact.Deb && p.Maintainer == "" {
		broken = append(broken, PackageRule{"packages.formats", "a Debian package needs a maintainer", "packages: {maintainer: Jo Doe <jo@example.org>}"})
	}
	if format == fact.RPM && p.License == "" {
		broken = append(broken, PackageRule{"packages.formats", "an RPM package needs a license", "packages: {license: MIT}, or whichever it is, as an SPDX expression"})
	}
	if p.Description == "" {
		broken = append(broken, PackageRule{"packages.formats", "a package needs a description", "packages: {description: WHAT IT IS, in one sentence}"})
	}
	if !debStart.MatchString(p.Version) {
		broken = append(broken, PackageRule{"packages.formats", fmt.Sprintf("the version %q does not begin with a number", clip(p.Version)), "leave the packages out of what has such a version"})
	}
	return broken
}

// contentsSetting decodes the list of packages.contents. Of an element with something
// wrong nothing is kept.
func (d *decoder) contentsSetting(k key, n *yaml.Node, v *value) bool {
	const hint = "write contents: [{src: FILE, dst: /PLACE}]"
	if n.Kind != yaml.SequenceNode || !d.plainTag(n, "!!seq") {
		if n.Kind != yaml.SequenceNode {
			d.errorAt(v.pos, hint, "%s wants a list, not %s", k.name, describeNode(n))
		}
		return false
	}
	if len(n.Content) > maxEntries {
		d.errorAt(v.pos, "", "%s has more than %d elements", k.name, maxEntries)
		return false
	}
	for _, item := range n.Content {
		item = d.follow(item)
		c, dst, ok := d.contentRule(k, item)
		if !ok {
			continue
		}
		v.contents, v.list = append(v.contents, c), append(v.list, c.Src)
		v.items, v.dsts = append(v.items, d.pos(item)), append(v.dsts, d.pos(dst))
	}
	return true
}

func (d *decoder) contentRule(k key, n *yaml.Node) (c ContentRule, dst *yaml.Node, ok bool) {
	entries, ok := d.mapEntries(n, "an element of "+k.name, "write {src: FILE, dst: /PLACE}")
	if !ok {
		return c, nil, false
	}
	to := map[string]*string{"src": &c.Src, "dst": &c.Dst, "type": (*string)(&c.Type), "mode": &c.Mode, "owner": &c.Owner, "group": &c.Group}
	at := map[string]*yaml.Node{}
	for _, e := range entries {
		i := slices.IndexFunc(k.sub, func(s key) bool { return s.last() == e.name })
		if i < 0 {
			d.unknownKey(e, k.name, k.sub, nil)
			ok = false
			continue
		}
		text, good := d.text(e.value, k.sub[i].name)
		if good && k.sub[i].enum != nil {
			good = d.enum(d.pos(e.value), k.sub[i].name, text, k.sub[i].enum)
		}
		*to[e.name], at[e.name], ok = text, e.value, ok && good
	}
	if !ok {
		return c, nil, false
	}
	wrong := func(of string, err error) {
		for _, err := range fault.Leaves(err) {
			pos := d.pos(n)
			if at[of] != nil {
				pos = d.pos(at[of])
			}
			d.errorAt(pos, fault.Hint(err), "%s: %v", k.name, err)
			ok = false
		}
	}
	if at["dst"] == nil {
		wrong("", fault.Errorf("write {src: FILE, dst: /PLACE}", "an element has no dst"))
	} else if place := strings.TrimSuffix(c.Dst, "/"); c.Dst != "/" {
		wrong("dst", checkInstalled("dst", place))
	}
	if c.Type.File() {
		if at["src"] == nil {
			wrong("", fault.Errorf("write {src: FILE, dst: /PLACE}, or type: dir for an empty directory", "an element has no src"))
		} else {
			wrong("src", checkGlob("src", c.Src))
		}
	} else {
		c.Dst = strings.TrimSuffix(c.Dst, "/")
	}
	wrong("src", checkContentSrc(c.Type, c.Src))
	wrong("mode", checkContentMode(c.Type, c.Mode))
	wrong("owner", checkOwner(c.Owner))
	wrong("group", checkOwner(c.Group))
	return c, at["dst"], ok
}

// contentsYAML writes the list as it would stand in a file.
func contentsYAML(list []ContentRule) string {
	var items []string
	for _, c := range list {
		var parts []string
		for _, p := range [][2]string{{"type", string(c.Type)}, {"src", c.Src}, {"dst", c.Dst}, {"owner", c.Owner}, {"group", c.Group}} {
			if p[1] != "" {
				parts = append(parts, p[0]+": "+quoteYAML(p[1]))
			}
		}
		if c.Mode != "" {
			parts = append(parts, `mode: "`+c.Mode+`"`)
		}
		items = append(items, "{"+strings.Join(parts, ", ")+"}")
	}
	return "[" + strings.Join(items, ", ") + "]"
}
