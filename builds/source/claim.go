package source

import (
	"context"
	"slices"

	"github.com/mintmark/mintmark/builds/stamp"
)

// Claim is what the go command finds about the commit in a private clone, for a copy of
// its files that has no version control data: all tags on it and below it. Of a
// snapshot it says as well whether files of the commit were changed.
func (r *Repo) Claim(ctx context.Context) (stamp.Claim, error) {
	c := stamp.Claim{Revision: r.Commit, Time: r.CommitTime.UTC(), Modified: len(r.Included) < len(r.Dirty)}
	below, err := r.tagsBelow(ctx)
	if err != nil {
		return c, err
	}
	for _, t := range r.git.Tags {
		switch {
		case t.Commit == r.Commit:
			c.Tags = append(c.Tags, t.Name)
		case below["refs/tags/"+t.Name]:
			c.Below = append(c.Below, t.Name)
		}
	}
	slices.Sort(c.Tags)
	slices.Sort(c.Below)
	return c, nil
}
