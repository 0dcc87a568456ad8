package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
)

func runPGO(ctx context.Context, d *Door, f Flags, args []string) error {
	if args[0] != "merge" {
		return fault.Usagef("mintmark pgo merge OUT IN... adds CPU profiles up", "pgo: unknown command %q", args[0])
	}
	if err := unreadAll(args[2:], "name CPU profiles that were recorded"); err != nil {
		return err
	}
	in := append(slices.Clone(args[2:]), words(f.In)...)
	if len(in) == 0 {
		return fault.Usagef("mintmark pgo merge default.pgo monday.pprof tuesday.pprof", "pgo merge: no profiles to merge")
	}
	m, err := release.MergePGO(ctx, args[1], in)
	if err != nil {
		return err
	}
	if yes(f.JSON) {
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
