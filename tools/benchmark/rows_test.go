package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkQuick: what was asked for was measured, and all sides did the same.
func checkQuick(t *testing.T, samples, table string) {
	data, err := os.ReadFile(samples)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]map[string][]sample
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	p := quickProject()
	p.rows = strings.Split("idle,actions,first,same,large,overhead,plan", ",")
	for _, r := range rowsOf(&p) {
		res := r.measured(all["quick"])
		if res.ours.n != 1 || res.ours.mid < 0 || res.ours.mid == 0 && r.name != "idle" {
			t.Errorf("%s: %s: %+v", r.name, r.what, res.ours)
		}
		if r.theirs != "" && (res.ratio.n != 1 || res.ratio.mid <= 0) {
			t.Errorf("%s: %s: ratio %+v", r.name, r.what, res.ratio)
		}
		if !strings.Contains(table, r.what) {
			t.Errorf("no line says %q", r.what)
		}
	}
	for name, list := range all["quick"] {
		for _, s := range list {
			if s.CPU <= 0 || s.Wall <= 0 || s.Anon <= 0 || s.Peak < s.Anon || s.Looks < 2 {
				t.Errorf("%s: %+v", name, s)
			}
		}
	}
	hand := all["quick"][handCold][0]
	// Of two loops, one's compilers and linkers are a part. That they are no more
	// than half cannot be asked: the two do not take the same time.
	if len(hand.Digests) != p.binaries() || hand.Actions <= 0 || hand.Actions > hand.CPU {
		t.Errorf("the loop: %d binaries, %v in actions of one of two loops that took %v", len(hand.Digests), hand.Actions, hand.CPU)
	}
	for _, verb := range []string{"build", "release"} {
		if want := fmt.Sprintf("Of the loop's %d binaries, `mintmark %s` made %[1]d with the same bytes.", p.binaries(), verb); !strings.Contains(table, want) {
			t.Errorf("the report does not say %q:\n%s", want, table)
		}
	}
}

