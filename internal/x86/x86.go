// Package x86 finds the lengths of instructions and the fields in them that may
// hold addresses. It is no disassembler: what an instruction does is not looked at.
package x86

// What follows an opcode (Intel SDM volume 2, appendix A), in 64-bit mode.
const (
	opModRM  = 1 << iota
	opImm8   // one byte
	opImm16  // two bytes
	opImmZ   // four bytes, two with the operand size prefix
	opImmV   // as opImmZ, eight with REX.W
	opImmA   // an address of eight bytes
	opPrefix // a prefix
	opBad
)

// Decoder knows what follows each opcode, in one mode of the processor.
type Decoder struct {
	one, two [256]uint8 // the one-byte opcodes and those behind 0F
	narrow   bool       // 32-bit mode
}

// New returns a decoder of 64-bit mode, or of 32-bit mode.
func New(narrow bool) *Decoder {
	o := &Decoder{narrow: narrow}
	set := func(t *[256]uint8, v uint8, from, to int) {
		for i := from; i <= to; i++ {
			t[i] = v
		}
	}
	one := func(v uint8, from, to int) { set(&o.one, v, from, to) }
	for base := 0; base < 0x40; base += 8 {
		one(opModRM, base, base+3)
		one(opImm8, base+4, base+4)
		one(opImmZ, base+5, base+5)
		one(opBad, base+6, base+7)
	}
	for _, p := range []int{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3} {
		one(opPrefix, p, p)
	}
	one(opPrefix, 0x40, 0x4f) // REX
	one(opBad, 0x60, 0x62)
	one(opModRM, 0x63, 0x63)
	one(opImmZ, 0x68, 0x68)
	one(opModRM|opImmZ, 0x69, 0x69)
	one(opImm8, 0x6a, 0x6a)
	one(opModRM|opImm8, 0x6b, 0x6b)
	one(opImm8, 0x70, 0x7f)
	one(opModRM|opImm8, 0x80, 0x83)
	one(opModRM|opImmZ, 0x81, 0x81)
	one(opModRM, 0x84, 0x8f)
	one(opBad, 0x9a, 0x9a)
	one(opImmA, 0xa0, 0xa3)
	one(opImm8, 0xa8, 0xa8)
	one(opImmZ, 0xa9, 0xa9)
	one(opImm8, 0xb0, 0xb7)
	one(opImmV, 0xb8, 0xbf)
	one(opModRM|opImm8, 0xc0, 0xc1)
	one(opImm16, 0xc2, 0xc2)
	one(opBad, 0xc4, 0xc5) // VEX, handled apart
	one(opModRM|opImm8, 0xc6, 0xc6)
	one(opModRM|opImmZ, 0xc7, 0xc7)
	one(opImm16|opImm8, 0xc8, 0xc8)
	one(opImm16, 0xca, 0xca)
	one(opImm8, 0xcd, 0xcd)
	one(opModRM, 0xd0, 0xd3)
	one(opBad, 0xd4, 0xd6)
	one(opModRM, 0xd8, 0xdf)
	one(opImm8, 0xe0, 0xe7)
	one(opImmZ, 0xe8, 0xe9)
	one(opBad, 0xea, 0xea)
	one(opImm8, 0xeb, 0xeb)
	one(opModRM, 0xf6, 0xf7) // TEST has an immediate, handled apart
	one(opModRM, 0xfe, 0xff)

	two := func(v uint8, from, to int) { set(&o.two, v, from, to) }
	two(opModRM, 0x00, 0xff)
	two(0, 0x05, 0x09)
	two(0, 0x0b, 0x0b)
	two(0, 0x0e, 0x0e)
	two(0, 0x30, 0x37)
	two(opModRM|opImm8, 0x70, 0x73)
	two(0, 0x77, 0x77)
	two(opImmZ, 0x80, 0x8f)
	two(0, 0xa0, 0xa2)
	two(opModRM|opImm8, 0xa4, 0xa4)
	two(0, 0xa8, 0xaa)
	two(opModRM|opImm8, 0xac, 0xac)
	two(opModRM|opImm8, 0xba, 0xba)
	two(opModRM|opImm8, 0xc2, 0xc2)
	two(opModRM|opImm8, 0xc4, 0xc6)
	two(0, 0xc8, 0xcf)
	if narrow {
		one(0, 0x40, 0x4f) // INC, DEC
	}
	return o
}

// Narrow reports whether it is of 32-bit mode.
func (o *Decoder) Narrow() bool { return o.narrow }

