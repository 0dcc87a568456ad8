package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/upx"
	"github.com/mintmark/mintmark/profiles"
)

// altered is the one selected unit of a session with other settings: built once
// to be measured, and never published.
type altered struct {
	name string
	unit *plan.Unit
	// alone builds it from an empty cache, for what that costs.
	alone bool
	path  string        // of the program; set by buildAltered
	cpu   time.Duration // of all processes of its build
}

// openOne opens a run that builds variants of one unit of a clean checkout,
// which pick chooses.
func openOne(ctx context.Context, cfg *Config, pick func(*session) (profiles.Selected, error)) (_ *session, err error) {
	s, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := s.refuseDirty(); err != nil {
		return nil, err
	}
	if err := s.choose(); err != nil {
		return nil, err
	}
	sel, err := pick(s)
	if err != nil {
		return nil, err
	}
	s.selected = []profiles.Selected{sel}
	if err := s.fetchToolchain(ctx); err != nil {
		return nil, err
	}
	if err := s.useCaches(); err != nil {
		return nil, err
	}
	return s, s.copySource(ctx)
}

// planAltered plans the unit with settings that change has altered.
func (s *session) planAltered(ctx context.Context, name string, change func(*profiles.Settings)) (altered, error) {
	s.planner = &plan.Planner{
		File: s.file, Selected: s.selected, Source: s.source, Version: s.version, Go: s.tc.Version,
		Snapshot: s.Snapshot, Loader: s.loader, Deps: true, Alter: change,
	}
	plan, err := s.planner.Plan(ctx)
	if err != nil {
		return altered{}, err
	}
	s.plan = plan
	u := plan.Units[0]
	if err := refuseLibrary(u); err != nil {
		return altered{}, err
	}
	if n := len(u.Mains); n != 1 {
		return altered{}, usage("name one with bench: {main: ./cmd/…}", "profile %s has %d programs, and one can be measured", u.Profile, n)
	}
	return altered{name: name, unit: u}, nil
}

// buildAltered builds and packs them all, one after the other, in the first place.
func (s *session) buildAltered(ctx context.Context, list []altered) error {
	if s.loader.Ready != nil {
		if err := s.loader.Ready(ctx); err != nil {
			return err
		}
	}
	st, err := s.prepare(ctx, false)
	if err != nil {
		return err
	}
	jobs := s.Jobs
	if jobs == 0 {
		jobs = runtime.NumCPU()
	}
	var tool *upx.Tool
	for i := range list {
		a := &list[i]
		s.phase("building " + a.name)
		site := *st.first
		site.Out = filepath.Join(s.ws.dir, "first", fmt.Sprintf("variant-%d", i))
		if a.alone {
			place := *site.Place
			place.GoCache = filepath.Join(s.ws.dir, fmt.Sprintf("variant-%d-objects", i))
			if err := os.Mkdir(place.GoCache, 0o755); err != nil {
				return cacheError(err)
			}
			site.Place = &place
		}
		built, cost, err := site.Build(ctx, a.unit, execute.Pace{P: jobs})
		if err != nil {
			return err
		}
		a.path, a.cpu = built[0].Path, cost.CPU
		if a.unit.UPX == nil {
			continue
		}
		if tool == nil {
			if tool, err = upx.Find(ctx, upx.Config{Confined: s.confined, Dirs: filepath.SplitList(s.env("PATH")), Version: a.unit.UPXVersion, SHA256: a.unit.UPXSHA256}); err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
		}
		packed := a.path + ".packed"
		if _, err := tool.Pack(ctx, a.path, packed, a.unit.UPX); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		if err := os.Rename(packed, a.path); err != nil {
			return err
		}
	}
	return nil
}
