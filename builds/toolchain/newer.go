package toolchain

import (
	"context"
	"encoding/json"
	"go/version"
	"slices"
	"time"
)

// lookLong is how long the module proxy is waited for where its answer is worth
// a warning only.
const lookLong = 15 * time.Second

// Newer are the patch releases of the same Go release that the module proxy
// serves after that version, ascending: go1.24.1 to go1.24.13 for go1.24.0. There
// are none when it cannot be asked, so none is no statement. The user's module
// cache is not asked: it knows what was downloaded, not what there is.
func (f *Fetcher) Newer(ctx context.Context, goVersion string) []string {
	settings := f.Settings
	settings.ModCache = ""
	ctx, cancel := context.WithTimeout(ctx, lookLong)
	defer cancel()
	res, err := Run(ctx, Command{
		Path: f.Go,
		Args: []string{"list", "-m", "-json", "-versions", "go"},
		Dir:  f.Place.Empty,
		Env:  f.Place.FetchEnv(settings), Confine: f.Place.Fetching(),
	})
	if err != nil {
		return nil
	}
	return newer(res.Stdout, goVersion)
}

// newer reads what `go list -m -json -versions go` prints.
func newer(list []byte, than string) (out []string) {
	var m struct{ Versions []string }
	if json.Unmarshal(list, &m) != nil {
		return nil
	}
	for _, v := range m.Versions {
		v = "go" + v
		// Candidates and betas come before the first release, so they are not after one.
		if version.IsValid(v) && version.Lang(v) == version.Lang(than) && version.Compare(v, than) > 0 {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, version.Compare)
	return slices.Compact(out)
}
