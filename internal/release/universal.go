package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/mintmark/mintmark/builds/compare"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/universal"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// joinTool is what writes universal binaries; its layout is in the name.
const joinTool = "mintmark universal-1"

// universal makes all universal binaries of the plan, of the units' programs.
func (m *Maker) universal(ctx context.Context, made []*UnitResult) (list []*UnitResult, err error) {
	p := m.Of.Plan
	for _, x := range p.Universal {
		var parts []*UnitResult
		for _, u := range x.Of(p) {
			parts = append(parts, made[slices.Index(p.Units, u)])
		}
		r, err := m.join(ctx, x, parts)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.ID(), err)
		}
		list = append(list, r)
	}
	return list, nil
}

// join makes of each program of these units a universal binary, of the files of each
// place, and publishes them. Where a unit's executions differ nothing is made, as of
// the unit itself.
func (m *Maker) join(ctx context.Context, x *plan.Universal, parts []*UnitResult) (*UnitResult, error) {
	u := x.Unit()
	r := &UnitResult{unit: u, linked: map[string]string{}}
	for _, part := range parts {
		if part.programs == nil {
			return r, nil
		}
	}
	m.Of.Phase("universal binaries of " + u.Profile)
	dir, err := os.MkdirTemp(m.Of.Workspace.Dir, "universal-")
	if err != nil {
		return nil, err
	}
	var items []*item
	for i, main := range u.Mains {
		it, err := m.joinOne(ctx, u, main, dir, i, parts)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", main.Binary, err)
		}
		r.linked[it.artifact.SHA256] = it.paths[0]
		items = append(items, it)
	}
	// No ledger: it counts what units of the plan made.
	plain := &Maker{Prepared: m.Prepared, Stage: m.Stage}
	for _, s := range plain.steps() {
		if s.needs(u) {
			if err := s.make(ctx, r, items); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// joinOne makes the universal binary of one program, the i-th of each part, once for
// each place.
func (m *Maker) joinOne(ctx context.Context, u *plan.Unit, main fact.Main, dir string, i int, parts []*UnitResult) (*item, error) {
	a := checksums.Artifact{
		Name: u.File(main), Profile: u.Profile, Platform: u.Platform, Stage: fact.Universal,
		Package: main.Package, Verdict: fact.Identical, Tool: joinTool,
	}
	for _, p := range parts {
		slice := p.linkedOf(main.Package)
		a.From = append(a.From, slice.SHA256)
		if slice.Verdict != fact.Identical && a.Verdict != fact.Different {
			a.Verdict, a.Reason = slice.Verdict, slice.Reason
		}
	}
	it := &item{product: &product{main: main, name: a.Name}}
	for place := range parts[0].programs[i].paths {
		var names []string
		for _, p := range parts {
			names = append(names, p.programs[i].paths[place])
		}
		out := filepath.Join(dir, fmt.Sprint(place), a.Name)
		if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
			return nil, err
		}
		if err := joinFiles(ctx, out, names); err != nil {
			return nil, err
		}
		it.paths = append(it.paths, out)
	}
	var err error
	if a.SHA256, a.Size, err = files.Digest(ctx, it.paths[0]); err != nil {
		return nil, err
	}
	if len(it.paths) > 1 {
		v, err := compare.Files(ctx, it.paths, bindiff.AllKnown())
		if err != nil {
			return nil, err
		}
		if v.Diff != nil {
			a.Verdict, a.Reason, a.Findings = v.Verdict, "", v.Diff.Findings
		}
	}
	it.artifact = a
	return it, nil
}

// linkedOf is what was linked of a main package, with the verdict that it has in the end.
func (r *UnitResult) linkedOf(pkg string) checksums.Artifact {
	i := slices.IndexFunc(r.Artifacts, func(a checksums.Artifact) bool { return a.Stage == fact.Linked && a.Package == pkg })
	return r.Artifacts[i] // every program was linked
}

// joinFiles writes the universal binary of files.
func joinFiles(ctx context.Context, out string, names []string) error {
	parts, close, err := universal.Open(names)
	if err != nil {
		return err
	}
	defer close()
	if err := ctx.Err(); err != nil {
		return err
	}
	return files.Create(out, 0o755, func(f *os.File) error { return universal.Join(f, parts) })
}
