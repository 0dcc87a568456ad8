package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/internal/measure"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
)

// inspectFlags are what mintmark inspect takes.
type inspectFlags struct {
	jsonFlag
	File string `arg:"file" help:"a Go binary"`
}

func (f *inspectFlags) run(ctx context.Context, d *app) error {
	in, err := measure.Inspect(ctx, f.File)
	if err != nil {
		return err
	}
	if f.JSON {
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
	if n := in.Needs; n != nil {
		how := string(n.Linkage)
		if n.PIE != nil && *n.PIE {
			how += ", position-independent"
		}
		if n.RELRO != "" {
			how += ", RELRO " + string(n.RELRO)
		}
		if in.Slice != "" {
			how += " (of the slice " + in.Slice + ")"
		}
		line("linkage", how)
		line("interpreter", n.Interpreter)
		for _, name := range n.Libraries {
			line("library", name)
		}
		line("RPATH", strings.Join(n.RPATH, ", "))
		line("RUNPATH", strings.Join(n.RUNPATH, ", "))
		if n.MinimumOS != "" {
			line("least system", strings.TrimSpace(n.Platform+" "+n.MinimumOS))
		}
	}
	cgo := in.Cgo
	if len(in.CgoPackages) > 0 {
		cgo += ": " + strings.Join(in.CgoPackages, ", ")
	}
	line("cgo", cgo)
	for i, part := range in.BuildID {
		line("build ID", fmt.Sprintf("%-12s %s", in.BuildIDParts[i], part))
	}
	for _, s := range in.Settings {
		line("setting", s)
	}
	if in.Package != "" || in.Module != "" { // else nothing lists them
		line("dependencies", fmt.Sprint(in.Dependencies))
	}
	line("untouched", string(in.Untouched)+": "+in.UntouchedReason)
	for _, n := range in.Notes {
		line("note", n)
	}
	return nil
}
