package release

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/pgo"
)

// stalePGO warns of profiles of the optimiser that were recorded with other
// code than what is planned: the compiler says nothing, and optimises what is left.
func (p *Planned) stalePGO(ctx context.Context) ([]string, error) {
	all, err := p.Planner.PGOFreshness(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range all {
		if !f.Stale() {
			continue
		}
		var gone []string
		for _, g := range f.Gone[:min(3, len(f.Gone))] {
			gone = append(gone, fmt.Sprintf("%s %.0f %%", g.Function, 100*g.Share))
		}
		more := ""
		if n := len(f.Gone) - len(gone); n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		out = append(out, fmt.Sprintf("PGO profile %s is stale: %.0f %% of its CPU time is in functions that still exist (less than %.0f %%); gone are %s%s; record it again, with a build of this source",
			f.Path, 100*f.Share, 100*pgo.StaleBelow, strings.Join(gone, ", "), more))
	}
	return out, nil
}

// MergedPGO is what [MergePGO] made.
type MergedPGO struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Size   int    `json:"size"`
	Inputs int    `json:"inputs"`
	// Stacks are the different ones, Samples their number and CPU the time in
	// nanoseconds; 0 where the inputs do not have it in common.
	Stacks  int   `json:"stacks"`
	Samples int64 `json:"samples,omitempty"`
	CPU     int64 `json:"cpu_ns,omitempty"`
}

// MergePGO adds CPU profiles up and writes the result to out, which may be one
// of the inputs. The same inputs in any order give the same bytes.
func MergePGO(ctx context.Context, out string, in []string) (*MergedPGO, error) {
	var list []*pgo.Profile
	var errs []error
	for _, name := range in {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		p, err := readPGO(name)
		if err != nil {
			errs = append(errs, fault.Usagef("record CPU profiles with runtime/pprof, net/http/pprof or go test -cpuprofile", "%w", err))
			continue
		}
		list = append(list, p)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	merged, err := pgo.Merge(list...)
	if err != nil {
		return nil, err
	}
	data := merged.Encode()
	err = files.WriteOver(out, data, 0o644, "mintmark did not write it: name it among the profiles to merge as well, if it is one", func(old []byte) bool {
		return slices.ContainsFunc(in, func(name string) bool { return sameFile(name, out) }) || mergedBefore(old)
	})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	m := &MergedPGO{Path: out, SHA256: hex.EncodeToString(sum[:]), Size: len(data), Inputs: len(in), Stacks: len(merged.Stacks)}
	m.Samples, m.CPU = merged.Totals()
	return m, nil
}

// mergedBefore reports whether a profile is what [MergePGO] writes: then nothing
// is lost that cannot be merged again.
func mergedBefore(data []byte) bool {
	p, err := pgo.Parse(data)
	if err != nil {
		return false
	}
	again, err := pgo.Merge(p)
	return err == nil && bytes.Equal(again.Encode(), data)
}

func sameFile(a, b string) bool {
	fa, errA := os.Stat(a)
	fb, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(fa, fb)
}

func readPGO(name string) (*pgo.Profile, error) {
	const most = 256 << 20
	data, err := files.Read(name, most)
	if err != nil {
		return nil, err
	}
	p, err := pgo.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}
