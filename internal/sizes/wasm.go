package sizes

import (
	"bytes"
	"encoding/binary"
)

// analyzeWasm claims the functions of a WebAssembly module (core specification,
// section 5.5). Their names are in the pclntab in the module's data; those in
// the section "name" are made of word characters only. The data itself is not
// attributed: the linker leaves out the zeros between its pieces.
func (m *image) analyzeWasm() {
	m.note("wasm: functions are told apart, data is not")
	code := m.Section("code")
	if code == nil {
		return
	}
	names := m.wasmNames()
	imports := m.wasmImports()
	table := m.wasmFunctions()
	b := &reader{b: m.b[code.Offset : code.Offset+code.Size]}
	n := b.uvarint()
	m.add(code.Offset, int64(b.at), Headers, Exact, rankTable, noPackage, "code")
	for i := uint64(0); i < n && !b.bad; i++ {
		start := b.at
		size := b.uvarint()
		b.skip(size)
		if b.bad {
			m.note("the code section is damaged")
			return
		}
		name := table[uint32(i)]
		if name == "" {
			name = names[uint32(imports+i)]
		}
		pkg, conf := m.pkg(PackageOf(name)), Exact
		if pkg == noPackage {
			conf = Shared
		}
		m.add(code.Offset+int64(start), int64(b.at-start), Text, conf, rankTable, pkg, name)
	}
}

// reader reads varints and remembers that one was missing.
type reader struct {
	b   []byte
	at  int
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 {
		r.bad, r.at = true, len(r.b)
		return 0
	}
	r.at += n
	return v
}

func (r *reader) skip(n uint64) []byte {
	if n > uint64(len(r.b)-r.at) {
		r.bad, r.at = true, len(r.b)
		return nil
	}
	s := r.b[r.at : r.at+int(n)]
	r.at += int(n)
	return s
}

// wasmNames are the function names by index, from the section "name".
func (m *image) wasmNames() map[uint32]string {
	s := m.Section("custom:name")
	if s == nil {
		return nil
	}
	out := map[uint32]string{}
	b := &reader{b: m.b[s.Offset : s.Offset+s.Size]}
	b.skip(b.uvarint()) // "name"
	for !b.bad && b.at < len(b.b) {
		id := b.uvarint()
		part := &reader{b: b.skip(b.uvarint())}
		if id != 1 || b.bad { // function names
			continue
		}
		for n := part.uvarint(); n > 0 && !part.bad; n-- {
			i := part.uvarint()
			name := part.skip(part.uvarint())
			if !part.bad {
				out[uint32(i)] = string(name)
			}
		}
	}
	return out
}

// wasmImports is the number of imported functions, which come first.
func (m *image) wasmImports() uint64 {
	s := m.Section("import")
	if s == nil {
		return 0
	}
	b := &reader{b: m.b[s.Offset : s.Offset+s.Size]}
	count := uint64(0)
	for n := b.uvarint(); n > 0 && !b.bad; n-- {
		b.skip(b.uvarint()) // module
		b.skip(b.uvarint()) // name
		kind := b.skip(1)
		if b.bad {
			break
		}
		switch kind[0] {
		case 0: // function: its type
			count++
			b.uvarint()
		case 1: // table
			b.skip(1)
			if f := b.uvarint(); f&1 != 0 {
				b.uvarint()
			}
			b.uvarint()
		case 2: // memory
			if f := b.uvarint(); f&1 != 0 {
				b.uvarint()
			}
			b.uvarint()
		case 3: // global
			b.skip(2)
		default:
			return count
		}
	}
	return count
}

// wasmFunctions are the names by the order in the code section, from the
// pclntab: the pc of a function is its number, shifted by 16 before Go 1.26
// (cmd/link/internal/wasm).
func (m *image) wasmFunctions() map[uint32]string {
	mem := m.wasmMemory()
	out := map[uint32]string{}
	for at := 0; at+72 <= len(mem); at++ {
		i := bytes.Index(mem[at:], []byte("\xff\xff\xff\x00\x00\x01\x08"))
		if i < 1 || at+i+71 > len(mem) {
			return out
		}
		at += i
		h := mem[at-1:]
		if h[0] != 0xf0 && h[0] != 0xf1 {
			continue
		}
		word := func(i int) uint64 { return m.order.Uint64(h[8+8*i:]) }
		n, names, funcs := word(0), word(3), word(7)
		if names >= uint64(len(h)) || funcs >= uint64(len(h)) || n > (uint64(len(h))-funcs)/12 {
			continue
		}
		tab := h[funcs:]
		if n < 2 {
			return out
		}
		first, step := m.order.Uint32(tab), uint32(1)
		if m.order.Uint32(tab[8:])-first >= 1<<16 {
			step = 1 << 16
		}
		for i := range n {
			entry, rec := m.order.Uint32(tab[8*i:]), uint64(m.order.Uint32(tab[8*i+4:]))
			if rec+8 > uint64(len(tab)) {
				return out
			}
			off := names + uint64(m.order.Uint32(tab[rec+4:]))
			if off >= uint64(len(h)) {
				return out
			}
			name := h[off:min(uint64(len(h)), off+4096)]
			if end := bytes.IndexByte(name, 0); end > 0 {
				out[(entry-first)/step] = string(name[:end])
			}
		}
		return out
	}
	return out
}

// wasmMemory puts the data segments where they are in memory.
func (m *image) wasmMemory() []byte {
	s := m.Section("data")
	if s == nil {
		return nil
	}
	type segment struct {
		at   uint64
		data []byte
	}
	var segments []segment
	end := uint64(0)
	b := &reader{b: m.b[s.Offset : s.Offset+s.Size]}
	for n := b.uvarint(); n > 0 && !b.bad; n-- {
		head := b.skip(2) // active in memory 0, i32.const
		if b.bad || head[0] != 0 || head[1] != 0x41 {
			break
		}
		at := sleb(b)
		b.skip(1) // end
		data := b.skip(b.uvarint())
		if b.bad || at < 0 || at > 1<<31 {
			break
		}
		segments = append(segments, segment{uint64(at), data})
		end = max(end, uint64(at)+uint64(len(data)))
	}
	// A hostile module can put a byte anywhere.
	if end > 8*uint64(len(m.b))+1<<20 {
		return nil
	}
	mem := make([]byte, end)
	for _, s := range segments {
		copy(mem[s.at:], s.data)
	}
	return mem
}

// sleb reads a signed LEB128 number.
func sleb(r *reader) int64 {
	var v int64
	for shift := 0; shift < 64; shift += 7 {
		c := r.skip(1)
		if r.bad {
			return 0
		}
		v |= int64(c[0]&0x7f) << shift
		if c[0]&0x80 == 0 {
			if c[0]&0x40 != 0 && shift < 57 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.bad = true
	return 0
}
