package sizes

import "encoding/binary"

// Addresses are too wide for one instruction of these architectures. The
// assembler (cmd/internal/obj/ARCH) makes them by two that follow each other, the
// upper part in a register and the lower in what uses it, or loads them from the
// end of the function. Only these are decoded; a number that a program computes by
// other instructions (an OR of the lower part, say) is none of its addresses.

// upper is a register that holds the upper part of an address.
type upper struct {
	reg  uint32
	part uint64
	end  int // of the instruction that made it; 0 when there is none
}

// then is the part if the register is used by the instruction at i, the one that
// follows.
func (u upper) then(reg uint32, i int) (uint64, bool) {
	return u.part, u.end == i && i > 0 && u.reg == reg
}

// signed extends the sign of the low bits of v.
func extend(v uint32, bits int) uint64 { return uint64(int64(int32(v<<(32-bits)) >> (32 - bits))) }

// refsARM finds the words at the end of functions that instructions load.
func (m *image) refsARM(fn int32, code []byte, addr uint64) {
	for i := 0; i+4 <= len(code); i += 4 {
		w := m.order.Uint32(code[i:])
		switch {
		case w&0x0f000000 == 0x0b000000: // BL
			m.addCall(fn, addr+uint64(i)+8+extend(w, 24)<<2)
		case w&0x0f7f0000 == 0x051f0000: // LDR from PC and offset
			at := i + 8 + int(w&0xfff)
			if w&(1<<23) == 0 {
				at = i + 8 - int(w&0xfff)
			}
			if at >= 0 && at+4 <= len(code) {
				m.addNumber(fn, m.order.Uint32(code[at:]))
			}
		}
	}
}

// refsMIPS finds pairs of LUI and an addition, load or store.
func (m *image) refsMIPS(fn int32, code []byte, addr uint64) {
	var u upper
	for i := 0; i+4 <= len(code); i += 4 {
		w := m.order.Uint32(code[i:])
		switch op := w >> 26; {
		case op == 0x0f: // LUI
			u = upper{w >> 16 & 31, extend(w, 16) << 16, i + 4}
		case op == 0 && w&0x3f == 0x2d && w>>11&31 == u.reg && u.end == i: // DADDU of the static base, which is zero
			u.end = i + 4
		case op == 3: // JAL
			m.addCall(fn, (addr+uint64(i)+4)&^(1<<28-1)|uint64(w&(1<<26-1))<<2)
		case op == 0x09 || op == 0x19 || op >= 0x20: // ADDIU, DADDIU, loads and stores
			if hi, ok := u.then(w>>21&31, i); ok {
				m.addRef(fn, m.pointerWide(hi+extend(w, 16)), 0)
			}
		}
	}
}

// pointerWide cuts an address to the width of pointers.
func (m *image) pointerWide(a uint64) uint64 {
	if m.ptr == 4 {
		return uint64(uint32(a))
	}
	return a
}

// refsRISCV finds pairs of AUIPC and an addition, load, store or call.
func (m *image) refsRISCV(fn int32, code []byte, addr uint64) {
	var u upper
	for i := 0; i+2 <= len(code); {
		if binary.LittleEndian.Uint16(code[i:])&3 != 3 { // a compressed instruction
			i += 2
			continue
		}
		if i+4 > len(code) {
			return
		}
		w := binary.LittleEndian.Uint32(code[i:])
		hi, ok := u.then(w>>15&31, i)
		switch op := w & 0x7f; {
		case op == 0x17: // AUIPC
			u = upper{w >> 7 & 31, addr + uint64(i) + extend(w, 32)&^0xfff, i + 4}
		case op == 0x6f && w>>7&31 != 0: // JAL
			off := w>>31<<20 | w>>12&0xff<<12 | w>>20&1<<11 | w>>21&0x3ff<<1
			m.addCall(fn, addr+uint64(i)+extend(off, 21))
		case !ok:
		case op == 0x67: // JALR
			m.addCall(fn, hi+extend(w>>20, 12))
		case op == 0x13 && w>>12&7 == 0 || op == 0x03 || op == 0x07: // ADDI, loads
			m.addRef(fn, hi+extend(w>>20, 12), 0)
		case op == 0x23 || op == 0x27: // stores
			m.addRef(fn, hi+extend(w>>25<<5|w>>7&31, 12), 0)
		}
		i += 4
	}
}

// refsS390X finds the operands relative to the instruction, in half words.
func (m *image) refsS390X(fn int32, code []byte, addr uint64) {
	for i := 0; i+2 <= len(code); {
		size := [4]int{2, 4, 4, 6}[code[i]>>6]
		if size == 6 && i+6 <= len(code) {
			to := addr + uint64(i) + 2*uint64(int64(int32(binary.BigEndian.Uint32(code[i+2:]))))
			switch op := code[i+1] & 0xf; {
			case code[i] == 0xc0 && op == 5: // BRASL
				m.addCall(fn, to)
			case code[i] == 0xc0 && op == 0, code[i] == 0xc4: // LARL; loads and stores
				m.addRef(fn, to, 0)
			}
		}
		i += size
	}
}

// refsPPC64 finds pairs of ADDIS from zero and an addition, load or store.
func (m *image) refsPPC64(fn int32, code []byte, addr uint64) {
	var u upper
	for i := 0; i+4 <= len(code); i += 4 {
		w := m.order.Uint32(code[i:])
		switch op := w >> 26; {
		case op == 15 && w>>16&31 == 0: // ADDIS
			u = upper{w >> 21 & 31, extend(w, 16) << 16, i + 4}
		case op == 18 && w&3 == 1: // BL
			m.addCall(fn, addr+uint64(i)+extend(w&^3, 26))
		case op == 14 || op >= 32 && op <= 55 || op == 58 || op == 62: // ADDI, loads and stores
			if op >= 58 {
				w &^= 3 // what more these two do
			}
			if hi, ok := u.then(w>>16&31, i); ok {
				m.addRef(fn, hi+extend(w, 16), 0)
			}
		}
	}
}

// refsLoong64 finds pairs of PCALAU12I and an addition, load or store.
func (m *image) refsLoong64(fn int32, code []byte, addr uint64) {
	var u upper
	for i := 0; i+4 <= len(code); i += 4 {
		w := m.order.Uint32(code[i:])
		switch {
		case w>>25 == 0x0d: // PCALAU12I
			u = upper{w & 31, (addr+uint64(i))&^0xfff + extend(w>>5, 20)<<12, i + 4}
		case w>>26 == 0x15: // BL
			m.addCall(fn, addr+uint64(i)+extend(w>>10&0xffff|w&0x3ff<<16, 26)<<2)
		case w>>22 == 0x0b || w>>26 == 0x0a: // ADDI.D, loads and stores
			if hi, ok := u.then(w>>5&31, i); ok {
				m.addRef(fn, hi+extend(w>>10, 12), 0)
			}
		}
	}
}
