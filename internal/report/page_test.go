package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/retained"
	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/startup"
	"github.com/mintmark/mintmark/internal/stats"
)

var update = flag.Bool("update", false, "write the golden files anew")

// hostile is what somebody might call something.
const hostile = "<script>alert(1)</script>\n\"'|`*[x](https://evil.example/)\u202e"

func digest(c string) string { return strings.Repeat(c, 64) }

// inputs are those of a small release with everything in it.
func inputs() Inputs {
	m := &checksums.Manifest{
		Kind: checksums.KindRelease, Project: "tool", Version: "1.2.3",
		Source:    checksums.Source{Module: "example.com/tool", Version: "v1.2.3", Sum: "h1:abc=", SumDB: true, Commit: strings.Repeat("c", 40), CommitTime: "2026-01-02T03:04:05Z", Tags: []string{"v1.2.3"}},
		Toolchain: fact.Toolchain{Version: "go1.26.8", Module: "golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64", Sum: "h1:def=", SumDB: true},
		Builder:   checksums.Builder{Name: "mintmark", Version: "(devel)"},
		PlanID:    digest("9"),
		Rebuild:   checksums.Rebuild{Executions: 2, Varied: []string{"HOME", "TZ"}, Shared: []string{"machine"}},
		Artifacts: []checksums.Artifact{
			{Name: "tool_1.2.3_linux_amd64.tar.gz", Profile: "release", Platform: "linux/amd64", Stage: fact.Archived, Size: 1 << 20, SHA256: digest("a"), Published: true, Verdict: fact.Identical},
			{Name: "tool", Profile: "release", Platform: "linux/amd64", Stage: fact.Linked, Size: 3000, SHA256: digest("b"), Verdict: fact.Identical},
			{Name: hostile, Profile: "release", Platform: "windows/amd64", Stage: fact.Linked, Size: 4000, SHA256: digest("d"), Verdict: fact.Identical},
		},
	}
	low := 0.03
	control := startup.Comparison{Base: "plain", Program: "plain", Ratio: 1, Low: 0.99, High: 1.01, Pairs: 40, Verdict: stats.NoDifference}
	memory := int64(4096)
	return Inputs{
		Manifest: m, Signed: true, SignedBy: fact.KeyID("KEY="),
		Measurements: &Measurements{
			Schema: fact.MeasurementsSchema, Project: "tool", Version: "1.2.3", BuildTime: buildTimes(),
			Sizes: []Sized{
				{Profile: "release", Platform: "linux/amd64", Name: "tool", SHA256: digest("b"), Summary: summary(hostile, "v1.1.0", 700),
					Imports: ImportTree{"example.com/tool": {"encoding/json", hostile + "/x", "runtime"}, "encoding/json": {"unicode/utf16"}}},
				{Profile: "release", Platform: "windows/amd64", Name: hostile, SHA256: digest("d"), NotMeasured: "no function table: " + hostile},
			},
			Startup: []Startup{{
				Result: &startup.Result{
					Schema: fact.StartupReport, Host: startup.Host{Platform: "linux/amd64", CPUs: 2, Load: []float64{0.5, 1}}, Ready: "exit", Seed: 7, Confidence: 0.95,
					Programs: []startup.Subject{
						{Name: "plain", File: startup.File{Size: 3000, SHA256: digest("b")}, Memory: &startup.Memory{PrivateDirty: 1 << 20}},
						{Name: hostile, File: startup.File{Size: 1500, SHA256: digest("e")}, Memory: &startup.Memory{NotMeasured: "no /proc"}},
						{Name: "foreign", File: startup.File{Size: 10, SHA256: digest("f")}, NotMeasured: "it is for windows/amd64"},
					},
					Runs: []startup.Run{
						{Cache: startup.Warm, Rounds: 40, Control: &control, NoiseFloor: &low,
							Times:       []startup.Summary{{Program: "plain", Median: 1.5e6, Low: 1.4e6, High: 1.6e6}, {Program: hostile, Median: 3e7, Low: 2.9e7, High: 3.2e7}},
							Comparisons: []startup.Comparison{{Base: "plain", Program: hostile, Ratio: 20, Low: 19, High: 21, Verdict: stats.More}}},
						{Cache: startup.Cold, NotMeasured: "not asked for"},
					},
				},
				Profile: "release", Platform: "linux/amd64",
				Packing: []Packed{{Program: hostile, Plain: "plain", Packer: "UPX 3.94", Packing: &startup.Packing{DiskSaved: 1500, Extra: 2.85e7, ExtraMemory: &memory,
					Rows: []startup.BreakEven{{Form: startup.FormRaw, Plain: 3000, Packed: 1500, Saved: 1500, Starts: 1, Pays: startup.Below, Bandwidth: 5.2e4}, {Form: startup.FormGzip, Starts: 1, Pays: startup.Never}}}}},
			}},
			Savings: []Savings{{Schema: fact.SavingsReport, Project: "tool", Version: "1.2.3", Profile: "release", Platform: "linux/amd64", Notes: []string{hostile},
				Steps: []Saving{{Name: "plain", Size: 5000, Gzip: 2500, Zstd: 2400}, {Name: "-w", Size: 3000, Gzip: 1500, Zstd: 1400}, {Name: "PGO", NotMeasured: "the profile has none"}}}},
			Retained: []Retained{{Schema: fact.RetainedReport, Project: "tool", Version: "1.2.3", Profile: "release", Platform: "linux/amd64", Size: 5000, Notes: []string{hostile}, Dependencies: []Dependency{
				{Module: hostile, Version: "v1.0.0", Packages: []string{hostile + "/x"}, Cost: &retained.Cost{Own: 500, Retained: 900, Stays: 20, Along: []retained.Amount{{Package: hostile, Size: 300}, {Package: "regexp", Size: 100}}}},
				{Module: "example.com/c", Packages: []string{"example.com/c"}, NotMeasured: hostile},
			}}},
		},
		Changes: &fact.Changes{Since: "v1.2.2", Subjects: []string{"Mend what " + hostile + " broke", ""}, More: 3},
		Previous: &Measurements{Schema: fact.MeasurementsSchema, Project: "tool", Version: "1.2.2", Sizes: []Sized{
			{Profile: "release", Platform: "linux/amd64", Name: "tool", SHA256: digest("0"), Summary: summary(hostile, "v1.0.0", 650), Imports: ImportTree{"example.com/tool": {hostile + "/x", "runtime"}}},
			{Profile: "release", Platform: "linux/386", Name: "tool", SHA256: digest("0"), NotMeasured: "x"},
		}},
	}
}

