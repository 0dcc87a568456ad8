package sizes

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// object is a piece of data from one place that something refers to up to the next.
type object struct {
	addr, end uint64
	pkg       int32 // noPackage as long as it is not known
	kind      Kind
	symbol    string
	length    uint64 // of a string, when all that refer to it agree; else 0
	doubtful  bool   // only a number that looks like an address says that it starts here
}

// edge is a pointer from one piece of data to another.
type edge struct {
	from, to int32
	sure     bool
}

// inferData attributes the data that no table describes to the packages whose
// code refers to it, directly or through other data.
func (m *image) inferData() {
	if m.mod == nil {
		return
	}
	slices.SortFunc(m.regions, func(a, b region) int { return cmp.Compare(a.from, b.from) })
	pointers := m.pointers()
	trees := m.embedFilesystems(pointers)
	for _, x := range trees { // what they hold are pointers
		in := pointersIn(pointers, x.at, x.end)
		for i := range in {
			in[i].sure = true
		}
	}
	m.dropForeign()
	headers := m.headers(pointers)
	m.toHeaders(headers, pointers)
	slices.SortFunc(m.refs, func(a, b ref) int {
		if a.to != b.to {
			return cmp.Compare(a.to, b.to)
		}
		return cmp.Or(cmp.Compare(a.fn, b.fn), cmp.Compare(a.length, b.length))
	})
	targets := m.targets(pointers)
	pointers = m.plausible(pointers, headers, targets)
	objects := m.objects(pointers, m.bounds(headers, trees, targets))
	m.voteByCode(objects)
	for _, s := range m.starts {
		if o := objectAt(objects, s.addr); o != nil && o.addr == s.addr {
			o.symbol = s.name
			if s.pkg != noPackage {
				o.pkg = s.pkg
			}
		}
	}
	for _, h := range headers {
		if o := objectAt(objects, h.to); o != nil && o.addr == h.to && o.length == 0 && !h.slice {
			o.length = h.n
		}
	}
	m.voteByPointers(objects, pointers)
	doubt(objects)
	for _, x := range trees {
		for _, f := range x.files {
			if o := objectAt(objects, f.addr); o != nil && o.addr == f.addr {
				o.embed(f)
			}
		}
	}
	for i := range objects {
		m.claimObject(&objects[i])
	}
}

// embed says that the object is the contents of a file. Files with the same
// contents are in the binary once.
func (o *object) embed(f embedFile) {
	const most = 1000 // bytes of names
	switch {
	case o.kind != Embedded:
		o.symbol = f.path
	case len(o.symbol) < most && !slices.Contains(strings.Split(o.symbol, sameContents), f.path):
		o.symbol += sameContents + f.path
	}
	o.kind, o.end = Embedded, min(o.end, f.addr+f.size)
}

// sameContents is between the names of files that share their bytes.
const sameContents = " = "

// plausible leaves out what looks like a pointer to a string, but has no length
// behind it that the string can have: nothing leads into the middle of one.
func (m *image) plausible(list []pointer, headers []header, targets []uint64) []pointer {
	i := 0
	return slices.DeleteFunc(list, func(p pointer) bool {
		for i < len(headers) && headers[i].at < p.from {
			i++
		}
		if r := m.region(p.to); p.sure || r == nil || r.kind != Strings {
			return false
		}
		return i == len(headers) || headers[i].at != p.from || between(targets, p.to, p.to+headers[i].n)
	})
}

// objectAt is the object that holds an address, or nil.
func objectAt(list []object, addr uint64) *object {
	i := sort.Search(len(list), func(i int) bool { return list[i].addr > addr }) - 1
	if i < 0 || addr >= list[i].end {
		return nil
	}
	return &list[i]
}

// mark is a place where a piece of data starts.
type mark struct {
	addr, size uint64 // size where a symbol tells it; else 0
	rank       uint8  // 0 by symbol, 1 for sure, 2 as it looks
}

func rank(sure bool) uint8 {
	if sure {
		return 1
	}
	return 2
}

// objects cuts the data into pieces: each starts where something refers to, and
// not inside of what a header bounds.
func (m *image) objects(pointers []pointer, bounds []bound) []object {
	marks := make([]mark, 0, len(m.refs)+len(pointers)+len(m.starts))
	for _, s := range m.starts {
		if m.inferable(s.addr) && (s.pkg != noPackage || m.region(s.addr) == nil) {
			marks = append(marks, mark{s.addr, s.size, 0})
		}
	}
	for _, r := range m.refs {
		if m.inferable(r.to) && inside(bounds, r.to) == nil {
			marks = append(marks, mark{r.to, 0, rank(!r.maybe)})
		}
	}
	for _, p := range pointers {
		if inside(bounds, p.to) == nil {
			_, kind := m.limit(p.to)
			marks = append(marks, mark{p.to, 0, rank(p.sure || kind != Data)})
		}
	}
	slices.SortFunc(marks, func(a, b mark) int {
		return cmp.Or(cmp.Compare(a.addr, b.addr), cmp.Compare(a.rank, b.rank), cmp.Compare(b.size, a.size))
	})
	marks = slices.CompactFunc(marks, func(a, b mark) bool { return a.addr == b.addr })
	out := make([]object, 0, len(marks))
	for i, x := range marks {
		m.claimFuncValue(x.addr)
		end, kind := m.limit(x.addr)
		if i+1 < len(marks) {
			end = min(end, marks[i+1].addr)
		}
		o := object{addr: x.addr, end: end, kind: kind, doubtful: x.rank == 2 && kind != Strings}
		if x.size > 0 {
			o.end = min(end, x.addr+x.size)
		} else if b := boundAt(bounds, x.addr); b != nil {
			if kind == Strings {
				o.length = b.n
			} else {
				o.end = b.end(end)
			}
		}
		out = append(out, o)
	}
	return out
}

