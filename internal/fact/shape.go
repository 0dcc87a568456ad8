package fact

import "strings"

// Stage is how far a file has come: each is made from the one before.
type Stage string

const (
	Linked   Stage = "linked"  // as the Go linker wrote it
	Packed   Stage = "packed"  // by UPX
	Archived Stage = "archive" // with others in an archive
)

// NoArchive is the archive format of a unit that publishes its binaries as they are.
const NoArchive = "none"

// UnitShape is of a plan's unit all that decides which artifacts it makes and
// what they are called. It is the one place where that is spelled: whoever
// builds takes the names from here, and whoever reads a manifest holds it
// against this.
type UnitShape struct {
	Profile  string
	Platform string
	Mains    []Main // in the plan's order
	Packed   bool   // every binary goes through UPX
	Archive  string // NoArchive or a format, which is the extension too
	Name     string // of the published file, without extension
	Files    []string
}

// Main is one main package and the binary it becomes, without extension.
type Main struct{ Package, Binary string }

// ID names the unit in output: profile and platform.
func (u UnitShape) ID() string { return u.Profile + " " + u.Platform }

// Exe is the extension of the unit's binaries.
func (u UnitShape) Exe() string {
	if goos, _, _ := strings.Cut(u.Platform, "/"); goos == "windows" {
		return ".exe"
	}
	return ""
}

// File is the name of main's binary, as it is linked and as it lies in an archive.
func (u UnitShape) File(m Main) string { return m.Binary + u.Exe() }

// Published is the name of the file that the unit publishes for main, or of its archive.
func (u UnitShape) Published(m Main) string {
	switch {
	case u.Archive != NoArchive:
		return u.Name + "." + u.Archive
	case len(u.Mains) == 1:
		return u.Name + u.Exe()
	default:
		return u.Name + "_" + m.Binary + u.Exe()
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
// every main linked; packed if the unit is; and one archive if it has one.
func (u UnitShape) Artifacts() []Expected {
	var list []Expected
	var products []int // the last stage of each main
	for _, m := range u.Mains {
		list = append(list, Expected{Stage: Linked, Name: u.File(m), Package: m.Package})
		if u.Packed {
			list = append(list, Expected{Stage: Packed, Name: u.File(m), From: []int{len(list) - 1}})
		}
		last := len(list) - 1
		if u.Archive == NoArchive {
			list[last].Name, list[last].Published = u.Published(m), true
		}
		products = append(products, last)
	}
	if u.Archive == NoArchive || len(u.Mains) == 0 {
		return list
	}
	archive := Expected{Stage: Archived, Name: u.Published(u.Mains[0]), Published: true, From: products}
	for _, m := range u.Mains {
		archive.Members = append(archive.Members, u.File(m))
	}
	archive.Members = append(archive.Members, u.Files...)
	return append(list, archive)
}
