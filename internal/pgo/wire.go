package pgo

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
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
	num  protowire.Number
	wire protowire.Type
	n    uint64
	data []byte
	at   int // of the data, or of the field
}

// fields calls f for every field of a message that begins at byte at.
func fields(data []byte, at int, f func(field) error) error {
	for i := 0; i < len(data); {
		fl := field{at: at + i}
		var n int
		if fl.num, fl.wire, n = protowire.ConsumeTag(data[i:]); n < 0 {
			return &syntaxError{fl.at, "no field of a protocol buffer"}
		}
		i += n
		var why string
		switch fl.wire {
		case protowire.VarintType:
			fl.n, n = protowire.ConsumeVarint(data[i:])
			why = "a number that does not end"
		case protowire.Fixed32Type, protowire.Fixed64Type:
			n = protowire.ConsumeFieldValue(fl.num, fl.wire, data[i:])
			why = "the data end in a number"
		case protowire.BytesType:
			fl.data, n = protowire.ConsumeBytes(data[i:])
			fl.at = at + i + n - len(fl.data)
			why = "a field that is longer than what is left"
		default: // groups, which no profile has
			return &syntaxError{fl.at, fmt.Sprintf("a field of unknown kind %d", fl.wire)}
		}
		if n < 0 {
			return &syntaxError{at + i, why}
		}
		i += n
		if err := f(fl); err != nil {
			return err
		}
	}
	return nil
}

// is refuses a field of another kind than it must be of.
func (f field) is(kind protowire.Type) error {
	if f.wire != kind {
		return &syntaxError{f.at, "a field of another kind than it should be"}
	}
	return nil
}

// number is the value of a field that must be a number.
func (f field) number() (uint64, error) { return f.n, f.is(protowire.VarintType) }

// message calls g for the fields of a field that must be a message.
func (f field) message(g func(field) error) error {
	if err := f.is(protowire.BytesType); err != nil {
		return err
	}
	return fields(f.data, f.at, g)
}

// record reads a message of numbers: field 1 to the first of to, and so on. What
// is nil there, or not there, is skipped.
func (f field) record(to ...*uint64) error {
	return f.message(func(f field) (err error) {
		if i := int(f.num) - 1; i < len(to) && to[i] != nil {
			*to[i], err = f.number()
		}
		return err
	})
}

// numbers appends the values of a repeated number, packed or not.
func (f field) numbers(to []uint64) ([]uint64, error) {
	if f.wire == protowire.VarintType {
		return append(to, f.n), nil
	}
	if err := f.is(protowire.BytesType); err != nil {
		return nil, err
	}
	for i := 0; i < len(f.data); {
		v, n := protowire.ConsumeVarint(f.data[i:])
		if n < 0 {
			return nil, &syntaxError{f.at + i, "a number that does not end"}
		}
		to = append(to, v)
		i += n
	}
	return to, nil
}

// writer writes a message.
type writer struct{ b []byte }

// number writes a field unless it is zero, which is the default.
func (w *writer) number(num protowire.Number, v uint64) {
	if v != 0 {
		w.b = protowire.AppendVarint(protowire.AppendTag(w.b, num, protowire.VarintType), v)
	}
}

func (w *writer) bytes(num protowire.Number, data []byte) {
	w.b = protowire.AppendBytes(protowire.AppendTag(w.b, num, protowire.BytesType), data)
}

func (w *writer) packed(num protowire.Number, values []uint64) {
	var p []byte
	for _, v := range values {
		p = protowire.AppendVarint(p, v)
	}
	w.bytes(num, p)
}

func (w *writer) message(num protowire.Number, f func(*writer)) {
	var m writer
	f(&m)
	w.bytes(num, m.b)
}
