package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Names of series: what is measured again and again.
const (
	buildCold        = "mintmark build, cold"
	goreleaserCold   = "goreleaser build, cold"
	handCold         = "by hand, cold"
	releaseFirst     = "mintmark release, first time"
	releaseSame      = "mintmark release, nothing changed"
	releaseMain      = "mintmark release, main changed"
	releaseLarge     = "mintmark release, large package changed"
	releaseTarSame   = "mintmark release with archives, nothing changed"
	releaseTarMain   = "mintmark release with archives, main changed"
	goreleaserSame   = "goreleaser release, nothing changed"
	goreleaserMain   = "goreleaser release, main changed"
	planWarm         = "mintmark plan, warm"
	mageWarm         = "go tool mage -l, warm"
	mageCold         = "go tool mage -compile, cold"
	compileCold      = "go build ./cmd/mintmark, cold"
	platformsOnce    = "mintmark build, 48 platforms at once"
	platformsBatches = "mintmark build, 48 platforms in six runs"
	profilesOnce     = "mintmark build, six profiles at once"
	profilesBatches  = "mintmark build, six profiles in six runs"
)

// A value is what a row is about, taken from a sample, in seconds, bytes or
// parts; NaN if the sample does not have it.
type value struct {
	of     func(sample) float64
	format func(float64) string
}

var (
	cpu     = value{func(s sample) float64 { return s.CPU.Seconds() }, seconds}
	wall    = value{func(s sample) float64 { return s.Wall.Seconds() }, seconds}
	peak    = value{func(s sample) float64 { return float64(s.Peak) }, mebibytes}
	anon    = value{func(s sample) float64 { return float64(s.Anon) }, mebibytes}
	idle    = value{func(s sample) float64 { return known(s.Idle) }, percent}
	unused  = value{func(s sample) float64 { return known(s.Unused) }, percent}
	actions = value{func(s sample) float64 { return s.Actions.Seconds() }, seconds}
	own     = value{func(s sample) float64 { return (s.CPU - s.InGo).Seconds() }, seconds}
)

// known is NaN for the negative number that says that something was not seen.
func known(v float64) float64 {
	if v < 0 {
		return math.NaN()
	}
	return v
}

func seconds(v float64) string {
	switch {
	case v < 1:
		return fmt.Sprintf("%.3f s", v)
	case v < 10:
		return fmt.Sprintf("%.2f s", v)
	}
	return fmt.Sprintf("%.1f s", v)
}

func mebibytes(v float64) string { return fmt.Sprintf("%.0f MiB", v/(1<<20)) }
func percent(v float64) string   { return fmt.Sprintf("%.1f %%", 100*v) }

// row is a line of the table: a series of ours, alone or against another.
type row struct {
	name, what string
	ours       string
	value      value
	theirs     string // "" if the value itself is to be reached
	against    value  // theirs; the same value if there is none
	reach      float64
	reachText  string // as the issue says it, if the number alone is not plain
	below      func(*bench) float64
	bound      value // the value cannot be less than this: without other processes it would lie between the two
}

