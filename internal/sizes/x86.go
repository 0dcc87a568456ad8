package sizes

import "encoding/binary"

// refsX86 finds the addresses in operands: relative to the instruction pointer in
// 64-bit mode, else as they are; the compiler takes addresses by LEA, immediate
// operands are numbers. What is not understood (tables in assembly, say) is
// skipped byte by byte.
func (m *image) refsX86(fn int32, code []byte, addr uint64) {
	for at := 0; at < len(code); {
		in := m.x86.Decode(code[at:])
		if in.Size == 0 {
			at++
			continue
		}
		next := at + in.Size
		if in.Opcode == 0xe8 && in.Size >= 5 { // CALL
			m.addCall(fn, m.relative(addr+uint64(next), code[next-4:]))
		}
		switch {
		case in.Disp == 0 || !in.Relative && !m.x86.Narrow():
		case m.x86.Narrow():
			m.addRef(fn, uint64(binary.LittleEndian.Uint32(code[at+in.Disp:])), 0)
		default:
			length := uint32(0)
			if in.Opcode == 0x8d { // LEA of a string, then MOVL $length, register
				if n := m.x86.Decode(code[next:]); n.Opcode&0xf8 == 0xb8 && n.Imm > 0 && !n.Wide {
					length = binary.LittleEndian.Uint32(code[next+n.Imm:])
				}
			}
			m.addRef(fn, m.relative(addr+uint64(next), code[at+in.Disp:]), length)
		}
		at = next
	}
}

// relative is the address that is as far from next as the 32 bits say that code begins with.
func (m *image) relative(next uint64, code []byte) uint64 {
	to := next + uint64(int64(int32(binary.LittleEndian.Uint32(code))))
	if m.x86.Narrow() {
		to = uint64(uint32(to))
	}
	return to
}
