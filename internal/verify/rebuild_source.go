package verify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/stamp"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/workspace"
)

// sameSource says that the source is the recorded one, and whether others got it.
func (p *publication) sameSource(at string, src *source.Source) {
	p.out.Checks.Done(fact.SourceSum, at, src.Sum)
	if src.SumDB {
		p.out.Checks.Done(fact.SourceSumDB, at, "")
	} else {
		p.out.Checks.Open(fact.SourceSumDB, at, "the checksum database was not asked for it")
	}
}

// fetchSource gets the recorded source and holds it against the record.
func (f *fetching) fetchSource(ctx context.Context) (*fetch.Copied, error) {
	src := f.m.Source
	at := src.Module + "@" + src.Version
	var found fetch.Found
	var err error
	switch {
	case src.Kind == fact.SourceModule:
		f.Phase("fetching " + at)
		if found.Source, found.ModuleDir, err = source.FetchModule(ctx, f.Fetcher, at); err != nil {
			return nil, err
		}
	case f.from != "":
		if found, err = f.clone(ctx, f.Git); err != nil {
			return nil, err
		}
	default:
		return f.replaySource(ctx)
	}
	c, err := fetch.SubjectOf(f.Run, f.Tools, found, f.m.Version, f.file).CopySource(ctx, f.Kit)
	if err != nil {
		return nil, err
	}
	if err := f.recorded(found, true); err != nil {
		return nil, err
	}
	return c, nil
}

// recorded holds a source against the record; copied says that its files were copied,
// without which the h1 of a commit is not known.
func (p *publication) recorded(found fetch.Found, copied bool) error {
	src := p.m.Source
	var wrong refusals
	compare := func(what, got, want string) {
		if got != want {
			wrong.add("the source's %s is %q, the record says %q", what, got, want)
		}
	}
	compare("module", found.Source.ModulePath, src.Module)
	compare("version", found.Source.Version, src.Version)
	if copied {
		compare("h1", found.Source.Sum, src.Sum)
	}
	if src.Kind == fact.SourceGit {
		compare("commit", found.Source.Commit, src.Commit)
		compare("tree", found.Source.Tree, src.Tree)
		compare("directory", found.Source.Dir, src.Dir)
	}
	compare("commit time", found.Source.ID().CommitTime, src.CommitTime)
	if err := wrong.err(); err != nil {
		return err
	}
	if copied {
		p.sameSource(src.Module+"@"+src.Version, found.Source)
	}
	if src.Kind == fact.SourceGit {
		if copied {
			p.out.Checks.Done(fact.SourceCommit, src.Commit, "")
		}
		p.versionTag(found.Repo)
	}
	return nil
}

