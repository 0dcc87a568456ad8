package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/measure"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/startup"
	"github.com/mintmark/mintmark/internal/stats"
	"github.com/mintmark/mintmark/internal/ui"
)

// sheet is one table of a measurement.
type sheet struct {
	header []string // the first column's texts stand on the left
	rows   [][]string
}

func benchSheets(r *measure.Benched) []sheet {
	header, rows := benchRows(r.Result)
	sheets := []sheet{{header, rows}}
	if s := memorySheet(r.Programs); len(s.rows) > 0 {
		sheets = append(sheets, s)
	}
	if len(r.Packing) > 0 {
		sheets = append(sheets, packingSheet(r.Packing))
	}
	return sheets
}

// memorySheet is all that is known of the programs' memory; no rows where nothing is.
func memorySheet(programs []startup.Subject) sheet {
	s := sheet{header: []string{"memory", "peak virtual", "peak RSS", "PSS", "private", "anonymous", "of files", "looked at", "runs"}}
	for _, p := range programs {
		m := p.Memory
		if m == nil || m.NotMeasured != "" {
			continue
		}
		row := []string{p.Name}
		for _, n := range []int64{m.PeakVSZ, m.PeakRSS, m.PSS, m.PrivateDirty, m.Anon, m.File} {
			row = append(row, ui.FormatBytes(n))
		}
		s.rows = append(s.rows, append(row, "at "+m.At, strconv.Itoa(m.Runs)))
	}
	return s
}

// benchTable shows a measurement for people at a terminal.
func (d *app) benchTable(r *measure.Benched) error {
	for i, s := range benchSheets(r) {
		if i > 0 {
			d.printf("\n")
		}
		t := ui.Table{}
		for i, h := range s.header {
			c := ui.Column{Title: h, Align: ui.Right}
			if i == 0 {
				c = ui.Column{Title: h, Flexible: true}
			}
			t.Columns = append(t.Columns, c)
		}
		for _, row := range s.rows {
			var cells []ui.Cell
			for _, text := range row {
				cells = append(cells, ui.Plain.Text(text))
			}
			t.Row(cells...)
		}
		if err := t.Write(d.stdout()); err != nil {
			return err
		}
	}
	d.printf("\n")
	for _, line := range benchRemarks(r) {
		d.printf("%s\n", line)
	}
	return nil
}

// benchMarkdown shows the same for a step summary of continuous integration.
func (d *app) benchMarkdown(r *measure.Benched) error {
	cell := func(s string) string {
		return strings.NewReplacer("|", `\|`, "<", "&lt;", "`", "\\`").Replace(ui.CleanLine(s))
	}
	line := func(cells []string) {
		for _, c := range cells {
			d.printf("| %s ", cell(c))
		}
		d.printf("|\n")
	}
	for _, s := range benchSheets(r) {
		line(s.header)
		d.printf("|---|%s\n", strings.Repeat("---:|", len(s.header)-1))
		for _, row := range s.rows {
			line(row)
		}
		d.printf("\n")
	}
	for _, text := range benchRemarks(r) {
		d.printf("- %s\n", cell(text))
	}
	return nil
}

// packingSheet is the answer to "is packing worth it", a row for each number of
// starts per transfer.
func packingSheet(packed []report.Packed) sheet {
	s := sheet{header: []string{"packed", "disk saved", "extra per start", "private memory", "starts per transfer", "pays: file", ".tar.gz", ".tar.zst"}}
	for _, p := range packed {
		if p.Packing == nil {
			s.rows = append(s.rows, []string{p.Program, "–", "–", "–", "–", "–", "–", "–"})
			continue
		}
		memory := "not measured"
		if p.ExtraMemory != nil {
			memory = plus(ui.FormatBytes(*p.ExtraMemory))
		}
		for _, a := range p.Answers() {
			row := []string{p.Program, ui.FormatBytes(p.DiskSaved), plus(ui.FormatNanoseconds(p.Extra)), memory, strconv.Itoa(a.Starts)}
			s.rows = append(s.rows, append(row, a.Forms[:]...))
		}
	}
	return s
}

func plus(s string) string {
	if strings.HasPrefix(s, "-") {
		return s
	}
	return "+" + s
}

