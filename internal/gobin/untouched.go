package gobin

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

// Untouched says whether a file is as the Go linker and the go command left it.
type Untouched struct {
	State    UntouchedState
	Reason   string
	Resigned bool // nothing but the code signature is another than the linker's
}

// UntouchedState is the answer in a word.
type UntouchedState string

const (
	UntouchedYes        UntouchedState = "yes"
	UntouchedNo         UntouchedState = "no"
	UntouchedCannotTell UntouchedState = "cannot tell"
)

// The last part of a build ID is a hash of the finished file: cmd/go hashes
// what the linker wrote, with every occurrence of the (still provisional) build
// ID as zeros, and writes the hash back into those places
// (cmd/go/internal/work/buildid.go, updateBuildID; cmd/internal/buildid,
// FindAndHash). Reading such a file and doing the same again gives the same
// hash as long as no other byte has changed.
//
// Two ranges are hashed as zeros because they are themselves derived from the
// build ID or from the whole file: the host's build ID (GNU build ID, LC_UUID;
// since Go 1.24, older toolchains hash it like anything else), and the Mach-O
// code signature. The signature is checked on its own: the Go linker's is a
// hash of each page and can be computed again.

// Untouched tells whether the bytes of the file are as the Go linker and the go
// command left them, and why. It reads the whole file once (Mach-O: twice), in pieces.
//
// A yes does not cover the 16 or 20 bytes of the host's build ID. It is no
// proof of origin either: whoever edits a file can compute the hash again, as
// `go tool buildid -w` does.
func (f *File) Untouched() (Untouched, error) {
	switch {
	case f.Format == FatMachO:
		return f.slicesUntouched()
	case f.Packed != "":
		return Untouched{State: UntouchedCannotTell, Reason: "packed by " + f.Packed + ": unpack it and check what the linker wrote"}, nil
	case f.BuildID == "":
		return Untouched{State: UntouchedCannotTell, Reason: "no build ID (-buildid=, or removed)"}, nil
	case f.BuildIDParts()[3] == "" || len(f.BuildIDParts()[3]) != contentIDLen:
		return Untouched{State: UntouchedCannotTell, Reason: "the build ID has no content hash (-buildid=TEXT, or written by another tool)"}, nil
	}
	sum, old, found, err := f.contentIDs()
	if err != nil {
		return Untouched{}, err
	}
	want := f.BuildIDParts()[3]
	switch {
	case found == 0:
		return Untouched{State: UntouchedCannotTell, Reason: "the build ID is not in the file as one text"}, nil
	case sum != want && old != want:
		return Untouched{State: UntouchedNo, Reason: fmt.Sprintf("the build ID says that the content hashes to %s, it hashes to %s", want, sum)}, nil
	}
	reason := "the content hashes to what the build ID says"
	if f.Format != MachO {
		return Untouched{State: UntouchedYes, Reason: reason}, nil
	}
	sig, err := f.Signature()
	if err != nil || sig.Kind == SignatureNone {
		return Untouched{State: UntouchedYes, Reason: reason}, err
	}
	same, err := f.linkerSigned()
	if err != nil {
		return Untouched{}, err
	}
	if !same {
		return Untouched{State: UntouchedNo, Reason: "signed again after the link (" + sig.String() + "); all else hashes to what the build ID says", Resigned: true}, nil
	}
	return Untouched{State: UntouchedYes, Reason: reason + ", and the signature is the linker's own"}, nil
}

// slicesUntouched checks the slices one by one; the answer is the worst of them.
func (f *File) slicesUntouched() (Untouched, error) {
	u := Untouched{State: UntouchedYes}
	resigned, changed := 0, 0
	var reasons []string
	for _, s := range f.Slices {
		one, err := s.Untouched()
		if err != nil {
			return Untouched{}, fmt.Errorf("%s: %w", s.Arch, err)
		}
		reasons = append(reasons, s.Arch+": "+one.Reason)
		if one.State == UntouchedNo {
			changed++
		}
		if one.Resigned {
			resigned++
		}
		if one.State == UntouchedNo || u.State == UntouchedYes {
			u.State = one.State
		}
	}
	u.Reason, u.Resigned = strings.Join(reasons, "; "), resigned > 0 && resigned == changed
	return u, nil
}

// contentIDLen is the length of a hash in a build ID: 120 bits in base64url
// (cmd/internal/buildid.HashToString).
const contentIDLen = 20