// rowsOf are the lines of the project's table; [limitedRow] has one of its own. reach 0 is for information only.
func rowsOf(p *project) []row {
	cold := 1.0
	mains := "one main"
	if len(p.mains) > 1 {
		cold, mains = 0.55, fmt.Sprintf("%d mains", len(p.mains))
	}
	all := []row{
		{name: "cold", what: "build, cold, " + mains + ": CPU against GoReleaser's build", ours: buildCold, value: cpu, theirs: goreleaserCold, reach: cold},
		{name: "cold", what: "the same: wall", ours: buildCold, value: wall, theirs: goreleaserCold},
		{name: "memory", what: "the same: peak memory", ours: buildCold, value: peak, theirs: goreleaserCold, reach: 0.6},
		{name: "memory", what: "the same: peak of anonymous memory", ours: buildCold, value: anon, theirs: goreleaserCold},
		{name: "idle", what: "build, cold: processors' time it does not use from the first compile to the last link", ours: buildCold, value: idle, bound: unused, reach: 0.05},
		{name: "idle", what: "the same, not used by anybody", ours: buildCold, value: unused},
		{name: "idle", what: "release, first time: processors' time it does not use", ours: releaseFirst, value: idle, bound: unused, reach: 0.05},
		{name: "idle", what: "the same, not used by anybody", ours: releaseFirst, value: unused},
		{name: "actions", what: "build, cold: CPU against the sum of unique actions of the loop", ours: buildCold, value: cpu, theirs: handCold, against: actions, reach: 1.08},
		{name: "first", what: "release verified, first time: CPU against building twice by hand", ours: releaseFirst, value: cpu, theirs: handCold, reach: 1.05},
		{name: "first", what: "the same: wall", ours: releaseFirst, value: wall, theirs: handCold},
		{name: "same", what: "release verified, nothing changed: CPU against building twice cold by hand", ours: releaseSame, value: cpu, theirs: handCold, reach: 1.0 / 60, reachText: "1/60"},
		{name: "main", what: "release verified, main changed: CPU against the same", ours: releaseMain, value: cpu, theirs: handCold, reach: 1.0 / 50, reachText: "1/50"},
		{name: "large", what: "release verified, large package changed: CPU against the same", ours: releaseLarge, value: cpu, theirs: handCold, reach: 1.0 / 7, reachText: "1/7"},
		{name: "warm", what: "release verified, nothing changed: CPU against GoReleaser's unverified release", ours: releaseTarSame, value: cpu, theirs: goreleaserSame, reach: 2, reachText: "2.0, aim at 1.2"},
		{name: "warm", what: "the same: wall", ours: releaseTarSame, value: wall, theirs: goreleaserSame, reach: 2, reachText: "2.0, aim at 1.2"},
		{name: "warm-main", what: "release verified, main changed: CPU against GoReleaser's unverified release", ours: releaseTarMain, value: cpu, theirs: goreleaserMain, reach: 2, reachText: "2.0, aim at 1.2"},
		{name: "warm-main", what: "the same: wall", ours: releaseTarMain, value: wall, theirs: goreleaserMain, reach: 2, reachText: "2.0, aim at 1.2"},
		{name: "overhead", what: "release verified, nothing changed: CPU outside of its go builds", ours: releaseTarSame, value: own, reach: 0.5, reachText: "0.5 s"},
		{name: "plan", what: "mintmark plan, warm: CPU", ours: planWarm, value: cpu, reach: 0.15, reachText: "0.15 s"},
		{name: "mage", what: "go tool mage -l, warm: CPU", ours: mageWarm, value: cpu, reach: 0.3, reachText: "0.3 s"},
		{name: "compile", what: "go build ./cmd/mintmark, nothing compiled before: CPU", ours: compileCold, value: cpu, reach: 50, reachText: "50 s"},
		{name: "compile", what: "go tool mage -compile in this repository (mage, then the targets), nothing compiled before: CPU", ours: mageCold, value: cpu, reach: 50, reachText: "50 s"},
		{name: "platforms", what: "48 platforms at once, against six runs of 8: CPU per unit", ours: platformsOnce, value: cpu, theirs: platformsBatches, reach: 1.05},
		{name: "platforms", what: "the same: peak memory", ours: platformsOnce, value: peak, theirs: platformsBatches},
		{name: "platforms", what: "48 platforms: peak memory against the budget", ours: platformsOnce, value: peak, below: budget},
		{name: "profiles", what: "6 profiles that share no compile at once, against six runs, 8 platforms: CPU per unit", ours: profilesOnce, value: cpu, theirs: profilesBatches, reach: 1.05},
		{name: "profiles", what: "the same: peak memory", ours: profilesOnce, value: peak, theirs: profilesBatches},
		{name: "profiles", what: "6 profiles: peak memory against the budget", ours: profilesOnce, value: peak, below: budget},
	}
	return slices.DeleteFunc(all, func(r row) bool { return !slices.Contains(p.rows, r.name) })
}

// budget is what mintmark lets builds use: four fifths of what was available.
func budget(b *bench) float64 { return float64(b.memory) / 5 * 4 }

// needed are the series of the project's rows.
func needed(p *project) map[string]bool {
	out := map[string]bool{}
	if slices.Contains(p.rows, limitedRow) {
		out[limitedRelease], out[limitedBuild] = true, true
	}
	for _, r := range rowsOf(p) {
		out[r.ours] = true
		if r.theirs != "" {
			out[r.theirs] = true
		}
	}
	return out
}

// spread is the middle and the ends of some values.
type spread struct {
	n             int
	low, mid, top float64
}

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return spread{n, v[0], (v[(n-1)/2] + v[n/2]) / 2, v[n-1]}
}

func (s spread) text(format func(float64) string) string {
	if s.n == 0 {
		return "not measured"
	}
	if s.n == 1 {
		return format(s.mid)
	}
	return fmt.Sprintf("%s (%s–%s)", format(s.mid), format(s.low), format(s.top))
}

// result is a row with what was measured.
type result struct {
	row
	ours, theirs, ratio spread
	least               spread // with bound
}

