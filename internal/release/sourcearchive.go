package release

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/lint"
)

// sourceArchives is how often the archive of a commit is made.
const sourceArchives = 2

// once makes what a release publishes once, whatever its units are, in a directory,
// and notes it in the manifest.
func (f *described) once(ctx context.Context, p *lint.Published, dir string) error {
	if p.List != fact.DefaultList() {
		f.manifest.Checksums = &p.List
	}
	if p.Source == nil {
		return nil
	}
	f.Of.Phase("source archive")
	src := f.Of.Source
	a := &checksums.SourceArchive{Name: p.Source.Name, Format: p.Source.Format, Wrap: p.Source.Wrap}
	first, err := WriteSource(ctx, f.Of.Repo, src.CommitTime, a, filepath.Join(dir, a.Name))
	for a.Made = 1; err == nil && a.Made < sourceArchives; a.Made++ {
		var again archive.Info
		// From an export of its own.
		again, err = WriteSource(ctx, f.Of.Repo, src.CommitTime, a, "")
		if err == nil && again.SHA256 != first.SHA256 {
			what := memberFinding(first.Entries, again.Entries)
			return fault.NotReproduciblef(what.Remedy, "source archive: came out different when it was made again\n%s", strings.Join(what.Evidence, "\n"))
		}
	}
	if err != nil {
		return fmt.Errorf("source archive: %w", err)
	}
	a.Size, a.SHA256, a.Tool, a.Verdict = first.Size, first.SHA256, first.Tool, fact.Identical
	f.manifest.SourceArchive = a
	return nil
}

// WriteSource writes an archive of the commit's files to a file, "" for none, in the
// form and under the directory that a says.
func WriteSource(ctx context.Context, repo *source.Repo, when time.Time, a *checksums.SourceArchive, name string) (info archive.Info, err error) {
	err = repo.Export(ctx, func(list []source.File) (err error) {
		var members []archive.Member
		for _, f := range list {
			members = append(members, archive.Member{Name: f.In(a.Wrap), Executable: f.Executable, Link: f.Link, Open: f.Open})
		}
		info, err = writeArchive(ctx, name, a.Format, members, when)
		return err
	})
	return info, err
}
