package attack

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// mutator damages files, the same way each time for the same seed.
type mutator struct {
	*rand.Rand
	// places are offsets where something is parsed; half of the damage goes there.
	places []int64
}

func newMutator(seed uint64, places []int64) *mutator {
	return &mutator{rand.New(rand.NewPCG(seed, 12)), places}
}

// interesting are the numbers that programs with lengths and offsets forget.
func (m *mutator) interesting(size int) uint64 {
	list := []uint64{0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
		uint64(size), uint64(size) - 1, uint64(size) + 1, uint64(size) / 2, m.Uint64(), uint64(m.Uint32()), uint64(m.IntN(64))}
	return list[m.IntN(len(list))]
}

// at is an offset: near something that is parsed, or anywhere.
func (m *mutator) at(size int) int {
	if size <= 1 {
		return 0
	}
	switch m.IntN(4) {
	case 0:
		return m.IntN(min(size, 1024)) // the header
	case 1:
		return m.IntN(size)
	}
	if len(m.places) == 0 {
		return m.IntN(size)
	}
	return min(int(m.places[m.IntN(len(m.places))])+m.IntN(256), size-1)
}

// binary damages a file of words: lengths, offsets, pieces cut out, put in
// twice, or moved; some are cut off.
func (m *mutator) binary(seed []byte) []byte {
	b := bytes.Clone(seed)
	for range 1 + m.IntN(4) {
		n := len(b)
		if n < 16 {
			break
		}
		switch at := m.at(n); m.IntN(12) {
		case 0:
			b = b[:m.IntN(n)]
		case 1:
			b[at] ^= 1 << m.IntN(8)
		case 2:
			clear(b[at:min(n, at+m.IntN(4096))])
		case 3: // one place over another
			from := m.at(n)
			copy(b[at:], bytes.Clone(b[from:min(n, from+m.IntN(4096))]))
		case 4:
			b = append(b[:at], b[min(n, at+1+m.IntN(512)):]...)
		case 5:
			b = append(b, bytes.Repeat([]byte{byte(m.IntN(256))}, m.IntN(4096))...)
		case 6: // 8 bytes, either order
			if at = at &^ 7; at+8 <= n {
				binary.BigEndian.PutUint64(b[at:], m.interesting(n))
			}
		case 7, 8:
			if at = at &^ 7; at+8 <= n {
				binary.LittleEndian.PutUint64(b[at:], m.interesting(n))
			}
		case 9:
			if at = at &^ 1; at+2 <= n {
				binary.LittleEndian.PutUint16(b[at:], uint16(m.interesting(n)))
			}
		default:
			if at = at &^ 3; at+4 <= n {
				binary.LittleEndian.PutUint32(b[at:], uint32(m.interesting(n)))
			}
		}
	}
	return b
}

// bytes damages one byte or two: most of the file is read before they matter.
func (m *mutator) bytes(seed []byte) []byte {
	b := bytes.Clone(seed)
	for range 1 + m.IntN(2) {
		b[m.IntN(len(b))] = byte(m.interesting(len(b)))
	}
	return b
}

// text damages JSON: characters, pieces, numbers, depth.
func (m *mutator) text(seed []byte) []byte {
	b := bytes.Clone(seed)
	for range 1 + m.IntN(3) {
		n := len(b)
		if n < 2 {
			break
		}
		at := m.IntN(n)
		put := func(s string) { b = append(b[:at:at], append([]byte(s), b[at:]...)...) }
		switch m.IntN(12) {
		case 0:
			b = b[:at]
		case 1:
			b[at] = byte(m.IntN(256))
		case 2:
			b[at] ^= 1 << m.IntN(8)
		case 3:
			b = append(b[:at], b[min(n, at+1+m.IntN(64)):]...)
		case 4: // a piece twice
			put(string(b[at:min(n, at+m.IntN(256))]))
		case 5:
			put([]string{"[[[[", "{\"a\":", "null", "\"", "\\", "\\u0000", "\xff", "\x00", "1e999999", "-1", "99999999999999999999999", "/../", "\u202e", ",", "}", "]"}[m.IntN(16)])
		case 6:
			put(string(bytes.Repeat([]byte("["), 20_000)))
		case 7: // two lines change places
			lines := bytes.SplitAfter(b, []byte("\n"))
			i, j := m.IntN(len(lines)), m.IntN(len(lines))
			lines[i], lines[j] = lines[j], lines[i]
			b = bytes.Join(lines, nil)
		default: // a number or a letter for another
			if i := bytes.IndexAny(b[at:], "0123456789"); i >= 0 {
				b[at+i] = '0' + byte(m.IntN(10))
			}
		}
	}
	return b
}
