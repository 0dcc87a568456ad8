package pgo

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
)

// maxSize is the size a profile may have after decompression, and maxItems what
// it may hold of each kind: an hour of a large program has a tenth of that.
const (
	maxSize   = 256 << 20
	maxItems  = 4 << 20
	maxDepth  = 1 << 12  // frames of a stack
	maxFrames = 32 << 20 // frames of all stacks
)

// syntaxError is data that is no protocol buffer of the kind expected.
type syntaxError struct {
	at  int // byte, in the decompressed data
	why string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.at, e.why) }

// decompress unpacks gzip, or gives the data as they are.
func decompress(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("decompressing: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(z, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("decompressing: %w", err)
	}
	if len(out) > maxSize {
		return nil, fmt.Errorf("more than %d MiB after decompression", maxSize>>20)
	}
	return out, nil
}

// field is one field of a message: a number, or bytes that begin at a position.
type field struct {
	num  int
	wire int
	n    uint64
	data []byte
	at   int // of the data, or of the field
}

// fields calls f for every field of a message that begins at byte at.
func fields(data []byte, at int, f func(field) error) error {
	for i := 0; i < len(data); {
		start := at + i
		key, n := uvarint(data[i:])
		if n <= 0 || key>>3 == 0 || key>>3 > math.MaxInt32 {
			return &syntaxError{start, "no field of a protocol buffer"}
		}
		i += n
		fl := field{num: int(key >> 3), wire: int(key & 7), at: start}
		switch fl.wire {
		case 0:
			if fl.n, n = uvarint(data[i:]); n <= 0 {
				return &syntaxError{at + i, "a number that does not end"}
			}
			i += n
		case 1, 5:
			n = 8
			if fl.wire == 5 {
				n = 4
			}
			if len(data)-i < n {
				return &syntaxError{at + i, "the data end in a number"}
			}
			i += n
		case 2:
			size, n := uvarint(data[i:])
			if n <= 0 || size > uint64(len(data)-i-n) {
				return &syntaxError{at + i, "a field that is longer than what is left"}
			}
			i += n
			fl.data, fl.at = data[i:i+int(size)], at+i
			i += int(size)
		default:
			return &syntaxError{start, fmt.Sprintf("a field of unknown kind %d", fl.wire)}
		}
		if err := f(fl); err != nil {
			return err
		}
	}
	return nil
}

// uvarint is binary.Uvarint, but refuses what does not fit.
func uvarint(data []byte) (v uint64, n int) {
	for i, b := range data {
		if i == 9 && b > 1 || i > 9 {
			return 0, -1
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

var errKind = errors.New("a field of another kind than it should be")

// number is the value of a field that must be a number.
func (f field) number() (uint64, error) {
	if f.wire != 0 {
		return 0, &syntaxError{f.at, errKind.Error()}
	}
	return f.n, nil
}

// message calls g for the fields of a field that must be a message.
func (f field) message(g func(field) error) error {
	if f.wire != 2 {
		return &syntaxError{f.at, errKind.Error()}
	}
	return fields(f.data, f.at, g)
}

// numbers appends the values of a repeated number, packed or not.
func (f field) numbers(to []uint64) ([]uint64, error) {
	if f.wire == 0 {
		return append(to, f.n), nil
	}
	if f.wire != 2 {
		return nil, &syntaxError{f.at, errKind.Error()}
	}
	for i := 0; i < len(f.data); {
		v, n := uvarint(f.data[i:])
		if n <= 0 {
			return nil, &syntaxError{f.at + i, "a number that does not end"}
		}
		to = append(to, v)
		i += n
	}
	return to, nil
}

// writer writes a message.
type writer struct{ b []byte }

func (w *writer) uvarint(v uint64) {
	for ; v >= 0x80; v >>= 7 {
		w.b = append(w.b, byte(v)|0x80)
	}
	w.b = append(w.b, byte(v))
}

// number writes a field unless it is zero, which is the default.
func (w *writer) number(num int, v uint64) {
	if v != 0 {
		w.uvarint(uint64(num) << 3)
		w.uvarint(v)
	}
}

func (w *writer) bytes(num int, data []byte) {
	w.uvarint(uint64(num)<<3 | 2)
	w.uvarint(uint64(len(data)))
	w.b = append(w.b, data...)
}

func (w *writer) packed(num int, values []uint64) {
	var p writer
	for _, v := range values {
		p.uvarint(v)
	}
	w.bytes(num, p.b)
}

func (w *writer) message(num int, f func(*writer)) {
	var m writer
	f(&m)
	w.bytes(num, m.b)
}
