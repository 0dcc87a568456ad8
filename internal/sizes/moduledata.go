package sizes

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// moduledata is what is used of runtime.moduledata. Addresses, and 0 for what a
// version does not have.
type moduledata struct {
	addr, size              uint64
	minpc, maxpc            uint64
	etext                   uint64
	findfunctab             uint64
	types, etypes           uint64
	typeDescLen             uint64 // Go 1.27
	itabs, itabSize         uint64 // Go 1.27
	gcdata, gcbss           uint64
	gofunc, rodata          uint64
	typelinks, itablinks    uint64
	ntypelinks, nitablinks  uint64
	inittasks, ninittasks   uint64
	noptrdata, data         [2]uint64 // from, to
	bss                     [4]uint64 // from, to; without pointers from, to
	textsectmap, ntextsects uint64
}

// layout is where in the module data, in words, the fields are that moved
// between versions (runtime/symtab.go). -1 is a field that a version does not have.
type layout struct {
	from, to                                    int // Go minor versions
	gcdata, types, etypes, typeDescLen, itabOff int
	gofunc, textsectmap, typelinks, itablinks   int
	inittasks                                   int
}

// layouts are those of Go 1.18 to 1.27; what comes later is tried with the last.
func layouts() []layout {
	return []layout{
		{18, 19, 33, 35, 36, -1, -1, 38, 39, 42, 45, -1},
		{20, 20, 35, 37, 38, -1, -1, 40, 41, 44, 47, -1},
		{21, 25, 35, 37, 38, -1, -1, 40, 41, 44, 47, 58},
		{26, 26, 35, 37, 38, -1, -1, 40, 42, 45, 48, 59},
		{27, 99, 35, 37, 39, 38, 40, 43, 45, -1, -1, 56},
	}
}

const moduleWords = 64 // of the module data are read

// findModuledata finds runtime.firstmoduledata by its first fields, which point
// into the pclntab, and reads it by the layout of the Go version. A layout must
// prove itself: where the version is not known, each is tried.
func (m *image) findModuledata(p *gobin.PCLNTab) error {
	tab, ok := m.addr(p.Offset)
	if !ok {
		return nil
	}
	needle := make([]byte, 2*m.ptr)
	m.putWord(needle, tab)
	m.putWord(needle[m.ptr:], tab+uint64(p.FuncNames-p.Offset))
	const tries = 64
	for _, s := range m.sections {
		if s.Kind != gobin.KindData && s.Kind != gobin.KindROData && s.Kind != gobin.KindOther {
			continue
		}
		b := m.b[s.Offset : s.Offset+s.Size]
		for at, n := 0, 0; n < tries; n++ {
			i := bytes.Index(b[at:], needle)
			if i < 0 {
				break
			}
			at += i
			if m.readModuledata(s.Addr+uint64(at), b[at:]) {
				return nil
			}
			at++
		}
	}
	return nil
}

func (m *image) putWord(b []byte, v uint64) {
	if m.ptr == 8 {
		m.order.PutUint64(b, v)
		return
	}
	m.order.PutUint32(b, uint32(v))
}

func (m *image) readModuledata(addr uint64, b []byte) bool {
	var order []layout
	for _, l := range layouts() { // the one of the version first
		if m.minor >= l.from && m.minor <= l.to {
			order = append(order, l)
		}
	}
	order = append(order, layouts()...)
	for _, l := range order {
		if md := m.tryLayout(l, addr, b); md != nil {
			m.mod = md
			if m.minor == 0 || m.minor < l.from || m.minor > l.to {
				m.minor = l.from
			}
			return true
		}
	}
	return false
}

// tryLayout reads the module data as one layout, or gives nil when that makes no sense.
func (m *image) tryLayout(l layout, addr uint64, b []byte) *moduledata {
	w := func(i int) uint64 {
		if i < 0 || uint64(i+1)*m.ptr > uint64(len(b)) {
			return 0
		}
		return m.word(b[uint64(i)*m.ptr:])
	}
	d := &moduledata{
		addr: addr, size: min(moduleWords*m.ptr, uint64(len(b))),
		findfunctab: w(19), minpc: w(20), maxpc: w(21), etext: w(23),
		noptrdata: [2]uint64{w(24), w(25)}, data: [2]uint64{w(26), w(27)},
		bss: [4]uint64{w(28), w(29), w(30), w(31)}, gcdata: w(l.gcdata), gcbss: w(l.gcdata + 1), types: w(l.types), etypes: w(l.etypes), gofunc: w(l.gofunc), rodata: w(l.gofunc - 1),
		typelinks: w(l.typelinks), itablinks: w(l.itablinks), textsectmap: w(l.textsectmap), ntextsects: w(l.textsectmap + 1),
		inittasks: w(l.inittasks), ninittasks: w(l.inittasks + 1),
	}
	ts := m.section(d.types)
	if ts == nil || d.etypes <= d.types || d.etypes-ts.Addr > uint64(ts.Size) || m.section(d.gofunc) == nil || d.ntextsects != w(l.textsectmap+2) {
		return nil
	}
	if d.ntextsects > 1<<16 || d.maxpc <= d.minpc || d.ntextsects > 0 && m.section(d.textsectmap) == nil {
		return nil
	}
	if l.typelinks >= 0 {
		d.ntypelinks, d.nitablinks = w(l.typelinks+1), w(l.itablinks+1)
		if d.ntypelinks != w(l.typelinks+2) || d.nitablinks != w(l.itablinks+2) ||
			d.ntypelinks > uint64(m.Size)/4 || d.nitablinks > uint64(m.Size)/m.ptr {
			return nil
		}
		if d.ntypelinks > 0 && m.bytes(d.typelinks, 4*d.ntypelinks) == nil || d.nitablinks > 0 && m.bytes(d.itablinks, m.ptr*d.nitablinks) == nil {
			return nil
		}
		for i := range min(d.ntypelinks, 64) {
			if off := uint64(m.order.Uint32(m.bytes(d.typelinks+4*i, 4))); off >= d.etypes-d.types {
				return nil
			}
		}
	}
	if l.typeDescLen >= 0 {
		d.typeDescLen, d.itabSize = w(l.typeDescLen), w(l.itabOff+1)
		if d.typeDescLen > d.etypes-d.types || d.itabSize > d.etypes-d.types || w(l.itabOff) > d.etypes-d.types {
			return nil
		}
		d.itabs = d.types + w(l.itabOff)
	}
	if d.ninittasks != w(l.inittasks+2) || d.ninittasks > 1<<20 || d.ninittasks > 0 && m.bytes(d.inittasks, m.ptr*d.ninittasks) == nil {
		d.inittasks, d.ninittasks = 0, 0
	}
	return d
}

