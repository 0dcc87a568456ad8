package report

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/internal/sizes"
)

// buildTimes are those of two builds of the unit that inputs has, and of one elsewhere.
func buildTimes() []BuildTime {
	ms := time.Millisecond
	cost := func(cpu, wall time.Duration) actions.Cost { return actions.Cost{CPU: cpu, Wall: wall} }
	modules := []BuildModule{
		{sizes.GroupOwn, sizes.Mod{Path: "example.com/tool", Version: "v1.2.3"}, []string{"example.com/tool"}},
		{sizes.GroupDependency, sizes.Mod{Path: hostile, Version: "v1.1.0"}, []string{hostile + "/x"}},
		{sizes.GroupStd, sizes.Mod{Path: "std"}, []string{"fmt", "runtime"}},
	}
	first := &actions.Times{
		Cost: cost(1260*ms, 900*ms), Elapsed: 1000 * ms, Links: 1,
		Steps: []actions.Ran{
			{Package: "runtime", Tools: []string{"asm", "compile"}, Cost: cost(900*ms, 500*ms)},
			{Package: hostile + "/x", Tools: []string{"compile"}, Cost: cost(100*ms, 100*ms), Start: 500 * ms},
			{Package: "example.com/tool", Tools: []string{"compile"}, Cost: cost(60*ms, 100*ms), Start: 600 * ms},
			{Package: "example.com/tool", Link: true, Tools: []string{"link"}, Cost: cost(200*ms, 200*ms), Start: 800 * ms},
		},
		Packages: []actions.PackageTime{
			{Package: hostile + "/x", Action: "x", Ran: true, Known: true, Cost: cost(100*ms, 100*ms), FanOut: actions.FanOut{Packages: 2, Links: 1, CPU: 360 * ms}},
			{Package: "example.com/tool", Action: "t", Ran: true, Known: true, Cost: cost(60*ms, 100*ms), FanOut: actions.FanOut{Packages: 1, Links: 1, CPU: 260 * ms}},
			{Package: "fmt", Action: "f", FanOut: actions.FanOut{Packages: 2, Links: 1, CPU: 260 * ms, Unknown: 1}},
			{Package: "runtime", Action: "r", Ran: true, Known: true, Cost: cost(900*ms, 500*ms), FanOut: actions.FanOut{Packages: 4, Links: 1, CPU: 1260 * ms, Unknown: 1}},
		},
		CriticalPath: actions.Path{Cost: cost(1260*ms, 900*ms), Steps: []actions.PathStep{
			{Package: "runtime", Cost: cost(900*ms, 500*ms)}, {Package: hostile + "/x", Cost: cost(100*ms, 100*ms)},
			{Package: "example.com/tool", Cost: cost(60*ms, 100*ms)}, {Package: "example.com/tool", Link: true, Cost: cost(200*ms, 200*ms)},
		}},
		CachedUnknown: 1,
	}
	second := *first
	second.Cost, second.Elapsed = cost(200*ms, 200*ms), 300*ms
	second.Steps = []actions.Ran{{Package: "example.com/tool", Link: true, Tools: []string{"link"}, Cost: second.Cost, Start: 100 * ms}}
	second.Packages = slices.Clone(first.Packages)
	for i := range second.Packages {
		second.Packages[i].Ran = false
	}
	second.CachedCost, second.CriticalPath = cost(1060*ms, 700*ms), actions.Path{Cost: second.Cost, Steps: first.CriticalPath.Steps[3:]}
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	list := []BuildTime{
		{Profile: "release", Platform: "linux/amd64", By: "first", Command: 1300 * ms, Modules: modules, Times: first, Began: began},
		{Profile: "release", Platform: "linux/amd64", By: "second", Command: 230 * ms, Modules: modules, Times: &second, Began: began.Add(2 * time.Second)},
		{Profile: "release", Platform: "windows/amd64", By: "first", NotMeasured: "built elsewhere: " + hostile},
	}
	slices.SortFunc(first.Packages, func(a, b actions.PackageTime) int { return strings.Compare(a.Package, b.Package) })
	slices.SortFunc(second.Packages, func(a, b actions.PackageTime) int { return strings.Compare(a.Package, b.Package) })
	return list
}

// text is all cells of a section's tables, a row a line.
func text(s Section) string {
	var b strings.Builder
	tables := slices.Clone(s.Tables)
	for _, p := range s.Parts {
		b.WriteString("part " + p.Title + "\n")
		tables = append(tables, p.Tables...)
	}
	for _, t := range tables {
		b.WriteString(t.Title + ":\n")
		for _, row := range t.Rows {
			b.WriteString(strings.Join(row, "|") + "\n")
		}
	}
	for _, n := range s.Notes {
		b.WriteString("- " + n + "\n")
	}
	return strings.ReplaceAll(b.String(), hostile, "HOSTILE")
}