// benchRows are the rows of both: a program each.
func benchRows(r *startup.Result) (header []string, rows [][]string) {
	header = []string{"program", "size", "warm", "against base", "cold", "against base", "CPU", "faults", "peak RSS", "private"}
	base := ""
	for _, p := range r.Programs {
		if p.NotMeasured == "" && base == "" {
			base = p.Name
		}
		row := []string{p.Name, ui.FormatBytes(p.Size)}
		for _, cache := range []string{startup.Warm, startup.Cold} {
			run := r.Run(cache)
			if t := run.Time(p.Name); t == nil {
				row = append(row, "–", "–")
			} else {
				row = append(row, ui.FormatNanoseconds(t.Median)+spread(t), against(run, base, p.Name))
			}
		}
		if t := r.Run(startup.Warm).Time(p.Name); t == nil {
			row = append(row, "–", "–")
		} else {
			row = append(row, ui.FormatNanoseconds(t.CPU), strconv.FormatFloat(t.MinorFaults+t.MajorFaults, 'f', 0, 64))
		}
		if m := p.Memory; m == nil || m.NotMeasured != "" {
			row = append(row, "–", "–")
		} else {
			row = append(row, ui.FormatBytes(m.PeakRSS), ui.FormatBytes(m.PrivateDirty))
		}
		rows = append(rows, row)
	}
	return header, rows
}

// spread is the half-width of the median's interval in percent.
func spread(t *startup.Summary) string {
	if t.Low == 0 {
		return ""
	}
	return fmt.Sprintf(" ±%s", percent(max(t.High-t.Median, t.Median-t.Low)/t.Median))
}

func against(run *startup.Run, base, program string) string {
	if program == base {
		return "base"
	}
	c := run.Compare(base, program)
	if c == nil {
		return "–"
	}
	switch c.Verdict {
	case stats.TooFew:
		return ratio(c) + " too few rounds"
	case stats.NoDifference:
		return ratio(c) + " no difference"
	case stats.More:
		return ratio(c) + " slower"
	}
	return ratio(c) + " faster"
}

// ratio is "×1.05 [1.03, 1.07]".
func ratio(c *startup.Comparison) string {
	if c.Low == 0 {
		return "×" + digits(c.Ratio)
	}
	return fmt.Sprintf("×%s [%s, %s]", digits(c.Ratio), digits(c.Low), digits(c.High))
}

