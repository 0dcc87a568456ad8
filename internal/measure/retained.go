package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/retained"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/workspace"
	"github.com/mintmark/mintmark/profiles"
)

// RetainedWith is what of a program [Retained] looks at.
type RetainedWith struct {
	Packages bool     // each package of the dependencies by itself, not each module
	Only     []string // modules, or packages; none: all
}

// Retained builds one platform of one profile, and again with each dependency
// emptied, and says what leaves the program without it. Nothing is built twice, and
// nothing is published.
func Retained(ctx context.Context, cfg run.Config, with RetainedWith) (_ *report.Retained, err error) {
	defer func() { err = run.ExplainFull(err) }()
	r, err := openRetainer(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer r.c.Close()
	return r.all(ctx, with, &report.Retained{
		Schema: fact.RetainedReport, Project: r.project, Version: r.c.Version, Profile: r.u.Profile, Platform: r.u.Platform,
	})
}

// Program builds one platform of one profile as [Retained] does, and says what
// its bytes are for.
func Program(ctx context.Context, cfg run.Config) (_ *sizes.Breakdown, err error) {
	defer func() { err = run.ExplainFull(err) }()
	r, err := openRetainer(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer r.c.Close()
	return r.build(ctx, "full", nil, r.c.Parallel())
}

// openRetainer plans the one program that is measured.
func openRetainer(ctx context.Context, cfg *run.Config) (_ *retainer, err error) {
	c, err := openOne(ctx, cfg, chooseOne)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	main := c.Selected[0].Profile.Settings(c.Selected[0].Platforms[0]).Bench.Main
	v, err := planVariant(ctx, c, "the program", func(s *profiles.Settings) {
		s.UPX = nil // what is packed says nothing of its parts
		if main != "" {
			s.Main = []string{main}
		}
	})
	if err != nil {
		return nil, err
	}
	place, err := release.FirstPlace(ctx, v.planned)
	if err != nil {
		return nil, err
	}
	return &retainer{c: c, u: v.unit(), project: v.planned.Plan.Project, place: place, dir: filepath.Join(c.Workspace.Dir, "first", "retained")}, nil
}

// retainer builds a program with dependencies emptied.
type retainer struct {
	c       *fetch.Copied
	u       *plan.Unit
	project string
	place   *execute.Local
	dir     string // for everything
	graph   *retained.Graph
	stage   *retained.Stage
	full    *sizes.Breakdown
}

// all takes each dependency out.
func (r *retainer) all(ctx context.Context, with RetainedWith, out *report.Retained) (*report.Retained, error) {
	r.c.Phase("building the program")
	var err error
	if r.full, err = r.build(ctx, "full", nil, r.c.Parallel()); err != nil {
		return nil, err
	}
	out.Size = r.full.Size
	list, err := r.place.Packages(ctx, r.u, r.c.Parallel())
	if err != nil {
		return nil, err
	}
	r.graph = retained.NewGraph(graphed(list))
	r.stage = &retained.Stage{Graph: r.graph, ModCache: r.place.Place.ModCache, Checkout: r.place.Dir}
	for _, m := range r.graph.Modules() {
		in := r.graph.Of(m.Path)
		if !with.Packages {
			out.Dependencies = append(out.Dependencies, report.Dependency{Module: m.Path, Version: m.Version, Packages: in})
			continue
		}
		for _, p := range in {
			out.Dependencies = append(out.Dependencies, report.Dependency{Module: m.Path, Version: m.Version, Package: p, Packages: []string{p}})
		}
	}
	if len(with.Only) > 0 {
		for _, name := range with.Only {
			if !slices.ContainsFunc(out.Dependencies, func(d report.Dependency) bool { return d.Name() == name }) {
				return nil, fault.Usagef("without -only all are shown", "%s is no dependency of %s", name, r.u.ID())
			}
		}
		out.Dependencies = slices.DeleteFunc(out.Dependencies, func(d report.Dependency) bool { return !slices.Contains(with.Only, d.Name()) })
	}
	if err := r.each(ctx, out.Dependencies); err != nil {
		return nil, err
	}
	slices.SortStableFunc(out.Dependencies, report.ByRetained)
	if len(out.Dependencies) == 0 {
		out.Notes = append(out.Notes, "the program has no packages of other modules: mintmark why PACKAGE says what to remove until one of the standard library is gone")
		return out, nil
	}
	out.Notes = append(out.Notes,
		"what leaves with several dependencies at once may be more than the sum, where they need the same packages",
		"each program was built once: nothing was compared with a second build, and nothing is published")
	return out, nil
}

// each measures dependencies, several at a time.
func (r *retainer) each(ctx context.Context, list []report.Dependency) error {
	// A link has little that two processors can do at a time.
	at := max(1, r.c.Parallel()/2)
	var wait sync.WaitGroup
	slots := make(chan struct{}, at)
	for i := range list {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		r.c.Phase(fmt.Sprintf("without %s (%d of %d)", list[i].Name(), i+1, len(list)))
		wait.Go(func() {
			defer func() { <-slots }()
			d := &list[i]
			cost, err := r.without(ctx, fmt.Sprintf("%d", i), d.Packages)
			if err != nil {
				d.NotMeasured = r.reason(err)
				return
			}
			d.Cost = cost
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// without builds the program with packages emptied, and what only they import.
func (r *retainer) without(ctx context.Context, name string, out []string) (*retained.Cost, error) {
	dir := filepath.Join(r.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, workspace.Error(err)
	}
	defer files.RemoveTree(dir)
	gone := r.graph.Without(out)
	flags, err := r.stage.Flags(ctx, dir, gone)
	if err != nil {
		return nil, err
	}
	l, err := r.build(ctx, filepath.Join(name, "out"), flags, min(2, r.c.Parallel()))
	if err != nil {
		return nil, err
	}
	cost := retained.Compare(r.full, l, out, gone)
	return &cost, nil
}

// build builds the program with further flags, and says what it is made of.
func (r *retainer) build(ctx context.Context, name string, flags []string, p int) (*sizes.Breakdown, error) {
	place := r.place.Apart(filepath.Join(r.dir, name), "")
	made, err := place.BuildWith(ctx, r.u, flags, execute.Pace{P: p})
	if err != nil {
		return nil, err
	}
	defer os.Remove(made.Products[0].Path)
	return sizes.Analyze(ctx, made.Products[0].Path, sizes.Options{})
}

// maxReason is how many lines of an error are the reason why a module was not measured.
const maxReason = 3

// reason is an error in a line, with no directory of this run in it: of a build that
// failed, what the compiler or the linker said.
func (r *retainer) reason(err error) string {
	text := err.Error()
	if exit, ok := errors.AsType[*toolchain.ExitError](err); ok && exit.Output != "" {
		text = exit.Output
	}
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.ReplaceAll(line, r.c.Workspace.Dir+string(filepath.Separator), ""))
		// The go command names the package in a line of its own, and may not write beside
		// the modules here.
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "go: writing stat cache") || len(lines) == maxReason {
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

// graphed are packages as package retained has them.
func graphed(list []execute.Package) []*retained.Package {
	var out []*retained.Package
	for _, p := range list {
		q := &retained.Package{
			Path: p.ImportPath, Name: p.Name, Dir: p.Dir, Standard: p.Standard, Files: slices.Concat(p.GoFiles, p.CgoFiles),
			ImportMap: p.ImportMap, Export: p.Export,
		}
		for _, path := range p.Imports {
			if to, ok := p.ImportMap[path]; ok {
				path = to
			}
			q.Imports = append(q.Imports, path)
		}
		if m := p.Module; m != nil {
			q.Module = retained.Module{Path: m.Path, Version: m.Version, Dir: m.Dir, GoMod: m.GoMod, Main: m.Main}
			if x := m.Replace; x != nil {
				q.Module.Version = strings.TrimSpace(x.Path + " " + x.Version)
				if x.Path == m.Path {
					q.Module.Version = x.Version
				}
				if x.Dir != "" {
					q.Module.Dir = x.Dir
				}
				if x.GoMod != "" {
					q.Module.GoMod = x.GoMod
				}
			}
		}
		out = append(out, q)
	}
	return out
}
