package door

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
)

func runPGO(ctx context.Context, d *Door, f Flags, args []string) error {
	if args[0] != "merge" {
		return &usageError{fmt.Sprintf("pgo: unknown command %q", args[0]), "mintmark pgo merge OUT IN... adds CPU profiles up"}
	}
	in := slices.Clone(args[2:])
	if f.In != nil {
		in = append(in, strings.Split(*f.In, ",")...)
	}
	if len(in) == 0 {
		return &usageError{"pgo merge: no profiles to merge", "mintmark pgo merge default.pgo monday.pprof tuesday.pprof"}
	}
	m, err := release.MergePGO(ctx, args[1], in)
	if err != nil {
		return err
	}
	if yes(f.JSON) {
		return report.WriteJSON(d.Term.Stdout(), m)
	}
	var what []string
	if m.Samples > 0 {
		what = append(what, fmt.Sprintf("%d samples", m.Samples))
	}
	if m.CPU > 0 {
		what = append(what, ui.FormatDuration(time.Duration(m.CPU))+" of CPU")
	}
	d.printf("%s: %s in %d stacks, of %d profiles; %s, sha256 %s\n", m.Path, strings.Join(what, ", "), m.Stacks, m.Inputs, ui.FormatBytes(int64(m.Size)), m.SHA256)
	return nil
}
