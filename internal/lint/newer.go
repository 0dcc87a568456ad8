package lint

import (
	"context"
	"fmt"

	"github.com/mintmark/mintmark/internal/fetch"
)

// newerToolchain warns of a toolchain that nobody chose: go.mod says what the
// module needs at least, and its go line is mostly a first release, to which
// patch releases were added since. Where nothing says which one is meant, and the
// proxy serves newer ones, the warning names the newest. It is no part of the
// plan, which depends on nothing that changes with time.
func (l *Linted) newerToolchain(ctx context.Context) []string {
	if l.Toolchain != "" || l.File.Go != "" {
		return nil
	}
	newer := l.Fetcher.Newer(ctx, l.GoToolchain.Version)
	if len(newer) == 0 {
		return nil
	}
	newest := newer[len(newer)-1]
	instead := fmt.Sprintf("go: %s in %s or toolchain %s in go.mod", newest, fetch.ConfigName, newest)
	if l.Repo == nil {
		instead = "-toolchain=" + newest
	}
	count := "a patch release after it is served, " + newest
	if len(newer) > 1 {
		count = fmt.Sprintf("%d patch releases after it are served, the newest is %s", len(newer), newest)
	}
	return []string{fmt.Sprintf("go.mod names the toolchain %s, and %s: Go makes them for security and other serious faults, and what they mend is not in what is built; %s takes it", l.GoToolchain.Version, count, instead)}
}