// voteByCode gives the objects their owners by the functions that refer to them.
func (m *image) voteByCode(objects []object) {
	var v vote
	r := 0
	for i := range objects {
		o := &objects[i]
		for r < len(m.refs) && m.refs[r].to < o.addr {
			r++
		}
		v.reset()
		length, agree, ofC := uint64(0), true, false
		for ; r < len(m.refs) && m.refs[r].to == o.addr; r++ {
			x := m.refs[r]
			if r == 0 || m.refs[r-1].to != x.to || m.refs[r-1].fn != x.fn {
				p := m.owner(x.fn)
				if p > 0 {
					v.add(p)
				}
				ofC = ofC || p == m.pkg(CCode) && !x.maybe
			}
			if n := uint64(x.length); n > 0 {
				agree = agree && (length == 0 || length == n)
				length = max(length, n)
			}
		}
		if agree && o.length == 0 {
			o.length = length
		}
		o.pkg = noPackage
		if ofC { // C refers to nothing that Go has defined
			o.pkg = m.pkg(CCode)
			continue
		}
		if o.kind != Strings && len(v.pkgs) > 1 && len(v.pkgs) <= 16 {
			o.pkg = v.definer(m.calls)
		}
		if o.pkg == noPackage {
			o.pkg = v.winner()
		}
	}
}

// voteByPointers gives the objects that no code refers to the owners of those
// that point to them: first by what are pointers for sure, then by what looks
// like one.
func (m *image) voteByPointers(objects []object, pointers []pointer) {
	index := func(a uint64) int32 {
		i := sort.Search(len(objects), func(i int) bool { return objects[i].addr > a }) - 1
		if i < 0 || a >= objects[i].end {
			return -1
		}
		return int32(i)
	}
	var edges []edge
	for _, p := range pointers {
		if i, j := index(p.from), index(p.to); i >= 0 && j >= 0 && i != j {
			edges = append(edges, edge{i, j, p.sure})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from)) })
	for _, all := range []bool{false, true} {
		for range 8 {
			if !spread(objects, edges, all) {
				break
			}
		}
	}
}

// spread gives owners along the edges once, and reports whether that gave any.
func spread(objects []object, edges []edge, all bool) (changed bool) {
	var v vote
	for i := 0; i < len(edges); {
		to := edges[i].to
		v.reset()
		for ; i < len(edges) && edges[i].to == to; i++ {
			if p := objects[edges[i].from].pkg; p > 0 && (all || edges[i].sure) {
				v.add(p)
			}
		}
		if o := &objects[to]; o.pkg == noPackage && v.total > 0 {
			o.pkg = v.winner()
			changed = true
		}
	}
	return changed
}

// doubt settles whose those pieces are that may be the rest of the last one that
// starts for sure: its owner's if what looks like a pointer to them does not speak
// against it, and else not known.
func doubt(objects []object) {
	base := noPackage
	for i := range objects {
		o := &objects[i]
		switch {
		case !o.doubtful:
			base = o.pkg
		case i == 0 || objects[i-1].end != o.addr:
			base = noPackage // behind a piece whose end is known
		case o.pkg == noPackage:
			o.pkg = base
		case o.pkg != base:
			o.pkg = severalOwners
		}
	}
}

func (m *image) claimObject(o *object) {
	if o.end <= o.addr || o.pkg == noPackage && o.kind != Embedded {
		return
	}
	if o.pkg == m.pkg(CCode) && m.isC(o.addr) {
		return // known, and claimed as a whole
	}
	size := o.end - o.addr
	kind := Variable
	switch o.kind {
	case Embedded:
		kind = Embedded
	case Strings:
		kind = Strings
		if o.length > 0 {
			size = min(size, o.length)
		}
	}
	if o.pkg <= noPackage {
		if kind == Variable {
			kind = o.kind
		}
		m.claimAddr(o.addr, size, kind, Shared, rankData, noPackage, o.symbol)
		return
	}
	m.claimAddr(o.addr, size, kind, Inferred, rankData, o.pkg, o.symbol)
}
