package universal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Content is what a slice has to be.
type Content struct {
	Size   int64
	SHA256 string // lower-case hex
}

// Check reads a universal binary from its first byte to its end. It is that which
// [Join] writes of programs with that content: these slices in this order, at their
// places, and not a byte besides. The error says what else it is.
func Check(r io.Reader, want []Content) error {
	head := make([]byte, (&Table{Slices: make([]Slice, len(want))}).Header())
	if _, err := io.ReadFull(r, head); err != nil {
		return errors.New("ends within its table of slices")
	}
	if string(head[:len(Magic)]) != Magic {
		return errors.New("is no universal binary")
	}
	if n := binary.BigEndian.Uint32(head[len(Magic):]); n != uint32(len(want)) {
		return fmt.Errorf("has %d slices, want %d", n, len(want))
	}
	var again Table
	at := int64(len(head))
	for i, w := range want {
		s := readSlice(head[8+20*i:], false)
		if s.Offset < at {
			return fmt.Errorf("slice %d begins within what is before it", i+1)
		}
		if err := zeros(r, s.Offset-at); err != nil {
			return fmt.Errorf("before slice %d: %w", i+1, err)
		}
		h := sha256.New()
		begin := &prefix{max: 12}
		n, err := io.Copy(io.MultiWriter(h, begin), io.LimitReader(r, w.Size))
		if err != nil {
			return err
		}
		at = s.Offset + n
		if n != w.Size || hex.EncodeToString(h.Sum(nil)) != w.SHA256 {
			return fmt.Errorf("slice %d is another program", i+1)
		}
		cpu, sub, err := machine(bytes.NewReader(begin.b))
		if err != nil {
			return fmt.Errorf("slice %d is no Mach-O file", i+1)
		}
		again.Slices = append(again.Slices, Slice{CPU: cpu, Sub: sub & subtypeMask, Size: n})
	}
	if n, err := io.Copy(io.Discard, r); err != nil {
		return err
	} else if n > 0 {
		return fmt.Errorf("has %d bytes behind its last slice", n)
	}
	if err := again.lay(); err != nil {
		return err
	}
	if !bytes.Equal(head, again.head()) {
		return errors.New("its table of slices is not what puts them together")
	}
	return nil
}

// zeros reads padding.
func zeros(r io.Reader, n int64) error {
	if n > 1<<maxAlign {
		return fmt.Errorf("%d bytes of padding", n)
	}
	pad := make([]byte, n)
	if _, err := io.ReadFull(r, pad); err != nil {
		return errors.New("it ends")
	}
	if len(bytes.Trim(pad, "\x00")) > 0 {
		return errors.New("bytes that are in no slice")
	}
	return nil
}

// prefix keeps the first bytes that are written.
type prefix struct {
	b   []byte
	max int
}

func (p *prefix) Write(b []byte) (int, error) {
	p.b = append(p.b, b[:min(len(b), p.max-len(p.b))]...)
	return len(b), nil
}
