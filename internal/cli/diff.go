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
	"github.com/mintmark/mintmark/internal/report"
)

// diffFlags are what mintmark diff takes.
type diffFlags struct {
	jsonFlag
	A string `arg:"a" help:"a file or directory"`
	B string `arg:"b" help:"another"`
}

func (f *diffFlags) run(ctx context.Context, d *app) error {
	work, err := os.MkdirTemp("", "mintmark-diff-")
	if err != nil {
		return err
	}
	defer files.RemoveTree(work)
	r, err := diff.Compare(ctx, f.A, f.B, work)
	if err != nil {
		return err
	}
	if f.JSON {
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
		err = fault.NotReproduciblef("", "%s and %s differ", f.A, f.B)
	}
	if f.JSON {
		return &shownError{err}
	}
	return err
}

// report prints a comparison for people.
func (d *app) report(r *diff.Report) {
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