func summary(dep, version string, dependency int64) *sizes.Summary {
	pkg := func(path string, size int64) sizes.Package {
		return sizes.Package{Path: path, Size: size, Totals: sizes.Totals{Exact: size}}
	}
	group := func(name, module, version string, p ...sizes.Package) sizes.Group {
		g := sizes.Group{Name: name, Modules: []sizes.Module{{Mod: sizes.Mod{Path: module, Version: version}, Packages: p}}}
		for _, x := range p {
			g.Size += x.Size
			g.Modules[0].Size += x.Size
		}
		return g
	}
	none := sizes.Package{Size: 300, Totals: sizes.Totals{Shared: 300}, Kinds: []sizes.Amount{{Name: "headers", Size: 300}}}
	return &sizes.Summary{
		Schema: fact.SizeReport, File: "tool", Size: 2300 + dependency, Format: "elf", Arch: "amd64", GoVersion: "go1.26.8", SymbolsFrom: sizes.SymbolsNone,
		Totals: sizes.Totals{Exact: 1900 + dependency, Inferred: 100, Shared: 300}, Notes: []string{hostile},
		Groups: []sizes.Group{
			group(sizes.GroupOwn, "example.com/tool", "", pkg("example.com/tool", 900), pkg("main", 100)),
			group(sizes.GroupDependency, dep, version, pkg(dep+"/x", dependency)),
			group(sizes.GroupStd, "std", "", pkg("runtime", 1000)),
			group(sizes.GroupNone, "", "", none),
		},
	}
}

func renderings(t *testing.T, in Inputs) map[string][]byte {
	t.Helper()
	p := Compose(in)
	var h, m bytes.Buffer
	if err := HTML(&h, p); err != nil {
		t.Fatal(err)
	}
	if err := Markdown(&m, ComposeShort(in, p)); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{HTMLFile: h.Bytes(), MarkdownFile: m.Bytes()}
}

// TestGolden compares the renderings with files that somebody has looked at.
func TestGolden(t *testing.T) {
	for name, got := range renderings(t, inputs()) {
		file := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not as in %s; look at the difference, and write it with -update", name, file)
		}
	}
}

// TestDeterministic renders the same inputs again and again: maps are walked in
// another order each time.
func TestDeterministic(t *testing.T) {
	first := renderings(t, inputs())
	for range 20 {
		for name, again := range renderings(t, inputs()) {
			if !bytes.Equal(first[name], again) {
				t.Fatalf("%s differs from one time to the next", name)
			}
		}
	}
}

