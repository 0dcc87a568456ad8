package bindiff

import (
	"bytes"
	"io"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin"
)

// counter counts the bytes read.
type counter struct {
	r io.ReaderAt
	n int64
}

func (c *counter) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(b, off)
	c.n += int64(n)
	return n, err
}

// TestOverlap: sections that all cover the whole file do not make it be read
// for each of them.
func TestOverlap(t *testing.T) {
	b := crafted(1<<20, 0)
	c := &counter{r: bytes.NewReader(b)}
	s := &side{path: "x", r: c, size: int64(len(b))}
	if err := s.parse(); err != nil {
		t.Fatal(err)
	}
	whole := gobin.Section{Size: s.size}
	for i := range 1000 {
		whole.Name, whole.Kind = ".debug_str", gobin.KindDebug
		if i%2 != 0 {
			whole.Name, whole.Kind = ".rodata", gobin.KindROData
		}
		s.file.Sections = append(s.file.Sections, whole)
	}
	c.n = 0
	p := &pair{ctx: t.Context(), a: s, b: s, diff: &Diff{}}
	if d := p.texts(); d == nil || !d.more {
		t.Errorf("texts: %+v", d)
	}
	p.goTextsDiffer()
	if _, err := s.compilers(); err != nil {
		t.Error(err)
	}
	// Four times each for texts, which are read twice on both sides and whose
	// variables are looked for, for all texts of variables on both sides and for
	// these texts, and what is the limit of DWARF.
	if most := (16+8+16)*s.size + maxInflated + 1<<20; c.n > most {
		t.Errorf("read %d bytes of a file of %d, at most %d are expected", c.n, s.size, most)
	}
}
