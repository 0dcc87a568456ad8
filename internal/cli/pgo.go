package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/pgo"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
)

// pgoFlags are what mintmark pgo takes.
type pgoFlags struct {
	In []string `flag:"in" reads:"name CPU profiles that were recorded" adds:"true" help:"further profiles to merge, separated by commas"`
	jsonFlag
	Command string   `arg:"command" help:"merge"`
	Out     string   `arg:"out" help:"the file to write, such as default.pgo"`
	Inputs  []string `arg:"in?"`
}

func (f *pgoFlags) run(ctx context.Context, d *app) error {
	if f.Command != "merge" {
		return fault.Usagef("mintmark pgo merge OUT IN... adds CPU profiles up", "pgo: unknown command %q", f.Command)
	}
	if err := unreadAll(f.Inputs, "name CPU profiles that were recorded"); err != nil {
		return err
	}
	in := append(slices.Clone(f.Inputs), f.In...)
	if len(in) == 0 {
		return fault.Usagef("mintmark pgo merge default.pgo monday.pprof tuesday.pprof", "pgo merge: no profiles to merge")
	}
	m, err := pgo.MergeFiles(ctx, f.Out, in)
	if err != nil {
		return err
	}
	if f.JSON {
		return report.WriteJSON(d.stdout(), m)
	}
	var what []string
	if m.Samples > 0 {
		what = append(what, fact.Count(int(m.Samples), "sample"))
	}
	if m.CPU > 0 {
		what = append(what, ui.FormatDuration(time.Duration(m.CPU))+" of CPU")
	}
	d.printf("%s: %s in %s, of %s; %s, sha256 %s\n", m.Path, strings.Join(what, ", "), fact.Count(m.Stacks, "stack"), fact.Count(m.Inputs, "profile"), ui.FormatBytes(int64(m.Size)), m.SHA256)
	return nil
}