// TestSelfContained looks for everything that a browser would load or run, and
// for text that became markup.
func TestSelfContained(t *testing.T) {
	in := inputs()
	in.Manifest.Project = hostile
	in.Manifest.Artifacts[0].Verdict = "identical\" onload=\"x"
	page := string(renderings(t, in)[HTMLFile])
	for _, bad := range []string{`(?i)<script`, `(?i)<(link|img|iframe|object|embed|base|video|audio|use|image|foreignObject|form)\b`, `(?i)\s(src|srcset|action|background|poster|xlink:href)\s*=`,
		`(?i)href="[^#.]`, `(?i)url\(`, `(?i)@import`, `(?i)<[^>]*\son[a-z]+="`, `\x{202e}`, `(?i)javascript:`} {
		if found := regexp.MustCompile(bad).FindString(page); found != "" {
			t.Errorf("the page has %q", found)
		}
	}
	if !strings.Contains(page, `content="default-src 'none'; style-src 'unsafe-inline'"`) {
		t.Error("no policy against loading anything")
	}
	markdown := string(renderings(t, in)[MarkdownFile])
	markdown = regexp.MustCompile("(?ms)^```+\n[^\n]*\n```+$").ReplaceAllString(markdown, "") // a command is literal
	for _, bad := range []string{"<script", "[x](http", "x](http", "https://evil", "\u202e", "\n\"'"} {
		if strings.Contains(markdown, bad) {
			t.Errorf("the Markdown has %q", bad)
		}
	}
	for _, line := range strings.Split(markdown, "\n") {
		if strings.HasPrefix(line, "| ") && !strings.HasSuffix(line, "|") {
			t.Errorf("a row does not end: %q", line)
		}
	}
}

// TestAlike finds every table cell of the page in the Markdown, and every text.
func TestAlike(t *testing.T) {
	p := Compose(inputs())
	var h, m bytes.Buffer
	if err := errors.Join(HTML(&h, p), Markdown(&m, p)); err != nil {
		t.Fatal(err)
	}
	html, markdown := h.String(), m.String()
	var tables []Table
	for _, s := range p.Sections {
		tables = append(tables, s.Tables...)
		for _, part := range s.Parts {
			tables = append(tables, part.Tables...)
		}
	}
	rows := 0
	for _, table := range tables {
		for _, row := range table.Rows {
			rows++
			if len(row) != len(table.Columns) {
				t.Errorf("table %q: row of %d cells under %d columns", table.Title, len(row), len(table.Columns))
			}
			line := ""
			for _, cell := range row {
				line += "| " + inline(cell) + " "
			}
			if !strings.Contains(markdown, line+"|\n") {
				t.Errorf("the Markdown has no row %q", line)
			}
		}
	}
	if n := strings.Count(html, "<tr>") - len(tables); n != rows {
		t.Errorf("the page has %d rows, its tree %d", n, rows)
	}
}

// TestNotMeasured takes everything away: each section says why it is empty.
func TestNotMeasured(t *testing.T) {
	in := inputs()
	for name, m := range map[string]*Measurements{"none": nil, "sizes": {BenchDeclared: []string{"release"}, Sizes: in.Measurements.Sizes}, "failed": {Sizes: in.Measurements.Sizes[1:]}, "only bench": {Startup: in.Measurements.Startup}} {
		in.Measurements, in.NotMeasured, in.Previous = m, "the release has no measurements", nil
		for _, s := range Compose(in).Sections {
			empty := len(s.Tables)+len(s.Parts)+len(s.Charts) == 0 && s.ID != "changes"
			if empty != (s.NotMeasured != "") {
				t.Errorf("%s: section %s: empty %v, not measured %q", name, s.ID, empty, s.NotMeasured)
			}
			if s.ID == "sizes" && (name == "none" || name == "only bench") && s.NotMeasured != in.NotMeasured {
				t.Errorf("%s: sizes not measured %q", name, s.NotMeasured)
			}
			if s.ID == "startup" && name == "sizes" && !strings.Contains(s.NotMeasured, "profile release declares") {
				t.Errorf("start-up of a profile with bench: %q", s.NotMeasured)
			}
		}
	}
}

