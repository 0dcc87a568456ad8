package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/startup"
	"github.com/mintmark/mintmark/internal/workspace"
)

// nearly is the part of a budget from which on there is a warning.
const nearly = 0.95

// budgets holds the final binaries against the profiles' limits, when nothing
// else runs any more. What is over one stops the release: these errors are over.
// What was not looked at is said.
func budgets(ctx context.Context, p *fetch.Planned, made []*UnitResult) (over []error, err error) {
	b := &budget{Planned: p}
	for _, r := range made {
		b.finals, b.sized = append(b.finals, r.finals...), append(b.sized, r.sized...)
	}
	slices.SortFunc(b.finals, func(a, b final) int { return strings.Compare(a.u.ID()+" "+a.name, b.u.ID()+" "+b.name) })
	previous, from, err := previousSizes(p)
	if err != nil {
		return nil, err
	}
	for _, f := range b.finals {
		name := f.u.ID() + ": " + f.name
		if limit := f.u.MaxSize; limit > 0 {
			switch {
			case f.size > limit:
				b.exceeds("raise budget.size, or strip, drop tags or dependencies, or pack the binary", "%s is %d bytes, the budget is %d%s", name, f.size, limit, b.contributors(f))
			case float64(f.size) > nearly*float64(limit):
				p.Warn("%s is %d bytes, the budget is %d: %d are left", name, f.size, limit, limit-f.size)
			}
		}
		if limit := f.u.MaxGrowth; limit > 0 {
			old, ok := previous[program{f.u.Profile, f.u.Platform, f.pkg}]
			switch {
			case !ok:
				p.Warn("%s: budget.growth is not checked: %s", name, from)
			case f.size-old > limit:
				b.exceeds("mintmark size OLD NEW says what grew; raise budget.growth if it has to", "%s is %d bytes, %d more than in %s; budget.growth is %d%s", name, f.size, f.size-old, from, limit, b.contributors(f))
			case float64(f.size-old) > nearly*float64(limit):
				p.Warn("%s is %d bytes more than in %s, budget.growth is %d", name, f.size-old, from, limit)
			}
		}
	}
	err = b.startup(ctx)
	sort.Slice(b.over, func(i, j int) bool { return b.over[i].Error() < b.over[j].Error() })
	return b.over, err
}

// budget is the final binaries of a release, and those that are over a limit.
type budget struct {
	*fetch.Planned
	finals []final
	sized  []report.Sized
	over   []error
}

func (b *budget) exceeds(hint, format string, args ...any) {
	b.over = append(b.over, fault.NotReproduciblef(hint, format, args...))
}

// contributors says which packages a binary consists of most, if it was measured.
func (b *budget) contributors(f final) string {
	const show = 5
	for _, s := range b.sized {
		if s.SHA256 != f.linked || s.Summary == nil {
			continue
		}
		var list []string
		for _, a := range sizes.Top(s.Summary, show) {
			list = append(list, fmt.Sprintf("%s %d", a.Name, a.Size))
		}
		return "; most of what was linked is " + strings.Join(list, ", ")
	}
	return ""
}

// program is a binary of a release, whatever its version.
type program struct{ profile, platform, pkg string }

// previousSizes are the sizes of the final binaries of the release before: that
// of -against, or the one that this release is about to replace. from names it,
// or says why there is none.
func previousSizes(p *fetch.Planned) (sizes map[program]int64, from string, err error) {
	wanted := slices.ContainsFunc(p.Plan.Units, func(u *plan.Unit) bool { return u.MaxGrowth > 0 })
	if !wanted {
		return nil, "", nil
	}
	dir, asked := p.Out, p.Against != ""
	if asked {
		dir = p.Against
		if fi, err := os.Stat(dir); err == nil && !fi.IsDir() {
			dir = filepath.Dir(dir)
		}
	}
	data, err := files.Read(filepath.Join(dir, checksums.ManifestFile), checksums.MaxManifestSize)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return nil, "there is no earlier release in the output directory; -against=DIR names one", nil
	}
	var m *checksums.Manifest
	if err == nil {
		m, err = checksums.ParseManifest(data)
	}
	switch {
	case err != nil && asked:
		return nil, "", fault.Usagef("-against takes the directory of an earlier release", "-against=%s: %w", p.Against, err)
	case err != nil:
		return nil, "the release in the output directory cannot be read: " + err.Error(), nil
	case m.Project != p.Plan.Project:
		return nil, fmt.Sprintf("the release in %s is of project %s", dir, m.Project), nil
	}
	packed := map[string]int64{} // by the digest of what was packed
	for _, a := range m.Artifacts {
		if a.Stage == fact.Packed && len(a.From) == 1 {
			packed[a.From[0]] = a.Size
		}
	}
	sizes = map[program]int64{}
	for _, a := range m.Artifacts {
		if a.Stage != fact.Linked {
			continue
		}
		size := a.Size
		if n, ok := packed[a.SHA256]; ok {
			size = n
		}
		sizes[program{a.Profile, a.Platform, a.Package}] = size
	}
	return sizes, m.Project + " " + m.Version, nil
}

// startup starts what this machine can start, each program alone, as the
// profile's bench says.
func (b *budget) startup(ctx context.Context) error {
	said := map[string]bool{}
	for _, f := range b.finals {
		limit := time.Duration(f.u.MaxStartup)
		if limit == 0 {
			continue
		}
		unchecked := func(format string, args ...any) {
			text := fmt.Sprintf("%s: budget.startup is not checked: %s", f.u.ID(), fmt.Sprintf(format, args...))
			if !said[text] {
				said[text] = true
				b.Warn("%s", text)
			}
		}
		goos, rest, _ := strings.Cut(f.u.Platform, "/")
		goarch, _, _ := strings.Cut(rest, "/")
		declared := b.Declared(f.u)
		switch {
		case goos != runtime.GOOS || goarch != runtime.GOARCH:
			unchecked("%s/%s cannot tell how fast it is there", runtime.GOOS, runtime.GOARCH)
			continue
		case f.several:
			unchecked("the profile makes several programs, and bench: is about one")
			continue
		case declared == nil:
			unchecked("the profile has no bench: that says what to start, such as bench: {args: [--version]}")
			continue
		}
		cfg := startup.Config{Programs: []startup.Program{{Name: f.name, Path: f.path}}, SkipCold: true, SkipMemory: true, Time: 5 * time.Second}
		if err := Workload(b.Checkout, &cfg, *declared); err != nil {
			return err
		}
		var err error
		if cfg.Work, err = os.MkdirTemp(b.Workspace.Dir, "start-"); err != nil {
			return workspace.Error(err)
		}
		b.Phase("starting " + f.u.ID())
		res, err := startup.Measure(ctx, cfg)
		if err != nil {
			return fmt.Errorf("%s: starting %s: %w", f.u.ID(), f.name, err)
		}
		took := res.Run(startup.Warm).Time(f.name)
		if took == nil {
			unchecked("%s", res.Programs[0].NotMeasured)
			continue
		}
		median, low := time.Duration(took.Median), time.Duration(took.Low)
		switch {
		case low > limit:
			b.exceeds("raise budget.startup, or find out what it does before it is ready: mintmark bench", "%s: %s starts in %s (median, at least %s), the budget is %s", f.u.ID(), f.name, round(median), round(low), limit)
		case median > limit:
			b.Warn("%s: %s starts in %s, the budget is %s; the measurement cannot tell whether that is too slow", f.u.ID(), f.name, round(median), limit)
		}
	}
	return nil
}

func round(d time.Duration) time.Duration { return d.Round(d / 100) }
