package fetch

import (
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// chooseVersion finds the version of the release: a tag's, else what is given, else
// the source's own.
func (s *Subject) chooseVersion() error {
	s.Version = strings.TrimPrefix(s.Source.Version, "v")
	if s.Repo == nil {
		return nil
	}
	s.Tagged = s.Repo.Tagged(s.File.Tag)
	if t := s.Tagged; t.Tag != s.Source.Tag() && t.Tag != "" {
		s.Version, s.From = t.Version, fact.OfTag
	}
	given := strings.TrimPrefix(s.AsVersion, "v")
	switch {
	case s.AsVersion == "":
		return nil
	case fact.GoStamp(given) != "" && given != s.Version:
		return fault.Usagef("leave +"+fact.GoStamp(given)+" out: -version="+strings.SplitN(given, "+", 2)[0]+"; of a changed tree, -snapshot makes a snapshot", "-version=%.100s: +%s is what the go command says of a checkout, and not for others to say", s.AsVersion, fact.GoStamp(given))
	case source.IsPseudo("v"+given) && given != s.Version:
		return fault.Usagef("leave -version out for the version that the go command gives the commit (untagged: pseudo), or give another", "-version=%.100s: it is the go command's name for another commit", s.AsVersion)
	case !fact.IsVersion(given) && given != s.Version:
		return fault.Usagef("such as -version=1.2.3 or -version=2026.11.3", "-version=%.100s: no version", s.AsVersion)
	case s.Snapshot:
		return fault.Usagef("leave -version out; the key snapshot of "+ConfigName+" says how snapshots are called", "-version and -snapshot contradict each other: a snapshot is no release of that version")
	case s.Tagged.Tag != "" && given != s.Version:
		return fault.Usagef("leave -version out, or tag another commit; which tag is taken is in docs/profiles.md, and mintmark plan names it", "-version=%s: the commit carries the tag %s, and is version %s", s.AsVersion, s.Tagged.Tag, s.Version)
	case s.Tagged.Tag == "" && given != s.Version:
		s.Version, s.From = given, fact.Given
	}
	return nil
}

// nameSnapshot gives a snapshot its version: what the profile file's template makes
// of the version of its commit, and that it is not the commit where it is not.
func (s *Subject) nameSnapshot() (err error) {
	if !s.Snapshot {
		return nil
	}
	base := s.Version
	if s.Version, err = s.File.SnapshotVersion(plan.CommitVars(s.Source, base, s.Tagged.Tag)); err != nil {
		return profiles.Problems{s.File.Problem(s.File.Pos("snapshot"), err.Error(), fault.Hint(err))}
	}
	if s.File.Snapshot != "" || s.From != fact.OfSource {
		s.From = fact.OfTemplate
	}
	if len(s.Source.Dirty) > 0 {
		s.Version += ".dirty"
	}
	return nil
}

// versionLines say for people which tag the version is of, and why it is not of the
// others on the commit; none for a commit without tags, and for a published module.
func (s *Subject) versionLines() []string {
	var lines []string
	switch {
	case s.Tagged.Tag != "":
		lines = append(lines, s.Tagged.Tag)
	case s.From == fact.Given:
		lines = append(lines, "none; the version is given by -version")
	case len(s.Tagged.Others) > 0:
		lines = append(lines, "none")
	}
	for _, o := range s.Tagged.Others {
		lines = append(lines, "not "+o.Tag+": it "+strings.Join(o.Whys, "; "))
	}
	return lines
}
