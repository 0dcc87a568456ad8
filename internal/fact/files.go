package fact

import (
	"maps"
	"slices"
	"strings"
)

// FileKind is what a file of a release is, other than what was built for users.
type FileKind string

const (
	// Unknown is a file that no part of mintmark makes or describes. It is no
	// kind to pass over: nobody can say what it would be compared with.
	Unknown FileKind = "unknown"
	// About is what says what the release is and who answers for it: the list of
	// checksums, the manifest, the record, signatures.
	About FileKind = "about"
	// Ledger is the published proof ledger.
	Ledger FileKind = "ledger"
	// Report is the page for people.
	Report FileKind = "report"
	// Measured is figures taken while the release was made.
	Measured FileKind = "measurements"
	// Bill is a bill of materials.
	Bill FileKind = "sbom"
	// GeneratedFiles is the archive of what the release's commands generated.
	GeneratedFiles FileKind = "generated"
	// ChannelFile is what a [Channel] reads.
	ChannelFile FileKind = "channel"
	// ImageFile is a container image.
	ImageFile FileKind = "image"
	// SourceFile is the archive of the commit. No name says so: the manifest does.
	SourceFile FileKind = "source"
)

// Names of the files of a release that are not built. A profile file may give the
// list and its signature another one; see [DigestList].
const (
	ChecksumsFile    = "checksums.txt"
	ChecksumsBundle  = "checksums.txt.sigstore.json"
	ManifestFile     = "release.json"
	ProvenanceBundle = "provenance.sigstore.json"
	LedgerFile       = "ledger.json"
	LedgerBundle     = "ledger.json.sigstore.json"
	MeasurementsFile = "measurements.json"
	HTMLFile         = "report.html"
	MarkdownFile     = "report.md"
	GeneratedArchive = "generated." + TarGz
)

var fileKinds = map[string]FileKind{
	ChecksumsFile: About, ChecksumsBundle: About, ManifestFile: About, ProvenanceBundle: About, LedgerBundle: About,
	CycloneDX.File(): Bill, SPDX.File(): Bill,
	GeneratedArchive: GeneratedFiles, LedgerFile: Ledger, MeasurementsFile: Measured, HTMLFile: Report, MarkdownFile: Report,
}

// BillFormat is a format of bills of materials, in the word of profiles.
type BillFormat string

const (
	CycloneDX BillFormat = "cyclonedx"
	SPDX      BillFormat = "spdx"
)

// BillFormats are all of them, the default first.
func BillFormats() []string { return []string{string(CycloneDX), string(SPDX)} }

// releaseBill is the name of a release's bill, without [BillFormat.Suffix].
const releaseBill = "sbom"

// File is the name of a release's bill in that format.
func (f BillFormat) File() string { return f.FileOf(releaseBill) }

// FileOf is the name of the bill of a published file in that format. A file that is
// called as [TakesBill] says has none of its own.
func (f BillFormat) FileOf(name string) string { return name + f.suffix() }

// suffix ends the names of bills in that format, as scanners look for them.
func (f BillFormat) suffix() string {
	if f == SPDX {
		return ".spdx.json"
	}
	return ".cdx.json"
}

// TakesBill reports whether the bill of a file of that name would be called as the
// release's.
func TakesBill(name string) bool { return fold(name) == releaseBill }

// BillOf takes the name of a bill apart: its format, and the published file that it is
// of, "" for the release; ok is false for any other name.
func BillOf(name string) (f BillFormat, of string, ok bool) {
	for _, word := range BillFormats() {
		f := BillFormat(word)
		if name == f.File() {
			return f, "", true
		}
		if of, ok := strings.CutSuffix(name, f.suffix()); ok && of != "" {
			return f, of, true
		}
	}
	return "", "", false
}

// AboutFiles are the names of all files of a release that are not built, sorted, but for
// those that are called as what they are about, which are of channels (see
// [Channel.Suffixes]) and bills (see [BillFormat.FileOf]), and images, which end in
// [ImageSuffix].
func AboutFiles() []string { return slices.Sorted(maps.Keys(fileKinds)) }

// KindOf is the kind of a file that is no artifact, by its name; names that
// differ in case only are one.
func KindOf(name string) FileKind {
	if k, ok := fileKinds[fold(name)]; ok {
		return k
	}
	if channelOf(name) != "" {
		return ChannelFile
	}
	if strings.HasSuffix(fold(name), fold(ImageSuffix)) {
		return ImageFile
	}
	if _, _, ok := BillOf(fold(name)); ok {
		return Bill
	}
	return Unknown
}

// fold is the same for names that differ in case only.
func fold(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// Again is the check of a file of that kind that no unit makes: is it, made again, the
// same? "" for a kind that a rebuild does not make again.
func (k FileKind) Again() Check {
	switch k {
	case SourceFile:
		return FromCommit
	case ImageFile:
		return ImageAgain
	case Bill:
		return BillAgain
	}
	return ""
}

// Noun is what people call a file of a kind that a rebuild makes again.
func (k FileKind) Noun() string {
	switch k {
	case SourceFile:
		return "source archive"
	case ImageFile:
		return "container image"
	case Bill:
		return "bill of materials"
	}
	return string(k)
}

// NotBuilt says why a rebuild does not make a file of that kind again; "" when
// there is no reason.
func (k FileKind) NotBuilt() string {
	switch k {
	case About:
		return "it says what was built, and is made from that"
	case Ledger:
		return "it says what the publisher executed; no rebuild can show that"
	case Report:
		return "it repeats for people what other files say, and is made from them"
	case Measured:
		return "its figures were measured while the release was made"
	case GeneratedFiles:
		return "it holds what was generated, and is made from that"
	case ChannelFile:
		return "it says where the files are, or holds them, and is made from them"
	}
	return ""
}
