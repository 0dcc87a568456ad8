package lint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
)

// dependencies warns of modules: what the go command would change in go.mod, go.sum and
// vendor, and versions that their authors took back. That a module is needed by tests or
// tools alone is as it should be, and no warning.
func (l *Linted) dependencies(ctx context.Context) (warnings []string) {
	l.Phase("looking at the modules")
	d, err := l.Loader.Dependencies(ctx, l.Plan.Units)
	if err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		l.unlooked = append(l.unlooked, "the modules: "+line)
		return nil
	}
	l.modules, l.unlooked = d, append(l.unlooked, d.NotChecked...)
	return moduleWarnings(d)
}

// moduleWarnings are what a maintainer should know of the modules.
func moduleWarnings(d *plan.Dependencies) (out []string) {
	warn := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if d.Tidy != "" {
		var changes []string
		for line := range strings.Lines(d.Tidy) {
			line = strings.TrimRight(line, "\n")
			if len(line) > 1 && (line[0] == '+' || line[0] == '-') && !strings.HasPrefix(line, "+++") && !strings.HasPrefix(line, "---") {
				changes = append(changes, string(line[0])+strings.TrimSpace(line[1:]))
			}
		}
		rest := ""
		if n := len(changes); n > 3 {
			changes, rest = changes[:3], fmt.Sprintf(" and %d more", n-3)
		}
		warn("go.mod or go.sum is not what go mod tidy makes of it: %s%s; run go mod tidy", strings.Join(changes, ", "), rest)
	}
	said := map[string]bool{}
	for _, m := range d.Modules {
		if len(m.Retracted) > 0 {
			warn("%s %s is retracted by its author: %s; go get %s takes a later one", m.Path, m.Version, strings.Join(m.Retracted, "; "), m.Path)
		}
		if m.Deprecated != "" && !m.Indirect {
			warn("%s is deprecated by its author: %s", m.Path, m.Deprecated)
		}
		if strings.Contains(m.Replaced, "@") { // of directories every build warns
			warn("go.mod replaces %s with %s: go install of a program at a version refuses that, and who imports a package of the module builds without it", m.Path, m.Replaced)
		}
		if len(m.Majors) > 0 && !said[m.Path] {
			all := append([]string{m.Path}, m.Majors...)
			slices.Sort(all)
			for _, p := range all {
				said[p] = true
			}
			warn("a program has several major versions of one module: %s; mintmark why names the imports of each", strings.Join(all, ", "))
		}
	}
	if v := d.Vendor; v != nil && len(v.Differs) > 0 {
		var names []string
		for i, f := range v.Differs {
			if i == 3 {
				names = append(names, fmt.Sprintf("and %d more", len(v.Differs)-i))
				break
			}
			names = append(names, f.File+" ("+f.How+")")
		}
		warn("vendor is not what go mod vendor makes of go.mod: %s; run go mod vendor", strings.Join(names, ", "))
	}
	return out
}
