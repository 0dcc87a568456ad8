package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/startup"
	"github.com/mintmark/mintmark/internal/stats"
	"github.com/mintmark/mintmark/internal/ui"
)

// benchHint says how start-up figures get into a report.
const benchHint = "mintmark bench -json >bench.json measures it, -with=bench.json shows it here"

// notBenched is why there are no start-up figures.
func notBenched(in Inputs) string {
	switch m := in.Measurements; {
	case m == nil:
		return in.NotMeasured
	case len(m.BenchDeclared) > 0:
		return "profile " + strings.Join(m.BenchDeclared, ", ") + " declares what to start, but milliseconds are measured only when asked for, since they are not the same twice: " + benchHint
	}
	return "no profile declares what to start (bench:), and no measurement was given: " + benchHint
}

func startupSection(in Inputs) Section {
	s := Section{ID: "startup", Title: "Start-up"}
	if in.Measurements == nil || len(in.Measurements.Startup) == 0 {
		s.NotMeasured = notBenched(in)
		return s
	}
	s.Text = []string{"Measured, not built: another machine or another day gives other milliseconds. Medians with their intervals; nothing is called a difference that a fresh copy of the same file shows too."}
	for _, b := range in.Measurements.Startup {
		title := "Programs"
		if b.Profile != "" {
			title = "Profile " + b.Profile + ", " + b.Platform
		}
		t := Table{Title: title, Columns: []Column{{Title: "program"}, {Title: "size", Kind: Number}, {Title: "warm", Kind: Number}, {Title: "interval", Kind: Number}, {Title: "against base", Kind: Number}, {Title: "cold", Kind: Number}, {Title: "interval", Kind: Number}, {Title: "private memory", Kind: Number}, {Title: "this release's file"}}}
		base := ""
		for _, p := range b.Programs {
			if p.NotMeasured != "" {
				s.Notes = append(s.Notes, p.Name+": not measured: "+p.NotMeasured)
				continue
			}
			if base == "" {
				base = p.Name
			}
			warm, cold := b.Run(startup.Warm), b.Run(startup.Cold)
			w, wi := median(warm.Time(p.Name))
			c, ci := median(cold.Time(p.Name))
			memory := "not measured"
			if p.Memory != nil && p.Memory.NotMeasured == "" {
				memory = ui.FormatBytes(p.Memory.PrivateDirty)
			}
			t.Rows = append(t.Rows, []string{p.Name, ui.FormatBytes(p.Size), w, wi, against(warm, base, p.Name), c, ci, memory, released(in.Manifest, p.SHA256)})
		}
		s.Tables = append(s.Tables, t)
		s.Charts = append(s.Charts, dots(&b, title))
		for _, r := range b.Runs {
			if r.NotMeasured != "" {
				s.Notes = append(s.Notes, r.Cache+": not measured: "+r.NotMeasured)
				continue
			}
			floor := "no noise floor, so nothing is called a difference"
			if r.NoiseFloor != nil {
				floor = fmt.Sprintf("noise floor %.1f %%", 100**r.NoiseFloor)
			}
			s.Notes = append(s.Notes, fmt.Sprintf("%s: %s, %s", r.Cache, fact.Count(r.Rounds, "round"), floor))
		}
		host := fmt.Sprintf("ready is %s; %s, %s", b.Ready, b.Host.Platform, fact.Count(b.Host.CPUs, "processor"))
		if len(b.Host.Load) == 2 {
			host += fmt.Sprintf(", load %.1f before and %.1f after", b.Host.Load[0], b.Host.Load[1])
		}
		s.Notes = append(s.Notes, fmt.Sprintf("%s; intervals of at least %.0f %%; seed %d", host, 100*b.Confidence, b.Seed))
		s.Notes = append(s.Notes, b.Notes...)
	}
	return s
}

// released says whether a measured file is one of the release.
func released(m *checksums.Manifest, sum string) string {
	for _, a := range m.Artifacts {
		if a.SHA256 == sum {
			return "yes, " + string(a.Stage)
		}
	}
	return "no, another build"
}

func median(t *startup.Summary) (value, interval string) {
	switch {
	case t == nil:
		return "not measured", "–"
	case t.Low == 0:
		return ui.FormatNanoseconds(t.Median), "too few rounds"
	}
	return ui.FormatNanoseconds(t.Median), ui.FormatNanoseconds(t.Low) + " to " + ui.FormatNanoseconds(t.High)
}

