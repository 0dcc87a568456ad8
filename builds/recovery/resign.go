package recovery

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Resign puts the signature of a published file onto the one that was built, as signing
// does by the rules of the format, so that all bytes can be compared. What signing may
// write, and nothing else, is taken from the published file: the signature itself, and
// the fields that say where it is. The signature is not checked.
func Resign(ctx context.Context, published, built, out string) (*gobin.Signature, error) {
	p, err := gobin.Open(published)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	sig, err := p.Signature()
	if err != nil {
		return nil, err
	}
	if sig.Kind != gobin.SignatureIdentity && sig.Kind != gobin.SignatureAdHoc {
		return nil, errUnsigned
	}
	b, err := gobin.Open(built)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	r := &resigning{published: p, built: b, size: fileSize(published)}
	switch {
	case p.Format != b.Format:
		return nil, fmt.Errorf("%s and %s", p.Format, b.Format)
	case p.Format == gobin.PE:
		err = r.pe(fileSize(built))
	case p.Format == gobin.MachO:
		err = r.machO(fileSize(built))
	default:
		err = errUnsigned
	}
	if err != nil {
		return nil, err
	}
	return &sig, files.Create(out, 0o600, func(f *os.File) error { return r.write(ctx, f) })
}

// errUnsigned is a file that nobody has signed.
var errUnsigned = errors.New("not signed")

// resigning is how a signed file comes of an unsigned one.
type resigning struct {
	published, built *gobin.File
	size             int64 // of the published file

	content int64           // bytes of the built file that are signed; zeros follow
	blank   int64           // how many, besides those to a multiple of up to 16
	from    int64           // where the signature begins in the published file
	patches []gobin.Section // of the published file, that take the place of the built one's bytes
	edits   map[int64][]byte
}

// whole is all of a file.
func whole(f *gobin.File, size int64) *io.SectionReader {
	return f.Reader(gobin.Section{Size: size})
}

func (r *resigning) write(ctx context.Context, out *os.File) error {
	if r.content > r.from || r.from-r.content-r.blank >= 16 {
		return fmt.Errorf("the signature begins at %d, and what is signed ends at %d", r.from, r.content)
	}
	if _, err := io.Copy(out, files.Reader(ctx, whole(r.built, r.content))); err != nil {
		return err
	}
	if _, err := out.Write(make([]byte, r.from-r.content)); err != nil {
		return err
	}
	if _, err := io.Copy(out, files.Reader(ctx, r.published.Reader(gobin.Section{Offset: r.from, Size: r.size - r.from}))); err != nil {
		return err
	}
	for _, s := range r.patches {
		b, err := io.ReadAll(r.published.Reader(s))
		if err != nil {
			return err
		}
		if _, err := out.WriteAt(b, s.Offset); err != nil {
			return err
		}
	}
	for at, b := range r.edits {
		if _, err := out.WriteAt(b, at); err != nil {
			return err
		}
	}
	return nil
}

// pe: the certificates are behind everything else, at a multiple of 8; the optional
// header has a checksum of the file, and says where they are (PE format, "The Attribute
// Certificate Table").
func (r *resigning) pe(built int64) error {
	certificates := r.published.Section("(certificates)")
	if certificates == nil {
		return errUnsigned
	}
	if certificates.Offset+certificates.Size != r.size || certificates.Offset%8 != 0 {
		return errors.New("there is something behind the certificates, or they are not where signing puts them")
	}
	if r.built.Section("(certificates)") != nil {
		return errors.New("the rebuilt file is signed")
	}
	for _, name := range []string{"(checksum)", "(certificate entry)"} {
		p, b := r.published.Section(name), r.built.Section(name)
		if p == nil || b == nil || p.Offset != b.Offset || p.Size != b.Size {
			return fmt.Errorf("another header: %s", name)
		}
		r.patches = append(r.patches, *p)
	}
	r.content, r.from = built, certificates.Offset
	return nil
}

// machO: the signature is at the end of the last segment, __LINKEDIT, which grows by it,
// and a load command says where (xnu, osfmk/kern/cs_blobs.h; mach-o/loader.h). For arm64
// the Go linker has signed the file already, for amd64 the command is added.
func (r *resigning) machO(built int64) error {
	signature, command := r.published.Section("(code signature)"), r.published.Section("(signature command)")
	linkedit, was := r.published.Section(gobin.LinkeditCommand), r.built.Section(gobin.LinkeditCommand)
	if signature == nil || command == nil || linkedit == nil || was == nil {
		return errUnsigned
	}
	if signature.Offset+signature.Size != r.size {
		return errors.New("there is something behind the signature")
	}
	if linkedit.Offset != was.Offset || r.published.PtrSize != 8 || r.built.PtrSize != 8 || command.Size != 16 || linkedit.Size != was.Size || was.Size < 72 {
		return errors.New("other load commands")
	}
	bo := binary.LittleEndian // of all systems with 64 bits that Go builds for
	head := make([]byte, 32)
	if _, err := whole(r.built, built).ReadAt(head, 0); err != nil {
		return err
	}
	r.edits = map[int64][]byte{}
	r.content = built
	if own := r.built.Section("(code signature)"); own != nil {
		if c := r.built.Section("(signature command)"); c == nil || c.Offset != command.Offset || own.Offset+own.Size != built {
			return errors.New("the linker's signature is elsewhere")
		}
		// The new one is in its place, or behind it; some tools blank it then.
		magic := make([]byte, 4)
		if _, err := whole(r.published, r.size).ReadAt(magic, own.Offset); err != nil {
			return err
		}
		switch blank := bytes.Equal(magic, make([]byte, 4)); {
		case signature.Offset < built:
			r.content = own.Offset
		case blank:
			r.content, r.blank = own.Offset, own.Size
		}
	} else {
		n, size := bo.Uint32(head[16:]), bo.Uint32(head[20:])
		if command.Offset != 32+int64(size) {
			return errors.New("the load command of the signature is not the last")
		}
		room := make([]byte, 16)
		if _, err := whole(r.built, built).ReadAt(room, command.Offset); err != nil || !bytes.Equal(room, make([]byte, 16)) {
			return errors.New("there is no room for the load command of the signature")
		}
		r.edits[16] = bo.AppendUint32(bo.AppendUint32(nil, n+1), size+16)
	}
	r.patches = append(r.patches, *command)
	// Of __LINKEDIT the sizes follow from where the signature ends.
	segment := make([]byte, 72)
	if _, err := whole(r.built, built).ReadAt(segment, was.Offset); err != nil {
		return err
	}
	size := uint64(r.size) - bo.Uint64(segment[40:])
	theirs := make([]byte, 72)
	if _, err := whole(r.published, r.size).ReadAt(theirs, linkedit.Offset); err != nil {
		return err
	}
	// What of it is beyond the file is zero in memory. Tools round, or do not know the
	// size of their signature yet when they write this.
	const most = 1 << 20
	memory := bo.Uint64(theirs[32:])
	if memory < size || memory > size+most {
		return errors.New("the last segment has another size than its content")
	}
	r.edits[was.Offset+32] = bo.AppendUint64(nil, memory)
	r.edits[was.Offset+48] = bo.AppendUint64(nil, size)
	r.from = signature.Offset
	return nil
}
