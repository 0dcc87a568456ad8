package actions

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func timing(t *testing.T, text string) *Timing {
	t.Helper()
	nodes, err := readNodes(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	out, err := newTiming(nodes)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRecorded reads graphs of real go commands, cut down to some packages: of a program
// with C code, whose steps the versions of Go part differently.
func TestRecorded(t *testing.T) {
	for _, c := range []struct {
		file, kinds string // kinds of all steps of example.com/m/lib
		ran, cached []string
		critical    string
	}{
		{"go1.21.13", "cgo+compile+gcc", []string{"example.com/m", "example.com/m/lib", "internal/abi", "internal/goarch", "runtime", "runtime/cgo"}, nil,
			"internal/goarch internal/abi runtime example.com/m link:example.com/m"},
		{"go1.26.8", "cgo+compile+gcc cgo gcc gcc", []string{"example.com/m", "example.com/m/lib", "internal/abi", "internal/goarch", "internal/runtime/sys", "runtime", "runtime/cgo"}, nil,
			"internal/goarch internal/abi runtime example.com/m link:example.com/m"},
		{"go1.27.3", "cgo+compile+gcc cgo gcc gcc", []string{"example.com/m", "example.com/m/lib", "internal/abi", "internal/goarch", "internal/runtime/sys", "runtime", "runtime/cgo"}, nil,
			"internal/goarch internal/abi runtime example.com/m link:example.com/m"},
		{"go1.26.8-warm", "cgo+compile+gcc cgo gcc gcc", []string{"example.com/m", "example.com/m/lib"}, []string{"internal/abi", "internal/goarch", "internal/runtime/sys", "runtime", "runtime/cgo"},
			"example.com/m/lib example.com/m link:example.com/m"},
	} {
		name := filepath.Join("testdata", c.file+".json")
		g, timed, err := LoadTimed(name)
		if err != nil {
			t.Fatal(err)
		}
		x := timed.Times(nil)
		nodes, err := loadNodes(name)
		if err != nil {
			t.Fatal(err)
		}
		var cpu time.Duration
		for _, n := range nodes {
			cpu += n.CmdUser + n.CmdSys
		}
		if x.CPU != cpu || x.CPU == 0 || x.Elapsed <= 0 {
			t.Errorf("%s: %s of CPU in %s, want %s", c.file, x.CPU, x.Elapsed, cpu)
		}
		var kinds, ran, cached []string
		for _, s := range x.Steps {
			if s.Package == "example.com/m/lib" {
				kinds = append(kinds, s.Kind())
			}
		}
		slices.Sort(kinds)
		if want := strings.Fields(c.kinds); !slices.Equal(kinds, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: tools of the package with C: %q, want %q", c.file, kinds, want)
		}
		for _, p := range x.Packages {
			if p.Ran != g[Key{Package: p.Package}].Executed {
				t.Errorf("%s: %s: ran: %v", c.file, p.Package, p.Ran)
			}
			if p.Ran {
				ran = append(ran, p.Package)
			} else {
				cached = append(cached, p.Package)
				if p.Known || p.CPU != 0 {
					t.Errorf("%s: %s was cached, and nobody knew what it cost: %+v", c.file, p.Package, p)
				}
			}
		}
		if !slices.Equal(ran, c.ran) || !slices.Equal(cached, c.cached) {
			t.Errorf("%s: compiled %q, cached %q", c.file, ran, cached)
		}
		if x.CachedUnknown != len(c.cached) || x.PathOfAll != nil || x.Links != 1 || x.LinksKept != 0 {
			t.Errorf("%s: %d not known, %v, %d links", c.file, x.CachedUnknown, x.PathOfAll, x.Links)
		}
		if got := path(x.CriticalPath); got != c.critical {
			t.Errorf("%s: critical path %s, want %s", c.file, got, c.critical)
		}
	}
}

func path(p Path) string {
	var out []string
	for _, s := range p.Steps {
		name := s.Package
		if s.Link {
			name = "link:" + name
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// TestKnownCosts: what an earlier build has compiled is known of one that finds it in its
// cache, by the inputs.
func TestKnownCosts(t *testing.T) {
	_, cold, err := LoadTimed(filepath.Join("testdata", "go1.26.8.json"))
	if err != nil {
		t.Fatal(err)
	}
	_, warm, err := LoadTimed(filepath.Join("testdata", "go1.26.8-warm.json"))
	if err != nil {
		t.Fatal(err)
	}
	known := cold.Compiled()
	for id := range known {
		if !cold.IDs()[id] {
			t.Errorf("%s is no compile", id)
		}
	}
	was, now := cold.Times(nil), warm.Times(known)
	if now.CachedUnknown != 0 || now.CachedCost.CPU == 0 || now.PathOfAll == nil {
		t.Fatalf("not known of %d, %v, %v", now.CachedUnknown, now.CachedCost, now.PathOfAll)
	}
	for i, p := range now.Packages {
		before := was.Packages[i]
		switch {
		case p.Package != before.Package:
			t.Fatalf("%s and %s", p.Package, before.Package)
		case !p.Ran && (p.CPU != before.CPU || p.Wall != before.Wall):
			t.Errorf("%s: %v, compiled for %v", p.Package, p.Cost, before.Cost)
		case p.Ran == (p.Action == before.Action):
			t.Errorf("%s: ran: %v, action %s and %s", p.Package, p.Ran, p.Action, before.Action)
		}
	}
	if got, want := path(*now.PathOfAll), path(was.CriticalPath); got != want {
		t.Errorf("critical path of all %s, want %s", got, want)
	}
	if now.PathOfAll.CPU <= now.CriticalPath.CPU || now.CPU+now.CachedCost.CPU < now.PathOfAll.CPU {
		t.Errorf("%v of all, %v of what ran", now.PathOfAll.CPU, now.CriticalPath.CPU)
	}
	// A change in a package of which something is not known says so.
	delete(known, was.Packages[slices.IndexFunc(was.Packages, func(p PackageTime) bool { return p.Package == "runtime" })].Action)
	for _, p := range warm.Times(known).Packages {
		if knows, want := p.FanOut.Unknown, map[string]int{"internal/goarch": 1, "internal/abi": 1, "runtime": 1, "internal/runtime/sys": 1}[p.Package]; knows != want {
			t.Errorf("a change in %s: not known of %d, want %d", p.Package, knows, want)
		}
	}
}

// diamond is two programs of five packages: m1 and m2 import b and c, which import a.
// c has a step of its own, and took the longest; m1's link was kept.
const diamond = `[
{"ID":0,"Mode":"link","Package":"m1","Deps":[2,4,5,6],"ActionID":"l1"},
{"ID":1,"Mode":"link","Package":"m2","Deps":[3,4,5,6],"ActionID":"l2","Cmd":["C:\\go\\pkg\\tool\\link.exe -o"],"CmdUser":50,"TimeStart":"2026-01-01T00:00:09Z","TimeDone":"2026-01-01T00:00:10Z"},
{"ID":2,"Mode":"build","Package":"m1","Deps":[4,5],"ActionID":"m1"},
{"ID":3,"Mode":"build","Package":"m2","Deps":[4,5],"ActionID":"m2","Cmd":["\"/a b/compile\" -o"],"CmdUser":3,"TimeStart":"2026-01-01T00:00:08Z","TimeDone":"2026-01-01T00:00:09Z"},
{"ID":4,"Mode":"build","Package":"b","Deps":[6],"ActionID":"b","Cmd":["compile","asm"],"CmdUser":10,"CmdSys":1,"TimeStart":"2026-01-01T00:00:02Z","TimeDone":"2026-01-01T00:00:08Z"},
{"ID":5,"Mode":"build","Package":"c","Deps":[6,7],"ActionID":"c","Cmd":["compile"],"CmdUser":8,"TimeStart":"2026-01-01T00:00:04Z","TimeDone":"2026-01-01T00:00:05Z"},
{"ID":6,"Mode":"build","Package":"a","ActionID":"a"},
{"ID":7,"Mode":"cgo run","Package":"c","Deps":[6],"Cmd":["cgo"],"CmdUser":4,"TimeStart":"2026-01-01T00:00:02Z","TimeDone":"2026-01-01T00:00:04Z"},
null]`

func TestTimes(t *testing.T) {
	x := timing(t, diamond).Times(Costs{"a": {CPU: 100, Wall: 200}})
	got := fmt.Sprintf("%d %s linked %d, kept %d, cached %d, not known %d\n", x.CPU, x.Elapsed, x.Links, x.LinksKept, x.CachedCost.CPU, x.CachedUnknown)
	for _, s := range x.Steps {
		got += fmt.Sprintf("%s %s %s %s %d\n", s.Package, s.Kind(), s.Start, s.Wall, s.CPU)
	}
	for _, p := range x.Packages {
		got += fmt.Sprintf("%s ran %v known %v %d; %+v\n", p.Package, p.Ran, p.Known, p.CPU, p.FanOut)
	}
	got += fmt.Sprint(path(x.CriticalPath), " ", x.CriticalPath.CPU, x.PathOfAll)
	const want = `76 8s linked 1, kept 1, cached 100, not known 1
b asm+compile 0s 6s 11
c cgo 0s 2s 4
c compile 2s 1s 8
m2 compile 6s 1s 3
m2 link 7s 1s 50
a ran false known true 100; {Packages:5 Links:2 CPU:176ns Unknown:2}
b ran true known true 11; {Packages:3 Links:2 CPU:64ns Unknown:2}
c ran true known true 12; {Packages:3 Links:2 CPU:65ns Unknown:2}
m1 ran false known false 0; {Packages:1 Links:1 CPU:0s Unknown:2}
m2 ran true known true 3; {Packages:1 Links:1 CPU:53ns Unknown:0}
c m2 link:m2 65ns <nil>`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestFanOut: more packages than the bits of a word, each of which imports the one before.
func TestFanOut(t *testing.T) {
	const n = 150
	var b strings.Builder
	b.WriteString(`[{"ID":1000,"Mode":"link","Package":"p149","Deps":[149],"ActionID":"l","Cmd":["link"],"CmdUser":7}`)
	for i := n - 1; i >= 0; i-- {
		fmt.Fprintf(&b, `,{"ID":%d,"Mode":"build","Package":"p%03d","Deps":[%d],"ActionID":"x%d","Cmd":["compile"],"CmdUser":1}`, i, i, i-1, i)
	}
	b.WriteString("]")
	for i, p := range timing(t, b.String()).Times(nil).Packages {
		if want := (FanOut{Packages: n - i, Links: 1, CPU: time.Duration(n - i + 7)}); p.FanOut != want {
			t.Errorf("%s: %+v, want %+v", p.Package, p.FanOut, want)
		}
	}
}

func TestCircle(t *testing.T) {
	name := filepath.Join(t.TempDir(), "graph")
	if err := os.WriteFile(name, []byte(`[{"ID":0,"Deps":[1]},{"ID":1,"Deps":[0],"Mode":"build","Package":"p","ActionID":"x"}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadTimed(name); err == nil || !strings.Contains(err.Error(), "circle") || !strings.Contains(err.Error(), name) {
		t.Errorf("%v", err)
	}
}

// FuzzTimes works out the times of whatever can be read.
func FuzzTimes(f *testing.F) {
	f.Add([]byte(diamond))
	for _, v := range []string{"go1.21.13", "go1.26.8-warm"} {
		data, err := os.ReadFile(filepath.Join("testdata", v+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		nodes, err := readNodes(bytes.NewReader(data))
		if err != nil {
			return
		}
		x, err := newTiming(nodes)
		if err != nil {
			return
		}
		times := x.Times(x.Compiled())
		var sum Cost
		for _, s := range times.Steps {
			if s.Start < 0 || s.Wall < 0 || s.Start+s.Wall > times.Elapsed || len(s.Tools) == 0 {
				t.Fatalf("%+v of %s", s, times.Elapsed)
			}
			sum.CPU += s.CPU
			sum.Wall += s.Wall
		}
		if sum != times.Cost {
			t.Errorf("%v, and steps of %v", times.Cost, sum)
		}
		for _, p := range times.Packages {
			if n := p.FanOut.Packages; n < 1 || n > len(times.Packages) {
				t.Errorf("%q: %+v of %d", p.Package, p.FanOut, len(times.Packages))
			}
		}
	})
}