func TestVerdicts(t *testing.T) {
	s := func(seconds ...float64) (out []sample) {
		for _, v := range seconds {
			out = append(out, sample{CPU: time.Duration(v * float64(time.Second))})
		}
		return out
	}
	for _, tt := range []struct {
		row          row
		ours, theirs []sample
		want         string // the cells after the text
	}{
		{row{value: cpu, theirs: "t", reach: 1.05}, s(2, 3, 4), s(2, 3, 2), "3.00 s (2.00 s–4.00 s)|2.00 s (2.00 s–3.00 s)|3|1.000 (1.000–2.000)|≤ 1.05|reached"},
		{row{value: cpu, theirs: "t", reach: 0.9}, s(2, 3, 4), s(2, 3, 2), "3.00 s (2.00 s–4.00 s)|2.00 s (2.00 s–3.00 s)|3|1.000 (1.000–2.000)|≤ 0.90|missed"},
		{row{value: cpu, theirs: "t", reach: 1.0 / 50, reachText: "1/50"}, s(2, 3), s(200), "2.50 s (2.00 s–3.00 s)|200.0 s|2 : 1|1/80.0 (1/100.0–1/66.7)|≤ 1/50|reached"},
		{row{value: cpu, theirs: "t", reach: 1}, s(2), nil, "2.00 s|not measured|1||≤ 1.00|not measured"},
		{row{value: cpu, theirs: "t"}, s(2), s(1), "2.00 s|1.00 s|1|2.000|–|"},
		{row{value: cpu, reach: 0.15, reachText: "0.15 s"}, s(0.125), nil, "0.125 s||1||≤ 0.15 s|reached"},
		{row{value: cpu, reach: 0.15, reachText: "0.15 s"}, nil, nil, "not measured||0||≤ 0.15 s|not measured"},
		{row{value: idle, reach: 0.05}, []sample{{Idle: 0.06}, {Idle: -1}}, nil, "6.0 %||1||≤ 5.0 %|missed"},
		{row{value: idle, bound: unused, reach: 0.05}, []sample{{Idle: 0.06, Unused: 0.055}}, nil, "6.0 %||1||≤ 5.0 %|missed"},
		{row{value: idle, bound: unused, reach: 0.05}, []sample{{Idle: 0.06, Unused: 0.01}}, nil, "6.0 %||1||≤ 5.0 %|undecided: others used the machine"},
		{row{value: idle, bound: unused, reach: 0.05}, []sample{{Idle: 0.04, Unused: 0.01}}, nil, "4.0 %||1||≤ 5.0 %|reached"},
		{row{value: peak, below: budget}, []sample{{Peak: 300 << 20}}, nil, "300 MiB||1||≤ 400 MiB|reached"},
		{row{value: peak, below: budget}, []sample{{Peak: 600 << 20}}, nil, "600 MiB||1||≤ 400 MiB|missed"},
		{row{value: own, reach: 0.5}, []sample{{CPU: 3 * time.Second, InGo: 2750 * time.Millisecond}}, nil, "0.250 s||1||≤ 0.500 s|reached"},
	} {
		tt.row.ours = "o"
		res := tt.row.measured(map[string][]sample{"o": tt.ours, "t": tt.theirs})
		if got := strings.Join(res.cells(&bench{memory: 500 << 20})[2:], "|"); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// TestRows: every row of a project can be measured, and every series is of a row.
func TestRows(t *testing.T) {
	for _, p := range append(projects(), quickProject()) {
		rows := rowsOf(&p)
		for _, name := range p.rows {
			if !slices.ContainsFunc(rows, func(r row) bool { return r.name == name }) {
				t.Errorf("%s has no row %s", p.name, name)
			}
		}
		if p.module != self && len(p.platforms) != 8 && len(p.platforms) != 48 && p.name != "quick" {
			t.Errorf("%s has %d platforms", p.name, len(p.platforms))
		}
		slices.Sort(p.platforms)
		if n := len(slices.Compact(p.platforms)); n != len(p.platforms) {
			t.Errorf("%s: a platform twice", p.name)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"350 ms": 350 * time.Millisecond, "3.2 s": 3200 * time.Millisecond, "12 s": 12 * time.Second,
		"2 min 05 s": 125 * time.Second, "2 min": 2 * time.Minute, "0 s": 0,
	} {
		if got, err := cpuInGo("x 1.0: 8 artifacts: 8 identical\nout (1 min 02 s, " + text + " of CPU in go)\n"); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if _, err := cpuInGo("out (3 s)\n"); err == nil {
		t.Error("a line without the CPU was accepted")
	}
}

func TestCool(t *testing.T) {
	cache := t.TempDir()
	write := func(name string) {
		t.Helper()
		path := filepath.Join(cache, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stays := []string{"first/go/go1/bin/go", "first/modcache/cache/x", "second/toolchains/go1/bin/go"}
	goes := []string{"first/gocache/00/x-a", "first/other", "second/gocache/x", "ledger/x", "costs.json", "work/run-1/x"}
	for _, name := range append(slices.Clone(goes), stays[:2]...) {
		write(name)
	}
	if err := cool(cache); err == nil || !strings.Contains(err.Error(), "second/toolchains") {
		t.Fatalf("a cache without a second toolchain: %v", err)
	}
	write(stays[2])
	if err := cool(cache); err != nil {
		t.Fatal(err)
	}
	for _, name := range stays {
		if _, err := os.Stat(filepath.Join(cache, name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range goes {
		if _, err := os.Stat(filepath.Join(cache, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestUniqueActions(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for i, text := range []string{
		`[{"ActionID":"a","Cmd":["x"],"CmdUser":5,"CmdSys":1},{"ActionID":"b","Cmd":["x"],"CmdUser":10},{"ActionID":"c","CmdUser":100}]`,
		`[{"ActionID":"a","Cmd":["x"],"CmdUser":7},{"ActionID":"d","Cmd":["x"],"CmdUser":1000}]`,
	} {
		name := filepath.Join(dir, string(rune('a'+i)))
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if got, err := uniqueActions(names); err != nil || got != 1016 {
		t.Errorf("got %d, %v; want 1016: a once, and not c, which did not run", got, err)
	}
}

func TestUpdate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "b.md")
	text := "# x\n<!-- benchmark fzf -->\nold\n<!-- end of benchmark fzf -->\nkept\n<!-- benchmark yq -->\nyq\n<!-- end of benchmark yq -->\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := update(file, "fzf", "new\n"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if want := strings.Replace(text, "old", "new", 1); err != nil || string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := update(file, "age", "new\n"); err == nil {
		t.Error("no marks, and no error")
	}
}

// TestMarks: docs/reports/benchmarks.md has a place for every project.
func TestMarks(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "reports", "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "benchmarks.md")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, p := range projects() {
		if err := update(file, p.name, "x\n"); err != nil {
			t.Error(err)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-rows=nothing"}, {"-project=nothing"}, {"-update", "-pairs=3"}, {"-update", "-rows=cold"}, {"-pairs=-1"}, {"word"}, {"-update", "-quick"}} {
		if _, err := parse(args, &strings.Builder{}); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
	if o, err := parse([]string{"-rows=cold,same", "-project=fzf,age", "-pairs=3"}, &strings.Builder{}); err != nil || len(o.rows) != 2 || len(o.projects) != 2 || o.pairs != 3 {
		t.Errorf("%+v, %v", o, err)
	}
}
