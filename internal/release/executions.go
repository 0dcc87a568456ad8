package release

import (
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
)

// executed notes the builds that a unit has had, once they are those that its
// files are made of.
func (p *pipeline) executed(u *unit) {
	var list []fact.Circumstances
	for _, built := range u.builds {
		if len(built) > 0 { // all binaries of a build are of one execution
			list = append(list, built[0].In)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ran = append(p.ran, list)
}

// rebuilt says how often every unit was built, and what was different and what
// the same when it was: what the executions that there were have in common.
func (p *pipeline) rebuilt() checksums.Rebuild {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := checksums.Rebuild{Confinement: p.confinement()}
	for i, list := range p.ran {
		if i == 0 || len(list) < r.Executions {
			r.Executions = len(list)
		}
	}
	if r.Executions > 1 { // else there is a unit of which nothing can be said
		c := fact.Compare(p.ran)
		r.Varied, r.Attempted, r.Shared = c.Varied, c.Attempted, c.Shared
	}
	return r
}
