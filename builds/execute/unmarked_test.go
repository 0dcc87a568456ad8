package execute

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// objectWith is an archive with an object of symbols that have these flags.
func objectWith(flags ...byte) []byte {
	obj := []byte("go object linux amd64\n!\n" + objectMagic)
	head := make([]byte, offsetsOfBlocks-len(objectMagic)+4*20)
	at := offsetsOfBlocks + 4*20
	for k := range 20 {
		off := at
		if k >= afterSymbols {
			off += symbolSize * len(flags)
		}
		binary.LittleEndian.PutUint32(head[offsetsOfBlocks-len(objectMagic)+4*k:], uint32(off))
	}
	obj = append(obj, head...)
	for _, f := range flags {
		rec := make([]byte, symbolSize)
		rec[symbolFlag] = f
		obj = append(obj, rec...)
	}
	return append(obj, "data"...)
}

func TestUnmark(t *testing.T) {
	t.Parallel()
	a := objectWith(0xff, 0, markReflect)
	if n := unmark(a); n != 2 || !bytes.Equal(a, objectWith(0xff&^markReflect, 0, 0)) {
		t.Errorf("%d marks; %x", n, a)
	}
	other := bytes.ReplaceAll(objectWith(markReflect), []byte("go120ld"), []byte("go999ld"))
	if n := unmark(other); n != 0 {
		t.Errorf("%d marks in a format that is not known", n)
	}
}

func FuzzUnmark(f *testing.F) {
	f.Add(objectWith(markReflect))
	f.Add(append(objectWith(), objectWith(0x21, 1)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		was := slices.Clone(b)
		n := unmark(b)
		changed := 0
		for i := range b {
			if b[i] != was[i] {
				changed++
				if was[i]&^b[i] != markReflect || b[i]&^was[i] != 0 {
					t.Fatalf("byte %d: %x for %x", i, b[i], was[i])
				}
			}
		}
		if changed != n {
			t.Fatalf("%d bytes changed for %d marks", changed, n)
		}
	})
}

func TestParseEdges(t *testing.T) {
	t.Parallel()
	x := parseEdges("_ -> main.main\nmain.main -> a.F <ReflectMethod>\na.F <ReflectMethod> -> type:b.T <UsedInIface>\ntype:b.T <UsedInIface> -> b.T.M <UsedInIface> <ReflectMethod>\nc -> a.F <ReflectMethod>\n# example.com/x\n")
	if want := []string{"a.F", "b.T.M"}; !slices.Equal(x.Marked, want) {
		t.Errorf("marked: %q", x.Marked)
	}
	if len(x.Edges) != 5 || x.Edges[2] != (LinkEdge{"a.F", "type:b.T"}) {
		t.Errorf("edges: %q", x.Edges)
	}
}
