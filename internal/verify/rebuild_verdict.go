package verify

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// conclude gives every artifact of the release an end, whatever was compared:
// it goes by what the release promises, not by what was looked at. An artifact
// is identical, different, unchecked with the reason, or left out by -platform;
// a file that is no artifact is of a kind that is not built, or unchecked too.
// units are those that were built, which platforms selected, on host. It returns
// the listed files of which nobody knows what they are.
func (p *publication) conclude(units []*plan.Unit, platforms, host string) (unknown []string) {
	selected := p.selected(units)
	compared := map[string]checksums.RebuiltArtifact{}
	for _, r := range p.out.Rebuilt {
		compared[r.Key()] = r
	}
	left := leftOut(platforms)
	for _, a := range p.m.Artifacts {
		p.out.Checks.Done(fact.FromSource, a.Unit(), "") // unless one of them says otherwise
		if again, all := p.out.Checks.Of(fact.GeneratedAgain); again < all {
			p.out.Checks.Open(fact.FromSource, a.Unit(), "generated files were taken from the release, and are not of the source")
		}
	}
	for _, a := range p.m.Artifacts {
		r, ok := compared[a.Key()]
		why := "not all files came out identical"
		switch {
		case !ok && !selected[a.Unit()]:
			why = left
			p.out.Checks.Open(fact.Rebuilt, a.Key(), left)
		case !ok:
			r = checksums.RebuiltArtifact{Profile: a.Profile, Platform: a.Platform, Stage: a.Stage, Name: a.Name, SHA256: a.SHA256,
				Verdict: fact.Unchecked, Reason: "nothing was built here in its place"}
			p.out.Rebuilt = append(p.out.Rebuilt, r)
			p.out.Checks.Open(fact.Rebuilt, a.Key(), r.Reason)
		case r.Verdict == fact.Identical && r.Rebuilt == a.SHA256:
			p.out.Checks.Done(fact.Rebuilt, a.Key(), host)
			continue
		case r.Verdict == fact.Different:
			p.out.Checks.Open(fact.Rebuilt, a.Key(), "it came out different")
		default:
			p.out.Checks.Open(fact.Rebuilt, a.Key(), r.Reason)
		}
		p.out.Checks.Open(fact.FromSource, a.Unit(), why)
	}
	return notProducts(p.out)
}

func leftOut(platforms string) string { return "left out by -platform=" + platforms }

func onlyOne(name string) string { return "only " + fact.FileName(name) + " was built again" }

// again notes what came of making a file again that no unit makes, and answers its check.
// found is what the check's sentence says of one that is identical.
func (p *publication) again(r checksums.RebuiltFile, found string) {
	p.out.RebuiltFiles = append(p.out.RebuiltFiles, r)
	switch check := r.Kind.Again(); {
	case r.Same():
		p.out.Checks.Done(check, r.Name, found)
	case r.Verdict == fact.Different:
		p.out.Checks.Open(check, r.Name, "it came out different")
	default:
		p.out.Checks.Open(check, r.Name, r.Reason)
	}
}

// notProducts answers for the files of a release that are no artifacts: those
// of a kind that nobody builds, and why. It returns the others, of which nobody
// knows what they are.
func notProducts(v *checksums.Verification) (unknown []string) {
	products := map[string]bool{}
	for _, a := range v.Manifest.Published() {
		products[a.Name] = true
	}
	if a := v.Manifest.SourceArchive; a != nil {
		products[a.Name] = true // it has a check of its own
	}
	for _, e := range v.Listed {
		name := e.Name
		if products[name] {
			continue
		}
		if check := fact.KindOf(name).Again(); check != "" && v.Checks.Asked(check, name) {
			continue
		}
		generated := fact.KindOf(name) == fact.GeneratedFiles
		if generated && v.Manifest.Generated != nil {
			continue // each of its files was asked about
		}
		if why := fact.KindOf(name).NotBuilt(); why != "" && !generated {
			v.Checks.Open(fact.NotBuilt, name, why)
			continue
		}
		v.Checks.Open(fact.NotBuilt, name, "the manifest does not describe it, so nobody can build it")
		unknown = append(unknown, name)
	}
	return unknown
}

// verdict is the error of what did not come out identical. That nothing was
// compared is no success.
func (p *publication) verdict(unknown []string) error {
	var different, unchecked []string
	identical := 0
	for _, r := range p.out.Rebuilt {
		name := fmt.Sprintf("%s %s: %s (%s)", r.Profile, r.Platform, r.Name, r.Stage)
		switch {
		case r.Verdict == fact.Identical && r.Rebuilt == r.SHA256:
			identical++
		case r.Verdict == fact.Different:
			different = append(different, name)
		default:
			unchecked = append(unchecked, name+": "+r.Reason)
		}
	}
	for _, r := range p.out.RebuiltFiles {
		name := fmt.Sprintf("%s (%s)", r.Name, r.Kind.Noun())
		switch {
		case r.Same():
			identical++
		case r.Verdict == fact.Different:
			different = append(different, name)
		default:
			unchecked = append(unchecked, name+": "+r.Reason)
		}
	}
	for _, name := range unknown {
		unchecked = append(unchecked, name+": the manifest does not describe it, so it was not built again")
	}
	var errs []error
	if len(different) > 0 {
		errs = append(errs, fault.NotReproduciblef("the findings say what differs; do not trust the files before you know why", "not reproduced: what was built here is not what was published\n%s", strings.Join(different, "\n")))
	}
	if len(unchecked) > 0 {
		errs = append(errs, fault.Errorf("everything else was compared; the reasons say what is missing", "not compared:\n%s", strings.Join(unchecked, "\n")))
	}
	if identical == 0 && len(errs) == 0 {
		errs = append(errs, fault.Errorf("report this to mintmark: a release has artifacts, and each is compared or named", "nothing was compared"))
	}
	return errors.Join(errs...)
}
