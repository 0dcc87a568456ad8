// Package universal reads and writes universal binaries: one file with programs
// for several machines, of which macOS starts the one that fits (mach-o/fat.h). It
// has a table of slices, and the slices, each at a multiple of its alignment.
//
// [Join] writes one as Apple's lipo -create does, and LLVM's: a table of 32-bit
// offsets in the order of [Order], x86-64 aligned to 2^12 bytes and ARM64 to 2^14
// (llvm/lib/Object/MachOUniversalWriter.cpp, calculateAlignment; Slice::operator<).
// Its bytes depend on its slices alone. [Table.Assemble] writes one as another tool
// laid it out.
package universal

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

const (
	// Magic is how universal binaries begin, and Magic64 those with offsets of 64 bits.
	Magic     = "\xca\xfe\xba\xbe"
	Magic64   = "\xca\xfe\xba\xbf"
	maxSlices = 32
	maxAlign  = 15 // lipo's MAXSECTALIGN: 2^15

	cpuAMD64 = 0x01000007
	cpuARM64 = 0x0100000c

	// The upper byte of a subtype has capabilities, which lipo leaves out of the
	// table and others do not.
	subtypeMask = 0x00ffffff
)

// Table is what a universal binary says of its slices.
type Table struct {
	Wide   bool    // offsets of 64 bits
	Size   int64   // of the file
	Slices []Slice // in the order of the table
}

// Slice is one of them.
type Slice struct {
	CPU, Sub     uint32 // mach/machine.h
	Offset, Size int64
	Align        uint32 // exponent of 2
}

// Arch is the machine in the words of Go, as far as Go has one.
func (s Slice) Arch() string {
	name := map[uint32]string{7: "386", cpuAMD64: "amd64", 12: "arm", cpuARM64: "arm64"}[s.CPU]
	if name == "" {
		name = fmt.Sprintf("machine-%d", s.CPU)
	}
	// The usual subtypes are the ones that Go's linker writes.
	if sub := s.Sub & subtypeMask; sub != 0 && !(sub == 3 && (s.CPU == 7 || s.CPU == cpuAMD64)) {
		name += fmt.Sprintf(".%d", sub)
	}
	return name
}

// Read reads the table. It refuses what cannot be taken apart into
// slices that are each a file of their own.
func Read(r io.ReaderAt, size int64) (*Table, error) {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, errors.New("damaged universal binary: it ends within its header")
	}
	u := &Table{Wide: string(head[:4]) == Magic64, Size: size}
	n, entry := int64(binary.BigEndian.Uint32(head[4:])), u.entry()
	if n < 1 || n > maxSlices {
		return nil, fmt.Errorf("damaged universal binary: %d slices", n)
	}
	table := make([]byte, n*entry)
	if _, err := r.ReadAt(table, 8); err != nil {
		return nil, errors.New("damaged universal binary: it ends within its table of slices")
	}
	for i := range n {
		s := readSlice(table[i*entry:], u.Wide)
		off, length := uint64(s.Offset), uint64(s.Size)
		if off > uint64(size) || length > uint64(size)-off {
			return nil, fmt.Errorf("damaged universal binary: slice %d ends beyond its end", i)
		}
		if slices.ContainsFunc(u.Slices, func(o Slice) bool { return o.CPU == s.CPU && o.Sub&subtypeMask == s.Sub&subtypeMask }) {
			return nil, fmt.Errorf("damaged universal binary: two slices for %s", s.Arch())
		}
		u.Slices = append(u.Slices, s)
	}
	end := u.Header()
	for _, s := range u.InOrder() {
		if s.Offset < end {
			return nil, fmt.Errorf("damaged universal binary: the slice for %s overlaps what is before it", s.Arch())
		}
		end = s.Offset + s.Size
	}
	return u, nil
}

// readSlice reads an entry of the table.
func readSlice(b []byte, wide bool) Slice {
	bo := binary.BigEndian
	s := Slice{CPU: bo.Uint32(b), Sub: bo.Uint32(b[4:])}
	if wide {
		s.Offset, s.Size, s.Align = int64(bo.Uint64(b[8:])), int64(bo.Uint64(b[16:])), bo.Uint32(b[24:])
	} else {
		s.Offset, s.Size, s.Align = int64(bo.Uint32(b[8:])), int64(bo.Uint32(b[12:])), bo.Uint32(b[16:])
	}
	return s
}

func (u *Table) entry() int64 {
	if u.Wide {
		return 32
	}
	return 20
}

// Header is the size of the table with what is before it.
func (u *Table) Header() int64 { return 8 + int64(len(u.Slices))*u.entry() }

// InOrder gives the slices as they lie in the file.
func (u *Table) InOrder() []Slice {
	return slices.SortedStableFunc(slices.Values(u.Slices), func(a, b Slice) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Size, b.Size))
	})
}

