package release

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/mintmark/mintmark/builds/compare"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
)

// compared is a unit whose executions were held against each other.
type compared struct {
	outcomes
	products []*product
	mended   []string // damage that was found on the way, and what was done
	kept     string   // directory of files that differ; "" for none
	doubt    string   // why it is not proven that these were several executions; "" if it is
	stamp    string   // the version that go wrote into the binaries of a commit; "" for none
}

// product is one binary of a unit, or the header of a library: as it was linked,
// with its verdict, and in each place.
type product struct {
	main     fact.Main
	header   bool
	name     string   // with extension
	paths    []string // of each execution
	artifact checksums.Artifact
}

// verdict is that of all products: the last that is not identical.
func (c *compared) verdict() fact.Verdict {
	v := fact.Identical
	for _, p := range c.products {
		if p.artifact.Verdict != fact.Identical {
			v = p.artifact.Verdict
		}
	}
	return v
}

// linked are the products that are no headers.
func (c *compared) linked() (list []*product) {
	for _, p := range c.products {
		if !p.header {
			list = append(list, p)
		}
	}
	return list
}

// Published is what a release was published with, by which a build is judged; nil:
// nothing is published yet.
type Published []checksums.Artifact

// compare gives a binary that was just linked, or the header of a library, built once
// or several times with the same bytes, its verdict.
func (p Published) compare(a *checksums.Artifact) {
	a.Verdict, a.Reason = fact.Unchecked, "the release has no such file"
	for _, x := range p {
		if x.Stage == a.Stage && x.Profile == a.Profile && x.Platform == a.Platform && x.Package == a.Package {
			a.Verdict, a.Reason = fact.Different, ""
			if x.SHA256 == a.SHA256 {
				a.Verdict = fact.Identical
			}
		}
	}
}

// compare gives every product of a unit its verdict: by the other executions, and,
// if they agree, by what was published. Differences are explained.
func (p *Prepared) compare(ctx context.Context, o *outcomes, by Published) (*compared, error) {
	c := &compared{outcomes: *o}
	// First of all: what was made from damage must not get into the ledger.
	for _, x := range o.all {
		c.mended = append(c.mended, x.Mended...)
	}
	if err := p.mend(ctx, c); err != nil {
		return nil, err
	}
	c.doubt = c.outcomes.doubt()
	for i, first := range c.all[0].Products {
		pr := &product{main: first.Main, header: first.Header, name: c.unit.File(first.Main)}
		if pr.header {
			pr.name = c.unit.Header(first.Main)
		}
		for _, x := range c.all {
			pr.paths = append(pr.paths, x.Products[i].Path)
		}
		if err := p.compareProduct(ctx, c, pr, first); err != nil {
			return nil, err
		}
		if pr.artifact.Verdict != fact.Different && by != nil {
			by.compare(&pr.artifact)
		}
		c.products = append(c.products, pr)
	}
	return c, p.checkStamps(c)
}

func (p *Prepared) compareProduct(ctx context.Context, c *compared, pr *product, first execute.Product) error {
	u := c.unit
	pr.artifact = checksums.Artifact{
		Name: pr.name, Profile: u.Profile, Platform: u.Platform, Stage: fact.Linked,
		Size: first.Size, SHA256: first.SHA256, Package: pr.main.Package,
	}
	if pr.header {
		pr.artifact.Stage, pr.artifact.Package = fact.Header, ""
	} else if bin, err := openLinked(u, pr.paths[0]); err == nil {
		pr.artifact.BuildID = bin.BuildID
		bin.Close()
	}
	v, err := compare.Files(ctx, pr.paths, bindiff.AllKnown())
	if err != nil {
		return err
	}
	pr.artifact.Verdict, pr.artifact.Reason = v.Verdict, v.Reason
	doubted(&pr.artifact, len(c.all), c.doubt)
	if v.Diff == nil {
		return nil
	}
	if pr.header {
		f, err := headerFinding(c.headerOf(pr, 0), c.headerOf(pr, v.Other))
		if err != nil {
			return err
		}
		pr.artifact.Findings = []fact.Finding{f}
		return p.keep(ctx, c, pr, v.Other)
	}
	pr.artifact.Findings = compare.Findings(p.blame(ctx, c, v.Other), v.Diff)
	return p.keep(ctx, c, pr, v.Other)
}

// execution is one of the executions of a unit, for the comparison of what the go
// command said.
func (p *Prepared) execution(c *compared, i int) compare.Execution {
	x := compare.Execution{Name: c.all[i].By, Actions: c.all[i].Actions}
	if e, ok := p.Executors[i].Executor.(execute.Explainer); ok {
		x.HashInputs = e.HashInputs
	}
	return x
}

// blame names the packages in which the first execution and another differ.
func (p *Prepared) blame(ctx context.Context, c *compared, other int) []fact.Finding {
	risks, err := p.Of.Planner.CRisks(ctx, c.unit)
	if err != nil {
		p.Of.Warn("%s: its C code was not looked at: %v", c.unit.ID(), err)
	}
	blamed, err := compare.Blame(ctx, c.unit, p.execution(c, 0), p.execution(c, other), compare.C{Packages: p.Of.Planner.C(c.unit), Risks: risks})
	if err != nil {
		p.Of.Warn("%s: the action graphs say nothing: %v", c.unit.ID(), err)
	}
	return blamed
}

