package gobin

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"strconv"
)

// The linker writes the build ID as an ELF note, as a custom section of a wasm
// module, and otherwise as marked text at the start of the code
// (cmd/internal/buildid).
const (
	buildIDPrefix = "\xff Go build ID: "
	buildIDSuffix = "\n \xff"
	maxBuildID    = 512
	elfNoteGoID   = 4 // type of the note named "Go"
)

func (f *File) findBuildID() error {
	for i := 0; i < len(f.Sections); i++ {
		s := f.Sections[i]
		if s.Kind != KindBuildID || f.Format != ELF {
			continue
		}
		if err := f.elfNoteID(s); err != nil {
			return err
		}
	}
	if f.BuildID != "" || f.Format == ELF && f.Section(".note.go.buildid") != nil {
		return nil
	}
	// The build ID of every other format is near the start of the file, or, when
	// the headers are long, at the start of the code.
	if ok, err := f.textID(0, 64<<10); ok || err != nil {
		return err
	}
	for _, s := range f.Sections {
		if s.Kind == KindCode && !s.Nested {
			ok, err := f.textID(s.Offset, min(s.Size, scanChunk))
			if ok || err != nil {
				return err
			}
		}
	}
	return nil
}

// elfNoteID looks for the Go note in a section of notes.
func (f *File) elfNoteID(s Section) error {
	b, err := f.in.bytes(s.Offset, min(s.Size, 4096))
	if err != nil {
		return err
	}
	bo := f.order()
	up := func(n uint32) uint64 { return (uint64(n) + 3) &^ 3 }
	for len(b) >= 12 {
		nameLen, descLen, typ := bo.Uint32(b), bo.Uint32(b[4:]), bo.Uint32(b[8:])
		b = b[12:]
		if up(nameLen)+uint64(descLen) > uint64(len(b)) {
			return nil
		}
		name, desc := b[:nameLen], b[up(nameLen):up(nameLen)+uint64(descLen)]
		if typ == elfNoteGoID && string(name) == "Go\x00\x00" && len(desc) <= maxBuildID {
			f.BuildID = string(desc)
			return nil
		}
		b = b[min(uint64(len(b)), up(nameLen)+up(descLen)):]
	}
	return nil
}

// textID looks for the marked text in [off, off+n).
func (f *File) textID(off, n int64) (bool, error) {
	var at, size int64
	err := f.try(off, n, buildIDPrefix+`"`, maxSmallTries, func(o int64) (bool, error) {
		start := o + int64(len(buildIDPrefix))
		_, l := f.in.clip(start, maxBuildID)
		b, err := f.in.bytes(start, l)
		if err != nil {
			return false, err
		}
		end := bytes.Index(b, []byte(buildIDSuffix))
		if end < 0 {
			return false, nil
		}
		id, err := strconv.Unquote(string(b[:end]))
		if err != nil || !buildIDText.MatchString(id) {
			return false, nil
		}
		f.BuildID, at, size = id, o, start+int64(end+len(buildIDSuffix))-o
		return true, nil
	})
	if err != nil || f.BuildID == "" {
		return false, err
	}
	for _, s := range f.Sections {
		if s.Kind == KindBuildID && s.Offset <= at && at < s.Offset+s.Size {
			return true, nil // wasm: the section is the build ID
		}
	}
	return true, f.addSection(Section{Name: "(go build ID)", Kind: KindBuildID, Offset: at, Size: size, Nested: true})
}

// A build ID is base64url parts and slashes; -buildid=TEXT may set anything
// printable, and a program that handles build IDs has the markers in its data.
var buildIDText = regexp.MustCompile(`^[ -~]+$`)

// HostID is the system's own build ID in hexadecimal: the GNU build ID of an ELF file,
// the UUID of a Mach-O file; "" for none. The Go linker makes it of the Go build ID that
// the go command hands it, since Go 1.24 without being asked to (cmd/link -B gobuildid).
func (f *File) HostID() (string, error) {
	for _, s := range f.Sections {
		skip := int64(0)
		switch s.Name {
		case ".note.gnu.build-id":
			skip = 16 // three words and "GNU\0"
		case "(uuid)":
		default:
			continue
		}
		if s.Size <= skip || s.Size-skip > 64 {
			continue
		}
		b, err := f.in.bytes(s.Offset+skip, s.Size-skip)
		return hex.EncodeToString(b), err
	}
	return "", nil
}
