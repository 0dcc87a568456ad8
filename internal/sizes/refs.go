package sizes

// ref is a reference to data from code: the function, by number.
type ref struct {
	to     uint64
	fn     int32
	length uint32 // of the string, where the code next to it tells; else 0
}

// readRefs reads the references to data in the code of all functions.
func (m *image) readRefs() {
	if m.fn == nil {
		return
	}
	switch m.Arch {
	case "amd64", "arm64":
	default:
		m.note("references in code for " + m.Arch + " are not read: data is attributed through pointers only")
		return
	}
	text := m.b[m.fn.text.Offset : m.fn.text.Offset+m.fn.text.Size]
	for i := range m.fn.pkg {
		from, to := m.fn.start[i], m.fn.start[i+1]
		if int64(to) > int64(len(text)) {
			break
		}
		code, addr := text[from:to], m.fn.text.Addr+uint64(from)
		if m.Arch == "amd64" {
			m.refsAMD64(int32(i), code, addr)
		} else {
			m.refsARM64(int32(i), code, addr)
		}
	}
}

// addRef records a reference if it leads to data in the file.
func (m *image) addRef(fn int32, to uint64, length uint32) {
	text := &m.fn.text
	if to >= text.Addr && to-text.Addr < uint64(text.Size) || m.section(to) == nil {
		return
	}
	m.refs = append(m.refs, ref{to, fn, length})
}

// immediates tells, for the opcodes that Go code uses with a memory operand,
// how many bytes of immediate follow it, plus one; 0 for other opcodes.
func immediates() (one, two [256]uint8) {
	for _, op := range []byte{0x03, 0x0b, 0x13, 0x1b, 0x23, 0x2b, 0x33, 0x38, 0x39, 0x3a, 0x3b, 0x01, 0x09, 0x21, 0x29, 0x31,
		0x63, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8d, 0xfe, 0xff, 0xf6, 0xf7, 0xd0, 0xd1, 0xd2, 0xd3} {
		one[op] = 1
	}
	for _, op := range []byte{0x80, 0x83, 0xc0, 0xc1, 0xc6, 0x6b} {
		one[op] = 2
	}
	for _, op := range []byte{0x81, 0xc7, 0x69} {
		one[op] = 5
	}
	for _, op := range []byte{0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x28, 0x29, 0x2a, 0x2e, 0x2f, 0x51, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x5c, 0x5d, 0x5e, 0x5f,
		0x6e, 0x6f, 0x7e, 0x7f, 0xd6, 0xef, 0xeb, 0xdb, 0xfe, 0xd4, 0xb0, 0xb1, 0xb6, 0xb7, 0xbe, 0xbf, 0xc0, 0xc1, 0x40, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x4c, 0x4d, 0x4e, 0x4f, 0xaf, 0x00, 0x18} {
		two[op] = 1
	}
	for _, op := range []byte{0x70, 0xc6, 0xba, 0xa4, 0xac} {
		two[op] = 2
	}
	return one, two
}

// refsAMD64 finds operands relative to the instruction pointer without decoding
// the instructions: a byte that is such a ModRM, an opcode before it that takes
// one, and a displacement that leads into the data. Random bytes do that by
// chance less than once in a hundred thousand.
func (m *image) refsAMD64(fn int32, code []byte, addr uint64) {
	one, two := &m.opcodes[0], &m.opcodes[1]
	for i := 1; i+4 < len(code); i++ {
		if code[i]&0xc7 != 0x05 {
			continue
		}
		op := code[i-1]
		imm := one[op]
		if i >= 2 && code[i-2] == 0x0f {
			imm = two[op]
		} else if i >= 3 && (code[i-3] == 0xc5 || i >= 4 && code[i-4] == 0xc4) { // VEX
			imm = 1
		} else if i >= 3 && code[i-3] == 0x0f && (code[i-2] == 0x38 || code[i-2] == 0x3a) {
			imm = 1
			if code[i-2] == 0x3a {
				imm = 2
			}
		}
		if imm == 0 {
			continue
		}
		disp := int32(uint32(code[i+1]) | uint32(code[i+2])<<8 | uint32(code[i+3])<<16 | uint32(code[i+4])<<24)
		next := i + 5 + int(imm-1)
		if op == 0xf6 && code[i]&0x38 == 0 {
			next++ // TEST with an immediate
		} else if op == 0xf7 && code[i]&0x38 == 0 {
			next += 4
		}
		to := addr + uint64(next) + uint64(int64(disp))
		length := uint32(0)
		if op == 0x8d && next+5 <= len(code) && code[next]&0xf8 == 0xb8 {
			// LEA of a string, then MOVL $length, register.
			length = uint32(code[next+1]) | uint32(code[next+2])<<8 | uint32(code[next+3])<<16 | uint32(code[next+4])<<24
		}
		m.addRef(fn, to, length)
	}
}

// refsARM64 finds pairs of ADRP and an ADD, load or store that uses the page.
func (m *image) refsARM64(fn int32, code []byte, addr uint64) {
	var page [32]uint64
	var when [32]int
	for i := 0; i+4 <= len(code); i += 4 {
		w := m.order.Uint32(code[i:])
		if w&0x9f000000 == 0x90000000 { // ADRP
			imm := int64(int32(w>>5<<13)>>13)<<2 | int64(w>>29&3)
			page[w&31] = (addr+uint64(i))&^0xfff + uint64(imm<<12)
			when[w&31] = i + 4
			continue
		}
		rn := w >> 5 & 31
		if when[rn] == 0 || i+4-when[rn] > 32 {
			continue
		}
		var off uint64
		switch {
		case w&0x7fc00000 == 0x11000000: // ADD immediate, no shift
			off = uint64(w >> 10 & 0xfff)
		case w&0x3b000000 == 0x39000000: // load or store, unsigned offset
			shift := w >> 30
			if w&0x04800000 == 0x04800000 {
				shift = 4 // 128 bits
			}
			off = uint64(w>>10&0xfff) << shift
		default:
			continue
		}
		length := uint32(0)
		if i+8 <= len(code) {
			if n := m.order.Uint32(code[i+4:]); n&0x7f800000 == 0x52800000 && n>>21&3 == 0 { // MOVZ
				length = n >> 5 & 0xffff
			} else if n&0x7f8003e0 == 0x320003e0 { // MOV of a bit mask; the length is not decoded
				length = 0
			}
		}
		m.addRef(fn, page[rn]+off, length)
	}
}
