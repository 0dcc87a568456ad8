package actions

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// graphs are some that are sent.
func graphs() []Graph {
	link := &Action{Package: "example.com/p", Link: true, ID: "l", Output: "o", Executed: true, CPU: time.Second, deps: []string{"example.com/p", "fmt"}}
	compile := &Action{Package: "example.com/p", ID: "c", Output: "<&>\u2028", imports: []string{"fmt"}}
	return []Graph{
		{},
		{compile.Key(): compile},
		{link.Key(): link, compile.Key(): compile, Key{Package: "fmt"}: {Package: "fmt", ID: "f"}},
	}
}

// TestCodec: what is read is what was written.
func TestCodec(t *testing.T) {
	for i, g := range graphs() {
		data, err := g.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(data)
		if err != nil || !reflect.DeepEqual(again, g) {
			t.Errorf("graph %d: %v, %v", i, again, err)
		}
	}
}

// TestDecodeHostile: what a graph is not, or says in another way, is refused.
func TestDecodeHostile(t *testing.T) {
	one := `{"package":"p","id":"i"}`
	if _, err := Decode([]byte("[" + one + "]")); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"nothing":             "",
		"null":                "null",
		"an object":           one,
		"a number":            "[1]",
		"cut off":             "[" + one,
		"something behind it": "[" + one + "]\n",
		"two documents":       "[" + one + "][]",
		"blanks":              "[ " + one + "]",
		"an unknown key":      `[{"package":"p","id":"i","x":1}]`,
		"another case":        `[{"Package":"p","id":"i"}]`,
		"a key twice":         `[{"package":"q","package":"p","id":"i"}]`,
		"an action twice":     "[" + one + "," + one + "]",
		"not in order":        `[{"package":"q","id":"i"},` + one + "]",
		"no package":          `[{"package":"","id":"i"}]`,
		"no ID":               `[{"package":"p","id":""}]`,
		"negative time":       `[{"package":"p","id":"i","cpu":-1}]`,
		"a default":           `[{"package":"p","id":"i","link":false}]`,
		"no dependencies":     `[{"package":"p","id":"i","deps":[]}]`,
		"a null":              "[null]",
	} {
		if g, err := Decode([]byte(text)); err == nil {
			t.Errorf("%s: %v", what, g)
		}
	}
	long := `[{"package":"` + strings.Repeat("p", 1<<20) + `","id":""}]`
	if _, err := Decode([]byte(long)); err == nil || len(err.Error()) > 1000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

// TestDecodeBounds: a graph that takes much more memory than it has bytes is refused
// before it takes it.
func TestDecodeBounds(t *testing.T) {
	if _, err := Decode(make([]byte, MaxEncoded+1)); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Error(err)
	}
	empty := []byte("[" + strings.Repeat("{},", 1<<22) + "{}]")
	var err error
	if n := testing.AllocsPerRun(1, func() { _, err = Decode(empty) }); err == nil || n > 1000 {
		t.Errorf("%.0f allocations, %v", n, err)
	}
	g := Graph{}
	for i := range maxActions + 1 {
		a := &Action{Package: strconv.Itoa(i), ID: "i"}
		g[a.Key()] = a
	}
	if _, err := g.Encode(); err == nil {
		t.Error("written, and nobody would read it")
	}
	list := make([]string, maxActions+1)
	for i := range list {
		list[i] = fmt.Sprintf(`{"package":"%06d","id":"i"}`, i)
	}
	if _, err := Decode([]byte("[" + strings.Join(list, ",") + "]")); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, g := range graphs() {
		data, err := g.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`[{"package":"p","id":"i","deps":[]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Decode(data)
		if err != nil {
			return
		}
		if again, err := g.Encode(); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q is read, and written as %q: %v", data, again, err)
		}
		for _, a := range g.Compiles() {
			g.Deps(a)
		}
		g.Imports()
	})
}
