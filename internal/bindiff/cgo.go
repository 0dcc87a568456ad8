package bindiff

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// What C compilers say of themselves: one text per compiler in .comment, and
// in DWARF, per object, a producer with the flags that matter for code.

const (
	maxComment  = 4096
	maxProducer = 1024
	maxInflated = 256 << 20 // bytes of DWARF of one file, uncompressed
	maxDWARF    = 64        // sections of it that are looked into
)

// producers are how the texts of C compilers start in DWARF.
var producers = []string{"GNU C", "GNU GIMPLE", "clang version", "Apple clang", "Debian clang", "Ubuntu clang", "GNU AS"}

// compilers returns the texts of the C compilers in a file, sorted.
func (s *side) compilers() ([]string, error) {
	var out []string
	looked, left := 0, int64(maxInflated)
	for _, sec := range s.file.Sections {
		if looked == maxDWARF || left <= 0 {
			break
		}
		switch {
		case sec.Name == ".comment":
			looked++
			b := make([]byte, min(sec.Size, maxComment))
			if _, err := io.ReadFull(s.file.Reader(sec), b); err != nil {
				return nil, err
			}
			for t := range strings.SplitSeq(string(b), "\x00") {
				if t != "" {
					out = append(out, ".comment: "+clip(t, 200))
				}
			}
		case sec.Kind == gobin.KindDebug && (strings.HasSuffix(sec.Name, "debug_str") || strings.HasSuffix(sec.Name, "debug_info") || strings.HasSuffix(sec.Name, "debug_line_str")):
			looked++
			texts, err := s.producers(sec, &left)
			if err != nil {
				return nil, err
			}
			out = append(out, texts...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// producers finds the texts in a section of DWARF, compressed or not, reading at
// most left bytes of it. A damaged section has those up to the damage.
func (s *side) producers(sec gobin.Section, left *int64) ([]string, error) {
	var r io.Reader = s.file.Reader(sec)
	skip, err := s.compressed(sec)
	if err != nil {
		return nil, err
	}
	if skip > 0 {
		if _, err := io.CopyN(io.Discard, r, int64(skip)); err != nil {
			return nil, nil
		}
		z, err := zlib.NewReader(r)
		if err != nil {
			return nil, nil
		}
		r = z
	}
	limited := &io.LimitedReader{R: r, N: *left}
	defer func() { *left = limited.N }()
	br := bufio.NewReaderSize(limited, 64<<10)
	var out []string
	for len(out) < 64 {
		text, err := br.ReadSlice(0)
		for _, p := range producers {
			if i := bytes.Index(text, []byte(p)); i >= 0 && len(text)-i <= maxProducer && printable(text[i:len(text)-1]) {
				out = append(out, "DWARF: "+string(text[i:len(text)-1]))
				break
			}
		}
		if err != nil && err != bufio.ErrBufferFull {
			break
		}
	}
	return out, nil
}

// compressed returns the length of the header in front of the compressed bytes
// of a section of DWARF; 0 when it is not compressed. It is that of SHF_COMPRESSED
// (gABI, "Section Compression"), or the older one of .zdebug.
func (s *side) compressed(sec gobin.Section) (int, error) {
	head := make([]byte, min(sec.Size, 24))
	if _, err := io.ReadFull(s.file.Reader(sec), head); err != nil {
		return 0, err
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if s.file.Big {
		order = binary.BigEndian
	}
	switch {
	case bytes.HasPrefix(head, []byte("ZLIB")):
		return 12, nil
	case s.file.PtrSize == 8 && len(head) >= 24 && order.Uint32(head) == 1 && order.Uint32(head[4:]) == 0:
		return 24, nil
	case s.file.PtrSize == 4 && len(head) > 12 && order.Uint32(head) == 1 && head[12]&0xf == 8:
		return 12, nil
	}
	return 0, nil
}

func printable(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r < 0x20 || r > 0x7e })
}
