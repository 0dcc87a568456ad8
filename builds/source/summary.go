package source

import (
	"context"
	"fmt"
	"regexp"

	"github.com/mintmark/mintmark/internal/memo"
)

var describeForm = regexp.MustCompile(`^(.+)-([0-9]+)-g([0-9a-f]{40,64})\n?$`)

// Summary is what git describe --tags says of the commit: the tag on it, or the
// nearest one below it, how many commits there are after it, and the hash; of a
// commit without a tag below it the hash alone. Of the hash there are always seven
// digits: how many git takes by itself depends on what else is in the repository.
// Tags that are no versions count as well.
func (r *Repo) Summary(ctx context.Context) (string, error) {
	const digits = 7
	key := memo.NewKey("summary of a commit", r.believed, r.Commit, fmt.Sprintf("%q", r.git.Tags))
	var text string
	if r.cfg.Known.Get(key, &text) {
		return text, nil
	}
	out, err := r.git.Run(ctx, nil, "describe", "--tags", "--always", "--long", "--abbrev=64", r.Commit)
	if err != nil {
		return "", r.partial(err)
	}
	switch m := describeForm.FindStringSubmatch(string(out)); {
	case m == nil:
		text = r.Commit[:digits]
	case m[2] == "0":
		text = m[1]
	default:
		text = m[1] + "-" + m[2] + "-g" + m[3][:digits]
	}
	r.cfg.Known.Put(key, text)
	return text, nil
}
