package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/internal/ui"
)

// Inputs is what a page is made of. The same inputs give the same page.
type Inputs struct {
	Manifest *checksums.Manifest
	Beside   bool          // the page lies beside the published files
	Signed   bool          // there is a signature
	SignedBy fact.SignerID // nobody when the signature was not checked
	// Checked says who looked at the signature; "" when the page is part of the
	// release that is signed, and so cannot vouch for it.
	Checked string
	// Unverified says that a release was checked and no signature of it: then
	// what its manifest says is nobody's word.
	Unverified   bool
	Measurements *Measurements // nil: see NotMeasured
	NotMeasured  string        // why there are no measurements
	// Previous are the measurements of the release that sizes are compared with.
	Previous *Measurements
	// Changes are the commits since the version tag before; nil where that is not
	// known, or where there is none.
	Changes *fact.Changes
}

// Compose makes the page of a release.
func Compose(in Inputs) *Page {
	m := in.Manifest
	p := &Page{Schema: fact.PageReport, Title: m.Project + " " + m.Version}
	p.verdict(in)
	p.Sections = append(p.Sections, differences(m)...)
	p.Sections = append(p.Sections, artifacts(in))
	if in.Changes != nil {
		p.Sections = append(p.Sections, changesSection(in.Changes, fact.MaxSubjects))
	}
	p.Sections = append(p.Sections, sizesSection(in), deltaSection(in))
	p.Sections = append(p.Sections, startupSection(in), packingSection(in), savingsSection(in), retainedSection(in), timeSection(in), provenance(in))
	return p
}

func (p *Page) verdict(in Inputs) {
	m := in.Manifest
	n := Verdicts(m)
	all := n.All()
	p.Verdict = n.Worst()
	switch {
	case p.Verdict == fact.Different:
		p.Headline = fmt.Sprintf("%d of %s DIFFERENT in %s", n.Different, fact.Count(all, "artifact"), fact.Builds(m.Rebuild.Executions))
	case p.Verdict == fact.Unchecked:
		p.Headline = fmt.Sprintf("%d of %s not checked", n.Unchecked, fact.Count(all, "artifact"))
	case all == 1:
		p.Headline = "1 artifact, identical in " + fact.Builds(m.Rebuild.Executions)
	default:
		p.Headline = fmt.Sprintf("All %d artifacts identical in %s", all, fact.Builds(m.Rebuild.Executions))
	}
	if p.Verdict != fact.Identical && n.Identical > 0 {
		p.Headline += fmt.Sprintf("; %d identical", n.Identical)
	}
	if in.Unverified {
		p.Headline = "NOT verified: no signature was checked; the release says of itself: " + strings.ToLower(p.Headline[:1]) + p.Headline[1:]
		if p.Verdict == fact.Identical {
			p.Verdict = fact.Unchecked
		}
	}
	signed := "NOT SIGNED: anybody can have made these files"
	switch {
	case m.Kind != checksums.KindRelease:
		signed = "A " + string(m.Kind) + ", not a release: not signed"
	case !in.SignedBy.IsZero():
		signed = "Signed by " + in.SignedBy.String()
	case in.Signed:
		signed = "Signed, but by whom was NOT CHECKED: no public key was given"
	}
	if in.Checked != "" {
		signed += " (" + in.Checked + ")"
	} else if !in.SignedBy.IsZero() {
		signed += "; this page is one of the signed files, so check it with the command at its end, not by reading it"
	}
	p.Facts = []string{signed}
	if machines := Machines(m.Rebuild.Executions, m.Rebuild.Independence); machines != "" {
		p.Facts = append(p.Facts, strings.ToUpper(machines[:1])+machines[1:])
	}
	if again := Again(m.Rebuild.Executions, m.Rebuild.Actions, m.Artifacts); again != "" {
		p.Facts = append(p.Facts, strings.ToUpper(again[:1])+again[1:])
	}
	s := m.Source
	from := fmt.Sprintf("Source %s %s", s.Module, s.Version)
	if s.Commit != "" {
		from += ", commit " + s.Commit
		if to := commitPage(s); to != "" {
			p.Links = append(p.Links, TextLink{s.Commit, to})
		}
	}
	p.Facts = append(p.Facts, from+" of "+s.CommitTime+"; toolchain "+m.Toolchain.Version)
}