func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		change  func(*Inputs)
		verdict fact.Verdict
		words   string
	}{
		{func(*Inputs) {}, "identical", "All 3 artifacts identical in two builds"},
		{func(in *Inputs) { in.Manifest.Artifacts = nil }, "unchecked", "0 of 0 artifacts not checked"},
		{func(in *Inputs) { in.Manifest.Artifacts[1].Verdict = fact.Unchecked }, "unchecked", "1 of 3 artifacts not checked; 2 identical"},
		{func(in *Inputs) {
			in.Manifest.Artifacts[1].Verdict = fact.Unchecked
			in.Manifest.Artifacts[0].Verdict = fact.Different
		}, "different", "1 of 3 artifacts DIFFERENT in two builds; 1 identical"},
		{func(in *Inputs) { in.Manifest.Rebuild.Executions = 3 }, "identical", "All 3 artifacts identical in 3 builds"},
		{func(in *Inputs) {
			in.Manifest.Rebuild.Executions = 4
			in.Manifest.Rebuild.Actions = []checksums.UnitActions{{Profile: "a", Platform: "linux/arm", Links: 1, ArchiveProven: 3, PackageProven: 2}, {Profile: "b", Platform: "linux/arm", Links: 1, ArchiveProven: 4}}
			in.Manifest.Artifacts = nil
			for _, profile := range []string{"a", "a", "b", "c"} { // a has two formats, c was made now
				in.Manifest.Artifacts = append(in.Manifest.Artifacts, checksums.Artifact{Profile: profile, Platform: "linux/arm", Stage: fact.Archived, Verdict: fact.Identical})
				in.Manifest.Artifacts = append(in.Manifest.Artifacts, checksums.Artifact{Profile: profile, Platform: "linux/arm", Stage: fact.PackageStage, Verdict: fact.Identical})
			}
		}, "identical", "One of 4 builds of each unit compiled 0 packages and linked 2 binaries; 3 archives made 3 times earlier; 2 distribution packages made twice earlier"},
		{func(in *Inputs) { in.Signed, in.SignedBy = false, fact.SignerID{} }, "identical", "NOT SIGNED"},
		{func(in *Inputs) { in.SignedBy = fact.SignerID{} }, "identical", "was NOT CHECKED"},
		{func(in *Inputs) { in.Manifest.Kind = checksums.KindSnapshot }, "identical", "A snapshot, not a release"},
	} {
		in := inputs()
		tt.change(&in)
		p := Compose(in)
		if text := p.Headline + "\n" + strings.Join(p.Facts, "\n"); p.Verdict != tt.verdict || !strings.Contains(text, tt.words) {
			t.Errorf("got %s:\n%s\nwant %s: %s", p.Verdict, text, tt.verdict, tt.words)
		}
	}
}

// TestDifference holds the parts of a change against the whole.
func TestDifference(t *testing.T) {
	d := difference(&Sized{Summary: summary("example.com/dep", "v1.0.0", 650)}, &Sized{Summary: summary("example.com/dep", "v1.1.0", 700)})
	if len(d.packages) != 1 || d.packages[0].Cause != sizes.CauseUpgrade || d.packages[0].Grown() != 50 {
		t.Errorf("got %+v", d.packages)
	}
	d = difference(&Sized{Summary: summary("example.com/dep", "v1.0.0", 650)}, &Sized{Summary: summary("example.com/other", "v1.0.0", 700)})
	var sum int64
	var causes []string
	for _, c := range d.causes {
		sum += c.Grown()
		causes = append(causes, c.Name)
	}
	if want := []string{sizes.CauseAdded, sizes.CauseRemoved}; sum != 50 || !slices.Equal(causes, want) {
		t.Errorf("got %d bytes by %q, want 50 by %q", sum, causes, want)
	}
}

func TestDots(t *testing.T) {
	for _, ns := range []float64{1, 999, 1e6, 3.3e6, 1e9, 7.7e11} {
		b := inputs().Measurements.Startup[0]
		r := *b.Result
		r.Runs = []startup.Run{{Cache: startup.Warm, Times: []startup.Summary{{Program: "plain", Median: ns}}}}
		b.Result = &r
		c := dots(&b, "x")
		for _, s := range c.Strips {
			for _, m := range s.Marks {
				if math.IsNaN(m.From) || m.From < 4 || m.To > 94 {
					t.Errorf("%g ns is at %g", ns, m.From)
				}
			}
		}
		if len(c.Ticks) < 2 {
			t.Errorf("%g ns: %d ticks", ns, len(c.Ticks))
		}
	}
}

