package pgo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Merged is what [MergeFiles] made.
type Merged struct {
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

// MergeFiles adds CPU profiles up and writes the result to out, which may be one
// of the inputs. The same inputs in any order give the same bytes.
func MergeFiles(ctx context.Context, out string, in []string) (*Merged, error) {
	var list []*Profile
	var errs []error
	for _, name := range in {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		p, err := readFile(name)
		if err != nil {
			errs = append(errs, fault.Usagef("record CPU profiles with runtime/pprof, net/http/pprof or go test -cpuprofile", "%w", err))
			continue
		}
		list = append(list, p)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	merged, err := Merge(list...)
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
	m := &Merged{Path: out, SHA256: hex.EncodeToString(sum[:]), Size: len(data), Inputs: len(in), Stacks: len(merged.Stacks)}
	m.Samples, m.CPU = merged.Totals()
	return m, nil
}

// mergedBefore reports whether a profile is what [MergeFiles] writes: then nothing
// is lost that cannot be merged again.
func mergedBefore(data []byte) bool {
	p, err := Parse(data)
	if err != nil {
		return false
	}
	again, err := Merge(p)
	return err == nil && bytes.Equal(again.Encode(), data)
}

func sameFile(a, b string) bool {
	fa, errA := os.Stat(a)
	fb, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(fa, fb)
}

func readFile(name string) (*Profile, error) {
	const most = 256 << 20
	data, err := files.Read(name, most)
	if err != nil {
		return nil, err
	}
	p, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}
