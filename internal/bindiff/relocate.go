package bindiff

import (
	"encoding/binary"

	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/x86"
)

// relocator compares code apart from the addresses in it. Two places may differ
// if what is there points into the text at the same distance from the start of
// the same function, or into sections of one name elsewhere. So a call of
// another function is a difference; a use of other data in the same section is
// not, which is why equal code proves nothing about data.
type relocator struct {
	fa, fb *gobin.File
	a, b   *gobin.FuncTable
	lastA  *gobin.Section // where the last address was: most are in few sections
	lastB  *gobin.Section

	decoder *x86.Decoder
}

// equal compares two functions of the same length that start at the addresses
// given. known is false when nothing is known of addresses on the architecture;
// the functions then count as equal.
func (r *relocator) equal(arch string, x, y []byte, at, bt uint64) (same, known bool) {
	switch arch {
	case "amd64", "386":
		if r.decoder == nil {
			r.decoder = x86.New(arch == "386")
		}
		return r.x86(r.decoder, x, y, at, bt), true
	case "arm64":
		return r.arm64(x, y, at, bt), true
	}
	return true, false
}

// x86 compares instruction by instruction. They may differ in fields that hold
// addresses, and in how a linker has relaxed them.
func (r *relocator) x86(d *x86.Decoder, x, y []byte, at, bt uint64) bool {
	for i := 0; i < len(x); {
		in := d.Decode(x[i:])
		n := max(in.Size, 1)
		first := differsAt(x[i:i+n], y[i:i+n])
		switch {
		case first < 0:
			i += n
		case in.Size > 0 && d.Decode(y[i:]) == in && r.fields(d, in, x[i:i+n], y[i:i+n], at+uint64(i+n), bt+uint64(i+n)):
			i += n
		default:
			next := relaxed(x, y, i+first)
			if next == 0 {
				return false
			}
			i = max(next, i+1)
		}
	}
	return true
}

func differsAt(x, y []byte) int {
	for i := range x {
		if x[i] != y[i] {
			return i
		}
	}
	return -1
}

// fields compares two instructions in which the same fields are in the same
// places, and whose next ones are at these addresses.
func (r *relocator) fields(d *x86.Decoder, in x86.Instruction, x, y []byte, at, bt uint64) bool {
	le := binary.LittleEndian
	signed := func(b []byte) uint64 { return uint64(int64(int32(le.Uint32(b)))) }
	wide := 4
	if in.Wide {
		wide = 8
	}
	for i := range x {
		inDisp := in.Disp > 0 && i >= in.Disp && i < in.Disp+4
		inImm := in.Imm > 0 && i >= in.Imm && i < in.Imm+wide
		if x[i] != y[i] && !inDisp && !inImm {
			return false
		}
	}
	if f := in.Disp; f > 0 && le.Uint32(x[f:]) != le.Uint32(y[f:]) {
		switch {
		case in.Relative:
			if !r.target(at+signed(x[f:]), bt+signed(y[f:])) {
				return false
			}
		case !r.target(uint64(le.Uint32(x[f:])), uint64(le.Uint32(y[f:]))) && !ofThread(x, y, f):
			return false
		}
	}
	f := in.Imm
	switch {
	case f == 0:
		return true
	case in.Wide:
		vx, vy := le.Uint64(x[f:]), le.Uint64(y[f:])
		return vx == vy || r.target(vx, vy)
	case in.Branch:
		tx, ty := at+signed(x[f:]), bt+signed(y[f:])
		if d.Narrow() {
			tx, ty = uint64(uint32(tx)), uint64(uint32(ty))
		}
		return le.Uint32(x[f:]) == le.Uint32(y[f:]) || r.target(tx, ty)
	}
	vx, vy := le.Uint32(x[f:]), le.Uint32(y[f:])
	return vx == vy || r.target(uint64(vx), uint64(vy))
}

// smallOffset reports whether a displacement can be one into the storage of a thread.
func smallOffset(v uint32) bool { return int32(v) > -1<<20 && int32(v) < 1<<20 }

