package sizes

import "encoding/binary"

// Kinds of types with more than the common head (internal/abi.Kind).
const (
	abiArray = 17 + iota
	abiChan
	abiFunc
	abiInterface
	abiMap
	abiPointer
	abiSlice
	abiString
	abiStruct
	abiUnsafePointer
)

// Flags of types and names (internal/abi.TFlag, internal/abi.Name).
const (
	tflagUncommon    = 1 << 0
	tflagExtraStar   = 1 << 1
	tflagNamed       = 1 << 2
	tflagMaskOnDemad = 1 << 4 // Go 1.24 and later
	kindGCProg       = 1 << 6 // up to Go 1.23
	nameTag          = 1 << 1
	namePackage      = 1 << 2
)

// typeInfo is one type descriptor.
type typeInfo struct {
	addr     uint64
	size     uint32 // of the fixed part, uncommon part included
	kind     uint8
	flags    uint8
	uncommon uint64 // address, 0 when there is none
	extra    span   // fields, parameters or methods of an interface
	methods  span
	pkg      int32
	conf     Confidence
	state    uint8 // of finding the package: 1 being done, 2 done
	name     string
}

type span struct{ addr, size uint64 }

// types walks the type descriptors.
type types struct {
	*image
	base, end uint64
	index     map[uint64]int32
	list      []typeInfo
	queue     []int32
	nameUses  []use
	bitUses   map[uint64]bits
	last      uint64 // end of the last descriptor or name
}

type bits struct {
	pkg  int32
	size uint64
}

// head is the size of the common part of a descriptor.
func (m *image) head() uint64 { return 4*m.ptr + 16 }

// readTypes walks all descriptors that the lists of the linker, the itabs, the
// references in code and the descriptors themselves lead to, and claims them,
// their names and their pointer masks.
func (m *image) readTypes() {
	d := m.mod
	if d == nil {
		return
	}
	t := &types{image: m, base: d.types, end: d.etypes, index: map[uint64]int32{}, bitUses: map[uint64]bits{}}
	if d.typeDescLen > 0 { // Go 1.27: one after the other
		for at, end := d.types+m.ptr, d.types+d.typeDescLen; at < end; {
			at = (at + m.ptr - 1) &^ (m.ptr - 1)
			i := t.add(at)
			if i < 0 {
				m.note("the list of type descriptors ends early: one is not understood")
				break
			}
			x := &t.list[i]
			next := max(x.addr+uint64(x.size), x.extra.addr+x.extra.size, x.methods.addr+x.methods.size)
			if next <= at {
				break
			}
			at = next
		}
	}
	for i := range d.ntypelinks {
		t.add(d.types + uint64(m.order.Uint32(m.bytes(d.typelinks+4*i, 4))))
	}
	t.readItabs(false)
	for _, r := range m.refs {
		if r.to >= t.base && r.to < t.end {
			t.add(r.to)
		}
	}
	for len(t.queue) > 0 {
		i := t.queue[len(t.queue)-1]
		t.queue = t.queue[:len(t.queue)-1]
		t.follow(i)
	}
	for i := range t.list {
		t.owner(int32(i), 0)
	}
	for i := range t.list {
		t.claim(&t.list[i])
	}
	t.claimNames()
	t.readItabs(true)
	lowest, highest := t.claimBits()
	m.regions = append(m.regions, region{t.base, t.last, TypeDesc, "type:*"})
	m.claimAddr(t.base, t.last-t.base, TypeDesc, Shared, rankRest, noPackage, "type:*")
	m.findStrings(t, lowest, highest)
}

