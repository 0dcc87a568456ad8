package sizes

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// functions is the function table: where each starts, and whose it is.
type functions struct {
	text  gobin.Section
	start []uint32 // from the start of the text; one more than there are functions
	pkg   []int32
	name  []string
}

// find returns the number of the function that holds an address, or -1.
func (f *functions) find(addr uint64) int {
	if f == nil || addr < f.text.Addr || addr-f.text.Addr >= uint64(f.start[len(f.pkg)]) {
		return -1
	}
	off := uint32(addr - f.text.Addr)
	i, j := 0, len(f.pkg)
	for i < j {
		h := int(uint(i+j) >> 1)
		if f.start[h] <= off {
			i = h + 1
		} else {
			j = h
		}
	}
	return i - 1
}

// isEntry reports whether a function starts at an address.
func (f *functions) isEntry(addr uint64) (int, bool) {
	i := f.find(addr)
	return i, i >= 0 && f.text.Addr+uint64(f.start[i]) == addr
}

// readFunctions reads the pclntab and claims what it tells: the text, the
// tables themselves, and the funcdata they point to.
func (m *image) readFunctions() error {
	p, err := m.PCLNTab()
	if err != nil {
		return err
	}
	t, err := m.Functions()
	if err != nil {
		return err
	}
	tab := m.b[p.Offset : p.Offset+p.Size]
	record := 44 // bytes of _func before its variable part: runtime/runtime2.go
	if m.order.Uint32(tab) == 0xfffffff0 {
		record = 40
	}
	names := string(tab[p.FuncNames-p.Offset : p.CUs-p.Offset])
	m.add(p.Offset, int64(8+8*m.PtrSize), Headers, Exact, rankTable, noPackage, "pclntab header")
	packages := m.funcNames(names)
	n := t.Len()
	// Most programs have ten to thirteen claims for a function. No more memory than about
	// the file's size is taken for what a table says.
	m.list = slices.Grow(m.list, int(min(int64(13*n), m.size/48)))
	f := &functions{text: t.Text(), start: make([]uint32, n+1), pkg: make([]int32, n), name: make([]string, n)}
	var pctabs, cus, data []use
	funcs := tab[p.Funcs-p.Offset:]
	end := int64(8*n) + 4 // of the last record
	for i := range n {
		off := int64(m.order.Uint32(funcs[8*i+4:]))
		r := funcs[off:]
		u := func(at int) uint32 { return m.order.Uint32(r[at:]) }
		f.start[i] = t.Entry(i)
		if x, ok := packages[u(4)]; ok { // else the record is damaged: names start where one ended
			f.pkg[i], f.name[i] = x.pkg, names[u(4):u(4)+x.size]
		}
		sym := f.name[i]
		switch {
		case untabled(u(16), u(20), u(24), sym):
			f.pkg[i] = m.pkg(CCode)
		case f.pkg[i] == noPackage: // of the assembler
			f.pkg[i] = m.packageOfStart(t, i)
		}
		pkg, fn := f.pkg[i], int32(i)
		if x, ok := packages[u(4)]; ok {
			x.pkg = pkg
			packages[u(4)] = x
		}
		for _, at := range []int{16, 20, 24} {
			pctabs = append(pctabs, use{u(at), pkg, fn})
		}
		npc, nfd := u(28), uint32(r[record-1])
		room := int64(len(r)) // records follow each other without overlap
		if i+1 < n {
			room = int64(m.order.Uint32(funcs[8*i+12:])) - off
		}
		if int64(record)+4*(int64(npc)+int64(nfd)) > room {
			m.note("a record of the function table is damaged")
			npc, nfd = 0, 0
		}
		size := int64(record) + 4*int64(npc+nfd)
		for k := range npc {
			pctabs = append(pctabs, use{u(record + 4*int(k)), pkg, fn})
		}
		for k := range nfd {
			if v := u(record + 4*int(npc+k)); v != ^uint32(0) {
				data = append(data, use{v, pkg, fn})
			}
		}
		cus = append(cus, use{u(32), pkg, severalOwners})
		m.add(p.Funcs+int64(8*i), 8, FuncRecord, Exact, rankTable, pkg, sym)
		m.add(p.Funcs+off, size, FuncRecord, Exact, rankTable, pkg, sym)
		end = max(end, off+size)
		// Records are aligned to the pointer size.
		if pad := -size & int64(m.PtrSize-1); pad > 0 {
			m.add(p.Funcs+off+size, pad, Padding, Exact, rankRegion, noPackage, "")
		}
	}
	f.start[n] = t.Entry(n)
	m.add(p.Funcs+int64(8*n), 4, FuncRecord, Exact, rankTable, noPackage, "end of the function table")
	m.claimFuncNames(p, names, packages)
	m.claimPCTables(p, tab, f, pctabs)
	m.claimFiles(p, cus)
	if f.text.Size > 0 {
		m.fn = f
		for i := range n {
			conf := Exact
			if f.pkg[i] == noPackage {
				conf = Shared
			}
			m.add(f.text.Offset+int64(f.start[i]), int64(f.start[i+1]-f.start[i]), Text, conf, rankTable, f.pkg[i], f.name[i])
		}
	} else {
		m.note("where the code starts was not found: code is not attributed")
	}
	return m.claimFuncData(p, p.Funcs+end, f, data)
}

