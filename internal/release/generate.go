package release

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/generate"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
)

// generateAgain runs the commands in a further place, holds what they made against
// the first place's, and takes it into that place's copy of the source.
func generateAgain(ctx context.Context, p *fetch.Planned, at *execute.Local, name string, l *plan.Loader) error {
	g := p.Generation
	if g == nil {
		return nil
	}
	if g.Made == nil { // elsewhere: what was made there is the same for all places
		return p.Install(ctx, g, at.Dir)
	}
	if err := p.FetchForCommands(ctx, l); err != nil {
		return err
	}
	p.Phase("generating files again")
	place := p.CommandPlace(name, at.Goroot, at.Place, at.Dir, filepath.Join(filepath.Dir(at.Place.Home), "commands", "objects"))
	place.SetUmask, place.Hostname = at.SetUmask, at.Hostname
	made, err := p.RunCommands(ctx, g, place)
	if err != nil {
		return err
	}
	differ, err := generate.Compare(ctx, g.Made[0], made)
	if err != nil {
		return err
	}
	if len(differ) > 0 {
		return generatedDiffer(ctx, p, g.Made[0], made, differ)
	}
	own := *g
	own.Dir = made.Dir
	return p.Install(ctx, &own, at.Dir)
}

// generatedDiffer is the error of commands that make different files in two places.
// Both are kept for whoever wants to look at them.
func generatedDiffer(ctx context.Context, p *fetch.Planned, a, b *generate.Made, differ []generate.Difference) error {
	below := filepath.Join("different", p.Plan.Project+"-"+p.Version, "generated")
	var errs []error
	for _, m := range []*generate.Made{a, b} {
		for _, f := range m.Files {
			if !slices.ContainsFunc(differ, func(d generate.Difference) bool { return d.Name == f.Name }) {
				continue
			}
			local := filepath.FromSlash(f.Name)
			to, err := files.MakeDir(p.Cache, below, strings.ReplaceAll(m.Place, " ", "-"), filepath.Dir(local))
			if err == nil {
				_, _, err = files.Copy(ctx, filepath.Join(m.Dir, local), filepath.Join(to, filepath.Base(local)), 0o644)
			}
			errs = append(errs, err)
		}
	}
	var lines []string
	commands := map[int]bool{}
	for _, d := range differ {
		lines = append(lines, d.String())
		commands[d.Command] = true
	}
	var which []string
	for i, c := range p.Generation.Commands {
		if commands[i+1] {
			which = append(which, generate.Title(i+1, c))
		}
	}
	if !generate.SameTools(a, b) {
		lines = append(lines, "the programs that ran were not the same in both places")
	}
	varied := fact.Compare([][]fact.Circumstances{{a.Circumstances, b.Circumstances}}).Varied
	return errors.Join(append(errs, fault.NotReproduciblef(
		"the two places differ in "+strings.Join(varied, ", ")+"; the files are kept in "+filepath.Join(p.Cache, below)+"; the time of the commit is SOURCE_DATE_EPOCH in the environment of every command",
		"not reproducible: %s makes different files in two places; nothing was compiled\n%s", strings.Join(which, ", "), strings.Join(lines, "\n")))...)
}

// generated is what the manifest says of the generated files; nil if there are none.
func generated(c *fetch.Copied) *fact.Generated {
	g := c.Generation
	if g == nil || g.Made == nil {
		return nil
	}
	out := &fact.Generated{Executions: len(g.Made), Verdict: fact.Identical, Tools: g.Made[0].Tools, Files: g.Files}
	if out.Executions < 2 {
		out.Verdict, out.Reason = fact.Unchecked, "the commands ran in one place"
		return out
	}
	var all []fact.Circumstances
	for _, m := range g.Made {
		all = append(all, m.Circumstances)
	}
	compared := fact.Compare([][]fact.Circumstances{all})
	out.Varied, out.Attempted, out.Shared = compared.Varied, compared.Attempted, compared.Shared
	return out
}

// generatedArchive is the file of a release that has the generated files.
func generatedArchive(ctx context.Context, c *fetch.Copied) ([]byte, error) {
	var b bytes.Buffer
	err := generate.Pack(ctx, &b, c.Generation.Dir, c.Generation.Files, c.Source.CommitTime)
	return b.Bytes(), err
}