// replaySource takes the source from the module proxy in place of the commit,
// and has a program answer in git's place what the record says of the commit.
// The zip is the commit's if it has the recorded h1; that the commit's hash and
// time belong to it is then still the record's word, which the digests confirm:
// both are in the binaries.
func (f *fetching) replaySource(ctx context.Context) (*fetch.Copied, error) {
	src := f.m.Source
	const hint = "name a git repository that has the commit: -source=DIR or -source=https://…"
	if src.Dir != "" {
		return nil, fault.Errorf(hint, "no source: the module is in the directory %s of its repository, and of that the module proxy has no zip", src.Dir)
	}
	at := src.Module + "@" + src.Version
	f.Phase("fetching " + at)
	m, err := f.Fetcher.Module(ctx, at)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fault.Errorf(hint, "no source: the release was built from the git commit %s, and the module proxy does not serve it: %w", src.Commit, err)
	}
	if m.Sum != src.Sum {
		var wrong refusals
		wrong.add("the source's h1 is %q, the record says %q", m.Sum, src.Sum)
		return nil, wrong.err()
	}
	for _, u := range f.units {
		if slices.Contains(u.Flags, "-mod=vendor") {
			return nil, fault.Errorf(hint, "%s: builds from the vendor directory, which is not in the module proxy's zip", u.ID())
		}
	}
	when, err := time.Parse(time.RFC3339, src.CommitTime)
	if err != nil {
		return nil, fmt.Errorf("%s: commit time: %w", checksums.ManifestFile, err)
	}
	claim := stamp.Claim{Revision: src.Commit, Time: when, Unversioned: src.Stamp == source.Devel}
	stamped := src.Version
	if src.Stamp != "" && !claim.Unversioned {
		stamped = src.Stamp
	}
	if err := claim.SetVersion(stamped); err != nil {
		return nil, fmt.Errorf("%s: %w", checksums.ManifestFile, err)
	}
	checkout := filepath.Join(f.Workspace.Dir, "first", "src")
	place := *f.BuildPlace // in which go asks for a stamp another program than git
	program, err := stamp.Compile(ctx, f.Goroot, &place, filepath.Join(f.Workspace.Dir, "stamp"))
	if err != nil {
		return nil, err
	}
	published := source.Published(src.Module, src.Version, src.Sum, src.Commit, when)
	published.SumDB = f.Settings.Checks(src.Module)
	f.recordedModes(published)
	again := func(ctx context.Context, place *toolchain.Place, dir string) (string, fact.Circumstances, error) {
		if err := os.CopyFS(dir, os.DirFS(m.Dir)); err != nil {
			return "", nil, workspace.Error(err)
		}
		if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
			return "", nil, workspace.Error(err)
		}
		s, err := stamp.New(program, filepath.Join(filepath.Dir(place.Home), "stamp"), dir, claim)
		if err != nil {
			return "", nil, err
		}
		place.Git = s.Git
		return dir, fetch.FromZip(published), nil
	}
	_, origin, err := again(ctx, &place, checkout)
	if err != nil {
		return nil, err
	}
	f.sameSource(at, published)
	f.out.Checks.Open(fact.SourceCommit, src.Commit, "its stamp was replayed from the record; -source= takes the commit itself")
	return &fetch.Copied{
		Subject:  fetch.SubjectOf(f.Run, f.Tools, fetch.Found{Source: published}, f.m.Version, f.file),
		Kit:      &fetch.Kit{GoToolchain: f.GoToolchain, Goroot: f.Goroot, BuildPlace: &place},
		Loader:   &plan.Loader{Goroot: f.Goroot, Place: &place, Settings: f.Settings, Kind: src.Kind, Dir: checkout},
		Checkout: checkout, Origin: origin, CopyAgain: again,
	}, nil
}

// versionTag looks for the tag that the version is of, where the source's version is
// another. That the tag is not there, or elsewhere by now, changes nothing that is
// built.
func (p *publication) versionTag(repo *source.Repo) {
	switch tag := p.m.Tag; {
	case tag == "":
	case repo.Carries(tag):
		p.out.Checks.Done(fact.VersionTag, tag, "")
	default:
		p.out.Checks.Open(fact.VersionTag, tag, "in the repository that -source names it does not")
	}
}

// clone makes a private clone of -source at the recorded commit, with that git.
func (t *reproduction) clone(ctx context.Context, git string) (found fetch.Found, err error) {
	from := t.from
	if fi, err := os.Stat(from); err == nil && fi.IsDir() {
		if from, err = filepath.Abs(from); err != nil {
			return found, err
		}
	}
	t.Phase("fetching the commit " + t.m.Source.Commit)
	dir := filepath.Join(t.Workspace.Dir, "source")
	src := t.m.Source
	want := source.Built{Commit: src.Commit, Tags: src.Tags, StampTags: src.StampTags, Stamped: src.Stamp != "", Tag: t.m.Tag}
	if err := source.CloneAt(ctx, git, t.Environ, from, want, dir, t.Workspace.Dir); err != nil {
		return found, err
	}
	repo, err := source.Open(ctx, source.Config{
		Dir: filepath.Join(dir, filepath.FromSlash(src.Dir)), Git: git, Env: t.Environ, Work: t.Workspace.Dir, Known: t.Known,
		Hashed: true, OneTag: !want.Stamped,
	})
	if err != nil {
		return found, err
	}
	return fetch.Found{Repo: repo, Source: &repo.Source}, nil
}