// TestComposeTime: what came out of the cache did not cost nothing, and what is not known
// is not zero.
func TestComposeTime(t *testing.T) {
	s := ComposeTime(buildTimes(), nil, "")
	got := text(s)
	for _, want := range []string{
		"linux/amd64, first build|1.0 s|1.3 s|40 ms|3|1|not known|1|1.3 s\n",
		"linux/amd64, second build|300 ms|200 ms|30 ms|0|4|1.1 s, not known of 1|1|200 ms\n",
		"- windows/amd64, first build: not measured: built elsewhere: HOSTILE\n",
		"asm+compile|1|900 ms|71.4 %|500 ms\n",
		"link|1|200 ms|15.9 %|200 ms\n",
		"standard library|1|1|900 ms|71.4 %|500 ms|not known\n",
		"standard library|0|2|–|–|–|900 ms, not known of 1\n",
		"runtime|standard library|900 ms|71.4 %|500 ms\n",
		"fmt|standard library|cached|–|–\n",
		"runtime|standard library|cached (900 ms)|–|–\n",
		"example.com/tool|own code|1 package, 1 link|260 ms\nHOSTILE/x|HOSTILE|2 packages, 1 link|360 ms\n",
		"link of example.com/tool|200 ms|100.0 %|200 ms\nall of it|200 ms|100.0 %|200 ms\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if s.Parts[0].Open == s.Parts[1].Open {
		t.Error("not one build is shown in full")
	}
	if s := ComposeTime(nil, nil, ""); s.NotMeasured == "" {
		t.Error("nobody measured, and that is not said")
	}
	if s := ComposeTime(buildTimes()[2:], nil, ""); s.NotMeasured == "" || len(s.Notes) != 1 {
		t.Errorf("no build has times: %+v", s)
	}
}

// TestTimeDelta: what has other inputs than in an earlier release is named, whatever it
// took; what has the same says how fast the machines were.
func TestTimeDelta(t *testing.T) {
	was, now := buildTimes()[:1], buildTimes()[:2]
	was[0].Packages = slices.Clone(was[0].Packages)
	for i := range was[0].Packages {
		switch p := &was[0].Packages[i]; p.Package {
		case "example.com/tool":
			p.Action, p.CPU = "other", 10*time.Millisecond
		case "fmt":
			p.Package = "gone"
		case "runtime":
			p.CPU /= 2
		}
	}
	got := text(ComposeTime(now, was, "1.2.2"))
	for _, want := range []string{
		"part linux/amd64, first build, since 1.2.2: 3 packages with other inputs, new or gone; 2 as before\n",
		"example.com/tool|10 ms|60 ms|+50 ms\n",
		"fmt|not in it|cached|\n",
		"gone|cached|not in it|\n",
		"packages compiled of the same inputs in both|2\nCPU of the median one, now ÷ before|×2.00\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "second build, since") {
		t.Error("the second build is compared with nothing")
	}
}

// TestWriteTrace reads a trace as a viewer does: one thread for what ran at a time, both
// builds where they were in time.
func TestWriteTrace(t *testing.T) {
	builds := buildTimes()
	builds[0].Times.Steps[1].Start = 400 * time.Millisecond // while the runtime is compiled
	var b bytes.Buffer
	if err := WriteTrace(&b, builds); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		TraceEvents []traceEvent
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	var got []string
	for _, e := range doc.TraceEvents {
		data, err := json.Marshal([]any{e.Phase, e.PID, e.TID, e.TS, e.Dur, e.Cat})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(data))
	}
	want := []string{
		`["M",1,0,0,0,""]`, `["X",1,1,0,500000,"std"]`, `["X",1,2,400000,100000,"dependency"]`, `["X",1,1,600000,100000,"own"]`, `["X",1,1,800000,200000,"own"]`,
		`["M",2,0,0,0,""]`, `["X",2,1,2100000,200000,"own"]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestCheckTime refuses times that no page has a place for.
func TestCheckTime(t *testing.T) {
	m := inputs().Measurements
	m.BuildTime = buildTimes()
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	read, err := ParseMeasurements(data)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := read.Encode(); err != nil || !bytes.Equal(again, data) {
		t.Errorf("%v\n%s\nread and written\n%s", err, data, again)
	}
	for name, bad := range map[string]func(b *BuildTime){
		"nothing":               func(b *BuildTime) { b.Times = nil },
		"a sum":                 func(b *BuildTime) { b.CPU++ },
		"below zero":            func(b *BuildTime) { b.Command = -1 },
		"too long":              func(b *BuildTime) { b.Elapsed = maxTime + 1 },
		"after the end":         func(b *BuildTime) { b.Steps[3].Start += 1 },
		"before the beginning":  func(b *BuildTime) { b.Steps[0].Start = -1 },
		"no tools":              func(b *BuildTime) { b.Steps[0].Tools = nil },
		"a package twice":       func(b *BuildTime) { b.Packages[1].Package = b.Packages[0].Package },
		"ran and is not known":  func(b *BuildTime) { b.Packages[0].Known = false },
		"links below zero":      func(b *BuildTime) { b.Packages[0].FanOut.Links = -1 },
		"a longer path":         func(b *BuildTime) { b.CriticalPath.CPU++ },
		"an unknown group":      func(b *BuildTime) { b.Modules = slices.Clone(b.Modules); b.Modules[0].Group = hostile },
		"a path below zero":     func(b *BuildTime) { b.CriticalPath.Steps[0].CPU = -1 },
		"a path of all, longer": func(b *BuildTime) { b.PathOfAll = &actions.Path{Cost: actions.Cost{CPU: 1}} },
	} {
		m.BuildTime = buildTimes()[:1]
		bad(&m.BuildTime[0])
		data, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseMeasurements(data); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