func TestMeasurements(t *testing.T) {
	m := inputs().Measurements
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(data) || bytes.Count(data, []byte("\n")) != 4 {
		t.Errorf("not JSON with a line for each binary:\n%s", data)
	}
	again, err := ParseMeasurements(data)
	if err != nil {
		t.Fatal(err)
	}
	if twice, err := again.Encode(); err != nil || !bytes.Equal(data, twice) {
		t.Errorf("read and written again it is\n%s, %v\nnot\n%s", twice, err, data)
	}
	for _, bad := range []func(m *Measurements){
		func(m *Measurements) { m.Schema = "other" },
		func(m *Measurements) { m.Sizes[0].Summary.Groups[0].Name = `own" onload="x` },
		func(m *Measurements) { m.Sizes[0].Summary.Size++ },
		func(m *Measurements) { m.Sizes[0].Imports["runtime"] = []string{"encoding/json"} },
		func(m *Measurements) { m.Sizes[0].Imports["a"], m.Sizes[0].Imports["b"] = []string{"b"}, []string{"a"} },
		func(m *Measurements) { m.Sizes[0].Imports["elsewhere"] = []string{"x"} },
		func(m *Measurements) { m.Sizes[0].Imports = ImportTree{"": {"a"}, "a": {""}} },
		func(m *Measurements) { m.Sizes[0].Imports = ImportTree{"a": {"a"}} },
		func(m *Measurements) { m.Sizes[0].Summary.Groups[1].Modules[0].Packages[0].Size = -1 },
		func(m *Measurements) { m.Sizes[0].Summary.Groups[3].Modules[0].Packages[0].Kinds[0].Size = -5 },
		func(m *Measurements) { m.Sizes[0].Summary = nil },
		func(m *Measurements) { m.Startup[0].Runs[0].Times[0].Median = -1 },
		func(m *Measurements) { m.Startup[0].Runs[0].Times[0].Low = 2e6 },
		func(m *Measurements) { m.Startup[0].Runs[0].Control = nil },
		func(m *Measurements) { m.Startup[0].Result = nil },
		func(m *Measurements) { m.Savings[0].Steps[0].Size = -1 },
		func(m *Measurements) { m.Retained[0].Size = 0 },
		func(m *Measurements) { m.Retained[0].Dependencies[0].Own = 5001 },
		func(m *Measurements) { m.Retained[0].Dependencies[0].Retained = 5001 },
		func(m *Measurements) { m.Retained[0].Dependencies[0].Stays = -1 },
		func(m *Measurements) { m.Retained[0].Dependencies[0].Along[1].Size = -1 },
		func(m *Measurements) { m.Retained[0].Dependencies[0].NotMeasured = "x" },
		func(m *Measurements) { m.Retained[0].Dependencies[1].NotMeasured = "" },
	} {
		m := inputs().Measurements
		bad(m)
		data, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseMeasurements(data); err == nil {
			t.Errorf("not refused: %s", data)
		}
	}
}

// TestAdd takes over what the verbs print, of this project.
func TestAdd(t *testing.T) {
	in := inputs().Measurements
	bench, err := json.Marshal(in.Startup[0])
	if err != nil {
		t.Fatal(err)
	}
	savings, err := json.Marshal(in.Savings[0])
	if err != nil {
		t.Fatal(err)
	}
	held, err := json.Marshal(in.Retained[0])
	if err != nil {
		t.Fatal(err)
	}
	m := &Measurements{Project: "tool"}
	for _, data := range [][]byte{bench, savings, held} {
		if err := m.Add(data); err != nil {
			t.Error(err)
		}
	}
	if len(m.Startup) != 1 || len(m.Startup[0].Packing) != 1 || len(m.Savings) != 1 || len(m.Retained) != 1 || m.Retained[0].Dependencies[0].Retained != 900 {
		t.Errorf("took over %d, %d and %d", len(m.Startup), len(m.Savings), len(m.Retained))
	}
	for _, data := range []string{"", "{}", `{"schema":"x"}`, `{"schema":"` + string(fact.StartupReport) + `","runs":[{"cache":"warm"}]}`} {
		if err := m.Add([]byte(data)); err == nil {
			t.Errorf("took over %s", data)
		}
	}
	for _, data := range [][]byte{savings, held} {
		if err := (&Measurements{Project: "other"}).Add(data); err == nil {
			t.Errorf("took over what is of another project: %s", data)
		}
	}
}

// FuzzMeasurements draws whatever is not refused.
func FuzzMeasurements(f *testing.F) {
	data, err := inputs().Measurements.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMeasurements(data)
		if err != nil {
			return
		}
		in := inputs()
		in.Measurements = m
		p := Compose(in)
		var h bytes.Buffer
		if err := HTML(&h, p); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(h.String(), "<script") || strings.Contains(h.String(), "NaN") {
			t.Fatalf("%s", h.String())
		}
	})
}
