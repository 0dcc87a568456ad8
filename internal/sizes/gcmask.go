package sizes

import "encoding/binary"

// pointerMask says which words of the data segment hold pointers, one bit each:
// what the garbage collector scans, and so every word there that is one. It runs
// the program at runtime.gcdata (runtime.runGCProg, in every version from Go 1.18
// to 1.27): literal bits, and repetitions of the bits before. It is nil when
// there is no program, or one that does not fit.
func (m *image) pointerMask() []byte {
	d := m.mod
	if d.data[1] <= d.data[0] || m.bytes(d.data[0], d.data[1]-d.data[0]) == nil {
		return nil
	}
	s := m.section(d.gcdata)
	if s == nil {
		return nil
	}
	words := (d.data[1] - d.data[0]) / m.ptr
	return runGCProgram(m.b[s.Offset+int64(d.gcdata-s.Addr):s.Offset+s.Size], words)
}

// claimGCPrograms claims the programs for the data and for the memory without
// bytes in the file.
func (m *image) claimGCPrograms() {
	for _, x := range []struct {
		name string
		at   uint64
	}{{"runtime.gcdata", m.mod.gcdata}, {"runtime.gcbss", m.mod.gcbss}} {
		s := m.section(x.at)
		if s == nil {
			continue
		}
		n := gcProgramSize(m.b[s.Offset+int64(x.at-s.Addr) : s.Offset+s.Size])
		m.regions = append(m.regions, region{x.at, x.at + n, GCBits, x.name})
		m.claimAddr(x.at, n, GCBits, Exact, rankTable, noPackage, x.name)
	}
}

// gcProgramSize is how many bytes the program at the front of p takes; 0 when it
// does not end.
func gcProgramSize(p []byte) uint64 {
	for at := 0; at < len(p); {
		op := p[at]
		at++
		switch {
		case op == 0:
			return uint64(at)
		case op&0x80 == 0:
			at += (int(op) + 7) / 8
		default:
			for i := range 2 { // a length, if it is not in the operation, and a count
				if i == 0 && op&0x7f != 0 {
					continue
				}
				_, w := binary.Uvarint(p[min(at, len(p)):])
				if w <= 0 {
					return 0
				}
				at += w
			}
		}
	}
	return 0
}

// runGCProgram gives the bits of a program that makes at most most of them; nil
// for one that makes more, or none, or does not end.
func runGCProgram(p []byte, most uint64) []byte {
	out := make([]byte, (most+7)/8)
	n := uint64(0)
	varint := func() (uint64, bool) {
		v, w := binary.Uvarint(p)
		if w <= 0 || v > most {
			return 0, false
		}
		p = p[w:]
		return v, true
	}
	set := func(at uint64, bit byte) { out[at/8] |= bit << (at % 8) }
	for {
		if len(p) == 0 {
			return nil
		}
		op := p[0]
		p = p[1:]
		k := uint64(op & 0x7f)
		switch {
		case op == 0:
			if n == 0 {
				return nil
			}
			return out
		case op&0x80 == 0:
			if k > most-n || (k+7)/8 > uint64(len(p)) {
				return nil
			}
			for i := range k {
				set(n+i, p[i/8]>>(i%8)&1)
			}
			p = p[(k+7)/8:]
			n += k
		default:
			ok := true
			if k == 0 {
				k, ok = varint()
			}
			times, ok2 := varint()
			if !ok || !ok2 || k == 0 || k > n || times > (most-n)/k {
				return nil
			}
			for range times * k {
				set(n, out[(n-k)/8]>>((n-k)%8)&1)
				n++
			}
		}
	}
}
