package sizes

// claim claims a descriptor and notes its names and pointer mask.
func (t *types) claim(x *typeInfo) {
	sym := "type:" + x.name
	c := func(s span) {
		if s.size > 0 {
			t.claimAddr(s.addr, s.size, TypeDesc, x.conf, rankType, x.pkg, sym)
			if s.addr >= t.base && s.addr < t.end {
				t.last = max(t.last, min(s.addr+s.size, t.end))
			}
		}
	}
	c(span{x.addr, uint64(x.size)})
	c(x.extra)
	c(x.methods)
	p, head := t.ptr, t.head()
	b := t.bytes(x.addr, head)
	t.useName(uint64(t.order.Uint32(b[head-8:])), x.pkg)
	if x.uncommon != 0 {
		t.useName(uint64(t.order.Uint32(t.bytes(x.uncommon, 4))), x.pkg)
	}
	for at := x.methods.addr; at < x.methods.addr+x.methods.size; at += 16 {
		t.useName(uint64(t.order.Uint32(t.bytes(at, 4))), x.pkg)
	}
	e := t.bytes(x.extra.addr, x.extra.size)
	switch {
	case len(e) == 0:
	case x.kind == abiStruct:
		for ; len(e) > 0; e = e[3*p:] {
			if a := t.word(e); a > t.base {
				t.useName(a-t.base, x.pkg)
			}
		}
	case x.kind == abiInterface:
		for ; len(e) > 0; e = e[8:] {
			t.useName(uint64(t.order.Uint32(e)), x.pkg)
		}
	}
	if x.kind == abiStruct || x.kind == abiInterface {
		if a := t.wordAt(x.addr + head); a > t.base {
			t.useName(a-t.base, x.pkg)
		}
	}
	mask, n := t.word(b[2*p+8+p:]), (t.word(b[p:])/p+7)/8
	if t.minor >= 24 && x.flags&tflagMaskOnDemad != 0 || mask == 0 || n == 0 {
		return
	}
	if t.minor < 24 && b[2*p+7]&kindGCProg != 0 {
		n = 4
		if g := t.bytes(mask, 4); g != nil {
			n += uint64(t.order.Uint32(g))
		}
	}
	if n < 1<<24 && t.section(mask) != nil {
		u, ok := t.bitUses[mask]
		if ok && u.pkg != x.pkg {
			u.pkg = severalOwners
		} else {
			u.pkg = x.pkg
		}
		u.size = max(u.size, n)
		t.bitUses[mask] = u
	}
}

func (t *types) claimNames() {
	merge(t.nameUses, func(u use, next uint32) {
		at, pkg := u.at, u.pkg
		_, size := t.nameAt(t.base + uint64(at))
		if size == 0 {
			return
		}
		conf := Inferred // the names of one package's types, perhaps also another's
		if pkg == noPackage {
			conf = Shared
		}
		t.claimAddr(t.base+uint64(at), min(size, uint64(next-at)), TypeName, conf, rankType, pkg, "")
		t.last = max(t.last, min(t.base+uint64(at)+size, t.end))
	}, ^uint32(0))
}

// claimBits claims the pointer masks and returns where they begin and end.
func (t *types) claimBits() (lowest, highest uint64) {
	lowest, highest = ^uint64(0), 0
	for at, u := range t.bitUses {
		conf := Inferred
		if u.pkg == noPackage {
			conf = Shared
		}
		t.claimAddr(at, u.size, GCBits, conf, rankType, u.pkg, "runtime.gcbits.*")
		if at < t.base || at >= t.last {
			lowest = min(lowest, at)
			highest = max(highest, at+u.size)
		}
	}
	return lowest, highest
}

// readItabs reads the method tables: to find more types, then to claim them. A
// table is the code of the package of its type.
func (t *types) readItabs(claim bool) {
	d, p := t.mod, t.ptr
	fun := 3 * p // the hash takes a word in 64 bits; up to Go 1.21 also in 32
	if p == 4 && t.minor < 22 {
		fun = 16
	}
	one := func(at uint64) uint64 {
		inter, typ := t.wordAt(at), t.wordAt(at+p)
		i, j := t.add(inter), t.add(typ)
		if i < 0 || j < 0 || t.list[i].kind != abiInterface {
			return 0
		}
		size := fun + p*max(1, t.list[i].extra.size/8)
		if claim {
			pkg, conf := t.owner(j, 0)
			t.claimAddr(at, size, Itab, conf, rankType, pkg, "go:itab."+t.list[j].name+","+t.list[i].name)
			if d.itabSize > 0 { // among the types
				t.last = max(t.last, min(at+size, t.end))
			}
		}
		return size
	}
	for i := range d.nitablinks {
		one(t.wordAt(d.itablinks + i*p))
	}
	for at := d.itabs; at < d.itabs+d.itabSize; {
		n := one(at)
		if n == 0 {
			break
		}
		at += n
	}
}