// digits writes a ratio with three digits after the point near 1, else with
// three that count.
func digits(v float64) string {
	switch {
	case v < 2:
		return strconv.FormatFloat(v, 'f', 3, 64)
	case v < 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

func percent(x float64) string {
	decimals := 0
	if x < 0.0995 {
		decimals = 1
	}
	return strconv.FormatFloat(100*x, 'f', decimals, 64) + " %"
}

// packingAnswer is what packing a program comes to, in one line.
func packingAnswer(p report.Packed) string {
	between := func(low, high string) string { return fmt.Sprintf(" (%s to %s)", low, high) }
	text := p.Program + ": packing saves " + ui.FormatBytes(p.DiskSaved) + " of disk"
	if p.DiskSaved < 0 {
		text = p.Program + ": packing takes " + ui.FormatBytes(-p.DiskSaved) + " more disk"
	}
	verb, extra, low, high := "costs", p.Extra, p.ExtraLow, p.ExtraHigh
	if extra < 0 {
		verb, extra, low, high = "spares", -extra, -high, -low
	}
	text += ", " + verb + " " + ui.FormatNanoseconds(extra)
	if low != 0 || high != 0 {
		text += between(ui.FormatNanoseconds(low), ui.FormatNanoseconds(high))
	}
	text += " at each start"
	switch m := p.ExtraMemory; {
	case m == nil:
		text += "; memory: not measured"
	case *m < 0:
		text += ", and takes " + ui.FormatBytes(-*m) + " less private memory"
	default:
		text += ", and takes " + ui.FormatBytes(*m) + " more private memory"
	}
	var forms []string
	for _, f := range []struct{ form, title string }{{startup.FormRaw, "as a file"}, {startup.FormGzip, "in .tar.gz"}, {startup.FormZstd, "in .tar.zst"}} {
		if r := p.Row(f.form, 1); r != nil {
			forms = append(forms, f.title+" "+r.String()+r.Interval())
		}
	}
	if len(forms) == 0 {
		return text
	}
	return text + ". With one start per transfer it pays " + strings.Join(forms, ", ") + "; with N starts at an N-th of that"
}

// cpuRemarks say how the programs' CPU time stands to the base's: on a machine that
// others use it shows what the clock does not.
func cpuRemarks(run startup.Run, programs []startup.Subject) (lines []string) {
	c := run.CPU
	switch {
	case c == nil:
		return nil
	case c.NotMeasured != "":
		return []string{"CPU is not compared: " + c.NotMeasured}
	}
	base := c.Control.Base
	for _, p := range programs {
		x := c.Compare(base, p.Name)
		if x == nil {
			continue
		}
		said := map[stats.Verdict]string{stats.TooFew: "too few rounds", stats.NoDifference: "no difference", stats.More: "more", stats.Less: "less"}[x.Verdict]
		floor := ""
		if c.NoiseFloor != nil {
			floor = ", noise floor " + percent(*c.NoiseFloor)
		}
		lines = append(lines, fmt.Sprintf("CPU of %s against %s: %s %s%s", p.Name, base, ratio(x), said, floor))
	}
	return lines
}

// benchRemarks are the lines below the table: how it was measured, what the
// figures can tell, and what was not measured and why.
func benchRemarks(r *measure.Benched) (lines []string) {
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, run := range r.Runs {
		if run.NotMeasured != "" {
			add("%s: not measured: %s", run.Cache, run.NotMeasured)
			continue
		}
		why := map[string]string{
			stats.Tight: "all ratios are known closely enough", stats.Time: "the time was over", stats.Rounds: "enough of them",
		}[run.Stopped]
		floor := "no noise floor: too few rounds, so nothing is called a difference"
		if run.NoiseFloor != nil {
			floor = "noise floor " + percent(*run.NoiseFloor)
		}
		add("%s: %s (%s); %s: %s against itself is %s", run.Cache, fact.Count(run.Rounds, "round"), why, floor, run.Control.Program, ratio(run.Control))
		var alike []string
		for _, c := range run.Comparisons {
			if c.Verdict == stats.NoDifference {
				alike = append(alike, c.Base+" and "+c.Program)
			}
		}
		for _, line := range cpuRemarks(run, r.Programs) {
			add("%s: %s", run.Cache, line)
		}
		if len(alike) > 0 {
			add("%s: no difference beyond the noise floor: %s", run.Cache, strings.Join(alike, "; "))
		}
	}
	for _, c := range r.BuildCosts {
		add("%s: built from an empty cache in %s of CPU", c.Program, ui.FormatDuration(c.CPU))
	}
	if r.Profile != "" {
		add("variants of profile %s for %s, each built once: nothing was compared with a second build, and nothing is published", r.Profile, r.Platform)
	}
	said := map[string]bool{}
	for _, p := range r.Programs {
		switch {
		case p.NotMeasured != "":
			add("%s: not measured: %s", p.Name, p.NotMeasured)
		case p.Memory == nil:
			if !said["memory"] {
				add("memory: not measured: not asked for")
			}
			said["memory"] = true
		case p.Memory.NotMeasured != "":
			add("memory of %s: not measured: %s", p.Name, p.Memory.NotMeasured)
		}
		if s := p.Smoke; s != nil {
			if s.OK {
				add("%s: started once under %s, it ended as it should", p.Name, s.Emulator)
			} else {
				add("%s: FAILS under %s: %s", p.Name, s.Emulator, s.Failure)
			}
			if s.Instructions > 0 {
				add("%s: %d emulated user-mode instructions (no measure of time)", p.Name, s.Instructions)
			}
		}
	}
	var packers []string
	for _, p := range r.Packing {
		if p.Packing != nil {
			add("%s", packingAnswer(p))
		}
		packers = append(packers, p.Program+" by "+p.Packer)
		if p.NotComputed != "" {
			add("packing of %s: not computed: %s", p.Program, p.NotComputed)
		}
	}
	if len(packers) > 0 {
		add("packed: %s; against %s. It pays where the way to the user is slower than that, with so many warm starts after each transfer", strings.Join(packers, "; "), r.Packing[0].Plain)
	}
	for _, s := range r.Sweeps {
		switch {
		case s.NotSwept != "":
			add("environments of %s: not swept: %s", s.Program, s.NotSwept)
		case s.FirstFailure < 0:
			add("environments of %s%s: %s", s.Program, under(s.Emulator), s.SweepResult)
		default:
			add("environments of %s%s: it FAILS: %s", s.Program, under(s.Emulator), s.SweepResult)
		}
	}
	lines = append(lines, r.Notes...)
	host := fmt.Sprintf("ready is %s; %s, %s", r.Ready, r.Host.Platform, fact.Count(r.Host.CPUs, "processor"))
	if len(r.Host.Load) == 2 {
		host += fmt.Sprintf(", load %.1f before and %.1f after", r.Host.Load[0], r.Host.Load[1])
	}
	if r.Realtime {
		host += ", real-time scheduling"
	}
	add("%s; intervals of at least %.0f %%; seed %d", host, 100*r.Confidence, r.Seed)
	return lines
}

func under(emulator string) string {
	if emulator == "" {
		return ""
	}
	return " under " + emulator
}
