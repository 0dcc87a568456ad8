package fact

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// The formats of packages for Linux distributions, as nfpm calls them.
const (
	APK       = "apk"
	ArchLinux = "archlinux"
	Deb       = "deb"
	RPM       = "rpm"
)

// PackageFormats are all of them, sorted: what a profile may name.
func PackageFormats() []string { return []string{APK, ArchLinux, Deb, RPM} }

// Packages is what a unit says of its packages for Linux distributions: one of each
// format, with its programs in Bin and Contents beside them.
type Packages struct {
	Formats []string `json:"formats"` // sorted; those that know the unit's architecture
	Name    string   `json:"name"`
	Version string   `json:"version"` // the release's, which each format writes in its own way
	Release string   `json:"release"` // counts packages of one version: a number
	Bin     string   `json:"bindir"`  // absolute

	PackageAbout

	Contents []PackageContent `json:"contents,omitempty"` // sorted by Dst
	Scripts  Scripts          `json:"scripts,omitzero"`
}

// PackageAbout is what packages say of themselves and of others, as nfpm calls it.
type PackageAbout struct {
	Maintainer  string `json:"maintainer,omitempty"`
	Description string `json:"description,omitempty"` // lines, of which the first says it all
	Homepage    string `json:"homepage,omitempty"`
	License     string `json:"license,omitempty"`
	Vendor      string `json:"vendor,omitempty"`
	Section     string `json:"section,omitempty"`

	Depends    []string `json:"depends,omitempty"`
	Recommends []string `json:"recommends,omitempty"`
	Suggests   []string `json:"suggests,omitempty"`
	Conflicts  []string `json:"conflicts,omitempty"`
	Replaces   []string `json:"replaces,omitempty"`
	Provides   []string `json:"provides,omitempty"`
}

// PackageContent is something in a package beside the programs.
type PackageContent struct {
	Type  ContentType `json:"type,omitempty"`
	Src   string      `json:"src,omitempty"` // file in the module, slash-separated; of a link, where it leads; of a directory ""
	Dst   string      `json:"dst"`           // absolute
	Mode  string      `json:"mode,omitempty"`
	Owner string      `json:"owner,omitempty"` // "" is root
	Group string      `json:"group,omitempty"`
}

// ContentType is what something in a package is.
type ContentType string

const (
	ContentFile      ContentType = ""
	ContentConfig    ContentType = "config"           // what its user changes outlives an upgrade, or is kept beside it
	ContentNoReplace ContentType = "config|noreplace" // rpm alone tells the two apart
	ContentDir       ContentType = "dir"
	ContentSymlink   ContentType = "symlink"
)

// ContentTypes are those that a profile names.
func ContentTypes() []string {
	return []string{string(ContentConfig), string(ContentNoReplace), string(ContentDir), string(ContentSymlink)}
}

// File reports whether it is a file of the commit.
func (t ContentType) File() bool { return t != ContentDir && t != ContentSymlink }

// Scripts are files of the commit that the package manager runs as root.
type Scripts struct {
	PreInstall  string `json:"preinstall,omitempty"`
	PostInstall string `json:"postinstall,omitempty"`
	PreRemove   string `json:"preremove,omitempty"`
	PostRemove  string `json:"postremove,omitempty"`
}

// List are those that there are.
func (s Scripts) List() []string {
	return slices.DeleteFunc([]string{s.PreInstall, s.PostInstall, s.PreRemove, s.PostRemove}, func(f string) bool { return f == "" })
}

// PackageModes is the form of the modes in packages.
var PackageModes = regexp.MustCompile(`^0[0-7]{3}$`)

// packageArchs are the architectures of each format, by GOARCH, with the variant where
// that decides. What is not there, no distribution of the format has. They are nfpm's,
// and where that hands a word on that it does not know, those of the distributions:
// https://wiki.debian.org/SupportedArchitectures, https://wiki.alpinelinux.org/wiki/Requirements
// and rpm's rpmrc.
var packageArchs = map[string]map[string]string{
	Deb: {
		"386": "i386", "amd64": "amd64", "arm/5": "armel", "arm/6": "armhf", "arm/7": "armhf", "arm/soft": "armel", "arm64": "arm64",
		"mips": "mips", "mipsle": "mipsel", "mips64": "mips64", "mips64le": "mips64el", "ppc64": "ppc64", "ppc64le": "ppc64el",
		"riscv64": "riscv64", "s390x": "s390x", "loong64": "loong64",
	},
	RPM: {
		"386": "i386", "amd64": "x86_64", "arm/5": "armv5tel", "arm/6": "armv6hl", "arm/7": "armv7hl", "arm/soft": "armv5tel", "arm64": "aarch64",
		"mips": "mips", "mipsle": "mipsel", "mips64": "mips64", "mips64le": "mips64el", "ppc64": "ppc64", "ppc64le": "ppc64le",
		"riscv64": "riscv64", "s390x": "s390x", "loong64": "loongarch64",
	},
	APK: {
		"386": "x86", "amd64": "x86_64", "arm/6": "armhf", "arm/7": "armv7", "arm64": "aarch64", "ppc64le": "ppc64le",
		"riscv64": "riscv64", "s390x": "s390x", "loong64": "loongarch64",
	},
	ArchLinux: {
		"386": "i686", "amd64": "x86_64", "arm/5": "arm", "arm/6": "armv6h", "arm/7": "armv7h", "arm64": "aarch64",
		"riscv64": "riscv64", "loong64": "loong64",
	},
}

