package release

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// makeFiles writes what the unit publishes into the staging directory.
func (p *pipeline) makeFiles(ctx context.Context, u *unit, products []*product) error {
	for _, pr := range products {
		if pr.linked.SHA256 != "" {
			p.add(pr.linked)
		}
	}
	if u.Archive == "none" {
		names := u.Published()
		for i, pr := range products {
			pr.artifact.Name, pr.artifact.Published = names[i], true
			mode := os.FileMode(0o644)
			if u.executable() {
				mode = 0o755
			}
			sum, _, err := files.Copy(ctx, pr.path, filepath.Join(p.stage, pr.artifact.Name), mode)
			if err != nil {
				return err
			}
			if sum != pr.artifact.SHA256 {
				return fmt.Errorf("%s changed while it was copied", pr.name)
			}
			p.add(pr.artifact)
		}
		return nil
	}
	a := checksums.Artifact{
		Name: u.Published()[0], Profile: u.Profile, Platform: u.Platform, Stage: fact.Archived,
		Published: true, Verdict: fact.Identical, Tool: archive.Tool(u.Archive),
	}
	for _, pr := range products {
		a.From = append(a.From, pr.artifact.SHA256)
		if pr.artifact.Verdict != fact.Identical {
			a.Verdict, a.Reason = pr.artifact.Verdict, pr.artifact.Reason
		}
		p.add(pr.artifact)
	}
	if err := p.makeArchive(ctx, u, products, &a); err != nil {
		return fmt.Errorf("%s: %w", a.Name, err)
	}
	p.add(a)
	return nil
}

// makeArchive writes the unit's archive, twice: from the files of each place.
// The same archive of an earlier release, written twice then, spares both.
func (p *pipeline) makeArchive(ctx context.Context, u *unit, products []*product, a *checksums.Artifact) error {
	first, when := p.members(u, products, 0), p.source.CommitTime
	recipe, entries, err := archive.Recipe(ctx, u.Archive, first, when)
	if err != nil {
		return err
	}
	for _, e := range entries {
		a.Members = append(a.Members, checksums.Member{Name: e.Name, Size: e.Size, SHA256: e.SHA256, Mode: fmt.Sprintf("%04o", e.Mode.Perm())})
	}
	twice := p.sites.second != nil && a.Verdict == fact.Identical
	second := p.members(u, products, 1)
	if twice {
		again, others, err := archive.Recipe(ctx, u.Archive, second, when)
		if err != nil {
			return fmt.Errorf("second time: %w", err)
		}
		if again != recipe {
			a.Verdict = fact.Different
			a.Findings = []fact.Finding{memberFinding(entries, others)}
			twice = false
		}
	}
	name := filepath.Join(p.stage, a.Name)
	if twice && p.books.recallArchive(ctx, u.Unit, recipe, name, a) {
		return nil
	}
	var info archive.Info
	err = files.Create(name, 0o644, func(out *os.File) (err error) {
		info, err = archive.Write(ctx, out, u.Archive, first, when)
		return err
	})
	if err != nil {
		return err
	}
	a.Size, a.SHA256 = info.Size, info.SHA256
	if !twice {
		return nil
	}
	again, err := archive.Write(ctx, io.Discard, u.Archive, second, when)
	if err != nil {
		return fmt.Errorf("second time: %w", err)
	}
	if again.SHA256 != a.SHA256 {
		a.Verdict = fact.Different
		a.Findings = []fact.Finding{memberFinding(info.Entries, again.Entries)}
		return nil
	}
	if err := p.books.rememberArchive(ctx, u.Unit, recipe, name, a); err != nil && ctx.Err() == nil {
		p.warn("%s: the next release will make it again: %v", a.Name, err)
	}
	return nil
}

// members lists an archive's files from one of the two places.
func (p *pipeline) members(u *unit, products []*product, place int) []archive.Member {
	var ms []archive.Member
	for _, pr := range products {
		from := pr.path
		if place == 1 {
			from = pr.second
		}
		sum := ""
		if pr.artifact.Verdict == fact.Identical {
			sum = pr.artifact.SHA256 // what was compared is what goes in
		}
		ms = append(ms, archive.Member{Name: pr.name, Executable: u.executable(), SHA256: sum, Open: opener(from)})
	}
	for _, name := range u.Files {
		ms = append(ms, archive.Member{
			Name:       name,
			Executable: p.source.Executable(path.Join(p.source.Dir, name)),
			Open:       opener(filepath.Join(p.sites.src[place], filepath.FromSlash(name))),
		})
	}
	return ms
}

// opener opens the file of a member that goes into an archive.
func opener(name string) func() (io.ReadCloser, int64, error) {
	return func() (io.ReadCloser, int64, error) {
		f, err := files.Open(name)
		if err != nil {
			return nil, 0, err
		}
		fi, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, 0, err
		}
		return f, fi.Size(), nil
	}
}

// memberFinding says which members of two archives of one unit differ.
func memberFinding(a, b []archive.Entry) fact.Finding {
	f := fact.Finding{
		Cause: fact.CauseSource, Confidence: fact.Certain,
		Remedy: "a file that goes into the archive is not the same in two clean checkouts: look for filters and line-ending attributes in .gitattributes",
	}
	byName := map[string]archive.Entry{}
	for _, e := range b {
		byName[e.Name] = e
	}
	for _, e := range a {
		if other := byName[e.Name]; other.SHA256 != e.SHA256 {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s: sha256 %s and %s", e.Name, e.SHA256, other.SHA256))
		}
	}
	if len(f.Evidence) == 0 {
		f.Cause, f.Confidence, f.Remedy = fact.CauseUnknown, fact.Possible, "report this to mintmark: equal members should make equal archives"
		f.Evidence = []string{"all members are equal"}
	}
	return f
}
