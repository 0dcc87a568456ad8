package plan

import (
	"errors"
	"regexp"
	"slices"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/goflags"
)

// CheckForeign reports what in a plan of somebody else breaks the rules of
// plans ([Plan.Check]), or could make this machine run or overwrite something of
// their choosing. The go command runs nothing of a source it builds
// (https://go.dev/security/policy), but flags and variables can name any program
// or file: only those pass that are known to be harmless (package goflags), in
// the one spelling that planners write.
//
// What a plan is refused for is a [RuleError]. That it was made for another
// build environment than this version's is an error of another kind: another
// version may build it.
func (p *Plan) CheckForeign() error {
	if !slices.Equal(p.Env, CommonEnv()) {
		return fault.Errorf("use the version of mintmark that release.json names under builder", "the plan was made for another build environment than this mintmark's")
	}
	if err := p.Check(); err != nil {
		return err // what is no plan need not be understood any further
	}
	c := &checker{plan: p}
	const tip = "a stranger's plan is built only with settings that cannot run a program of their choice; if you trust this one, build its source with its profile file: mintmark release -dir=DIR"
	if p.Snapshot {
		c.report("", "only what is in a commit can be built again", "it is that of a snapshot: what was built is in no commit")
	}
	for _, u := range p.Units {
		for _, f := range u.Flags {
			flag, err := goflags.ForeignFlag(f)
			if err == nil && !flag.Canonical() {
				err = errors.New("not in the form in which mintmark writes it")
			}
			if err != nil {
				c.report(u.ID(), tip, "flag %.200q: %w", f, err)
			}
		}
		for _, kv := range u.Env {
			if _, err := goflags.ForeignVariable(kv); err != nil {
				c.report(u.ID(), tip, "variable %.200q: %w", kv, err)
			}
		}
		for _, f := range u.UPX {
			if !upxFlagForm.MatchString(f) { // the room that runs UPX has a list
				c.report(u.ID(), tip, "UPX flag %.200q", f)
			}
		}
	}
	return c.err()
}

var upxFlagForm = regexp.MustCompile(`^-[A-Za-z0-9=-]+$`)
