package fact

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// Stage is how far a file has come: each is made from the one before.
type Stage string

const (
	Linked Stage = "linked" // as the Go linker wrote it
	Header Stage = "header" // as cgo wrote it beside a C library, in the same go build
	Packed Stage = "packed" // by UPX
	// Universal is a universal binary: a program of several units in one file.
	Universal Stage = "universal"
	Archived  Stage = "archive" // with others in an archive
	// PackageStage is a file with others in a package for a Linux distribution.
	PackageStage Stage = "package"
)

// Programs reports whether files of that stage are programs or hold some. All others are
// headers.
func (s Stage) Programs() bool { return s != Header }

// Holds reports whether files of that stage have members: those that they are made of,
// and others.
func (s Stage) Holds() bool { return s == Archived || s == PackageStage }

// The formats of archives, each the extension too.
const (
	TarGz  = "tar.gz"
	TarZst = "tar.zst"
	Zip    = "zip"
)

// ArchiveFormats are all of them, sorted: what a profile may name. Package archive
// knows how each is written and read.
func ArchiveFormats() []string { return []string{TarGz, TarZst, Zip} }

// The modes that a file in an archive can have.
const (
	ModeRead = "0644"
	ModeRun  = "0755"
)

// Modes are all of them.
func Modes() []string { return []string{ModeRead, ModeRun} }

// AllArchs stands in the place of an architecture for what runs on several, in the
// platform of universal binaries and in names of files.
const AllArchs = "all"

// UniversalPolicy says whether a profile publishes universal binaries; "": it does not.
type UniversalPolicy string

// Where universal binaries are published.
const (
	BesideSlices  UniversalPolicy = "beside"  // what they are made of is published too
	ReplaceSlices UniversalPolicy = "replace" // and is not
)

// NoArchive is the archive format of a unit that publishes its binaries as they are.
const NoArchive = "none"

// BuildMode is what a go build makes of a main package: the value of -buildmode,
// "" where there is no such flag.
type BuildMode string

// The build modes that make libraries for C programs. Each library has a header,
// without which nobody can call it.
const (
	CShared  BuildMode = "c-shared"  // loaded when the C program starts
	CArchive BuildMode = "c-archive" // linked into the C program
)

// ModeOf reads the build mode off the flags of a go build.
func ModeOf(flags []string) BuildMode {
	for _, f := range flags {
		if mode, ok := strings.CutPrefix(f, "-buildmode="); ok {
			return BuildMode(mode)
		}
	}
	return ""
}

// Library reports whether it makes a library for C programs, and a header.
func (m BuildMode) Library() bool { return m == CShared || m == CArchive }

// UnitShape is of a plan's unit all that decides which artifacts it makes and
// what they are called. It is the one place where that is spelled: whoever
// builds takes the names from here, and whoever reads a manifest holds it
// against this.
type UnitShape struct {
	Profile  string
	Platform string
	Mode     BuildMode
	Mains    []Main    // in the plan's order
	Packed   bool      // every binary goes through UPX
	Archives []string  // formats, each the extension too; none: the binaries are published as they are
	Name     string    // of the published file, without extension; "" where each main has one
	Wrap     string    // directory that the files of an archive lie in; "" for none
	Files    []File    // further ones for the archive, in the plan's order
	Packages *Packages // nil: none
	// Slices are set where this is no unit but what is published of universal binaries:
	// the platforms of the units of the same profile whose programs are in them, in the
	// order of the slices. The mains are those of each.
	Slices []string
	// Replaced says that a unit publishes nothing: its programs are in universal
	// binaries alone.
	Replaced bool
}

// Main is one main package and the binary it becomes, without extension.
type Main struct {
	Package string `json:"package"`
	Binary  string `json:"binary"` // as go build calls it
	// Path is where it lies in an archive, if that is not Binary; slash-separated.
	Path string `json:"path,omitempty"`
	// Name is that of the published file, where it is published by itself under a
	// name of its own and not under the unit's.
	Name string `json:"name,omitempty"`
}

// File is a file of the commit that goes into an archive.
type File struct {
	Src  string `json:"src"`            // in the module, slash-separated
	Dst  string `json:"dst"`            // in the archive
	Mode string `json:"mode,omitempty"` // one of Modes; "" is the commit's
}

// Path is the name of a file in the unit's archives.
func (u UnitShape) Path(name string) string {
	if u.Wrap == "" {
		return name
	}
	return u.Wrap + "/" + name
}

// ID names the unit in output: profile and platform.
func (u UnitShape) ID() string { return u.Profile + " " + u.Platform }

