package release

import (
	"errors"
	"slices"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// readPlan reads the publisher's plan and holds it against the rules of plans,
// against what may be built of a stranger's, and against the manifest. Nothing
// was fetched for it before. What breaks a rule is refused: that it is signed
// says who did it.
func (t *third) readPlan() (err error) {
	if t.all, err = plan.Decode(append(slices.Clone(t.m.Plan), '\n')); errors.Is(err, plan.ErrSchema) {
		return hinted("use the version of mintmark that release.json names under builder", "%s: %w", checksums.ManifestFile, err)
	} else if err != nil {
		t.refuse(checksums.ManifestFile, "%v", err)
		return t.refused()
	}
	return errors.Join(t.foreignRules(t.all.CheckForeign()), t.refused())
}

// foreignRules makes refusals of the rules that a plan breaks; other errors stay.
func (t *third) foreignRules(err error) error {
	var errs []error
	for _, err := range fault.Leaves(err) {
		var broken *plan.RuleError
		if !errors.As(err, &broken) {
			errs = append(errs, err)
			continue
		}
		t.refusals = append(t.refusals, checksums.RefusedError{Name: checksums.ManifestFile, Reason: err.Error(), Remedy: fault.Hint(broken)})
	}
	return errors.Join(errs...)
}

// checkPlatforms holds the units' platforms against what the toolchain can
// build for.
func (t *third) checkPlatforms() error {
	known, err := t.goroot.Platforms()
	if err != nil {
		return err
	}
	for _, u := range t.plan.Units {
		pl, err := profiles.ParsePlatform(u.Platform)
		if base := pl.OS + "/" + pl.Arch; err != nil || !slices.Contains(known, base) {
			t.refuse(checksums.ManifestFile, "%s: %s cannot build for %s", u.ID(), t.all.Go, base)
		}
	}
	return t.refused()
}
