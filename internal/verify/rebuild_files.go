package verify

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/diff"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/release"
)

// rebuiltFiles is what came out of building a publication again.
type rebuiltFiles struct {
	*publication
	made  *release.Finished
	stage string // directory of the files that would be published
	noUPX error  // why packed files could not be made
	work  string // a private directory
	warn  func(format string, args ...any)
}

// compare holds every artifact of the units that were built against what came
// out here, stage by stage.
func (t *rebuiltFiles) compare(ctx context.Context, units []*plan.Unit) {
	selected := t.selected(units)
	for _, stage := range []fact.Stage{fact.Linked, fact.Header, fact.Packed, fact.Universal, fact.Archived, fact.PackageStage} {
		for _, a := range t.m.Artifacts {
			if a.Stage != stage || !selected[a.Unit()] {
				continue
			}
			r := checksums.RebuiltArtifact{Profile: a.Profile, Platform: a.Platform, Stage: a.Stage, Name: a.Name, SHA256: a.SHA256}
			t.compareOne(ctx, a, &r)
			t.out.Rebuilt = append(t.out.Rebuilt, r)
		}
	}
	slices.SortFunc(t.out.Rebuilt, func(a, b checksums.RebuiltArtifact) int {
		return strings.Compare(a.Profile+"\x00"+a.Platform+"\x00"+string(a.Stage)+"\x00"+a.Name, b.Profile+"\x00"+b.Platform+"\x00"+string(b.Stage)+"\x00"+b.Name)
	})
}

// selected are these units, and what is made of several of them, by their IDs.
func (p *publication) selected(units []*plan.Unit) map[string]bool {
	list := map[string]bool{}
	for _, s := range p.plan.Select(units).Shapes() {
		list[s.ID()] = true
	}
	return list
}

func (t *rebuiltFiles) compareOne(ctx context.Context, a checksums.Artifact, r *checksums.RebuiltArtifact) {
	built := t.counterpart(a)
	switch {
	case built == nil:
		r.Verdict, r.Reason = fact.Unchecked, "the stage before it is not identical"
		if a.Stage != fact.Linked && t.noUPX != nil {
			r.Reason = t.noUPX.Error()
		}
		return
	case built.Verdict == fact.Different && (built.SHA256 == a.SHA256 || len(built.Findings) > 0):
		r.Rebuilt, r.Verdict, r.Reason, r.Findings = built.SHA256, fact.Different, "the "+fact.Builds(len(t.made.Executors))+" made here differ from each other", built.Findings
		return
	case built.SHA256 == a.SHA256:
		r.Verdict, r.Rebuilt = fact.Identical, built.SHA256
		t.compareSigned(ctx, a, *built, r)
		return
	}
	r.Rebuilt, r.Verdict = built.SHA256, fact.Different
	if a.Stage.Holds() && sameMembers(a, *built) && a.Tool != built.Tool {
		r.Verdict = fact.Unchecked
		r.Reason = fmt.Sprintf("written by %s, here by %s; all %d members are identical", a.Tool, built.Tool, len(a.Members))
		return
	}
	if a.Stage == fact.Packed && a.Tool != built.Tool {
		r.Verdict, r.Reason = fact.Unchecked, fmt.Sprintf("packed by %s, here by %s; the binary before packing is identical", a.Tool, built.Tool)
		return
	}
	if a.Stage.Holds() && !sameMembers(a, *built) && t.membersUnchecked(a) {
		r.Verdict, r.Reason = fact.Unchecked, "it holds a file that was packed by another UPX"
		return
	}
	r.Findings = t.explain(ctx, a, *built)
}

// membersUnchecked reports whether a member of the archive was not compared.
func (t *rebuiltFiles) membersUnchecked(a checksums.Artifact) bool {
	return slices.ContainsFunc(t.out.Rebuilt, func(r checksums.RebuiltArtifact) bool {
		return r.Verdict == fact.Unchecked && slices.Contains(a.From, r.SHA256)
	})
}

func sameMembers(a, b checksums.Artifact) bool { return slices.Equal(a.Members, b.Members) }

// counterpart is what was built here in the place of a published artifact: a
// linked binary of the same package, its header, what was packed of it, or the archive of that name.
func (t *rebuiltFiles) counterpart(a checksums.Artifact) *checksums.Artifact {
	same := func(b checksums.Artifact) bool {
		return b.Profile == a.Profile && b.Platform == a.Platform && b.Stage == a.Stage
	}
	built := t.made.Artifacts()
	for i, b := range built {
		if !same(b) {
			continue
		}
		switch a.Stage {
		case fact.Linked, fact.Header: // of a library there is one
			if b.Package == a.Package {
				return &built[i]
			}
		case fact.Packed:
			if slices.Equal(b.From, a.From) {
				return &built[i]
			}
		case fact.Universal, fact.Archived, fact.PackageStage: // one of each program, or format
			if b.Name == a.Name {
				return &built[i]
			}
		}
	}
	return nil
}

