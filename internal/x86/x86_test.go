package x86

import "testing"

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name   string
		narrow bool
		code   []byte
		want   Instruction
	}{
		{"LEA address(RIP), AX", false, []byte{0x48, 0x8d, 0x05, 1, 2, 3, 4}, Instruction{Size: 7, Opcode: 0x8d, Disp: 3, Relative: true}},
		{"CALL", false, []byte{0xe8, 1, 2, 3, 4}, Instruction{Size: 5, Opcode: 0xe8, Imm: 1, Branch: true}},
		{"JNE", false, []byte{0x0f, 0x85, 1, 2, 3, 4}, Instruction{Size: 6, Opcode: -1, Imm: 2, Branch: true}},
		{"MOVL $1, AX", false, []byte{0xb8, 1, 0, 0, 0}, Instruction{Size: 5, Opcode: 0xb8, Imm: 1}},
		{"MOVQ $wide, AX", false, []byte{0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}, Instruction{Size: 10, Opcode: 0xb8, Imm: 2, Wide: true}},
		{"MOVW $1, AX", false, []byte{0x66, 0xb8, 1, 0}, Instruction{Size: 4, Opcode: 0xb8}},
		{"MOVL $1, 4(BX)", false, []byte{0xc7, 0x43, 4, 1, 0, 0, 0}, Instruction{Size: 7, Opcode: 0xc7, Imm: 3}},
		{"MOVQ FS:-8, CX", false, []byte{0x64, 0x48, 0x8b, 0x0c, 0x25, 0xf8, 0xff, 0xff, 0xff}, Instruction{Size: 9, Opcode: 0x8b, Disp: 5}},
		{"MOVQ 0x100(BX), CX", false, []byte{0x48, 0x8b, 0x8b, 0, 1, 0, 0}, Instruction{Size: 7, Opcode: 0x8b, Disp: 3}},
		{"INCL AX", true, []byte{0x40, 0xc3}, Instruction{Size: 1, Opcode: 0x40}},
		{"LEAL address, AX", true, []byte{0x8d, 0x05, 1, 2, 3, 4}, Instruction{Size: 6, Opcode: 0x8d, Disp: 2}},
		{"cut off", false, []byte{0xe8, 1}, Instruction{}},
	} {
		if got := New(c.narrow).Decode(c.code); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// FuzzDecode: an instruction is not longer than what there is, and has its fields in it.
func FuzzDecode(f *testing.F) {
	wide, narrow := New(false), New(true)
	f.Add([]byte{0x48, 0x8d, 0x05, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, o := range []*Decoder{wide, narrow} {
			in := o.Decode(b)
			n := 4
			if in.Wide {
				n = 8
			}
			if in.Size < 0 || in.Size > len(b) || in.Disp > 0 && in.Disp+4 > in.Size || in.Imm > 0 && in.Imm+n > in.Size {
				t.Errorf("%+v of %d bytes", in, len(b))
			}
		}
	})
}
