package measure

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/lint"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/upx"
	"github.com/mintmark/mintmark/internal/workspace"
	"github.com/mintmark/mintmark/profiles"
)

// variant is the one selected unit of a checkout with other settings: built once
// to be measured, and never published.
type variant struct {
	name    string
	planned *fetch.Planned
	// alone builds it from an empty cache, for what that costs.
	alone bool
}

// program is a variant that was built, and packed if its settings say so.
type program struct {
	variant
	path string
	cpu  time.Duration // of all processes of its build
}

func (v *variant) unit() *plan.Unit { return v.planned.Plan.Units[0] }

// openOne opens a run that builds variants of one unit of a clean checkout,
// which pick chooses. The caller closes it.
func openOne(ctx context.Context, cfg *run.Config, pick func(*fetch.Subject) (profiles.Selected, error)) (_ *fetch.Copied, err error) {
	s, err := fetch.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := lint.RefuseDirty(s); err != nil {
		return nil, err
	}
	sel, err := pick(s)
	if err != nil {
		return nil, err
	}
	s.Selected = []profiles.Selected{sel}
	return s.Fetch(ctx)
}

// variant plans the unit with settings that change has altered.
func planVariant(ctx context.Context, c *fetch.Copied, name string, change func(*profiles.Settings)) (variant, error) {
	p, err := c.Expand(ctx, fetch.PlanWith{Deps: true, Alter: change})
	if err != nil {
		return variant{}, err
	}
	v := variant{name: name, planned: p}
	if err := release.RefuseLibrary(v.unit()); err != nil {
		return variant{}, err
	}
	if n := len(v.unit().Mains); n != 1 {
		return variant{}, fault.Usagef("name one with bench: {main: ./cmd/…}", "profile %s has %d programs, and one can be measured", v.unit().Profile, n)
	}
	return v, nil
}

// buildVariants builds and packs them all, one after the other, in the first place.
func buildVariants(ctx context.Context, c *fetch.Copied, list []variant) (built []program, err error) {
	packers := map[string]*upx.Tool{}
	for i, v := range list {
		p, err := buildVariant(ctx, c, i, v, packers)
		if err != nil {
			return nil, err
		}
		built = append(built, p)
	}
	return built, nil
}

// buildVariant builds and packs one, the n-th, in the first place. packers are those
// that were found so far.
func buildVariant(ctx context.Context, c *fetch.Copied, n int, v variant, packers map[string]*upx.Tool) (program, error) {
	c.Phase("building " + v.name)
	first, err := release.FirstPlace(ctx, v.planned)
	if err != nil {
		return program{}, err
	}
	objects := ""
	if v.alone {
		objects = filepath.Join(c.Workspace.Dir, fmt.Sprintf("variant-%d-objects", n))
		if err := os.Mkdir(objects, 0o755); err != nil {
			return program{}, workspace.Error(err)
		}
	}
	place := first.Apart(filepath.Join(c.Workspace.Dir, "first", fmt.Sprintf("variant-%d", n)), objects)
	made, err := place.Build(ctx, v.unit(), execute.Pace{P: c.Parallel()})
	if err != nil {
		return program{}, err
	}
	p := program{variant: v, path: made.Products[0].Path, cpu: made.Cost.CPU}
	if v.unit().UPX != nil {
		if err := packVariant(ctx, c, p, packers); err != nil {
			return program{}, fmt.Errorf("%s: %w", v.name, err)
		}
	}
	return p, nil
}

// packVariant packs a program in its place.
func packVariant(ctx context.Context, c *fetch.Copied, p program, packers map[string]*upx.Tool) (err error) {
	u := p.unit()
	pin := u.UPXVersion + " " + u.UPXSHA256
	if packers[pin] == nil {
		cfg := upx.Config{Confined: c.Confined, Dirs: filepath.SplitList(c.Env("PATH")), Version: u.UPXVersion, SHA256: u.UPXSHA256}
		if packers[pin], err = upx.Find(ctx, cfg); err != nil {
			return err
		}
	}
	packed := p.path + ".packed"
	if _, err := packers[pin].Pack(ctx, p.path, packed, u.UPX); err != nil {
		return err
	}
	return os.Rename(packed, p.path)
}