// ours is the file that was built here, "" if it is not kept.
func (t *rebuiltFiles) ours(built checksums.Artifact) string {
	if built.Published {
		return filepath.Join(t.stage, built.Name)
	}
	return t.made.Linked(built.SHA256)
}

// explain compares the bytes, where the published ones are at hand.
func (t *rebuiltFiles) explain(ctx context.Context, a, built checksums.Artifact) []fact.Finding {
	ours := t.ours(built)
	theirs, err := t.publishedFile(ctx, a)
	if ours == "" || theirs == "" {
		why := "only its digest is known here"
		if err != nil {
			why = err.Error()
		}
		return []fact.Finding{{Cause: fact.CauseUnknown, Confidence: fact.Possible, Evidence: []string{"the published file was not compared: " + why},
			Remedy: "verify a directory with all published files"}}
	}
	rep, err := diff.Compare(ctx, theirs, ours, t.work)
	if err != nil {
		t.warn("%s: not explained: %v", a.Name, err)
		return nil
	}
	var out []fact.Finding
	for _, f := range rep.Findings {
		out = append(out, f.Finding)
	}
	return out
}

// publishedFile gives a file with the published artifact's bytes: itself, or
// taken out of the archive that holds it.
func (t *rebuiltFiles) publishedFile(ctx context.Context, a checksums.Artifact) (string, error) {
	if t.dir == "" {
		return "", nil
	}
	if a.Published {
		name := filepath.Join(t.dir, a.Name)
		_, err := os.Stat(name)
		return name, err
	}
	for _, b := range t.m.Published() {
		i := slices.IndexFunc(b.Members, func(m checksums.Member) bool { return m.SHA256 == a.SHA256 })
		if i < 0 {
			continue
		}
		to := filepath.Join(t.work, "published", a.SHA256)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return "", err
		}
		found := ""
		err := scanPublished(ctx, filepath.Join(t.dir, b.Name), b.Stage, func(name string, r io.Reader) error {
			if name != b.Members[i].Name {
				return nil
			}
			found = to
			return files.Replace(to, 0o600, func(f *os.File) error {
				_, err := io.Copy(f, r)
				return err
			})
		})
		return found, err
	}
	return "", nil
}

// scanPublished visits the files in an archive or package.
func scanPublished(ctx context.Context, file string, stage fact.Stage, visit func(name string, r io.Reader) error) error {
	if stage != fact.PackageStage {
		_, err := archive.Scan(ctx, file, func(h archive.Header, r io.Reader) error { return visit(h.Name, r) })
		return err
	}
	f, err := files.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	_, err = archive.WalkPackage(ctx, f, fi.Size(), fact.PackageFormat(file), visit)
	return err
}

// recordedModes takes from the record which files of a commit are executable: the
// proxy's zip does not say it.
func (p *publication) recordedModes(of *source.Source) {
	modes := map[string]string{} // by archive and member
	for _, a := range p.m.Artifacts {
		for _, member := range a.Members {
			modes[a.Name+"\x00"+member.Name] = member.Mode
		}
	}
	for _, shape := range p.plan.Shapes() {
		for _, e := range shape.Artifacts() {
			if e.Stage != fact.Archived {
				continue
			}
			for i, f := range shape.Files {
				if f.Mode == "" { // the commit's
					of.SetExecutable(f.Src, modes[e.Name+"\x00"+e.Members[len(e.From)+i]] == fact.ModeRun)
				}
			}
		}
		p.recordedPackageModes(of, shape, modes)
	}
	for _, planned := range p.plan.Images {
		published, _ := p.m.ImageNamed(planned.File())
		for _, f := range published.Files {
			to := "/" + f.Name
			if from, ok := planned.Files[to]; ok && to != fact.CertificatesPath { // which is never executable
				of.SetExecutable(from, f.Mode == fact.ModeRun)
			}
		}
	}
}

// recordedPackageModes does so for the files of packages.
func (p *publication) recordedPackageModes(of *source.Source, u fact.UnitShape, modes map[string]string) {
	if u.Packages == nil {
		return
	}
	name := u.Packages.PackageName(u.Packages.Formats[0], u.Platform)
	for _, c := range u.Packages.Contents {
		if c.Type.File() && c.Mode == "" {
			of.SetExecutable(c.Src, modes[name+"\x00"+strings.TrimPrefix(c.Dst, "/")] == fact.ModeRun)
		}
	}
}