func contentID(h hash.Hash) string {
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:15])
}

// contentIDs hashes the file with all occurrences of the build ID as zeros:
// sum without the host's build ID, as Go since 1.24 does, and old with it.
func (f *File) contentIDs() (sum, old string, found int, err error) {
	var mask []Section // ranges to hash as zeros
	var host Section
	for _, s := range f.Sections {
		switch s.Name {
		case "(code signature)":
			mask = append(mask, s)
		case ".note.gnu.build-id":
			const head = 16 // three words and "GNU\0"
			if host.Size == 0 && s.Size > head {
				host = Section{Offset: s.Offset + head, Size: s.Size - head}
			}
		case "(uuid)":
			if host.Size == 0 {
				host = s
			}
		}
	}
	id := []byte(f.BuildID)
	zeros := make([]byte, len(id))
	h, hOld := sha256.New(), sha256.New()
	two := host.Size > 0
	buf := make([]byte, 0, 256<<10)
	var start, pos int64 // offsets of buf[0] and of what to read next
	for {
		n := int(min(int64(cap(buf)-len(buf)), f.in.size-pos))
		from := len(buf)
		buf = buf[:from+n]
		if err := f.in.readAt(buf[from:], pos); err != nil {
			return "", "", 0, err
		}
		for _, m := range mask {
			blank(buf[from:], pos, m)
		}
		pos += int64(n)
		done := 0 // of buf is hashed
		write := func(b []byte) {
			if two {
				hOld.Write(b)
				// The range is small; blank and restore it.
				if at := start + int64(done); at < host.Offset+host.Size && at+int64(len(b)) > host.Offset {
					b = bytes.Clone(b)
					blank(b, at, host)
				}
			}
			h.Write(b)
			done += len(b)
		}
		for {
			i := bytes.Index(buf[done:], id)
			if i < 0 {
				break
			}
			write(buf[done : done+i])
			h.Write(zeros)
			if two {
				hOld.Write(zeros)
			}
			done += len(id)
			found++
		}
		if pos == f.in.size {
			write(buf[done:])
			break
		}
		// What could be the start of an occurrence stays.
		if keep := len(buf) - (len(id) - 1); keep > done {
			write(buf[done:keep])
		}
		start += int64(done)
		buf = buf[:copy(buf, buf[done:])]
	}
	sum = contentID(h)
	old = sum
	if two {
		old = contentID(hOld)
	}
	return sum, old, found, nil
}

// blank zeroes what of the range s is in b, which starts at offset at.
func blank(b []byte, at int64, s Section) {
	from, to := max(s.Offset-at, 0), min(s.Offset+s.Size-at, int64(len(b)))
	if from < to {
		clear(b[from:to])
	}
}

// Kinds of signatures.
const (
	SignatureNone     = "none"
	SignatureLinker   = "linker"   // Mach-O: ad hoc, by a linker
	SignatureAdHoc    = "ad hoc"   // Mach-O: by codesign -s - or the like, without an identity
	SignatureIdentity = "identity" // somebody's: a CMS signature, or a PE certificate table
)

// Signature says how a file is signed. Nothing of it is verified.
type Signature struct {
	Kind       string // one of the Signature constants
	Identifier string // Mach-O: what the signature calls the file; the Go linker says "a.out"
	Team       string // Mach-O: team identifier
	// Signer is the subject of the certificate that the signature says it was made with;
	// "" where none can be read.
	Signer string
}

func (s Signature) String() string {
	out := s.Kind
	if s.Identifier != "" {
		out += fmt.Sprintf(", identifier %q", s.Identifier)
	}
	if s.Team != "" {
		out += fmt.Sprintf(", team %q", s.Team)
	}
	if s.Signer != "" {
		out += fmt.Sprintf(", signer %q", s.Signer)
	}
	return out
}

// The parts of a Mach-O code signature read here (xnu, osfmk/kern/cs_blobs.h).
const (
	csSuperBlob     = 0xfade0cc0
	csCodeDirectory = 0xfade0c02
	csCMS           = 0xfade0b01
	csAdHoc         = 0x2
	csLinkerSigned  = 0x20000
	csMaxBlobs      = 64
	csPage          = 4096
)

