package release

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mintmark/mintmark/builds/schedule"
)

// A build on another machine is given up when it takes slowTimes as long as all its
// work does on one processor, and at least slowLeast: a machine that hangs does not keep
// a release for ever, and one that is only busy keeps its builds.
const (
	slowTimes = 10
	slowLeast = 15 * time.Minute
)

// SlowError says that a machine was given up on a build.
type SlowError struct {
	Waited   time.Duration
	Expected time.Duration // CPU time
}

func (e *SlowError) Error() string {
	return fmt.Sprintf("given up after %s: about %s of processor time were expected", e.Waited.Round(time.Second), e.Expected.Round(time.Second))
}

// patience is the context of a build at a site that should take so much CPU time. It
// ends as lost when the site is too slow, and the second time that one is, the site is
// gone. Never where nothing was expected, or no other site is left; nor where one more
// loss would be an error, so that a wrong estimate costs time and not the release; nor on
// this machine, which is as slow as it is. end is called when the build has returned.
func (b *batch) patience(ctx context.Context, at schedule.At, expected time.Duration) (_ context.Context, end func()) {
	if at.Site == "" || at.Attempt >= schedule.MaxLosses || expected <= 0 {
		return ctx, func() {}
	}
	limit := max(slowTimes*expected, slowLeast)
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limit, func() {
		if err := b.slow(at.Site, &SlowError{limit, expected}); err != nil {
			cancel(err)
		}
	})
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

// slow gives a site up on one build, or as a whole: nil where there is no other one.
func (b *batch) slow(site string, err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.ContainsFunc(b.left, func(s schedule.Site) bool { return s.Name != site }) {
		return nil
	}
	if slices.Contains(b.gaveUp, site) {
		return schedule.SiteLost(err)
	}
	b.gaveUp = append(b.gaveUp, site)
	return schedule.Lost(err)
}
