package upx

import (
	"bytes"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

const notRestoredHint = "do not release the packed file; try another version of UPX or other flags"

// compareRestored compares the input with what `upx -d` made of the packed
// file. It returns the parts of a PE file that differ although nothing is wrong.
func compareRestored(input, unpacked string) ([]string, error) {
	a, err := files.Open(input)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	b, err := files.Open(unpacked)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	sa, errA := a.Stat()
	sb, errB := b.Stat()
	if err := errors.Join(errA, errB); err != nil {
		return nil, err
	}
	at := int64(-1)
	if sa.Size() == sb.Size() {
		if at, err = firstDifference(a, b, 0, sa.Size()); err != nil || at < 0 {
			return nil, err
		}
	}
	magic := make([]byte, 2)
	if _, err := a.ReadAt(magic, 0); err != nil {
		return nil, err
	}
	if string(magic) == "MZ" {
		return restoredPE(a, b)
	}
	return nil, fault.Errorf(notRestoredHint, "unpacking does not give the input back: %d bytes became %d, first difference at %d", sa.Size(), sb.Size(), at)
}

// restoredPE compares two PE files section by section. UPX rebuilds the headers
// and the import table and drops the base relocations; what is in any other
// section must be the same.
func restoredPE(a, b io.ReaderAt) ([]string, error) {
	fa, err := pe.NewFile(a)
	if err != nil {
		return nil, err
	}
	fb, err := pe.NewFile(b)
	if err != nil {
		return nil, fmt.Errorf("unpacked file: %w", err)
	}
	notRestored := []string{"header"}
	var errs []error
	for _, s := range fa.Sections {
		i := slices.IndexFunc(fb.Sections, func(o *pe.Section) bool { return o.Name == s.Name })
		same := false
		if i >= 0 && fb.Sections[i].Size == s.Size && fb.Sections[i].VirtualAddress == s.VirtualAddress {
			o := fb.Sections[i]
			at, err := firstDifference(io.NewSectionReader(a, int64(s.Offset), int64(s.Size)), io.NewSectionReader(b, int64(o.Offset), int64(o.Size)), 0, int64(s.Size))
			if err != nil {
				return nil, err
			}
			same = at < 0
		}
		switch {
		case same:
		case s.Name == ".idata" || s.Name == ".reloc":
			notRestored = append(notRestored, s.Name)
		default:
			errs = append(errs, fmt.Errorf("unpacking does not give section %s back", s.Name))
		}
	}
	if len(fb.Sections) > len(fa.Sections) {
		errs = append(errs, fmt.Errorf("unpacking gives %d sections instead of %d", len(fb.Sections), len(fa.Sections)))
	}
	if len(errs) > 0 {
		return nil, &fault.Error{Err: errors.Join(errs...), Tip: notRestoredHint}
	}
	return notRestored, nil
}

// firstDifference returns the offset of the first byte that differs in n bytes
// from off, or -1.
func firstDifference(a, b io.ReaderAt, off, n int64) (int64, error) {
	ba, bb := make([]byte, 64<<10), make([]byte, 64<<10)
	for end := off + n; off < end; {
		c := min(int64(len(ba)), end-off)
		if _, err := a.ReadAt(ba[:c], off); err != nil && err != io.EOF {
			return 0, err
		}
		if _, err := b.ReadAt(bb[:c], off); err != nil && err != io.EOF {
			return 0, err
		}
		if !bytes.Equal(ba[:c], bb[:c]) {
			for i := range c {
				if ba[i] != bb[i] {
					return off + i, nil
				}
			}
		}
		off += c
	}
	return -1, nil
}
