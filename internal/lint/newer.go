package lint

import (
	"context"
	"fmt"

	"github.com/mintmark/mintmark/internal/fetch"
)

// newerToolchain warns of a toolchain to which patch releases were added since it was
// named, if the proxy serves them: the go line of go.mod says what the module needs
// at least, and is mostly a first release; a key of the profile file stays as it is
// until somebody changes it. The warning names the newest. It is no part of the plan,
// which depends on nothing that changes with time. What -toolchain names is meant for
// this one run, and nothing is said of it.
func (l *Linted) newerToolchain(ctx context.Context) []string {
	if l.Toolchain != "" {
		return nil
	}
	newer := l.Fetcher.Newer(ctx, l.GoToolchain.Version)
	if len(newer) == 0 {
		return nil
	}
	newest := newer[len(newer)-1]
	from, instead := "go.mod names", fmt.Sprintf("go: %s in %s or toolchain %s in go.mod", newest, fetch.ConfigName, newest)
	switch {
	case l.File.Go != "":
		from, instead = l.File.Pos("go").String()+": go names", "go: "+newest
	case l.Repo == nil:
		instead = "-toolchain=" + newest
	}
	count := "a patch release after it is served, " + newest
	if len(newer) > 1 {
		count = fmt.Sprintf("%d patch releases after it are served, the newest is %s", len(newer), newest)
	}
	return []string{fmt.Sprintf("%s the toolchain %s, and %s: Go makes them for security and other serious faults, and what they mend is not in what is built; %s takes it", from, l.GoToolchain.Version, count, instead)}
}