// add reads the descriptor at an address if there is one, and returns its number.
func (t *types) add(addr uint64) int32 {
	if i, ok := t.index[addr]; ok {
		return i
	}
	p := t.ptr
	if addr < t.base || addr >= t.end || addr%p != 0 {
		return -1
	}
	b := t.bytes(addr, t.head())
	if b == nil {
		return -1
	}
	tail := b[2*p:]
	x := typeInfo{addr: addr, flags: tail[4], kind: tail[7] & 31}
	align, fieldAlign := tail[5], tail[6]
	str := uint64(t.order.Uint32(tail[8+2*p:]))
	if x.kind == 0 || x.kind > abiUnsafePointer || align == 0 || align > 64 || align&(align-1) != 0 || fieldAlign == 0 || fieldAlign > 64 || str >= t.end-t.base {
		return -1
	}
	if size, pointers := t.word(b), t.word(b[p:]); pointers > size {
		return -1
	}
	// The functions to compare and the pointer mask are where such things are.
	if equal := t.word(tail[8:]); equal != 0 {
		if _, ok := t.fn.isEntry(t.wordAt(equal)); !ok {
			return -1
		}
	}
	if mask := t.word(tail[8+p:]); mask != 0 && t.section(mask) == nil && !t.inBSS(mask) {
		return -1
	}
	name, nameSize := t.nameAt(t.base + str)
	if nameSize == 0 {
		return -1
	}
	if x.flags&tflagExtraStar != 0 && len(name) > 0 {
		name = name[1:]
	}
	x.name = name
	size, ok := t.fixedSize(&x, b)
	if !ok {
		return -1
	}
	x.size = uint32(size)
	if x.flags&tflagUncommon != 0 {
		x.uncommon = addr + size
		u := t.bytes(x.uncommon, 16)
		if u == nil {
			return -1
		}
		x.size += 16
		if n := uint64(t.order.Uint16(u[4:])); n > 0 {
			x.methods = span{x.uncommon + uint64(t.order.Uint32(u[8:])), 16 * n}
			if x.methods.addr > t.end || t.bytes(x.methods.addr, x.methods.size) == nil {
				return -1
			}
		}
	}
	if x.kind == abiFunc {
		f := t.bytes(addr+t.head(), 4)
		if f == nil {
			return -1
		}
		n := uint64(t.order.Uint16(f)) + uint64(t.order.Uint16(f[2:])&0x7fff)
		x.extra = span{addr + uint64(x.size), n * p}
	}
	if x.extra.size > 0 && (x.extra.addr < t.base || x.extra.addr > t.end || t.bytes(x.extra.addr, x.extra.size) == nil) {
		return -1
	}
	i := int32(len(t.list))
	t.index[addr] = i
	t.list = append(t.list, x)
	t.queue = append(t.queue, i)
	return i
}

// fixedSize is the size of a descriptor without its uncommon part (the structs
// of internal/abi), and finds the fields of structs and the methods of interfaces.
func (t *types) fixedSize(x *typeInfo, _ []byte) (uint64, bool) {
	p, head := t.ptr, t.head()
	slice := func(at, each uint64) bool {
		b := t.bytes(x.addr+at, 3*p)
		if b == nil {
			return false
		}
		n := t.word(b[p:])
		if n > uint64(len(t.b))/each || n > 1<<20 {
			return false
		}
		x.extra = span{t.word(b), n * each}
		return true
	}
	switch x.kind {
	case abiArray:
		return head + 3*p, true
	case abiChan:
		return head + 2*p, true
	case abiFunc:
		return head + max(p, 4), true
	case abiInterface:
		return head + 4*p, slice(head+p, 8)
	case abiStruct:
		return head + 4*p, slice(head+p, 3*p)
	case abiMap:
		switch {
		case t.minor >= 27:
			return head + 11*p, true
		case t.minor >= 24:
			return head + 8*p, true
		}
		return head + 4*p + 8, true
	case abiPointer, abiSlice:
		return head + p, true
	}
	return head, true
}

// nameAt reads a name (internal/abi.Name): flags, length, text, and the tag if
// there is one. size is 0 when there is none.
func (t *types) nameAt(addr uint64) (name string, size uint64) {
	s := t.section(addr)
	if s == nil {
		return "", 0
	}
	b := t.b[s.Offset+int64(addr-s.Addr) : s.Offset+s.Size]
	if len(b) < 2 || b[0] > 15 {
		return "", 0
	}
	n, w := binary.Uvarint(b[1:min(len(b), 11)])
	if w <= 0 || n > 1<<16 || uint64(1+w)+n > uint64(len(b)) {
		return "", 0
	}
	size = uint64(1+w) + n
	text := b[1+w : size]
	if b[0]&nameTag != 0 {
		k, w := binary.Uvarint(b[size:min(uint64(len(b)), size+10)])
		if w <= 0 || k > 1<<20 || size+uint64(w)+k > uint64(len(b)) {
			return "", 0
		}
		size += uint64(w) + k
	}
	if b[0]&namePackage != 0 && size+4 <= uint64(len(b)) {
		size += 4
	}
	const most = 200 // of a type's name are kept: struct types can be very long
	return string(text[:min(len(text), most)]), size
}