// funcName is a name in the table of names.
type funcName struct {
	pkg  int32
	size uint32
}

// funcNames are the names by offset, those of inlined functions included, with
// the packages that they name.
func (m *image) funcNames(names string) map[uint32]funcName {
	out := make(map[uint32]funcName, len(names)/40)
	for at := 0; at < len(names); {
		n := strings.IndexByte(names[at:], 0)
		if n < 0 {
			break
		}
		if n > 0 {
			out[uint32(at)] = funcName{m.pkg(PackageOf(names[at : at+n])), uint32(n)}
		}
		at += n + 1
	}
	return out
}

// claimFuncNames claims the names.
func (m *image) claimFuncNames(p *gobin.PCLNTab, names string, packages map[uint32]funcName) {
	for at, x := range packages {
		conf := Exact
		if x.pkg == noPackage {
			conf = Shared
		}
		m.add(p.FuncNames+int64(at), int64(x.size)+1, FuncName, conf, rankTable, x.pkg, names[at:at+x.size])
	}
	m.add(p.FuncNames, p.CUs-p.FuncNames, FuncName, Shared, rankRegion, noPackage, "")
}

// packageOfStart is the package of the file in which a function starts.
func (m *image) packageOfStart(t *gobin.FuncTable, i int) int32 {
	x, err := t.Func(i)
	if err != nil {
		return noPackage
	}
	return m.packageOfFile(t.File(x))
}

// user is the name of the only function that uses a table; "" when several do.
func (f *functions) user(u use) string {
	if u.fn < 0 {
		return ""
	}
	return f.name[u.fn]
}

// claimPCTables claims the pc tables. The linker keeps equal tables once, so
// one can be of several functions or packages.
func (m *image) claimPCTables(p *gobin.PCLNTab, tab []byte, f *functions, uses []use) {
	b := tab[p.PCTables-p.Offset : p.Funcs-p.Offset]
	merge(uses, func(u use, next uint32) {
		at := u.at
		if at == 0 || int64(at) >= int64(len(b)) {
			return // none, or damaged
		}
		if n := pcTableSize(b[at:min(int64(next), int64(len(b)))]); n > 0 {
			m.add(p.PCTables+int64(at), int64(n), PCTable, Exact, rankTable, u.pkg, f.user(u))
		}
	}, ^uint32(0))
	m.add(p.PCTables, p.Funcs-p.PCTables, PCTable, Shared, rankRegion, noPackage, "")
}

// pcTableSize is the size of the table at the front of b: pairs of value and pc
// differences, ended by a zero value that is not the first.
func pcTableSize(b []byte) int {
	for at, first := 0, true; ; first = false {
		v, n := binary.Uvarint(b[at:])
		if n <= 0 {
			return at
		}
		at += n
		if v == 0 && !first {
			return at
		}
		if _, n = binary.Uvarint(b[at:]); n <= 0 {
			return at
		}
		at += n
	}
}