// PackageArch is what a format calls the architecture of a platform; "" if it has no
// packages for it.
func PackageArch(format, platform string) string {
	goos, rest, _ := strings.Cut(platform, "/")
	arch, variant, _ := strings.Cut(rest, "/")
	if goos != "linux" {
		return ""
	}
	if arch == "arm" {
		version, float, _ := strings.Cut(variant, ",")
		if version == "" {
			version = "7" // what the go command takes
		}
		if arch += "/" + version; float == "softfloat" {
			arch = "arm/soft"
		}
	}
	return packageArchs[format][arch]
}

// PackageVersion is a version as a format writes it, taken apart as nfpm takes it: what
// it joins with a tilde or an underscore, and with a plus.
type PackageVersion struct{ Version, Prerelease, Metadata string }

// apkSuffix is a prerelease as Alpine has them (apk-package(5)).
var apkSuffix = regexp.MustCompile(`^(alpha|beta|pre|rc)[.-]?([0-9]*)$`)

// PackageVersionOf takes a version apart for a format. Debian and RPM order versions as
// Semantic Versioning does when the prerelease is behind a tilde; pacman when it is
// behind nothing. apk knows four words for prereleases, and one for what came from
// version control: whatever is none of them becomes _pre and _git, as a snapshot does, and
// what is behind a plus _git.
func PackageVersionOf(format, version string) PackageVersion {
	version, metadata, _ := strings.Cut(version, "+")
	numbers := numbersForm.FindString(version)
	pre := strings.TrimLeft(version[len(numbers):], ".-~")
	one := func(s, sep string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune("-~+", r) {
				return rune(sep[0])
			}
			return r
		}, s)
	}
	switch format {
	case ArchLinux:
		// Its version has no hyphens, and nfpm writes the prerelease into the name alone.
		v := numbers
		if beginsNumber.MatchString(pre) {
			v += "pre" // or it would go on in the numbers
		}
		v += one(pre, "_")
		if metadata != "" {
			v += "+" + one(metadata, ".")
		}
		return PackageVersion{Version: v}
	case APK:
		v := numbers
		if m := apkSuffix.FindStringSubmatch(strings.ToLower(pre)); m != nil {
			v += "_" + m[1] + m[2]
		} else if pre != "" {
			v += "_pre" + leadingTime.FindString(pre) + "_git"
		}
		if metadata != "" && !strings.HasSuffix(v, "_git") {
			v += "_git"
		}
		return PackageVersion{Version: v}
	case RPM:
		return PackageVersion{numbers, one(pre, "_"), one(metadata, "_")}
	}
	return PackageVersion{numbers, one(pre, "."), one(metadata, ".")}
}

// leadingTime is the time in a pseudo-version.
var leadingTime = regexp.MustCompile(`\b[0-9]{14}\b`)

// PackageName is the name of the file of a package: as the format's tools call it, but
// for the tilde, which forges replace in names of files.
func (p *Packages) PackageName(format, platform string) string {
	v, arch := PackageVersionOf(format, p.Version), PackageArch(format, platform)
	version := v.Version
	sep := "-"
	if format == RPM {
		sep = "_"
	}
	if v.Prerelease != "" {
		version += sep + v.Prerelease
	}
	if v.Metadata != "" {
		version += "+" + v.Metadata
	}
	switch format {
	case RPM:
		return p.Name + "-" + version + "-" + p.Release + "." + arch + ".rpm"
	case ArchLinux:
		return p.Name + "-" + version + "-" + p.Release + "-" + arch + ".pkg.tar.zst"
	}
	if p.Release != DefaultPackageRelease {
		version += map[string]string{APK: "-r", Deb: "-"}[format] + p.Release
	}
	return p.Name + "_" + version + "_" + arch + "." + format
}

// PackageFormat is the format of a package by the name of its file; "" if it is none.
func PackageFormat(name string) string {
	for ext, format := range map[string]string{".deb": Deb, ".rpm": RPM, ".apk": APK, ".pkg.tar.zst": ArchLinux} {
		if strings.HasSuffix(name, ext) {
			return format
		}
	}
	return ""
}

// DefaultPackageRelease is the first release of a version. The names of Debian and Alpine
// packages leave it out, as those that are no part of a distribution do.
const DefaultPackageRelease = "1"

// Installed is where a program of a unit goes, without a slash before it, as in the
// lists of a package's files.
func (p *Packages) Installed(u UnitShape, m Main) string {
	return strings.TrimPrefix(path.Join(p.Bin, path.Base(u.packaged(m, u.Ext()))), "/")
}

// packages are those of a unit whose programs are products.
func (u UnitShape) packages(products []int) (list []Expected) {
	p := u.Packages
	if p == nil {
		return nil
	}
	var members, modes []string
	for _, m := range u.Mains {
		members, modes = append(members, p.Installed(u, m)), append(modes, ModeRun)
	}
	for _, c := range p.Contents {
		if c.Type.File() {
			members, modes = append(members, strings.TrimPrefix(c.Dst, "/")), append(modes, c.Mode)
		}
	}
	for _, format := range p.Formats {
		list = append(list, Expected{
			Stage: PackageStage, Name: p.PackageName(format, u.Platform), Published: true, From: products, Members: members, Modes: modes, Format: format,
		})
	}
	return list
}