// useName records that a type uses the name at an offset from the types.
func (t *types) useName(off uint64, pkg int32) {
	if off > 0 && off < t.end-t.base && off < 1<<32 {
		t.nameUses = append(t.nameUses, use{uint32(off), pkg, severalOwners})
	}
}

// follow adds what a descriptor points to.
func (t *types) follow(i int32) {
	x := t.list[i]
	for _, at := range t.children(&x) {
		t.add(at)
	}
	if off := t.order.Uint32(t.bytes(x.addr, t.head())[t.head()-4:]); off != 0 {
		t.add(t.base + uint64(off)) // pointer to this type
	}
	for at := x.methods.addr; at < x.methods.addr+x.methods.size; at += 16 {
		b := t.bytes(at, 16)
		if off := t.order.Uint32(b[4:]); off != 0 && off != ^uint32(0) {
			t.add(t.base + uint64(off))
		}
	}
	if x.kind == abiMap {
		t.add(t.wordAt(x.addr + t.head() + 2*t.ptr)) // bucket or group
	}
	if x.kind == abiArray {
		t.add(t.wordAt(x.addr + t.head() + t.ptr)) // slice of it
	}
}

// children are the addresses of the types a type is made of.
func (t *types) children(x *typeInfo) []uint64 {
	p, head := t.ptr, t.head()
	switch x.kind {
	case abiArray, abiChan, abiPointer, abiSlice:
		return []uint64{t.wordAt(x.addr + head)}
	case abiMap:
		return []uint64{t.wordAt(x.addr + head), t.wordAt(x.addr + head + p)}
	}
	b := t.bytes(x.extra.addr, x.extra.size)
	var out []uint64
	switch {
	case len(b) == 0:
	case x.kind == abiFunc:
		for ; len(b) > 0; b = b[p:] {
			out = append(out, t.word(b))
		}
	case x.kind == abiStruct:
		for ; len(b) > 0; b = b[3*p:] {
			out = append(out, t.word(b[p:]))
		}
	case x.kind == abiInterface:
		for ; len(b) > 0; b = b[8:] {
			out = append(out, t.base+uint64(t.order.Uint32(b[4:])))
		}
	}
	return out
}

// owner finds the package of a type: the one it says, or the only one of the
// types with a name that it is made of.
func (t *types) owner(i int32, depth int) (int32, Confidence) {
	x := &t.list[i]
	if x.state == 2 {
		return x.pkg, x.conf
	}
	if x.state == 1 || depth > 64 {
		return noPackage, Shared
	}
	x.state = 1
	pkg, conf := noPackage, Shared
	if x.uncommon != 0 {
		if off := t.order.Uint32(t.bytes(x.uncommon, 4)); off != 0 {
			if path, size := t.nameAt(t.base + uint64(off)); size > 0 && path != "" && path != "go.shape" {
				pkg, conf = t.pkg(path), Exact
			}
		}
	}
	if pkg == noPackage && (x.kind == abiStruct || x.kind == abiInterface) {
		// Types with unexported names say of which package these are.
		if path, size := t.nameAt(t.wordAt(x.addr + t.head())); size > 0 && path != "" && path != "go.shape" {
			pkg, conf = t.pkg(path), Exact
		}
	}
	if pkg == noPackage && x.flags&tflagNamed == 0 {
		for _, c := range t.children(x) {
			j, ok := t.index[c]
			if !ok {
				continue
			}
			if p, k := t.owner(j, depth+1); p != noPackage {
				if pkg == noPackage {
					pkg, conf = p, max(k, Inferred)
					if x.kind == abiPointer {
						conf = k // the pointer type is made with the type
					}
				} else if p != pkg {
					pkg, conf = noPackage, Shared
					break
				}
			}
		}
	}
	x = &t.list[i]
	x.pkg, x.conf, x.state = pkg, conf, 2
	return pkg, conf
}