// Instruction is as much of an instruction as is told here. Disp and Imm are
// where in it a field of four bytes is (Imm: of eight if Wide); 0 is none.
type Instruction struct {
	Size     int  // 0 when it is not understood
	Opcode   int  // of the one-byte map; -1 of another
	Disp     int  // displacement, or the address of an operand
	Relative bool // Disp counts from the next instruction
	Imm      int  // immediate operand, or the distance of a branch
	Wide     bool
	Branch   bool // Imm counts from the next instruction
}

// Decode reads the instruction at the front of b.
func (o *Decoder) Decode(b []byte) (in Instruction) {
	at, wide, short := 0, false, false
	for at < len(b) && at < 14 && o.one[b[at]] == opPrefix {
		wide = b[at]&0xf8 == 0x48 // REX is the last prefix, and only in 64-bit mode
		short = short || b[at] == 0x66
		at++
	}
	f, at := o.opcode(b, at, &in)
	if f&opBad != 0 {
		return in
	}
	if f&opModRM != 0 {
		if f, at = o.modRM(b, at, f, &in); f&opBad != 0 {
			return in
		}
	}
	z := 4
	if short && !wide {
		z = 2
	}
	if in.Opcode == 0xe8 || in.Opcode == 0xe9 || in.Opcode < 0 {
		z = 4 // jumps have no short form in 64-bit mode
	}
	if at = o.immediates(at, f, z, wide, &in); at > len(b) {
		return Instruction{}
	}
	in.Size = at
	return in
}

// opcode reads what follows the prefixes up to the opcode, and returns what the
// instruction has besides and where that begins; opBad if it is not understood.
func (o *Decoder) opcode(b []byte, at int, in *Instruction) (f uint8, next int) {
	if at >= len(b) {
		return opBad, at
	}
	in.Opcode = int(b[at])
	switch b[at] {
	case 0x0f:
		in.Opcode = -1
		if at++; at >= len(b) {
			return opBad, at
		}
		switch b[at] {
		case 0x38:
			f = opModRM
			at++
		case 0x3a:
			f = opModRM | opImm8
			at++
		default:
			f = o.two[b[at]]
		}
	case 0xc4, 0xc5, 0x62: // VEX and EVEX
		n, pmap := 1, byte(1)
		switch b[at] {
		case 0xc4:
			n = 2
		case 0x62:
			n = 3
		}
		if at+n+1 >= len(b) {
			return opBad, at
		}
		if n > 1 {
			pmap = b[at+1] & 7
		}
		in.Opcode = -1
		at += n + 1
		switch pmap {
		case 1:
			f = o.two[b[at]]
		case 2:
			f = opModRM
		case 3:
			f = opModRM | opImm8
		default:
			return opBad, at
		}
	default:
		f = o.one[b[at]]
	}
	if at >= len(b) {
		return opBad, at
	}
	return f, at + 1
}

// modRM reads the byte that names the operands, and the address that goes with it.
func (o *Decoder) modRM(b []byte, at int, f uint8, in *Instruction) (_ uint8, next int) {
	if at >= len(b) {
		return opBad, at
	}
	m := b[at]
	at++
	if in.Opcode == 0xf6 && m&0x30 == 0 {
		f |= opImm8
	}
	if in.Opcode == 0xf7 && m&0x30 == 0 {
		f |= opImmZ
	}
	mod, rm := m>>6, m&7
	if mod != 3 && rm == 4 {
		if at >= len(b) {
			return opBad, at
		}
		if mod == 0 && b[at]&7 == 5 {
			in.Disp = at + 1
			at += 4
		}
		at++
	}
	switch {
	case mod == 0 && rm == 5:
		in.Disp, in.Relative = at, !o.narrow
		at += 4
	case mod == 1:
		at++
	case mod == 2:
		in.Disp = at
		at += 4
	}
	return f, at
}

// immediates notes the immediate operands, of which one may have z bytes, and
// returns where the instruction ends.
func (o *Decoder) immediates(at int, f uint8, z int, wide bool, in *Instruction) (end int) {
	if f&opImm8 != 0 {
		at++
	}
	if f&opImm16 != 0 {
		at += 2
	}
	if f&opImmZ != 0 {
		if z == 4 {
			in.Imm = at
		}
		in.Branch = in.Opcode == 0xe8 || in.Opcode == 0xe9 || in.Opcode < 0
		at += z
	}
	if f&opImmV != 0 {
		switch {
		case wide:
			in.Imm, in.Wide = at, true
			at += 4
		case z == 4:
			in.Imm = at
		}
		at += z
	}
	if f&opImmA != 0 && o.narrow {
		in.Disp = at
		at += 4
	} else if f&opImmA != 0 {
		in.Imm, in.Wide = at, true
		at += 8
	}
	return at
}
