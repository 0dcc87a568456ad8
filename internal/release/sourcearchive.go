package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// named is what a release publishes once, under the names that the profile file
// gives it.
type named struct {
	list   fact.DigestList
	source *profiles.SourceArchive // nil: none
}

// names expands the names of the list and of the source archive, and holds them
// against those of what units publish. Everything wrong is reported.
func (p *Planned) names(kind checksums.Kind) (n named, err error) {
	n.list = fact.DefaultList()
	if kind == checksums.KindBuild {
		return n, nil // it has neither
	}
	vars := p.Planner.Vars()
	var lerr, serr error
	n.list, lerr = p.file.List(vars)
	n.source, serr = p.file.SourceArchive(vars)
	errs := []error{lerr, serr}
	if n.source != nil && serr == nil {
		if why := p.noCommit(); why != "" && kind == checksums.KindRelease {
			errs = append(errs, p.file.Problem(p.file.Pos("source"), "source: "+why, "leave out source, or build a checkout of the commit"))
		} else if why != "" {
			n.source = nil // the caution says so
		}
	}
	if lerr != nil || serr != nil {
		return n, errors.Join(errs...)
	}
	units := unitFiles(p.Plan)
	taken := func(key, name string) {
		for _, u := range units {
			if strings.EqualFold(u, name) {
				errs = append(errs, p.file.Problem(p.file.Pos(key), fmt.Sprintf("%s: %q is the name of a file that is built", key, name), "give one of them another name"))
			}
		}
	}
	taken("checksums.name", n.list.Name)
	taken("checksums.name", n.list.Bundle())
	if n.source != nil {
		taken("source.name", n.source.Name)
		if n.list.KindOf(n.source.Name) != fact.Unknown {
			errs = append(errs, p.file.Problem(p.file.Pos("source.name"), fmt.Sprintf("source.name: %q is the name of another file of the release", n.source.Name), "give it another one"))
		}
	}
	return n, errors.Join(errs...)
}

// noCommit says why what is built is not the files of a commit; "" if it is.
func (p *Planned) noCommit() string {
	switch {
	case p.Repo == nil:
		return "a module from the proxy has no commit that an archive could be made of"
	case len(p.Source.Dirty) > 0 || len(p.included) > 0:
		return "a changed tree is no commit that an archive could be made of"
	}
	return ""
}

// checkNames is names for a check: it also looks whether the commit's files can be
// in an archive.
func (p *Planned) checkNames(ctx context.Context, kind checksums.Kind) error {
	n, err := p.names(kind)
	if err != nil || n.source == nil {
		return err
	}
	err = p.Repo.Export(ctx, func(list []source.File) error {
		var names []string
		for _, m := range members(list, n.source.Wrap) {
			names = append(names, m.Name)
		}
		return archive.CheckNames(names)
	})
	if err != nil && ctx.Err() == nil {
		return fault.Errorf("mend it, or leave out source", "%s: source: the commit cannot be in an archive: %w", p.file.Pos("source"), err)
	}
	return err
}

// members are a commit's files as members of an archive.
func members(list []source.File, wrap string) (out []archive.Member) {
	for _, f := range list {
		out = append(out, archive.Member{Name: path.Join(wrap, f.Name), Executable: f.Executable, Link: f.Link, Open: f.Open})
	}
	return out
}

// sourceArchives is how often the archive of a commit is made.
const sourceArchives = 2

// makeSource makes the source archive in a directory and again, each time from an
// export of its own, and compares; nil if there is to be none.
func (p *Planned) makeSource(ctx context.Context, as *profiles.SourceArchive, dir string) (*checksums.SourceArchive, error) {
	if as == nil {
		return nil, nil
	}
	p.Phase("source archive")
	a := &checksums.SourceArchive{Name: as.Name, Format: as.Format, Wrap: as.Wrap}
	var first archive.Info
	for ; a.Made < sourceArchives; a.Made++ {
		var info archive.Info
		var err error
		if a.Made == 0 {
			info, err = WriteSource(ctx, p.Repo, p.Source.CommitTime, a, filepath.Join(dir, a.Name))
			first = info
		} else {
			info, err = WriteSource(ctx, p.Repo, p.Source.CommitTime, a, "")
		}
		if err != nil {
			return nil, fmt.Errorf("source archive: %w", err)
		}
		if info.SHA256 != first.SHA256 {
			f := memberFinding(first.Entries, info.Entries)
			return nil, fault.NotReproduciblef("the commit was exported twice with git: look for what is different about its files", "source archive: came out different when it was made again\n%s", strings.Join(f.Evidence, "\n"))
		}
	}
	a.Size, a.SHA256, a.Tool, a.Verdict = first.Size, first.SHA256, first.Tool, fact.Identical
	return a, nil
}

// WriteSource writes an archive of the commit's files to a file, "" for none, in the
// form and under the directory that a says.
func WriteSource(ctx context.Context, repo *source.Repo, when time.Time, a *checksums.SourceArchive, name string) (info archive.Info, err error) {
	err = repo.Export(ctx, func(list []source.File) (err error) {
		m := members(list, a.Wrap)
		if name == "" {
			info, err = archive.Write(ctx, io.Discard, a.Format, m, when)
			return err
		}
		return files.Create(name, 0o644, func(f *os.File) (err error) {
			info, err = archive.Write(ctx, f, a.Format, m, when)
			return err
		})
	})
	return info, err
}

// fill puts into the manifest what is published once.
func (n named) fill(m *checksums.Manifest, source *checksums.SourceArchive) {
	m.SourceArchive = source
	if n.list != fact.DefaultList() {
		m.Checksums = &n.list
	}
}

// files are the names of what is published once, beside the files about it.
func (n named) files() (names []string) {
	if n.source != nil {
		names = append(names, n.source.Name)
	}
	return names
}