// Assemble writes the universal binary anew from its slices, as lipo does: each at
// the first multiple of its alignment behind the one before. What is taken from the
// table is what a tool may choose: the order, the alignments, the width of offsets,
// and which capabilities are named.
func (u *Table) Assemble(w io.Writer, parts []*io.SectionReader) error {
	again := Table{Wide: u.Wide}
	for i, s := range u.Slices {
		cpu, sub, err := machine(parts[i])
		if err != nil {
			return err
		}
		if s.Sub&subtypeMask == sub&subtypeMask {
			sub = s.Sub&^subtypeMask&0x80000000 | sub&subtypeMask
		}
		if s.Align > maxAlign {
			return fmt.Errorf("the slice for %s is aligned to 2^%d bytes: no tool does that", s.Arch(), s.Align)
		}
		again.Slices = append(again.Slices, Slice{CPU: cpu, Sub: sub, Size: parts[i].Size(), Align: s.Align})
	}
	again.place()
	if _, err := w.Write(again.head()); err != nil {
		return err
	}
	at := again.Header()
	for i, s := range again.Slices {
		if _, err := w.Write(make([]byte, s.Offset-at)); err != nil {
			return err
		}
		n, err := io.Copy(w, io.NewSectionReader(parts[i], 0, s.Size))
		if err != nil {
			return err
		}
		at = s.Offset + n
	}
	return nil
}

// place gives each slice its offset: the first multiple of its alignment behind the
// one before.
func (u *Table) place() {
	at := u.Header()
	for i := range u.Slices {
		s := &u.Slices[i]
		mask := int64(1)<<s.Align - 1
		s.Offset = (at + mask) &^ mask
		at = s.Offset + s.Size
	}
	u.Size = at
}

// head is the table as it lies in the file, with what is before it.
func (u *Table) head() []byte {
	bo := binary.BigEndian
	head := []byte(Magic)
	if u.Wide {
		head = []byte(Magic64)
	}
	head = bo.AppendUint32(head, uint32(len(u.Slices)))
	for _, s := range u.Slices {
		head = bo.AppendUint32(bo.AppendUint32(head, s.CPU), s.Sub)
		if u.Wide {
			head = bo.AppendUint64(bo.AppendUint64(head, uint64(s.Offset)), uint64(s.Size))
			head = bo.AppendUint32(bo.AppendUint32(head, s.Align), 0)
		} else {
			head = bo.AppendUint32(bo.AppendUint32(head, uint32(s.Offset)), uint32(s.Size))
			head = bo.AppendUint32(head, s.Align)
		}
	}
	return head
}

// machine reads for which machine a Mach-O file is.
func machine(r io.ReaderAt) (cpu, sub uint32, err error) {
	var b [12]byte
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return 0, 0, err
	}
	bo := binary.ByteOrder(binary.LittleEndian)
	if b[0] == 0xfe {
		bo = binary.BigEndian
	}
	return bo.Uint32(b[4:]), bo.Uint32(b[8:]), nil
}

// thinMagic is how a Mach-O file of 64 bits begins.
const thinMagic = "\xcf\xfa\xed\xfe"

// aligned are the machines that [Join] knows, in its order, each with the exponent of
// its alignment: that of the largest page.
func aligned() []Slice {
	return []Slice{{CPU: cpuAMD64, Align: 12}, {CPU: cpuARM64, Align: 14}}
}

// Order are the architectures that [Join] takes, in the order of the slices.
func Order() (list []string) {
	for _, s := range aligned() {
		list = append(list, s.Arch())
	}
	return list
}

// Join writes the universal binary of several programs, one for each of some
// machines, in the order of [Order].
func Join(w io.Writer, parts []*io.SectionReader) error {
	var t Table
	for i, part := range parts {
		magic := make([]byte, len(thinMagic))
		if _, err := part.ReadAt(magic, 0); err != nil || string(magic) != thinMagic {
			return fmt.Errorf("slice %d is no Mach-O file of 64 bits", i+1)
		}
		cpu, sub, err := machine(part)
		if err != nil {
			return fmt.Errorf("slice %d: %w", i+1, err)
		}
		t.Slices = append(t.Slices, Slice{CPU: cpu, Sub: sub & subtypeMask, Size: part.Size()})
	}
	if err := t.lay(); err != nil {
		return err
	}
	return t.Assemble(w, parts)
}

// lay gives the slices of [Join] their alignment and their places.
func (u *Table) lay() error {
	before := -1
	for i := range u.Slices {
		s := &u.Slices[i]
		known := slices.IndexFunc(aligned(), func(k Slice) bool { return k.CPU == s.CPU && k.Arch() == s.Arch() })
		if known <= before {
			return fmt.Errorf("slice %d is for %s; want at most one for each of %s, in this order", i+1, s.Arch(), strings.Join(Order(), ", "))
		}
		s.Align, before = aligned()[known].Align, known
	}
	if len(u.Slices) == 0 {
		return errors.New("no slices")
	}
	if u.place(); u.Size > math.MaxUint32 {
		return fmt.Errorf("%d bytes are more than a universal binary can have", u.Size)
	}
	return nil
}

// Part is one slice of an open universal binary.
func (s Slice) Part(r io.ReaderAt) *io.SectionReader { return io.NewSectionReader(r, s.Offset, s.Size) }

// Open opens files as slices. close closes them all.
func Open(names []string) (parts []*io.SectionReader, close func() error, err error) {
	var opened []*os.File
	close = func() (err error) {
		for _, f := range opened {
			err = errors.Join(err, f.Close())
		}
		return err
	}
	for _, name := range names {
		f, err := files.Open(name)
		if err != nil {
			return nil, nil, errors.Join(err, close())
		}
		opened = append(opened, f)
		fi, err := f.Stat()
		if err != nil {
			return nil, nil, errors.Join(err, close())
		}
		parts = append(parts, io.NewSectionReader(f, 0, fi.Size()))
	}
	return parts, close, nil
}
