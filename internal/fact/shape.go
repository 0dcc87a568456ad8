package fact

import "strings"

// Stage is how far a file has come: each is made from the one before.
type Stage string

const (
	Linked   Stage = "linked"  // as the Go linker wrote it
	Header   Stage = "header"  // as cgo wrote it beside a C library, in the same go build
	Packed   Stage = "packed"  // by UPX
	Archived Stage = "archive" // with others in an archive
)

// The formats of archives, each the extension too.
const (
	TarGz  = "tar.gz"
	TarZst = "tar.zst"
	Zip    = "zip"
)

// ArchiveFormats are all of them, sorted: what a profile may name. Package archive
// knows how each is written and read.
func ArchiveFormats() []string { return []string{TarGz, TarZst, Zip} }

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
	Mains    []Main // in the plan's order
	Packed   bool   // every binary goes through UPX
	Archive  string // NoArchive or a format, which is the extension too
	Name     string // of the published file, without extension
	Files    []string
}

// Main is one main package and the binary it becomes, without extension.
type Main struct {
	Package string `json:"package"`
	Binary  string `json:"binary"`
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

// File is the name of main's binary, as it is linked and as it lies in an archive.
func (u UnitShape) File(m Main) string { return m.Binary + u.Ext() }

// Header is the name of the header that comes with main's library, beside it.
func (u UnitShape) Header(m Main) string { return m.Binary + headerExt }

// Published is the name of the file that the unit publishes for main, or of its archive.
func (u UnitShape) Published(m Main) string { return u.published(m, u.Ext()) }

func (u UnitShape) published(m Main, ext string) string {
	switch {
	case u.Archive != NoArchive:
		return u.Name + "." + u.Archive
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
	Package   string   // of a linked one: the import path of its main package
	From      []int    // the artifacts it is made from, by their place in the unit's list
	Members   []string // of an archive: the names in it, those of From first
}

// Artifacts are all that the unit makes, each after those it is made from:
// every main linked; packed if the unit is; its header if it is a library; and
// one archive if it has one.
func (u UnitShape) Artifacts() []Expected {
	var list []Expected
	var products []int // the last stage of each main, and headers
	var members []string
	for _, m := range u.Mains {
		list = append(list, Expected{Stage: Linked, Name: u.File(m), Package: m.Package})
		if u.Packed {
			list = append(list, Expected{Stage: Packed, Name: u.File(m), From: []int{len(list) - 1}})
		}
		last := len(list) - 1
		if u.Archive == NoArchive {
			list[last].Name, list[last].Published = u.Published(m), true
		}
		products, members = append(products, last), append(members, u.File(m))
		if !u.Mode.Library() {
			continue
		}
		header := Expected{Stage: Header, Name: u.Header(m)}
		if u.Archive == NoArchive {
			header.Name, header.Published = u.published(m, headerExt), true
		}
		list = append(list, header)
		products, members = append(products, len(list)-1), append(members, u.Header(m))
	}
	if u.Archive == NoArchive || len(u.Mains) == 0 {
		return list
	}
	return append(list, Expected{
		Stage: Archived, Name: u.Published(u.Mains[0]), Published: true, From: products, Members: append(members, u.Files...),
	})
}
