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
		b, bo := table[i*entry:], binary.BigEndian
		s := Slice{CPU: bo.Uint32(b), Sub: bo.Uint32(b[4:])}
		off, length := uint64(bo.Uint32(b[8:])), uint64(bo.Uint32(b[12:]))
		s.Align = bo.Uint32(b[16:])
		if u.Wide {
			off, length, s.Align = bo.Uint64(b[8:]), bo.Uint64(b[16:]), bo.Uint32(b[24:])
		}
		if off > uint64(size) || length > uint64(size)-off {
			return nil, fmt.Errorf("damaged universal binary: slice %d ends beyond its end", i)
		}
		s.Offset, s.Size = int64(off), int64(length)
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
	bo := binary.BigEndian
	head := append([]byte(nil), Magic...)
	if u.Wide {
		head = append(head[:0], Magic64...)
	}
	head = bo.AppendUint32(head, uint32(len(parts)))
	at := u.Header()
	var offsets []int64
	for i, s := range u.Slices {
		cpu, sub, err := machine(parts[i])
		if err != nil {
			return err
		}
		size := parts[i].Size()
		if s.Sub&subtypeMask == sub&subtypeMask {
			sub = s.Sub&^subtypeMask&0x80000000 | sub&subtypeMask
		}
		if s.Align > maxAlign {
			return fmt.Errorf("the slice for %s is aligned to 2^%d bytes: no tool does that", s.Arch(), s.Align)
		}
		mask := int64(1)<<s.Align - 1
		at = (at + mask) &^ mask
		offsets = append(offsets, at)
		head = bo.AppendUint32(bo.AppendUint32(head, cpu), sub)
		if u.Wide {
			head = bo.AppendUint64(bo.AppendUint64(head, uint64(at)), uint64(size))
			head = bo.AppendUint32(bo.AppendUint32(head, s.Align), 0)
		} else {
			head = bo.AppendUint32(bo.AppendUint32(head, uint32(at)), uint32(size))
			head = bo.AppendUint32(head, s.Align)
		}
		at += size
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	at = u.Header()
	for i, part := range parts {
		if _, err := w.Write(make([]byte, offsets[i]-at)); err != nil {
			return err
		}
		n, err := io.Copy(w, io.NewSectionReader(part, 0, part.Size()))
		if err != nil {
			return err
		}
		at = offsets[i] + n
	}
	return nil
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
	at := -1
	end := int64(0)
	for i, part := range parts {
		magic := make([]byte, len(thinMagic))
		if _, err := part.ReadAt(magic, 0); err != nil || string(magic) != thinMagic {
			return fmt.Errorf("slice %d is no Mach-O file of 64 bits", i+1)
		}
		cpu, sub, err := machine(part)
		if err != nil {
			return fmt.Errorf("slice %d: %w", i+1, err)
		}
		s := Slice{CPU: cpu, Sub: sub & subtypeMask}
		known := slices.IndexFunc(aligned(), func(k Slice) bool { return k.CPU == cpu })
		if known < 0 || s.Arch() != (Slice{CPU: cpu}).Arch() {
			return fmt.Errorf("slice %d is for %s; want one of %s", i+1, s.Arch(), strings.Join(Order(), ", "))
		}
		if known <= at {
			return fmt.Errorf("slice %d is for %s; want one of each machine, in the order %s", i+1, s.Arch(), strings.Join(Order(), ", "))
		}
		at = known
		s.Align = aligned()[known].Align
		end += part.Size() + 1<<s.Align
		t.Slices = append(t.Slices, s)
	}
	if len(parts) == 0 {
		return errors.New("no slices")
	}
	if end > math.MaxUint32 {
		return fmt.Errorf("%d bytes are more than a universal binary can have", end)
	}
	return t.Assemble(w, parts)
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
