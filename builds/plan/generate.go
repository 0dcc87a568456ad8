package plan

import (
	"fmt"
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/profiles"
)

// Commands are the commands of a profile file that generate files of the source;
// vars are what templates see of it. Problems with templates have the position of
// the command.
func Commands(f *profiles.File, vars profiles.Vars) (list []Generate, err error) {
	var problems profiles.Problems
	for i := range f.Generate {
		g, err := f.Generate[i].Expand(f, vars)
		if err != nil {
			problems = append(problems, f.Problem(f.Pos(fmt.Sprintf("generate[%d].command", i)), err.Error(), ""))
			continue
		}
		list = append(list, Generate{Command: g.Command, Inputs: g.Inputs, Outputs: g.Outputs, Env: g.Variables(), Fetch: g.Fetch})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return list, nil
}

// generate checks the commands, which run only if somebody says so.
func (c *checker) generate() {
	list := c.plan.Generate
	if len(list) > profiles.MaxGenerate {
		c.report("", "", "%d commands that generate files, more than %d", len(list), profiles.MaxGenerate)
		return
	}
	if len(list) > 0 && c.plan.Source.Kind != fact.SourceGit {
		c.report("", "", "files are generated from a commit, not from a %.40q", c.plan.Source.Kind)
	}
	for i, g := range list {
		what := fmt.Sprintf("generate: command %d", i+1)
		if n := len(g.Command) + len(g.Inputs) + len(g.Outputs) + len(g.Env); n > maxSettings {
			c.report(what, "", "%d words, globs and variables, more than %d", n, maxSettings)
			continue
		}
		for _, s := range slices.Concat(g.Command, g.Env) {
			if len(s) > maxText {
				c.report(what, "", "%.40q… has %d bytes, more than %d", s, len(s), maxText)
			}
		}
		c.add(what, "", profiles.CheckGenerate(g.Command, g.Inputs, g.Outputs, g.Env, g.Fetch))
	}
}