// claimModuledata claims the module data and the tables only it points to.
func (m *image) claimModuledata() {
	d := m.mod
	if d == nil {
		return
	}
	m.claimAddr(d.addr, d.size, ModuleData, Exact, rankRegion, noPackage, "runtime.firstmoduledata")
	// One bucket of 20 bytes for every 4096 bytes of code (runtime.findfuncbucket).
	m.claimAddr(d.findfunctab, (d.maxpc-d.minpc+4095)/4096*20, FindFunc, Exact, rankTable, noPackage, "runtime.findfunctab")
	if d.ntypelinks > 0 {
		m.claimAddr(d.typelinks, 4*d.ntypelinks, TypeLinks, Exact, rankFormat, noPackage, "runtime.typelink")
	}
	if d.nitablinks > 0 {
		m.claimAddr(d.itablinks, m.ptr*d.nitablinks, TypeLinks, Exact, rankFormat, noPackage, "runtime.itablink")
	}
	if d.ntextsects > 0 {
		m.claimAddr(d.textsectmap, 3*m.ptr*d.ntextsects, ModuleData, Exact, rankTable, noPackage, "runtime.textsectionmap")
	}
	m.claimGCPrograms()
	// runtime.initTask is its state, the number of functions, and the functions.
	for i := range d.ninittasks {
		task := m.wordAt(d.inittasks + i*m.ptr)
		head := m.bytes(task, 8)
		if head == nil {
			continue
		}
		n := uint64(m.order.Uint32(head[4:]))
		if n > 1<<12 {
			continue
		}
		pkg, name := noPackage, ""
		if f, ok := m.fn.isEntry(m.wordAt(task + 8)); ok {
			pkg, name = m.fn.pkg[f], m.name(m.fn.pkg[f])+"..inittask"
		}
		if pkg != noPackage {
			m.claimAddr(task, 8+n*m.ptr, Variable, Exact, rankTable, pkg, name)
		}
	}
	if d.ninittasks > 0 {
		m.claimAddr(d.inittasks, m.ptr*d.ninittasks, ModuleData, Exact, rankTable, noPackage, "go:main.inittasks")
	}
}

var goVersion = regexp.MustCompile(`go1\.([0-9]{1,2})(\.[0-9]+|rc[0-9]+|beta[0-9]+)?[ -~]{0,40}\x00?`)

// version finds the Go version: in the build information, else as the text of
// runtime.buildVersion, else at least from the magic of the pclntab.
func (m *image) version() (version, from string) {
	if m.BuildInfo != nil && m.BuildInfo.GoVersion != "" {
		version, from = m.BuildInfo.GoVersion, "buildinfo"
	} else if v := m.versionText(); v != "" {
		version, from = v, "strings"
	}
	if rest, ok := strings.CutPrefix(version, "go1."); ok {
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		m.minor, _ = strconv.Atoi(rest[:n])
		return version, from
	}
	if p, err := m.PCLNTab(); err == nil && from == "" {
		if m.order.Uint32(m.b[p.Offset:]) == 0xfffffff0 {
			m.minor = 18
			return "go1.18 or go1.19", "pclntab"
		}
		return "go1.20 or later", "pclntab"
	}
	return version, from
}

// versionText looks for the version among the strings. The linker writes
// runtime.buildVersion's text as a symbol of its own with a NUL behind it; other
// versions in the file ("go1.21" in a message) have neighbours.
func (m *image) versionText() string {
	found := map[string]bool{}
	for _, s := range m.sections {
		if s.Kind != gobin.KindROData && s.Kind != gobin.KindData && s.Kind != gobin.KindBuildInfo {
			continue
		}
		b := m.b[s.Offset : s.Offset+s.Size]
		for at := 0; ; {
			i := bytes.Index(b[at:], []byte("go1."))
			if i < 0 {
				break
			}
			at += i
			v := goVersion.Find(b[at:min(len(b), at+64)])
			if v != nil && bytes.HasPrefix(b[at:], v) && v[len(v)-1] == 0 && (at == 0 || b[at-1] == 0) {
				found[string(v[:len(v)-1])] = true
			}
			at += 4
		}
	}
	if len(found) != 1 {
		return ""
	}
	for v := range found {
		return v
	}
	return ""
}
