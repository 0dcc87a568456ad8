package checksums

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// generated holds what the manifest says of generated files against the plan: a
// manifest has them if its plan has commands, each file is an output of the command
// that made it, and each command has a program.
func (v *validation) generated(m *Manifest, p *fact.PlanShape) {
	g := m.Generated
	switch {
	case g == nil && len(p.Commands) > 0:
		v.addf("generated: is missing, and the plan has commands that generate files")
		return
	case g == nil:
		return
	case len(p.Commands) == 0:
		v.addf("generated: the plan has no command that generates files")
		return
	}
	v.check("generated: verdict", is(g.Verdict, fact.Identical, fact.Unchecked))
	switch {
	case g.Executions < 1:
		v.addf("generated: %d executions", g.Executions)
	case g.Verdict == fact.Identical && g.Executions < 2:
		v.addf("generated: identical after %d execution; nothing was compared", g.Executions)
	case (g.Verdict == fact.Unchecked) != (g.Reason != ""):
		v.addf("generated: a reason belongs to unchecked, and unchecked has one")
	case g.Verdict != fact.Identical && m.Kind == KindRelease:
		v.addf("generated: is %q; a release has only what came out identical", g.Verdict)
	}
	for _, s := range slices.Concat([]string{g.Reason}, g.Varied, g.Attempted, g.Shared) {
		v.check("generated", checkText(s))
	}
	for _, c := range p.Commands {
		for _, f := range c.Fetched {
			v.check("plan: generate: fetch", errors.Join(checkDigest(f.SHA256), checkText(f.URL), checkPath(f.Path)))
		}
	}
	v.generatedFiles(g, p)
	v.generatorTools(g, len(p.Commands))
}

func (v *validation) generatedFiles(g *fact.Generated, p *fact.PlanShape) {
	seen, before := map[string]bool{}, ""
	for _, f := range g.Files {
		what := "generated file " + fact.Plain(f.Name)
		v.check(what, errors.Join(checkPath(f.Name), checkDigest(f.SHA256), is(f.Mode, "0644", "0755")))
		if why := fact.NeverGenerated(f.Name); why != "" {
			v.addf("%s: %s", what, why)
		}
		if f.Size < 0 {
			v.addf("%s: size %d", what, f.Size)
		}
		if fold := foldName(f.Name); seen[fold] {
			v.addf("%s: is there twice (upper and lower case are one)", what)
		} else {
			seen[fold] = true
		}
		if f.Name < before {
			v.addf("%s: is not in the order of the names", what)
		}
		before = f.Name
		if f.Command < 1 || f.Command > len(p.Commands) {
			v.addf("%s: is of command %d, and the plan has %d", what, f.Command, len(p.Commands))
		} else if !slices.ContainsFunc(p.Commands[f.Command-1].Outputs, func(glob string) bool { return files.Match(glob, f.Name) }) {
			v.addf("%s: is no output of command %d", what, f.Command)
		}
	}
}

func (v *validation) generatorTools(g *fact.Generated, commands int) {
	ran := map[int]bool{}
	for i, t := range g.Tools {
		what := fmt.Sprintf("generated: tool %d, %s", i+1, fact.Plain(t.Name))
		v.check(what, errors.Join(checkText(t.Name), checkText(t.Path), checkText(t.Module), checkText(t.Sum)))
		if t.Command < 1 || t.Command > commands {
			v.addf("%s: is of command %d, and the plan has %d", what, t.Command, commands)
		}
		for _, sum := range []string{t.SHA256, t.Inputs} {
			if sum != "" {
				v.check(what, checkDigest(sum))
			}
		}
		ran[t.Command] = true
	}
	for n := 1; n <= commands; n++ {
		if !ran[n] {
			v.addf("generated: no program is named for command %d", n)
		}
	}
}