// ofThread reports whether both have at w the displacement of the same access to
// the storage of a thread: behind the prefix FS or GS. Which it is depends on what
// else is linked that has such storage.
func ofThread(x, y []byte, w int) bool {
	le := binary.LittleEndian
	if !smallOffset(le.Uint32(x[w:])) || !smallOffset(le.Uint32(y[w:])) {
		return false
	}
	for k := w - 1; k >= 0 && k >= w-5; k-- {
		if x[k] != y[k] {
			return false
		}
		if x[k] == 0x64 || x[k] == 0x65 {
			return true
		}
	}
	return false
}

// relaxed returns the end of an instruction that a linker has written in two
// ways, and that i is in; 0 when it is none
// (System V psABI for x86-64, "Linker Optimizations"): MOV from the table of
// addresses, LEA of the address, or MOV of the offset into the thread's storage.
func relaxed(x, y []byte, i int) int {
	for s := i; s >= 0 && s >= i-6; s-- {
		if s+7 > len(x) {
			continue
		}
		a, b := x[s:s+7], y[s:s+7]
		regA, kindA := movLike(a)
		regB, kindB := movLike(b)
		if kindA == 0 || kindB == 0 || regA != regB {
			continue
		}
		// Or two offsets, and one of the next instructions has the prefix FS.
		if kindA != kindB || kindA == 0xc7 && usesThread(x[s+7:]) && usesThread(y[s+7:]) {
			return s + 7
		}
	}
	return 0
}

// usesThread looks for an instruction with the prefixes FS and REX not far away:
// the assembly of the runtime loads the offset a few instructions before it is used.
func usesThread(b []byte) bool {
	for i := range min(len(b)-1, 32) {
		if b[i] == 0x64 && b[i+1]&0xf0 == 0x40 {
			return true
		}
	}
	return false
}

// movLike recognises the three instructions of seven bytes that load a register.
func movLike(b []byte) (reg byte, kind byte) {
	if b[0]&0xf8 != 0x48 { // REX.W
		return 0, 0
	}
	switch {
	case (b[1] == 0x8b || b[1] == 0x8d) && b[2]&0xc7 == 0x05: // MOV, LEA with an address relative to the next instruction
		return b[2]>>3&7 | b[0]&4<<1, b[1]
	case b[1] == 0xc7 && b[2]&0xf8 == 0xc0 && smallOffset(binary.LittleEndian.Uint32(b[3:])):
		return b[2]&7 | b[0]&1<<3, b[1]
	}
	return 0, 0
}

// arm64 compares instruction by instruction (Arm Architecture Reference Manual,
// C4.1): branches by target, ADRP by page, and the low bits of an address in
// the ADD, LDR or STR that follows an ADRP.
func (r *relocator) arm64(x, y []byte, at, bt uint64) bool {
	le := binary.LittleEndian
	for i := 0; i+4 <= len(x); i += 4 {
		vx, vy := le.Uint32(x[i:]), le.Uint32(y[i:])
		if vx == vy {
			continue
		}
		px, py := at+uint64(i), bt+uint64(i)
		switch {
		case vx>>26 == vy>>26 && vx&0x7c000000 == 0x14000000: // B, BL
			tx := px + uint64(int64(int32(vx<<6))>>6*4)
			ty := py + uint64(int64(int32(vy<<6))>>6*4)
			if !r.target(tx, ty) {
				return false
			}
		case vx&0x9f00001f == vy&0x9f00001f && vx&0x9f000000 == 0x90000000: // ADRP
			page := func(v uint32, pc uint64) uint64 {
				imm := int64(int32(v<<8)>>13)<<2 | int64(v>>29&3)
				return pc&^0xfff + uint64(imm<<12)
			}
			// The page can start before the section that the address is in.
			tx, ty := page(vx, px), page(vy, py)
			if i+8 <= len(x) {
				lowX, okX := low12(le.Uint32(x[i+4:]), vx&0x1f)
				lowY, okY := low12(le.Uint32(y[i+4:]), vy&0x1f)
				if okX && okY {
					if !r.target(tx+lowX, ty+lowY) {
						return false
					}
					continue
				}
			}
			if !r.target(tx, ty) && !r.target(tx+0xfff, ty+0xfff) && !r.nearby(tx, ty) {
				return false
			}
		case vx&0xffc003ff == vy&0xffc003ff && (vx&0x7f800000 == 0x11000000 || vx&0x3b000000 == 0x39000000) && pageIn(x, i, vx>>5&0x1f) && pageIn(y, i, vy>>5&0x1f):
			// The low bits of an address, in ADD, LDR or STR: the ADRP has been compared.
		case vx>>24 == vy>>24 && vx&0x1f == vy&0x1f && vx&0x3b000000 == 0x18000000: // LDR of a literal
		default:
			if !r.target(uint64(vx), uint64(vy)) { // half of a literal
				return false
			}
		}
	}
	return true
}

