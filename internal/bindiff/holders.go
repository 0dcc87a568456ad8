package bindiff

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/gobin"
)

// Texts of variables. A variable of type string is two words in the data: the
// address of the text and its length. Only what such a pair says is a text of Go
// is taken for one; any run of printable bytes may be a number or an address.

// holders looks for the variables that hold given texts.
type holders struct {
	side  *side
	texts map[uint64]string // by address
}

func newHolders(s *side) *holders { return &holders{side: s, texts: map[uint64]string{}} }

func (h *holders) add(addr uint64, text string) { h.texts[addr] = text }

// find returns the texts that a variable holds, sorted, each once. In formats
// whose sections have no addresses, all are taken to be held.
func (h *holders) find(ctx context.Context) ([]string, error) {
	var out []string
	if len(h.texts) == 0 {
		return nil, nil
	}
	f := h.side.file
	if f.Format == gobin.Wasm || f.Format == gobin.Plan9 {
		for _, t := range h.texts {
			out = append(out, t)
		}
	} else if err := scanPairs(ctx, h.side, h.has, func(addr, size uint64) {
		if t, ok := h.texts[addr]; ok && uint64(len(t)) == size {
			out = append(out, t)
		}
	}); err != nil {
		return nil, err
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (h *holders) has(addr uint64) bool {
	_, ok := h.texts[addr]
	return ok
}

// scanPairs calls found for each pair of words of the data whose first is a
// wanted address, and for each place that the dynamic linker is told to put one
// into, with the word behind it.
func scanPairs(ctx context.Context, s *side, want func(addr uint64) bool, found func(addr, size uint64)) error {
	f := s.file
	w := int64(f.PtrSize)
	if w != 4 && w != 8 {
		return nil
	}
	budget := 4 * s.size
	for _, sec := range f.Sections {
		data := !sec.Nested && sec.Size > 0 && (sec.Kind == gobin.KindData || sec.Kind == gobin.KindROData)
		if !data {
			continue
		}
		if budget -= sec.Size; budget < 0 {
			return nil
		}
		if strings.HasPrefix(sec.Name, ".rela") && f.Format == gobin.ELF {
			if err := relocations(ctx, s, sec, want, found); err != nil {
				return err
			}
			continue
		}
		skip := -int64(sec.Addr) & (w - 1)
		var last uint64
		err := eachWord(ctx, f, sec, skip, func(v uint64) {
			if want(last) {
				found(last, v)
			} else if low := last & (1<<36 - 1); f.Format == gobin.MachO && want(low) { // chained fixups keep other bits above the address
				found(low, v)
			}
			last = v
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// relocations reads RELA entries: place, kind and value. Where the value is an
// address, the word behind the place can be a length.
func relocations(ctx context.Context, s *side, sec gobin.Section, want func(addr uint64) bool, found func(addr, size uint64)) error {
	f := s.file
	w := int64(f.PtrSize)
	var entry [3]uint64
	n := 0
	var inner error
	err := eachWord(ctx, f, sec, 0, func(v uint64) {
		entry[n] = v
		if n++; n < 3 {
			return
		}
		n = 0
		if inner != nil || !want(entry[2]) {
			return
		}
		in, off := f.At(entry[0] + uint64(w))
		if in == nil || off+w > in.Offset+in.Size {
			return
		}
		b := make([]byte, w)
		if _, inner = io.ReadFull(io.NewSectionReader(s.r, off, w), b); inner == nil {
			found(entry[2], word(f, b))
		}
	})
	if err == nil {
		err = inner
	}
	return err
}

// eachWord calls found for the words of a section from skip on.
func eachWord(ctx context.Context, f *gobin.File, sec gobin.Section, skip int64, found func(v uint64)) error {
	r := f.Reader(sec)
	buf := make([]byte, windowSize)
	if _, err := io.CopyN(io.Discard, r, min(skip, sec.Size)); err != nil {
		return err
	}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := io.ReadFull(r, buf)
		for b := buf[:n]; len(b) >= f.PtrSize; b = b[f.PtrSize:] {
			found(word(f, b))
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func word(f *gobin.File, b []byte) uint64 {
	order := binary.ByteOrder(binary.LittleEndian)
	if f.Big {
		order = binary.BigEndian
	}
	if f.PtrSize == 8 {
		return order.Uint64(b)
	}
	return uint64(order.Uint32(b))
}

// Bounds of the texts that are compared as those of variables.
const (
	minGoText = 4
	maxGoText = 64 << 10
)

// goTextsDiffer reports whether a variable of Go holds a text in one of the
// files that none holds in the other. It reads only texts that can be read by
// people: other pairs of an address and a number may mean anything.
func (p *pair) goTextsDiffer() bool {
	if p.heldDone {
		return p.heldDiffer
	}
	p.heldDone = true
	seed := maphash.MakeSeed()
	var sets [2]map[uint64]bool
	for i, s := range []*side{p.a, p.b} {
		var err error
		if sets[i], err = s.heldTexts(p.ctx, seed); err != nil {
			p.note(s, err)
			return false
		}
	}
	p.heldDiffer = !maps.Equal(sets[0], sets[1])
	return p.heldDiffer
}

// heldTexts are the hashes of the readable texts that variables hold.
func (s *side) heldTexts(ctx context.Context, seed maphash.Seed) (map[uint64]bool, error) {
	out := map[uint64]bool{}
	var text []gobin.Section
	for _, sec := range s.file.Sections {
		if holdsTexts(sec) && sec.Addr != 0 {
			text = append(text, sec)
		}
	}
	in := func(addr uint64) *gobin.Section {
		for i := range text {
			if addr >= text[i].Addr && addr-text[i].Addr < uint64(text[i].Size) {
				return &text[i]
			}
		}
		return nil
	}
	budget := 4 * s.size
	buf := make([]byte, maxGoText)
	var inner error
	err := scanPairs(ctx, s, func(addr uint64) bool { return in(addr) != nil }, func(addr, size uint64) {
		sec := in(addr)
		if inner != nil || size < minGoText || size > maxGoText || size > uint64(sec.Size)-(addr-sec.Addr) {
			return
		}
		if budget -= int64(size); budget < 0 {
			return
		}
		b := buf[:size]
		if _, inner = io.ReadFull(io.NewSectionReader(s.r, sec.Offset+int64(addr-sec.Addr), int64(size)), b); inner == nil && readable(b) {
			out[maphash.Bytes(seed, b)] = true
		}
	})
	if err == nil {
		err = inner
	}
	return out, err
}

func readable(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return r < 0x20 && r != '\n' && r != '\r' && r != '\t' || r == 0x7f })
}
