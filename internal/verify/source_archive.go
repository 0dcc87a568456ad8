package verify

import (
	"context"
	"fmt"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/release"
)

// compareSource makes the source archive again of the commit and compares. repo is
// nil where the source came from elsewhere: of the commit's files only those of the
// module are in the module proxy.
func (p *publication) compareSource(ctx context.Context, repo *source.Repo) error {
	a := p.m.SourceArchive
	if a == nil || p.only != "" {
		return nil
	}
	r := &checksums.RebuiltSource{Name: a.Name, SHA256: a.SHA256, Verdict: fact.Unchecked}
	p.out.RebuiltSource = r
	if repo == nil {
		r.Reason = "the module proxy has not all files of the commit; -source= takes the commit itself"
		p.out.Checks.Open(fact.FromCommit, a.Name, r.Reason)
		return nil
	}
	info, err := release.WriteSource(ctx, repo, repo.CommitTime, a, "")
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch {
	case err != nil:
		r.Reason = err.Error()
	case info.SHA256 == a.SHA256:
		r.Verdict, r.Rebuilt = fact.Identical, info.SHA256
		p.out.Checks.Done(fact.FromCommit, a.Name, p.m.Source.Commit)
		return nil
	case info.Tool != a.Tool:
		r.Rebuilt, r.Reason = info.SHA256, fmt.Sprintf("written by %s, here by %s", a.Tool, info.Tool)
	default:
		r.Rebuilt, r.Verdict = info.SHA256, fact.Different
		p.out.Checks.Open(fact.FromCommit, a.Name, "it came out different")
		return nil
	}
	p.out.Checks.Open(fact.FromCommit, a.Name, r.Reason)
	return nil
}