func against(run *startup.Run, base, program string) string {
	if program == base {
		return "base"
	}
	c := run.Compare(base, program)
	if c == nil {
		return "–"
	}
	return "×" + strconv.FormatFloat(c.Ratio, 'g', 3, 64) + " " + map[stats.Verdict]string{
		stats.TooFew: "too few rounds", stats.NoDifference: "no difference", stats.More: "slower", stats.Less: "faster",
	}[c.Verdict]
}

// dots draws medians with their intervals on a logarithmic axis.
func dots(b *Startup, title string) Chart {
	c := Chart{Label: "Start-up time, " + title + ": medians and intervals on a logarithmic axis", Legend: []Key{{startup.Warm, "warm"}, {startup.Cold, "cold"}}}
	low, high := math.Inf(1), 0.0
	for _, r := range b.Runs {
		for _, t := range r.Times {
			low, high = min(low, t.Median), max(high, t.Median)
			if t.Low > 0 {
				low, high = min(low, t.Low), max(high, t.High)
			}
		}
	}
	if high == 0 {
		return Chart{}
	}
	// From 1, 2 or 5 times a power of ten below all to such a one above all.
	var marks []float64
	for e := math.Floor(math.Log10(low)) - 1; e <= math.Ceil(math.Log10(high))+1; e++ {
		for _, f := range []float64{1, 2, 5} {
			marks = append(marks, f*math.Pow(10, e))
		}
	}
	first, last := 0, len(marks)-1
	for first+1 < len(marks) && marks[first+1] <= low {
		first++
	}
	for last > 0 && marks[last-1] >= high {
		last--
	}
	if first == last {
		last++
	}
	marks = marks[first : last+1]
	from, to := math.Log(marks[0]), math.Log(marks[len(marks)-1])
	at := func(ns float64) float64 { return 4 + 90*(math.Log(ns)-from)/(to-from) }
	for i, m := range marks {
		if len(marks) > 8 && i%3 != 0 && i != 0 && i != len(marks)-1 {
			continue // powers of ten or so are enough
		}
		c.Ticks = append(c.Ticks, Tick{at(m), strings.Replace(strings.Replace(ui.FormatNanoseconds(m), ".00 ", " ", 1), ".0 ", " ", 1)})
	}
	for _, p := range b.Programs {
		strip := Strip{Name: p.Name}
		for _, cache := range []string{startup.Warm, startup.Cold} {
			t := b.Run(cache).Time(p.Name)
			if t == nil {
				continue
			}
			value, interval := median(t)
			if t.Low > 0 {
				strip.Marks = append(strip.Marks, Shape{Kind: "range", Class: cache, From: at(t.Low), To: at(t.High), Title: cache + ": " + interval})
			}
			strip.Marks = append(strip.Marks, Shape{Kind: "dot", Class: cache, From: at(t.Median), To: at(t.Median), Title: cache + ": " + value})
			strip.Value = strings.TrimPrefix(strip.Value+" / "+value, " / ")
		}
		if len(strip.Marks) > 0 {
			c.Strips = append(c.Strips, strip)
		}
	}
	return c
}

func packingSection(in Inputs) Section {
	s := Section{ID: "packing", Title: "Does packing with UPX pay?"}
	packed := slices.ContainsFunc(in.Manifest.Artifacts, func(a checksums.Artifact) bool { return a.Stage == fact.Packed })
	t := Table{Columns: []Column{{Title: "packed"}, {Title: "disk saved", Kind: Number}, {Title: "extra per start", Kind: Number}, {Title: "private memory", Kind: Number}, {Title: "starts per transfer", Kind: Number}, {Title: "pays: file", Kind: Short}, {Title: "in .tar.gz", Kind: Short}, {Title: "in .tar.zst", Kind: Short}}}
	if in.Measurements != nil {
		for _, b := range in.Measurements.Startup {
			for _, p := range b.Packing {
				if p.Packing == nil {
					s.Notes = append(s.Notes, p.Program+": not computed: "+p.NotComputed)
					continue
				}
				memory := "not measured"
				if p.ExtraMemory != nil {
					memory = change(*p.ExtraMemory)
				}
				extra := ui.FormatNanoseconds(p.Extra)
				if p.Extra > 0 {
					extra = "+" + extra
				}
				for _, a := range p.Answers() {
					row := []string{p.Program + " (" + p.Packer + ")", ui.FormatBytes(p.DiskSaved), extra, memory, strconv.Itoa(a.Starts)}
					t.Rows = append(t.Rows, append(row, a.Forms[:]...))
				}
			}
		}
	}
	switch {
	case len(t.Rows) > 0:
		s.Text = []string{"Packing pays where the way to the user is slower than the figure, with so many warm starts after each transfer. In an archive there is little left to save: the archive compresses the plain file too."}
		s.Tables = []Table{t}
	case len(s.Notes) > 0:
		s.NotMeasured = s.Notes[0]
		s.Notes = nil
	case in.Measurements == nil:
		s.NotMeasured = in.NotMeasured
	case packed:
		s.NotMeasured = "files of this release are packed, but what that costs at each start was not measured: " + benchHint
	default:
		s.NotMeasured = "nothing in this release is packed, and no measurement with packed variants was given"
	}
	return s
}