// keep saves two differing files for whoever wants to look at them.
func (p *Prepared) keep(ctx context.Context, c *compared, pr *product, other int) error {
	below := filepath.Join("different", p.Of.Plan.Project+"-"+p.Of.Version, c.unit.Key())
	c.kept = filepath.Join(p.Of.Cache, below)
	for _, i := range []int{0, other} {
		to, err := files.MakeDir(p.Of.Cache, below, c.all[i].By)
		if err != nil {
			return err
		}
		if _, _, err := files.Copy(ctx, pr.paths[i], filepath.Join(to, pr.name), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// mend looks for damage when two executions of a unit differ, and has the unit
// built again from what is sound. Without damage it leaves everything as it is: the
// difference is then what it seems to be.
func (p *Prepared) mend(ctx context.Context, c *compared) error {
	differ, suspects := p.differ(c)
	if !differ {
		return nil
	}
	var did []string
	for i, e := range p.Executors {
		m, ok := e.Executor.(execute.Mender)
		if !ok {
			continue
		}
		line, err := m.Mend(ctx, c.unit, suspects)
		if err != nil {
			return err
		}
		if line == "" {
			continue
		}
		did = append(did, line)
		again, err := m.Build(ctx, c.unit, execute.Pace{P: p.Of.Parallel()})
		if err != nil {
			if damaged := m.Sound(ctx, c.unit); damaged != nil && ctx.Err() == nil {
				err = damaged
			}
			return err
		}
		again.Cost.CPU += c.all[i].Cost.CPU
		c.all[i] = again
	}
	if len(did) == 0 {
		return nil
	}
	how := fact.AllBuilds(len(c.all)) + " are the same now"
	if differ, _ = p.differ(c); differ {
		how = "the builds differ all the same, and not because of the damage"
		for _, e := range p.Executors {
			if m, ok := e.Executor.(execute.Mender); ok {
				if err := m.Sound(ctx, c.unit); err != nil {
					return err
				}
			}
		}
	}
	for _, line := range did {
		c.mended = append(c.mended, fmt.Sprintf("%s; %s was built once more: %s", line, c.unit.ID(), how))
	}
	return nil
}

// differ reports whether executions of a unit have different files, or have
// compiled different things from the same inputs: those are the suspects, by short
// ID.
func (p *Prepared) differ(c *compared) (differ bool, suspects []string) {
	for i := 1; i < len(c.all); i++ {
		suspects = append(suspects, compare.Nondeterminate(p.execution(c, 0), p.execution(c, i))...)
		for k, first := range c.all[0].Products {
			differ = differ || first.SHA256 != c.all[i].Products[k].SHA256
		}
	}
	return differ || len(suspects) > 0, suspects
}

// checkStamps holds what go wrote into the binaries against the source.
func (p *Prepared) checkStamps(c *compared) error {
	var errs []error
	for _, pr := range c.linked() {
		stamp, err := checkStamp(p.Of, c.unit, pr)
		errs = append(errs, err)
		if stamp != "" {
			c.stamp = stamp
		}
	}
	return errors.Join(errs...)
}

// checkStamp holds what go wrote into the binary against the source. go stamps
// nothing, without a word, when it does not find the repository it expects. The
// version that it found is what it finds in any clone of the commit; "" for none.
func checkStamp(p *fetch.Planned, u *plan.Unit, pr *product) (stamp string, err error) {
	bin, err := openLinked(u, pr.paths[0])
	if err != nil {
		return "", fmt.Errorf("%s: %w", pr.name, err)
	}
	defer bin.Close()
	bi := bin.BuildInfo
	if bi == nil {
		return "", nil // formats go writes no build information into
	}
	if bi.GoVersion != p.GoToolchain.Version {
		return "", fmt.Errorf("%s: built by %s, not %s", pr.name, bi.GoVersion, p.GoToolchain.Version)
	}
	set := map[string]string{}
	for _, kv := range bi.Settings {
		set[kv.Key] = kv.Value
	}
	want := p.Source.Version
	if p.Source.Kind == fact.SourceModule {
		if bi.Main.Version != want || bi.Main.Sum != p.Source.Sum {
			return "", fmt.Errorf("%s: stamped %s %s, not %s %s", pr.name, bi.Main.Version, bi.Main.Sum, want, p.Source.Sum)
		}
		return "", nil
	}
	if !slices.Contains(u.Flags, "-buildvcs=true") {
		return "", nil
	}
	if set["vcs.revision"] != p.Source.Commit {
		return "", fault.Errorf("say buildvcs: false if the version stamp is not wanted", "%s: go stamped the revision %q, not %s", pr.name, set["vcs.revision"], p.Source.Commit)
	}
	dirty, changed := set["vcs.modified"] == "true", len(p.Source.Dirty) > 0
	if dirty != changed && (dirty || len(p.Source.Included) < len(p.Source.Dirty)) {
		return "", fmt.Errorf("%s: go stamped vcs.modified=%s", pr.name, set["vcs.modified"])
	}
	if bi.Main.Version == "" {
		return source.Devel, nil // go version -m prints it so
	}
	return bi.Main.Version, nil
}
