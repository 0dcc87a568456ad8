package verify

import (
	"errors"
	"slices"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// readPlan reads the publisher's plan and holds it against the rules of plans,
// against what may be built of a stranger's, and against the manifest. Nothing
// was fetched for it before. What breaks a rule is refused: that it is signed
// says who did it.
func readPlan(m *checksums.Manifest) (*plan.Plan, error) {
	var wrong refusals
	p, err := plan.Decode(append(slices.Clone(m.Plan), '\n'))
	if errors.Is(err, plan.ErrSchema) {
		return nil, fault.Errorf("use the version of mintmark that release.json names under builder", "%s: %w", checksums.ManifestFile, err)
	} else if err != nil {
		wrong.add("%v", err)
		return nil, wrong.err()
	}
	var errs []error
	for _, err := range fault.Leaves(p.CheckForeign()) {
		var broken *plan.RuleError
		if !errors.As(err, &broken) {
			errs = append(errs, err)
			continue
		}
		wrong = append(wrong, checksums.RefusedError{Name: checksums.ManifestFile, Reason: err.Error(), Remedy: fault.Hint(broken)})
	}
	return p, errors.Join(append(errs, wrong.err())...)
}

// checkPlatforms holds the units' platforms against what the toolchain can
// build for.
func checkPlatforms(goroot *toolchain.Goroot, version string, units []*plan.Unit) error {
	known, err := goroot.Platforms()
	if err != nil {
		return err
	}
	var wrong refusals
	for _, u := range units {
		pl, err := profiles.ParsePlatform(u.Platform)
		if base := pl.OS + "/" + pl.Arch; err != nil || !slices.Contains(known, base) {
			wrong.add("%s: %s cannot build for %s", u.ID(), version, base)
		}
	}
	return wrong.err()
}