// Signature reads how the file is signed: Mach-O code signatures and the
// certificate table of PE files. Of a fat file, ask the slices.
func (f *File) Signature() (Signature, error) {
	none := Signature{Kind: SignatureNone}
	if s := f.Section("(certificates)"); s != nil {
		return Signature{Kind: SignatureIdentity, Signer: f.certificateSigner(s)}, nil
	}
	s := f.Section("(code signature)")
	if s == nil {
		return none, nil
	}
	bo := binary.BigEndian
	head, err := f.in.bytes(s.Offset, min(s.Size, 12+8*csMaxBlobs))
	if err != nil {
		return none, err
	}
	if len(head) < 12 || bo.Uint32(head) != csSuperBlob || int64(bo.Uint32(head[8:])) > int64(len(head)-12)/8 {
		return none, malformed("code signature without a directory of its parts")
	}
	out := Signature{Kind: SignatureAdHoc}
	for i := range int64(bo.Uint32(head[8:])) {
		off := int64(bo.Uint32(head[12+8*i+4:]))
		if off > s.Size-8 {
			return none, malformed("part of the code signature beyond its end")
		}
		b, err := f.in.bytes(s.Offset+off, min(s.Size-off, 52))
		if err != nil {
			return none, err
		}
		switch magic := bo.Uint32(b); {
		case magic == csCMS && bo.Uint32(b[4:]) > 8:
			out.Kind = SignatureIdentity
			if size := min(int64(bo.Uint32(b[4:])), s.Size-off); size <= maxCMS {
				cms, err := f.in.bytes(s.Offset+off, size)
				if err != nil {
					return none, err
				}
				out.Signer = signer(cms[8:])
			}
		case magic == csCodeDirectory && len(b) >= 44 && out.Identifier == "":
			text := func(at int64) (string, error) {
				if at <= 0 || at > s.Size-off {
					return "", nil
				}
				return f.in.cstring(s.Offset+off+at, s.Size-off-at)
			}
			if out.Identifier, err = text(int64(bo.Uint32(b[20:]))); err != nil {
				return none, err
			}
			if bo.Uint32(b[8:]) >= 0x20200 && len(b) >= 52 {
				if out.Team, err = text(int64(bo.Uint32(b[48:]))); err != nil {
					return none, err
				}
			}
			if out.Kind == SignatureAdHoc && bo.Uint32(b[12:]) == csAdHoc|csLinkerSigned {
				out.Kind = SignatureLinker
			}
		}
	}
	return out, nil
}

// linkerSigned computes the code signature as the Go linker does
// (cmd/internal/codesign) and compares.
func (f *File) linkerSigned() (bool, error) {
	const ident = "a.out\x00"
	const cdHead, blobs = 88, 20
	s, text := f.Section("(code signature)"), f.textSegment
	pages := (s.Offset + csPage - 1) / csPage
	const hashes = cdHead + int64(len(ident))
	size := blobs + hashes + pages*sha256.Size
	if size != s.Size {
		return false, nil
	}
	bo := binary.BigEndian
	var want []byte
	for _, v := range []uint32{
		csSuperBlob, uint32(size), 1, 0, blobs,
		csCodeDirectory, uint32(size - blobs), 0x20400, csAdHoc | csLinkerSigned, uint32(hashes), cdHead,
		0, uint32(pages), uint32(s.Offset), 0x20020000 | 12, 0, 0, 0, 0,
	} {
		want = bo.AppendUint32(want, v)
	}
	for _, v := range []uint64{0, uint64(text[0]), uint64(text[1]), f.execFlags} {
		want = bo.AppendUint64(want, v)
	}
	want = append(want, ident...)
	got, err := f.in.bytes(s.Offset, int64(len(want)))
	if err != nil || !bytes.Equal(got, want) {
		return false, err
	}
	r := io.NewSectionReader(f.in.r, f.in.base, s.Offset)
	buf := make([]byte, 64*csPage)
	for at := s.Offset + int64(len(want)); ; {
		n, err := io.ReadFull(r, buf)
		if n == 0 {
			break
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return false, err
		}
		for p := 0; p < n; p += csPage {
			sum := sha256.Sum256(buf[p:min(p+csPage, n)])
			got, err := f.in.bytes(at, sha256.Size)
			if err != nil || !bytes.Equal(got, sum[:]) {
				return false, err
			}
			at += sha256.Size
		}
	}
	return true, nil
}
