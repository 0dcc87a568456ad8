package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/internal/workspace"
)

// cacheFlags are what mintmark cache takes.
type cacheFlags struct {
	Clear []string `flag:"clear" help:"remove these parts, by the names it shows; all for every part"`
	jsonFlag
}

func (f *cacheFlags) run(ctx context.Context, d *app) (err error) {
	c, err := d.config()
	if err != nil {
		return err
	}
	var before []workspace.Part
	if len(f.Clear) > 0 {
		parts := f.Clear
		if slices.Contains(parts, "all") {
			if len(parts) > 1 {
				return fault.Usagef("-clear=all, or the parts", "-clear=%s names all and more", strings.Join(parts, ","))
			}
			parts = workspace.Clearable()
		}
		if before, err = workspace.Usage(ctx, c.Cache); err != nil {
			return err
		}
		if err := clearCache(c.Cache, parts); err != nil {
			return err
		}
	}
	parts, err := workspace.Usage(ctx, c.Cache)
	if err != nil {
		return err
	}
	total, removed := size(parts), size(before)-size(parts)
	if f.JSON {
		return report.WriteJSON(d.stdout(), struct {
			Schema  fact.Schema      `json:"schema"`
			Dir     string           `json:"dir"`
			Parts   []workspace.Part `json:"parts"`
			Bytes   int64            `json:"bytes"`
			Removed int64            `json:"removed,omitempty"`
		}{fact.CacheReport, c.Cache, parts, total, max(removed, 0)})
	}
	if len(f.Clear) > 0 {
		d.printf("removed %s\n", ui.FormatBytes(max(removed, 0)))
	}
	for _, p := range parts {
		d.printf("%10s  %-10s  %s\n", ui.FormatBytes(p.Bytes), p.Name, p.Holds)
	}
	d.printf("%10s  in %s\n", ui.FormatBytes(total), c.Cache)
	return nil
}

// clearCache removes parts of the cache directory.
func clearCache(cache string, parts []string) error {
	w, err := workspace.Open(cache)
	if err != nil {
		return err
	}
	defer w.Close()
	return w.Clear(parts)
}

func size(parts []workspace.Part) (total int64) {
	for _, p := range parts {
		total += p.Bytes
	}
	return total
}
