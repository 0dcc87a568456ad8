package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/mintmark/mintmark/internal/diff"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/measure"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
)

func runDiff(ctx context.Context, d *Door, f Flags, args []string) error {
	work, err := os.MkdirTemp("", "mintmark-diff-")
	if err != nil {
		return err
	}
	defer files.RemoveTree(work)
	r, err := diff.Compare(ctx, args[0], args[1], work)
	if err != nil {
		return err
	}
	if yes(f.JSON) {
		if err := report.WriteJSON(d.stdout(), r); err != nil {
			return err
		}
	} else {
		d.report(r)
	}
	switch r.Verdict {
	case fact.Identical:
		return nil
	case fact.Unchecked:
		err = fault.NotReproduciblef("", "not everything could be compared")
	default:
		err = fault.NotReproduciblef("", "%s and %s differ", args[0], args[1])
	}
	if yes(f.JSON) {
		return &shownError{err}
	}
	return err
}

// report prints a comparison for people.
func (d *Door) report(r *diff.Report) {
	d.printf("%s\n", r.Verdict)
	for _, file := range r.Files {
		if file.Verdict == fact.Identical {
			continue
		}
		reason := ""
		if file.Reason != "" {
			reason = ": " + file.Reason
		}
		d.printf("  %s %s%s\n", file.Verdict, file.Name, reason)
	}
	for _, f := range r.Findings {
		bytes := ""
		if f.Bytes > 0 {
			bytes = fmt.Sprintf(", %s", fact.Count(int(f.Bytes), "byte"))
		}
		d.printf("\n%s (%s%s)\n", f.Cause, f.Confidence, bytes)
		if len(f.Files) > 0 {
			d.printf("    in %s\n", strings.Join(f.Files, ", "))
		}
		for _, e := range f.Evidence {
			d.printf("    %s\n", e)
		}
		if f.Remedy != "" {
			d.printf("    remedy: %s\n", f.Remedy)
		}
	}
	if r.DifferentBytes > 0 {
		differ := "differ"
		if r.DifferentBytes == 1 {
			differ = "differs"
		}
		d.printf("\n%s %s; at most %d of the bytes in differing sections are not explained\n", fact.Count(r.DifferentBytes, "byte"), differ, r.UnexplainedBytes)
	}
	for _, n := range r.Notes {
		d.printf("not looked at: %s\n", n)
	}
}

func runInspect(ctx context.Context, d *Door, f Flags, args []string) error {
	in, err := measure.Inspect(ctx, args[0])
	if err != nil {
		return err
	}
	if yes(f.JSON) {
		return report.WriteJSON(d.stdout(), in)
	}
	line := func(key, value string) {
		if value != "" {
			d.printf("%-12s %s\n", key, value)
		}
	}
	line("file", in.File)
	line("sha256", in.SHA256)
	line("size", ui.FormatBytes(in.Size))
	line("format", in.Format+" "+in.Arch)
	line("packed", in.Packed)
	line("toolchain", in.Toolchain)
	line("package", in.Package)
	line("module", strings.TrimSpace(in.Module+" "+in.Version+" "+in.Sum))
	line("stripped", in.Stripped)
	line("signature", in.Signature)
	for i, part := range in.BuildID {
		line("build ID", fmt.Sprintf("%-12s %s", in.BuildIDParts[i], part))
	}
	for _, s := range in.Settings {
		line("setting", s)
	}
	if in.Package != "" || in.Module != "" { // else nothing lists them
		line("dependencies", fmt.Sprint(in.Dependencies))
	}
	line("untouched", in.Untouched+": "+in.UntouchedReason)
	for _, n := range in.Notes {
		line("note", n)
	}
	return nil
}
