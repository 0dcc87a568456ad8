package release

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/execute/carry"
	"github.com/mintmark/mintmark/builds/execute/remote"
	"github.com/mintmark/mintmark/builds/execute/worker"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/childenv"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/workspace"
	"golang.org/x/sync/errgroup"
)

// thisSystem is the GOOS/GOARCH of this program.
const thisSystem = runtime.GOOS + "/" + runtime.GOARCH

// Here is the word for this machine among the machines that build.
const Here = "here"

// fleet are the machines that build a plan.
type fleet struct {
	sites   []schedule.Site
	workers map[string]*remote.Worker // by site
	here    bool                      // this machine builds as well
}

// spread is one build of every unit, wherever there is room for it.
type spread struct {
	*fleet
	name string
	here execute.Executor // in a place on this machine; nil: it does not build
}

func (s *spread) Name() string { return s.name }

// Build builds where the schedule has said. A worker that gives no answer has built
// nothing: what it was asked for has another nonce the next time.
func (s *spread) Build(ctx context.Context, u *plan.Unit, pace execute.Pace) (*execute.Outcome, error) {
	w := s.workers[pace.Site]
	if w == nil {
		return s.here.Build(ctx, u, pace)
	}
	o, err := w.Build(ctx, s.name, u, pace)
	if _, gone := errors.AsType[*remote.GoneError](err); gone && ctx.Err() == nil {
		err = schedule.SiteLost(err)
	}
	return o, err
}

// carriers are those of the addresses that were asked for, and whether this machine
// builds as well.
func carriers(p *fetch.Planned, on []string) (list []remote.Carrier, here bool, err error) {
	cfg := carry.Config{
		Self: p.Self, System: thisSystem, Env: childenv.Of(childenv.Carry, p.Environ), Path: p.Env("PATH"),
		Dir: filepath.Join(p.Workspace.Dir, "carry"),
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, false, workspace.Error(err)
	}
	return openCarriers(cfg, on)
}

// CheckMachines refuses what is no address of a machine that this program, self, can build
// on, before anything is done. It reaches nobody.
func CheckMachines(self string, on []string) error {
	_, _, err := openCarriers(carry.Config{Self: self, System: thisSystem}, on)
	return err
}

func openCarriers(cfg carry.Config, on []string) (list []remote.Carrier, here bool, err error) {
	var errs []error
	seen := map[string]bool{}
	for _, address := range on {
		switch {
		case seen[address]:
			errs = append(errs, fault.Usagef("name each once: a machine builds as much at a time as it has processors", "-on names %s twice", address))
		case address == Here:
			here = true
		default:
			c, err := carry.Open(cfg, address)
			errs = append(errs, err)
			list = append(list, c)
		}
		seen[address] = true
	}
	return list, here, errors.Join(errs...)
}

// gather greets the workers and sends them what they lack. All that is wrong with any of
// them is reported: a release on fewer machines than were named is not what was asked.
func gather(ctx context.Context, p *fetch.Planned, list []remote.Carrier, here bool) (*fleet, error) {
	f := &fleet{workers: map[string]*remote.Worker{}, here: here}
	if here {
		f.sites = append(f.sites, schedule.Site{Budget: schedule.Budget{CPUs: p.Jobs}})
	}
	if len(list) == 0 {
		return f, nil
	}
	p.Phase("greeting " + fact.Count(len(list), "worker"))
	client, err := newClient(ctx, p)
	if err != nil {
		return nil, err
	}
	tools, err := neededTools(ctx, p)
	if err != nil {
		return nil, err
	}
	client.Programs = slices.Sorted(maps.Keys(tools))
	all := make([]*remote.Worker, len(list))
	errs := make([]error, len(list))
	var g errgroup.Group
	for i, c := range list {
		g.Go(func() error {
			if all[i], errs[i] = client.Greet(ctx, c); errs[i] == nil {
				errs[i] = all[i].Send(ctx)
			}
			if errs[i] == nil {
				errs[i] = lacking(all[i], tools)
			}
			return nil
		})
	}
	g.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, w := range all {
		f.workers[w.String()] = w
		f.sites = append(f.sites, schedule.Site{Name: w.String(), Budget: schedule.Budget{CPUs: w.CPUs, Memory: w.Memory}})
		p.Note("%s: %s on %s, %s", w, fact.Count(w.CPUs, "processor"), w.Host.System, w.Host.Name)
	}
	return f, nil
}

// neededTool is a unit that needs a program beside the toolchain, and what for.
type neededTool struct {
	unit string
	plan.Tool
}

// neededTools are the programs beside the toolchain that builds of the plan need.
func neededTools(ctx context.Context, p *fetch.Planned) (map[string]neededTool, error) {
	need := map[string]neededTool{}
	for _, u := range p.Plan.Units {
		tools, err := p.Planner.Tools(ctx, u)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", u.ID(), err)
		}
		for _, t := range tools {
			if _, ok := need[t.Command]; !ok {
				need[t.Command] = neededTool{u.ID(), t}
			}
		}
	}
	return need, nil
}

// lacking is the error of a worker on which the builds of a unit would fail.
func lacking(w *remote.Worker, tools map[string]neededTool) error {
	var errs []error
	for _, name := range w.Absent {
		t := tools[name]
		by := ""
		if t.Variable != "" {
			by = " (" + t.Variable + ")"
		}
		hint := "install it there, or leave this machine out of -on"
		if carry.Bare(w.String()) {
			hint = "leave this machine out of -on: its container has nothing in it but mintmark; ssh:// reaches machines with compilers"
		}
		errs = append(errs, fault.Errorf(hint+"; cgo: false builds programs that can do without C code", "%s needs %s%s, and %s has none", t.unit, name, by, w))
	}
	return errors.Join(errs...)
}