// differences is what was found about artifacts that differ or were not checked.
func differences(m *checksums.Manifest) []Section {
	s := Section{ID: "different", Title: "What is not identical"}
	for _, a := range m.Artifacts {
		if a.Verdict == fact.Identical {
			continue
		}
		t := Table{Title: fmt.Sprintf("%s, %s %s (%s): %s", a.Name, a.Profile, a.Platform, a.Stage, a.Verdict),
			Columns: []Column{{Title: "cause"}, {Title: "evidence"}, {Title: "remedy"}}}
		if a.Reason != "" {
			t.Rows = append(t.Rows, []string{string(a.Verdict), a.Reason, ""})
		}
		for _, f := range a.Findings {
			t.Rows = append(t.Rows, []string{fmt.Sprintf("%s (%s)", f.Cause, f.Confidence), strings.Join(f.Evidence, "; "), f.Remedy})
		}
		s.Tables = append(s.Tables, t)
	}
	if len(s.Tables) == 0 {
		return nil
	}
	return []Section{s}
}

// artifacts are the published files, and the stages that they were made of.
func artifacts(in Inputs) Section {
	s := Section{ID: "artifacts", Title: "Artifacts"}
	published := Table{Title: "Published files", Columns: []Column{{Title: "file"}, {Title: "platform"}, {Title: "stage"}, {Title: "size", Kind: Number}, {Title: "verdict", Kind: Mark}, {Title: "SHA-256", Kind: Digest}}}
	before := Table{Title: "What they were made of", Columns: []Column{{Title: "file"}, {Title: "profile"}, {Title: "platform"}, {Title: "stage"}, {Title: "size", Kind: Number}, {Title: "verdict", Kind: Mark}, {Title: "SHA-256", Kind: Digest}}}
	link := func(name string) {
		if to := beside(name); in.Beside && to != "" {
			published.Links = append(published.Links, Link{Row: len(published.Rows), Address: to})
		}
	}
	for _, a := range in.Manifest.Artifacts {
		if a.Published {
			link(a.Name)
			published.Rows = append(published.Rows, []string{a.Name, a.Platform, string(a.Stage), ui.FormatBytes(a.Size), string(a.Verdict), a.SHA256})
		} else {
			before.Rows = append(before.Rows, []string{a.Name, a.Profile, a.Platform, string(a.Stage), ui.FormatBytes(a.Size), string(a.Verdict), a.SHA256})
		}
	}
	for _, i := range in.Manifest.Images {
		link(i.Name)
		published.Rows = append(published.Rows, []string{i.Name, imagePlatforms(i), "image", ui.FormatBytes(i.Size), string(i.Verdict), i.SHA256})
	}
	if len(published.Rows) == 0 {
		s.Text = []string{"Nothing was published."}
	} else {
		s.Tables = []Table{published}
	}
	if len(before.Rows) > 0 {
		s.Parts = []Part{{Title: fmt.Sprintf("%s: %s", before.Title, fact.Count(len(before.Rows), "file")), Tables: []Table{{Columns: before.Columns, Rows: before.Rows}}}}
	}
	return s
}

// imagePlatforms names the platforms that an image is for.
func imagePlatforms(i checksums.Image) string {
	var list []string
	for _, p := range i.Platforms {
		list = append(list, p.Platform)
	}
	return strings.Join(list, ", ")
}

