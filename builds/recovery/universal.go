package recovery

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/files"
)

// Universal binaries (mach-o/fat.h): a table of slices, and the slices, each at
// a multiple of its alignment.
const (
	fatMagic   = "\xca\xfe\xba\xbe"
	fatMagic64 = "\xca\xfe\xba\xbf"
	maxSlices  = 32
	maxAlign   = 15 // lipo's MAXSECTALIGN: 2^15

	// The upper byte of a subtype has capabilities, which lipo leaves out of the
	// table and others do not.
	subtypeMask = 0x00ffffff
)

type universal struct {
	wide   bool // offsets of 64 bits
	size   int64
	slices []slice
}

type slice struct {
	cpu, sub  uint32
	off, size int64
	align     uint32 // exponent of 2
}

func (s slice) arch() string {
	name := map[uint32]string{7: "386", 0x01000007: "amd64", 12: "arm", 0x0100000c: "arm64"}[s.cpu]
	if name == "" {
		name = fmt.Sprintf("machine-%d", s.cpu)
	}
	// The usual subtypes are the ones that Go's linker writes.
	if sub := s.sub & subtypeMask; sub != 0 && !(sub == 3 && (s.cpu == 7 || s.cpu == 0x01000007)) {
		name += fmt.Sprintf(".%d", sub)
	}
	return name
}

// readUniversal reads the table. It refuses what cannot be taken apart into
// slices that are each a file of their own.
func readUniversal(r io.ReaderAt, size int64) (*universal, error) {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, errors.New("damaged universal binary: it ends within its header")
	}
	u := &universal{wide: string(head[:4]) == fatMagic64, size: size}
	n, entry := int64(binary.BigEndian.Uint32(head[4:])), u.entry()
	if n < 1 || n > maxSlices {
		return nil, fmt.Errorf("damaged universal binary: %d slices", n)
	}
	table := make([]byte, n*entry)
	if _, err := r.ReadAt(table, 8); err != nil {
		return nil, errors.New("damaged universal binary: it ends within its table of slices")
	}
	for i := range n {
		b, bo := table[i*entry:], binary.BigEndian
		s := slice{cpu: bo.Uint32(b), sub: bo.Uint32(b[4:])}
		off, length := uint64(bo.Uint32(b[8:])), uint64(bo.Uint32(b[12:]))
		s.align = bo.Uint32(b[16:])
		if u.wide {
			off, length, s.align = bo.Uint64(b[8:]), bo.Uint64(b[16:]), bo.Uint32(b[24:])
		}
		if off > uint64(size) || length > uint64(size)-off {
			return nil, fmt.Errorf("damaged universal binary: slice %d ends beyond its end", i)
		}
		s.off, s.size = int64(off), int64(length)
		if slices.ContainsFunc(u.slices, func(o slice) bool { return o.cpu == s.cpu && o.sub&subtypeMask == s.sub&subtypeMask }) {
			return nil, fmt.Errorf("damaged universal binary: two slices for %s", s.arch())
		}
		u.slices = append(u.slices, s)
	}
	end := u.header()
	for _, s := range u.inOrder() {
		if s.off < end {
			return nil, fmt.Errorf("damaged universal binary: the slice for %s overlaps what is before it", s.arch())
		}
		end = s.off + s.size
	}
	return u, nil
}

func (u *universal) entry() int64 {
	if u.wide {
		return 32
	}
	return 20
}

func (u *universal) header() int64 { return 8 + int64(len(u.slices))*u.entry() }

// inOrder gives the slices as they lie in the file.
func (u *universal) inOrder() []slice {
	return slices.SortedStableFunc(slices.Values(u.slices), func(a, b slice) int {
		return cmp.Or(cmp.Compare(a.off, b.off), cmp.Compare(a.size, b.size))
	})
}

// loose gives what is in no slice and not padding: bytes that are not zero
// between the slices, and all that is behind the last one.
func (u *universal) loose(r io.ReaderAt) ([]archive.Loose, error) {
	var out []archive.Loose
	end := u.header()
	for _, s := range u.inOrder() {
		first, last, err := notZero(r, end, s.off)
		if err != nil {
			return nil, err
		}
		if first >= 0 {
			out = append(out, archive.Loose{What: archive.LooseBetween, Offset: first, Size: last + 1 - first})
		}
		end = s.off + s.size
	}
	if end < u.size {
		out = append(out, archive.Loose{What: archive.LooseAfter, Offset: end, Size: u.size - end})
	}
	return out, nil
}

// notZero finds the first and the last byte in a range that is not zero; -1 when all are.
func notZero(r io.ReaderAt, from, to int64) (first, last int64, err error) {
	first, last = -1, -1
	buf := make([]byte, 64<<10)
	for at := from; at < to; {
		b := buf[:min(int64(len(buf)), to-at)]
		if _, err := r.ReadAt(b, at); err != nil {
			return 0, 0, err
		}
		for i, c := range b {
			if c != 0 {
				if first < 0 {
					first = at + int64(i)
				}
				last = at + int64(i)
			}
		}
		at += int64(len(b))
	}
	return first, last, nil
}

// assemble writes the universal binary anew from the files of its slices, as
// lipo does: each at the first multiple of its alignment behind the one before.
// What is taken from the given table is what a tool may choose: the order, the
// alignments, the width of offsets, and which capabilities are named.
func (u *universal) assemble(w io.Writer, names []string) error {
	bo := binary.BigEndian
	head := append([]byte(nil), fatMagic...)
	if u.wide {
		head = append(head[:0], fatMagic64...)
	}
	head = bo.AppendUint32(head, uint32(len(names)))
	at := u.header()
	var offsets []int64
	for i, s := range u.slices {
		cpu, sub, size, err := thinHeader(names[i])
		if err != nil {
			return err
		}
		if s.sub&subtypeMask == sub&subtypeMask {
			sub = s.sub&^subtypeMask&0x80000000 | sub&subtypeMask
		}
		if s.align > maxAlign {
			return fmt.Errorf("the slice for %s is aligned to 2^%d bytes: no tool does that", s.arch(), s.align)
		}
		mask := int64(1)<<s.align - 1
		at = (at + mask) &^ mask
		offsets = append(offsets, at)
		head = bo.AppendUint32(bo.AppendUint32(head, cpu), sub)
		if u.wide {
			head = bo.AppendUint64(bo.AppendUint64(head, uint64(at)), uint64(size))
			head = bo.AppendUint32(bo.AppendUint32(head, s.align), 0)
		} else {
			head = bo.AppendUint32(bo.AppendUint32(head, uint32(at)), uint32(size))
			head = bo.AppendUint32(head, s.align)
		}
		at += size
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	at = u.header()
	for i, name := range names {
		if _, err := w.Write(make([]byte, offsets[i]-at)); err != nil {
			return err
		}
		f, err := files.Open(name)
		if err != nil {
			return err
		}
		n, err := io.Copy(w, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		at = offsets[i] + n
	}
	return nil
}

// thinHeader reads machine and size of a Mach-O file.
func thinHeader(name string) (cpu, sub uint32, size int64, err error) {
	f, err := files.Open(name)
	if err != nil {
		return 0, 0, 0, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return 0, 0, 0, err
	}
	var b [12]byte
	if _, err := f.ReadAt(b[:], 0); err != nil {
		return 0, 0, 0, err
	}
	bo := binary.ByteOrder(binary.LittleEndian)
	if b[0] == 0xfe {
		bo = binary.BigEndian
	}
	return bo.Uint32(b[4:]), bo.Uint32(b[8:]), fi.Size(), nil
}
