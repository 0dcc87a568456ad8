package verify

import (
	"context"
	"fmt"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/run"
)

// noCommit is why a source archive cannot be made again of what the proxy serves.
const noCommit = "the module proxy has not all files of the commit; -source= takes the commit itself"

// rebuildSource is [Rebuild] for the source archive alone, which one has found well: it
// is made again of the commit in the repository from. Nothing is built.
func rebuildSource(ctx context.Context, cfg run.Config, one *checksums.Verification, from string) (_ *checksums.Verification, err error) {
	name := one.File
	switch {
	case from == "":
		return one, fault.Usagef("name a git repository that has the commit: -source=DIR or -source=https://…", "-rebuild: %s cannot be made again: %s", name, noCommit)
	case cfg.Platforms != "" || cfg.Proven || len(cfg.Ledgers) > 0 || cfg.Generate:
		return one, fault.Usagef("leave out -platform, -proven, -ledgers and -generate", "-rebuild: %s is made of the commit, and nothing is built for it", name)
	}
	defer func() { err = run.ExplainFull(err) }()
	cfg.Full = true // as of any rebuild
	r, err := run.Begin(&cfg)
	if err != nil {
		return one, err
	}
	defer r.Close()
	git, err := toolchain.LookPath("git", r.Env("PATH"))
	if err != nil {
		return one, fault.Errorf("install git: the source archive is made of a commit", "no git command on PATH")
	}
	t := &reproduction{publication: &publication{m: one.Manifest, out: one}, Run: r, from: from}
	found, err := t.clone(ctx, git)
	if err != nil {
		return one, err
	}
	if err := t.recorded(found, false); err != nil {
		return one, err
	}
	if err := t.compareSource(ctx, found.Repo); err != nil {
		return one, err
	}
	return one, t.verdict(nil)
}

// compareSource makes the source archive again of the commit and compares. repo is
// nil where the source came from elsewhere: of the commit's files only those of the
// module are in the module proxy.
func (p *publication) compareSource(ctx context.Context, repo *source.Repo) error {
	a := p.m.SourceArchive
	if a == nil || p.only != "" {
		return nil
	}
	r := checksums.RebuiltFile{Kind: fact.SourceFile, Name: a.Name, SHA256: a.SHA256, Verdict: fact.Unchecked}
	if repo == nil {
		r.Reason = noCommit
		p.again(r, "")
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
	case info.Tool != a.Tool:
		r.Rebuilt, r.Reason = info.SHA256, fmt.Sprintf("written by %s, here by %s", a.Tool, info.Tool)
	default:
		r.Rebuilt, r.Verdict = info.SHA256, fact.Different
	}
	p.again(r, p.m.Source.Commit)
	return nil
}
