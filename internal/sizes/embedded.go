package sizes

import (
	"io/fs"
	"strings"
)

// embedFS is what the compiler writes for a variable of type embed.FS
// (cmd/compile/internal/staticdata.WriteEmbed): a slice whose elements follow it,
// each a name, the contents and 16 bytes of a hash.
type embedFS struct {
	at, end uint64
	files   []embedFile
}

type embedFile struct {
	path       string
	addr, size uint64
}

// embedFilesystems finds the tables of embedded files. A pointer to what is right
// behind its own slice header, with elements that are all names and contents, is
// nothing else.
func (m *image) embedFilesystems(list []pointer) []embedFS {
	var out []embedFS
	most := uint64(len(m.b)) // elements that are looked at: tables do not overlap
	for _, p := range list {
		if p.to != p.from+3*m.ptr {
			continue
		}
		n := m.wordAt(p.from + m.ptr)
		each := 4*m.ptr + 16
		end, _ := m.limit(p.from)
		if n == 0 || n != m.wordAt(p.from+2*m.ptr) || n > (end-p.to)/each {
			continue
		}
		x := embedFS{at: p.from, end: p.to + n*each}
		for i := range n {
			if most--; most == 0 {
				return out
			}
			f, ok := m.embedFile(p.to + i*each)
			if !ok {
				x.files = nil
				break
			}
			if f.size > 0 {
				x.files = append(x.files, f)
			}
		}
		if x.files != nil {
			out = append(out, x)
		}
	}
	return out
}

// embedFile reads one element. A directory ends in a slash and has no contents.
func (m *image) embedFile(at uint64) (f embedFile, ok bool) {
	name, n := m.wordAt(at), m.wordAt(at+m.ptr)
	f.addr, f.size = m.wordAt(at+2*m.ptr), m.wordAt(at+3*m.ptr)
	if n == 0 || n > 4096 || !m.isString(name, n) {
		return f, false
	}
	f.path = string(m.bytes(name, n))
	plain, dir := strings.CutSuffix(f.path, "/")
	if !fs.ValidPath(plain) {
		return f, false
	}
	if dir {
		return f, f.addr == 0 && f.size == 0
	}
	return f, f.size == 0 || m.isString(f.addr, f.size)
}