// Ext is the extension of the unit's binaries: that of programs, or of libraries
// as the platform's C compilers and loaders look for them. Static libraries are
// .a on Windows too: they are for the C compilers that cgo takes there.
func (u UnitShape) Ext() string {
	goos, _, _ := strings.Cut(u.Platform, "/")
	switch {
	case u.Mode == CArchive:
		return ".a"
	case u.Mode == CShared && goos == "windows":
		return ".dll"
	case u.Mode == CShared && (goos == "darwin" || goos == "ios"):
		return ".dylib"
	case u.Mode == CShared:
		return ".so"
	case goos == "windows":
		return ".exe"
	}
	return ""
}

// headerExt is the extension of the header of a library.
const headerExt = ".h"

// File is the name of main's binary, as it is linked: a program as the go command
// calls it, and a library, which knows its own name, as it is called later.
func (u UnitShape) File(m Main) string { return u.linked(m) + u.Ext() }

// Header is the name of the header that comes with main's library, beside it.
func (u UnitShape) Header(m Main) string { return u.linked(m) + headerExt }

func (u UnitShape) linked(m Main) string {
	if u.Mode.Library() && m.Path != "" {
		return path.Base(m.Path)
	}
	return m.Binary
}

// packaged is where a file of main's lies in an archive.
func (u UnitShape) packaged(m Main, ext string) string { return u.Path(cmp.Or(m.Path, m.Binary) + ext) }

// published is the name of a file of main's that is published by itself.
func (u UnitShape) published(m Main, ext string) string {
	switch {
	case m.Name != "":
		return m.Name + ext
	case len(u.Mains) == 1:
		return u.Name + ext
	default:
		return u.Name + "_" + m.Binary + ext
	}
}

// Expected is an artifact that a unit makes.
type Expected struct {
	Stage     Stage
	Name      string
	Published bool
	Package   string // of a linked or universal one: the import path of its main package
	From      []int  // the artifacts it is made from, by their place in the unit's list
	// Slices are, of a universal one, the platforms of the linked ones of the same
	// profile and package that it is made from, in order.
	Slices  []string
	Members []string // of an archive or package: the names of the files in it, those of From first
	// Modes are those that the members must have, in their order; "" where the plan
	// does not say.
	Modes  []string
	Format string // of an archive or package
}

// Published are the names of the files that are published, in the order of
// [UnitShape.Artifacts].
func (u UnitShape) Published() (names []string) {
	for _, e := range u.Artifacts() {
		if e.Published {
			names = append(names, e.Name)
		}
	}
	return names
}

// Packaged are the names of what the unit builds in its archive; none if it has no archive.
func (u UnitShape) Packaged() []string {
	if e := u.Archive(); e != nil {
		return e.Members[:len(e.From)]
	}
	return nil
}

// Archive is one of the unit's archives, which all have the same members; nil if it has
// none.
func (u UnitShape) Archive() *Expected {
	all := u.Artifacts()
	if i := slices.IndexFunc(all, func(e Expected) bool { return e.Stage == Archived }); i >= 0 {
		return &all[i]
	}
	return nil
}

// Artifacts are all that the unit makes, each after those it is made from:
// every main linked; packed if the unit is; its header if it is a library; one
// archive of each of its formats, with the same members; and its packages. Of universal
// binaries each is in the place of what is linked.
func (u UnitShape) Artifacts() []Expected {
	var list []Expected
	var products []int // the last stage of each main, and headers
	var members []string
	bare := len(u.Archives) == 0 && !u.Replaced
	first := Linked
	if len(u.Slices) > 0 {
		first = Universal
	}
	for _, m := range u.Mains {
		list = append(list, Expected{Stage: first, Name: u.File(m), Package: m.Package, Slices: u.Slices})
		if u.Packed {
			list = append(list, Expected{Stage: Packed, Name: u.File(m), From: []int{len(list) - 1}})
		}
		last := len(list) - 1
		if bare {
			list[last].Name, list[last].Published = u.published(m, u.Ext()), true
		}
		products, members = append(products, last), append(members, u.packaged(m, u.Ext()))
		if !u.Mode.Library() {
			continue
		}
		header := Expected{Stage: Header, Name: u.Header(m)}
		if bare {
			header.Name, header.Published = u.published(m, headerExt), true
		}
		list = append(list, header)
		products, members = append(products, len(list)-1), append(members, u.packaged(m, headerExt))
	}
	if len(u.Mains) == 0 {
		return list
	}
	modes := make([]string, len(members))
	for _, f := range u.Files {
		members, modes = append(members, u.Path(f.Dst)), append(modes, f.Mode)
	}
	for _, format := range u.Archives {
		list = append(list, Expected{
			Stage: Archived, Name: u.Name + "." + format, Published: true, From: products, Members: members, Modes: modes, Format: format,
		})
	}
	return append(list, u.packages(products)...)
}