// pageIn reports whether one of the instructions before i has put a page into the
// register.
func pageIn(code []byte, i int, reg uint32) bool {
	const near = 8
	for k := i - 4; k >= max(0, i-4*near); k -= 4 {
		if v := binary.LittleEndian.Uint32(code[k:]); v&0x9f00001f == 0x90000000|reg {
			return true
		}
	}
	return false
}

// low12 returns what an ADD, LDR or STR with an immediate offset adds to the
// register; false for any other instruction.
func low12(v, reg uint32) (uint64, bool) {
	imm := uint64(v >> 10 & 0xfff)
	switch {
	case v>>5&0x1f != reg:
	case v&0x7fc00000 == 0x11000000: // ADD, not shifted
		return imm, true
	case v&0x3b000000 == 0x39000000:
		scale := v >> 30
		if v&0x04800000 == 0x04800000 { // 128-bit vector
			scale = 4
		}
		return imm << scale, true
	}
	return 0, false
}

// nearby reports whether both pages are in or next to a section, for what has
// no bytes in the file (bss).
func (r *relocator) nearby(x, y uint64) bool {
	sx, sy := r.below(r.fa, x), r.below(r.fb, y)
	return sx != "" && sx == sy
}

// below names the last section that starts at or before an address's page, if
// it is less than 16 MiB away.
func (r *relocator) below(f *gobin.File, addr uint64) string {
	name, start := "", uint64(0)
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Addr != 0 && !s.Nested && s.Addr <= addr+0xfff && s.Addr >= start && addr-min(addr, s.Addr) < 256<<20 {
			name, start = s.Name, s.Addr
		}
	}
	return name
}

// target reports whether two addresses mean the same place.
func (r *relocator) target(x, y uint64) bool {
	ta, tb := r.a.Text(), r.b.Text()
	inA, inB := x-ta.Addr < uint64(ta.Size), y-tb.Addr < uint64(tb.Size)
	if inA != inB {
		return false
	}
	if !inA {
		sx, sy := find(r.fa, x, &r.lastA), find(r.fb, y, &r.lastB)
		if sx == nil {
			sx = behind(r.fa, x)
		}
		if sy == nil {
			sy = behind(r.fb, y)
		}
		if sx == nil || sy == nil {
			return false
		}
		return sx.Name == sy.Name
	}
	i, j := r.a.At(uint32(x-ta.Addr)), r.b.At(uint32(y-tb.Addr))
	if i < 0 || j < 0 {
		return false
	}
	if x-ta.Addr-uint64(r.a.Entry(i)) != y-tb.Addr-uint64(r.b.Entry(j)) {
		return false
	}
	return r.a.SameName(i, r.b, j)
}

// behind returns the section in whose memory an address is that has no bytes in
// the file: a section of its own in ELF and Mach-O, the end of .data in PE.
func behind(f *gobin.File, addr uint64) *gobin.Section {
	var last *gobin.Section
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Addr != 0 && !s.Nested && s.Addr <= addr && (last == nil || s.Addr >= last.Addr) {
			last = s
		}
	}
	if last == nil || addr-last.Addr > 256<<20 || last.Kind != gobin.KindBSS && last.Kind != gobin.KindData {
		return nil
	}
	return last
}

func find(f *gobin.File, addr uint64, last **gobin.Section) *gobin.Section {
	if s := *last; s != nil && addr >= s.Addr && addr-s.Addr < uint64(s.Size) {
		return s
	}
	s, _ := f.At(addr)
	if s != nil {
		*last = s
	}
	return s
}