// newClient has all that workers need to build the plan.
func newClient(ctx context.Context, p *fetch.Planned) (*remote.Client, error) {
	c := &remote.Client{
		Version: p.Tool, Plan: p.Plan, PlanID: p.PlanID, Inputs: &remote.Inputs{}, Confined: p.Confined,
		Dir:    filepath.Join(p.Workspace.Dir, "arrived"),
		Source: worker.Source{Kind: p.Source.Kind, Dir: p.Source.Dir, Module: p.Source.ModulePath, Version: p.Source.Version, Sum: p.Source.Sum},
		Signed: signedBy(p.Workers),
	}
	c.Begin()
	for _, n := range p.Planner.Modules() {
		c.Fetch = append(c.Fetch, n.Path)
	}
	dir := filepath.Join(p.Workspace.Dir, "sent")
	modules, err := sentModules(ctx, p, dir, c.Fetch)
	if err != nil {
		return nil, err
	}
	if c.Modules, err = c.Inputs.AddModules(ctx, modules); err != nil {
		return nil, err
	}
	if p.Repo != nil {
		if err := sentSource(ctx, p, c, filepath.Join(dir, "source.tar")); err != nil {
			return nil, err
		}
	}
	var mu sync.Mutex
	type sent struct {
		fact.Toolchain
		zip string // its input
	}
	known := map[string]sent{}
	c.Toolchain = func(ctx context.Context, system string) (fact.Toolchain, string, error) {
		mu.Lock()
		defer mu.Unlock()
		if s, ok := known[system]; ok {
			return s.Toolchain, s.zip, nil
		}
		t, err := p.GoToolchain, error(nil)
		if system != thisSystem {
			t, err = p.Fetcher.ToolchainFor(ctx, p.GoToolchain.Version, system)
		}
		if err != nil {
			return fact.Toolchain{}, "", err
		}
		zip, err := c.Inputs.Add(ctx, t.Zip())
		if err == nil {
			known[system] = sent{t.Toolchain, zip}
		}
		return t.Toolchain, zip, err
	}
	return c, nil
}

// signedBy looks for the signature of one of these at a receipt; nil where there are none.
func signedBy(trusted []checksums.Trust) func(receipt, bundle []byte) error {
	if len(trusted) == 0 {
		return nil
	}
	return func(receipt, bundle []byte) error {
		if bundle == nil {
			return &fault.Error{Err: errors.New("none"), Code: fault.Refused, Tip: "MINTMARK_KEY in the worker's environment names the key that it signs with; without -workerkeys a receipt is believed as it is"}
		}
		var errs []error
		for _, t := range trusted {
			err := checksums.VerifyBlob(t, bundle, receipt)
			if err == nil {
				return nil
			}
			errs = append(errs, err)
		}
		// %v: what to do about a publisher's key is no advice here.
		return &fault.Error{Err: fmt.Errorf("%v", errors.Join(errs...)), Code: fault.Refused, Tip: "-workerkeys=FILE,… names the public key of each worker, from whoever set it up"}
	}
}

// sentSource packs the private copy of a commit.
func sentSource(ctx context.Context, p *fetch.Planned, c *remote.Client, name string) error {
	claim, err := p.Repo.Claim(ctx)
	if err != nil {
		return err
	}
	c.Source.Stamp = &claim
	err = files.Create(name, 0o644, func(out *os.File) error {
		return worker.PackSource(ctx, out, p.Top(p.Checkout), p.Source.Executable)
	})
	if err != nil {
		return err
	}
	c.Source.Archive, err = c.Inputs.Add(ctx, name)
	return err
}

// sentModules fills a module cache with nothing but what the plan needs, out of that of
// the first place.
func sentModules(ctx context.Context, p *fetch.Planned, dir string, paths []string) (modCache string, err error) {
	place := *p.BuildPlace
	place.Home, place.ModCache = filepath.Join(dir, "home"), filepath.Join(dir, "modules")
	if err := place.Make(); err != nil {
		return "", workspace.Error(err)
	}
	loader := &plan.Loader{
		Goroot: p.Goroot, Place: &place, Dir: p.Checkout, Kind: p.Source.Kind,
		Settings: toolchain.Settings{GOPROXY: p.BuildPlace.Proxy(), GOSUMDB: "off"}, Offline: true,
	}
	if p.Source.Kind != fact.SourceModule {
		return place.ModCache, loader.FetchModules(ctx, paths)
	}
	for _, u := range p.Plan.Units {
		if err := loader.FetchInstall(ctx, u, p.Source.Version); err != nil {
			return "", fmt.Errorf("%s: %w", u.ID(), err)
		}
	}
	return place.ModCache, nil
}

// spreadOver makes the builds of a plan into builds on the fleet: places has those of
// this machine, and a copy of the source for each.
func (f *fleet) spreadOver(places []ReadyExecutor) []ReadyExecutor {
	out := slices.Clone(places)
	for i, name := range []string{worker.First, worker.Second}[:len(places)] {
		s := &spread{fleet: f, name: name}
		if f.here {
			s.here = places[i].Executor
		}
		out[i].Executor = s
	}
	return out
}
