package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/sbom"
)

// lists reports whether the release lists a file of that kind.
func (p *publication) lists(kind fact.FileKind) bool {
	return slices.ContainsFunc(p.out.Listed, func(e checksums.Entry) bool { return p.m.List().KindOf(e.Name) == kind })
}

// compareBills writes the bills of materials again that the release lists, of its manifest
// and of what the programs that units have linked here say, and compares. platforms are
// those that were selected, and tool is the version of this mintmark. What is called like
// a bill and is of nothing that the release publishes is left to [notProducts].
func (t *rebuiltFiles) compareBills(ctx context.Context, units []*plan.Unit, platforms, tool string) error {
	selected := t.selected(units)
	var in *sbom.Input
	for _, e := range t.out.Listed {
		_, of, ok := fact.BillOf(e.Name)
		programs := sbom.Programs(t.m, of)
		if !ok || len(programs) == 0 {
			continue
		}
		if t.only != "" {
			t.out.Checks.Open(fact.BillAgain, e.Name, onlyOne(t.only))
			continue
		}
		if slices.ContainsFunc(programs, func(a *checksums.Artifact) bool { return !selected[a.Unit()] }) {
			t.out.Checks.Open(fact.BillAgain, e.Name, leftOut(platforms))
			continue
		}
		r := checksums.RebuiltFile{Kind: fact.Bill, Name: e.Name, SHA256: e.SHA256, Verdict: fact.Unchecked}
		var made []byte
		var err error
		if r.Reason = t.notIdentical(programs); r.Reason == "" {
			if in == nil {
				in, err = t.made.Contents(ctx, t.m)
			}
			if err == nil {
				made, err = in.Write(e.Name)
			}
			if err != nil {
				r.Reason = err.Error()
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if r.Reason == "" {
			t.compareBill(&r, made, tool)
		}
		t.again(r, "")
		if r.Same() {
			t.out.Checks.Done(fact.Content, r.Name, "")
		}
	}
	return nil
}

// notIdentical names the first of the programs that is not what was linked here; "" if
// all are.
func (t *rebuiltFiles) notIdentical(programs []*checksums.Artifact) string {
	for _, a := range programs {
		if !slices.ContainsFunc(t.out.Rebuilt, func(r checksums.RebuiltArtifact) bool {
			return r.Key() == a.Key() && r.Verdict == fact.Identical && r.Rebuilt == r.SHA256
		}) {
			return "it is about " + a.Key() + ", which did not come out identical"
		}
	}
	return ""
}

// compareBill compares a published bill with the one that was made here.
func (t *rebuiltFiles) compareBill(r *checksums.RebuiltFile, made []byte, tool string) {
	r.Rebuilt = files.DigestBytes(made)
	switch {
	case r.SHA256 == "":
		r.Reason = "it is not here, and its SHA-256 is not known"
		return
	case r.Rebuilt == r.SHA256:
		r.Verdict = fact.Identical
		return
	}
	by := t.m.Builder
	switch {
	case by.Version != tool:
		r.Reason = fmt.Sprintf("written by %s %s, here by mintmark %s, which differs", by.Name, by.Version, tool)
	case tool == source.Devel:
		r.Reason = fmt.Sprintf("it differs, and was written by %s %s, as here: which one that is, nobody knows", by.Name, by.Version)
	default:
		r.Verdict = fact.Different
	}
	f := fact.Finding{Cause: fact.CauseUnknown, Confidence: fact.Certain,
		Remedy: "its programs are those that were built here: what is in them, they say themselves (go version -m)"}
	published, err := t.publishedBill(r.Name)
	switch {
	case err != nil:
		f.Evidence, f.Confidence = []string{"the published file was not compared: " + err.Error()}, fact.Possible
	default:
		f.Evidence = sbom.Differences(published, made)
	}
	r.Findings = []fact.Finding{f}
}

// publishedBill reads a bill of the release.
func (p *publication) publishedBill(name string) ([]byte, error) {
	if p.dir == "" {
		return nil, errors.New("only its digest is known here")
	}
	data, err := files.Read(filepath.Join(p.dir, name), sbom.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("it is not here, only its digest is known")
	}
	return data, err
}