// provenance is what a stranger needs to check or build the release.
func provenance(in Inputs) Section {
	m := in.Manifest
	s := Section{ID: "provenance", Title: "Provenance, and how to check it"}
	t := Table{Columns: []Column{{Title: "what"}, {Title: "value"}}}
	add := func(what, value string) {
		if value != "" {
			t.Rows = append(t.Rows, []string{what, value})
		}
	}
	sumdb := func(ok bool) string {
		if ok {
			return " (in the checksum database)"
		}
		return " (not checked against the checksum database)"
	}
	add("module", m.Source.Module+" "+m.Source.Version)
	add("module hash", m.Source.Sum+sumdb(m.Source.SumDB))
	if to := commitPage(m.Source); to != "" {
		t.Links = append(t.Links, Link{Row: len(t.Rows), Column: 1, Address: to})
	}
	add("commit", m.Source.Commit)
	add("commit time", m.Source.CommitTime)
	add("version is of the tag", m.Tag)
	if m.From == fact.Given {
		add("version", "given by whoever released it: no tag of the commit says it")
	}
	add("tags", strings.Join(m.Source.Tags, ", "))
	if m.Source.Stamp != m.Source.Version {
		add("version stamped into the binaries", m.Source.Stamp)
	}
	add("changed files", strings.Join(m.Source.Dirty, ", "))
	add("toolchain", m.Toolchain.Module)
	add("toolchain hash", m.Toolchain.Sum+sumdb(m.Toolchain.SumDB))
	add("built by", m.Builder.Name+" "+m.Builder.Version)
	add("plan ID", m.PlanID)
	add("builds of each unit", fmt.Sprint(m.Rebuild.Executions))
	if m.Rebuild.Executions > 1 {
		add("on how many machines", cmp.Or(Machines(m.Rebuild.Executions, m.Rebuild.Independence), "not recorded"))
	}
	add("different between them", strings.Join(m.Rebuild.Varied, ", "))
	add("also, where the system let it", strings.Join(m.Rebuild.Attempted, ", "))
	shared := "the same in both"
	if m.Rebuild.Executions > 2 { // what differs in some of them is there too
		shared = "the same in at least 2 of them"
	}
	add(shared, strings.Join(m.Rebuild.Shared, ", "))
	if c := m.Rebuild.Confinement; c != nil {
		add("the builds while they ran", c.String())
	}
	s.Tables = []Table{t}
	s.Parts = independence(m)
	if m.Kind != checksums.KindRelease {
		s.Notes = []string{"A " + string(m.Kind) + " is not signed and cannot be verified."}
		return s
	}
	s.Commands = commands(in)
	if in.Signed {
		s.Notes = append(s.Notes, "PUBLISHER.pub has to come from elsewhere than this release: a key that lies beside it proves nothing.")
	}
	s.Notes = append(s.Notes, "That the files come from this source is the publisher's statement. It becomes more than that when somebody else builds them again.")
	return s
}

// commands are those that check a release, the one that checks most of it first.
func commands(in Inputs) []Command {
	m := in.Manifest
	expect := "-project=" + shell.Word(m.Project) + " -version=" + shell.Word(m.Version)
	if m.Source.Commit != "" {
		expect += " -commit=" + shell.Word(m.Source.Commit)
	}
	key := "-key=PUBLISHER.pub "
	if !in.Signed {
		key = "-unsigned "
	}
	list := []Command{
		{"Check signatures, checksums, files and record, offline", "mintmark verify " + key + expect + " DIR"},
		{"Build it again from its source and compare every stage", "mintmark verify -rebuild " + key + expect + " DIR"},
		{"Check one file of it, with what of the release is beside it", "mintmark verify " + key + expect + " FILE"},
		{"Without mintmark: the digests only, of the files that are here", m.List().Algorithm.Program() + " --ignore-missing -c " + shell.Name(m.List().Name)},
	}
	if in.Signed {
		list = append(list, Command{"With cosign: the signature over the digests",
			"cosign verify-blob --key PUBLISHER.pub --bundle " + shell.Name(m.List().Bundle()) + " --insecure-ignore-tlog=true " + shell.Name(m.List().Name)})
	}
	return list
}