func (r *row) measured(series map[string][]sample) result {
	pick := func(name string, v value) []float64 {
		var out []float64
		for _, s := range series[name] {
			if x := v.of(s); !math.IsNaN(x) {
				out = append(out, x)
			}
		}
		return out
	}
	a := pick(r.ours, r.value)
	res := result{row: *r, ours: spreadOf(a)}
	if r.bound.of != nil {
		res.least = spreadOf(pick(r.ours, r.bound))
	}
	if r.theirs == "" {
		return res
	}
	if r.against.of == nil {
		res.row.against = r.value
	}
	b := pick(r.theirs, res.row.against)
	res.theirs = spreadOf(b)
	var ratios []float64
	if len(a) == len(b) {
		for i := range a {
			ratios = append(ratios, a[i]/b[i])
		}
	} else if len(b) > 0 { // short runs against few long ones: against their middle
		for i := range a {
			ratios = append(ratios, a[i]/res.theirs.mid)
		}
	}
	res.ratio = spreadOf(ratios)
	return res
}

// ratioText writes ratios below a tenth also as fractions, as the targets are.
func ratioText(v float64) string {
	if v > 0 && v < 0.2 {
		return fmt.Sprintf("1/%.1f", 1/v)
	}
	return fmt.Sprintf("%.3f", v)
}

// cells are the columns of the result: row, what, ours, theirs, pairs, ratio, reach, verdict.
func (r *result) cells(b *bench) []string {
	format := func(s spread, v value) string { return s.text(v.format) }
	judged, reach := r.ours, r.reach
	theirs, pairs, ratio := "", fmt.Sprint(r.ours.n), ""
	if r.theirs.n > 0 {
		theirs, ratio = format(r.theirs, r.against), r.ratio.text(ratioText)
		judged = r.ratio
		if r.theirs.n != r.ours.n {
			pairs = fmt.Sprintf("%d : %d", r.ours.n, r.theirs.n)
		}
	} else if r.row.theirs != "" {
		theirs, judged = "not measured", spread{}
	}
	want := r.reachText
	switch {
	case r.below != nil:
		reach = r.below(b)
		want = "≤ " + r.value.format(reach)
	case reach == 0:
		want = "–"
	case want != "":
		want = "≤ " + want
	case r.row.theirs == "":
		want = "≤ " + r.value.format(reach)
	default:
		want = fmt.Sprintf("≤ %.2f", reach)
	}
	verdict := ""
	switch {
	case reach == 0:
	case judged.n == 0:
		verdict = "not measured"
	case judged.mid <= reach:
		verdict = "reached"
	case r.least.n > 0 && r.least.mid <= reach:
		verdict = "undecided: others used the machine"
	default:
		verdict = "missed"
	}
	return []string{r.name, r.what, format(r.ours, r.value), theirs, pairs, ratio, want, verdict}
}

// table writes rows in Markdown, with columns that line up.
func table(head []string, rows [][]string) string {
	widths := make([]int, len(head))
	for _, r := range append([][]string{head}, rows...) {
		for i, c := range r {
			widths[i] = max(widths[i], len([]rune(c)))
		}
	}
	var out strings.Builder
	line := func(r []string) {
		for i, c := range r {
			out.WriteString("| " + c + strings.Repeat(" ", widths[i]-len([]rune(c))+1))
		}
		out.WriteString("|\n")
	}
	line(head)
	for _, w := range widths {
		out.WriteString("|" + strings.Repeat("-", w+2))
	}
	out.WriteString("|\n")
	for _, r := range rows {
		line(r)
	}
	return out.String()
}

var head = []string{"row", "what", "mintmark: median (min–max)", "against", "pairs", "ratio: median (min–max)", "reach", ""}

// report is what the run says of its project.
func (r *run) report(took time.Duration) string {
	title := r.p.module
	if r.p.module != self {
		title += "@" + r.p.version
	}
	if len(r.p.platforms) > 0 {
		title += fmt.Sprintf(", %d platforms, main packages %s", len(r.p.platforms), strings.Join(r.p.mains, " "))
	}
	text := fmt.Sprintf("%s. %s.", title, r.conditions())
	var others []float64
	for _, samples := range r.series {
		for _, s := range samples {
			others = append(others, s.Others)
		}
	}
	if o := spreadOf(others); o.n > 0 {
		text += fmt.Sprintf(" One run of %s; other processes took %s of the processors (%s at most).", took.Round(time.Minute/10), percent(o.mid), percent(o.top))
	}
	text += "\n"
	if rows := rowsOf(r.p); len(rows) > 0 {
		var lines [][]string
		for _, row := range rows {
			res := row.measured(r.series)
			lines = append(lines, res.cells(r.bench))
		}
		text += "\n" + table(head, lines)
	}
	if slices.Contains(r.p.rows, limitedRow) {
		text += "\n" + r.limitedReport()
	}
	for _, n := range r.notes {
		text += "\n" + n + "\n"
	}
	return text
}