// claimFiles claims the file names, and which unit uses which.
func (m *image) claimFiles(p *gobin.PCLNTab, cus []use) {
	n := uint32(min((p.FileNames-p.CUs)/4, 1<<30))
	merge(cus, func(u use, next uint32) {
		m.add(p.CUs+4*int64(u.at), 4*int64(min(next, n))-4*int64(min(u.at, n)), FileTable, Exact, rankTable, u.pkg, "files of a unit")
	}, n)
	b := m.b[p.FileNames:p.PCTables]
	for at := 0; at < len(b); {
		i := bytes.IndexByte(b[at:], 0)
		if i < 0 {
			break
		}
		if i > 0 {
			pkg := m.packageOfFile(string(b[at : at+i]))
			conf := Exact
			if pkg == noPackage {
				conf = Shared
			}
			m.add(p.FileNames+int64(at), int64(i)+1, FileTable, conf, rankTable, pkg, "file names")
		}
		at += i + 1
	}
	m.add(p.CUs, p.PCTables-p.CUs, FileTable, Shared, rankRegion, noPackage, "")
}

// packageOfFile is the package of a source file if its directory, as -trimpath
// writes it, is the path of a package that has functions.
func (m *image) packageOfFile(file string) int32 {
	i := strings.LastIndexByte(file, '/')
	if i < 0 {
		return noPackage
	}
	dir := file[:i]
	if at := strings.IndexByte(dir, '@'); at >= 0 { // module@version/dir/file.go
		rest := ""
		if j := strings.IndexByte(dir[at:], '/'); j >= 0 {
			rest = dir[at+j:]
		}
		dir = dir[:at] + rest
	}
	if id, ok := m.ids[dir]; ok {
		return id
	}
	for _, root := range []string{"/go/src/", "/usr/local/go/src/", "/src/"} {
		if j := strings.Index(dir, root); j >= 0 {
			if id, ok := m.ids[dir[j+len(root):]]; ok {
				return id
			}
		}
	}
	return noPackage
}

// claimFuncData claims what the functions' records point to (go:func.*): in the
// read-only data up to Go 1.25, behind the function table since. Nothing else
// is there but descriptors of functions, so that each piece ends where the next
// one starts.
func (m *image) claimFuncData(p *gobin.PCLNTab, tableEnd int64, f *functions, data []use) error {
	if err := m.findModuledata(p); err != nil || m.mod == nil {
		m.note("the linker's module data was not found: types and data are not attributed")
		return err
	}
	base := m.mod.gofunc
	off, ok := m.at(base, 1)
	if !ok || len(data) == 0 {
		return nil
	}
	s := m.section(base)
	limit := uint32(min(s.Size-(off-s.Offset), 1<<32-1))
	last := uint32(0)
	merge(data, func(u use, next uint32) {
		at := u.at
		size := int64(next) - int64(at)
		if next == limit {
			size = min(m.funcDataSize(off+int64(at)), size)
		}
		if at < limit && size > 0 {
			m.add(off+int64(at), min(size, int64(limit-at)), FuncData, Exact, rankTable, u.pkg, f.user(u))
			last = max(last, at+uint32(size))
		}
	}, limit)
	m.regions = append(m.regions, region{base, base + uint64(last), FuncData, "go:func.*"})
	if s.Kind == gobin.KindPCLNTab && tableEnd < off {
		m.add(tableEnd, off-tableEnd, Padding, Exact, rankRegion, noPackage, "")
	}
	return nil
}

// funcDataSize is the size of the last piece of funcdata, taken as a stack map
// (runtime.stackmap), the most common one.
func (m *image) funcDataSize(off int64) int64 {
	if off+8 > int64(len(m.b)) {
		return 0
	}
	n, bits := int64(m.order.Uint32(m.b[off:])), int64(m.order.Uint32(m.b[off+4:]))
	if n > 1<<16 || bits > 1<<16 {
		return 8
	}
	return 8 + n*((bits+7)/8)
}