func savingsSection(in Inputs) Section {
	s := Section{ID: "savings", Title: "What each setting saves"}
	switch {
	case in.Measurements == nil:
		s.NotMeasured = in.NotMeasured
		return s
	case len(in.Measurements.Savings) == 0:
		s.NotMeasured = "the variants were not built: mintmark size -waterfall -platform=PLATFORM -json DIR >savings.json builds them, -with=savings.json shows them here"
		return s
	}
	s.Text = []string{"Each step adds one setting to those before it. The archives are what a user transfers."}
	for _, x := range in.Measurements.Savings {
		s.Tables = append(s.Tables, SavingsTable(&x))
		var most int64 = 1
		for _, step := range x.Steps {
			most = max(most, step.Size)
		}
		c := Chart{Label: "Size after each step, profile " + x.Profile + ", " + x.Platform, Legend: []Key{{"left", "file"}, {"less", "saved by this step"}, {"more", "added by it"}, {"gz", "in .tar.gz"}}}
		last := int64(0)
		for _, step := range x.Steps {
			if step.NotMeasured != "" {
				s.Notes = append(s.Notes, step.Name+": not measured: "+step.NotMeasured)
				continue
			}
			part := func(n int64) float64 { return 100 * float64(n) / float64(most) }
			strip := Strip{Name: step.Name, Value: ui.FormatBytes(step.Size)}
			strip.Marks = append(strip.Marks, Shape{Kind: "bar", Class: "left", From: 0, To: part(step.Size), Title: "file: " + ui.FormatBytes(step.Size)})
			if last > step.Size {
				strip.Marks = append(strip.Marks, Shape{Kind: "bar", Class: "less", From: part(step.Size), To: part(last), Title: "saved: " + ui.FormatBytes(last-step.Size)})
			}
			if last > 0 && last < step.Size {
				strip.Marks = append(strip.Marks, Shape{Kind: "bar", Class: "more", From: part(last), To: part(step.Size), Title: "added: " + ui.FormatBytes(step.Size-last)})
			}
			if step.Gzip > 0 {
				strip.Marks = append(strip.Marks, Shape{Kind: "dot", Class: "gz", From: part(step.Gzip), To: part(step.Gzip), Title: ".tar.gz: " + ui.FormatBytes(step.Gzip)})
			}
			last = step.Size
			c.Strips = append(c.Strips, strip)
		}
		s.Charts = append(s.Charts, c)
		s.Notes = append(s.Notes, x.Notes...)
	}
	return s
}

// SavingsTable is the steps of a waterfall, one row each.
func SavingsTable(x *Savings) Table {
	t := Table{Title: strings.TrimSpace(x.Project + " " + x.Version + ", profile " + x.Profile + ", " + x.Platform),
		Columns: []Column{{Title: "step"}, {Title: "size", Kind: Number}, {Title: "change", Kind: Number}, {Title: "of plain", Kind: Number}, {Title: ".tar.gz", Kind: Number}, {Title: ".tar.zst", Kind: Number}}}
	var first, last int64
	for _, step := range x.Steps {
		if step.NotMeasured != "" {
			t.Rows = append(t.Rows, []string{step.Name, "not measured", "–", "–", "–", "–"})
			continue
		}
		grown := "–"
		if first == 0 {
			first = step.Size
		} else {
			grown = change(step.Size - last)
		}
		last = step.Size
		t.Rows = append(t.Rows, []string{step.Name, ui.FormatBytes(step.Size), grown, percentOf(step.Size, first), ui.FormatBytes(step.Gzip), ui.FormatBytes(step.Zstd)})
	}
	return t
}
