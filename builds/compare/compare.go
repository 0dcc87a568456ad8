// Package compare holds executions of one unit against each other, and says what
// came of it.
//
// A file is identical only when every execution made the same bytes. Everything
// that was not compared is unchecked, with the reason. Where two differ, the bytes
// are compared ([Files]), and the go command's own accounts of both builds: these
// name the package to blame ([Blame]).
//
// What was different between the executions and what they had in common is not
// said here: it follows from their circumstances ([fact.Compare]).
package compare

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
)

// Result is what came of comparing one file of several executions.
type Result struct {
	Verdict fact.Verdict
	Reason  string // of unchecked
	// Diff says where the first file and the file Other, by its index, differ.
	Diff  *bindiff.Diff
	Other int
}

// Files compares the same file of several executions byte for byte and, where
// two of them differ, says where and why. What is known to be the same of the
// builds is no reason. One file alone is unchecked.
func Files(ctx context.Context, paths []string, known bindiff.Known) (Result, error) {
	if len(paths) < 2 {
		return Result{Verdict: fact.Unchecked, Reason: "built once"}, nil
	}
	for i, other := range paths[1:] {
		d, err := bindiff.Compare(ctx, paths[0], other, known)
		if err != nil {
			return Result{Verdict: fact.Unchecked, Reason: "the comparison failed"}, fmt.Errorf("comparing %s: %w", filepath.Base(paths[0]), err)
		}
		if !d.Equal {
			return Result{Verdict: fact.Different, Diff: d, Other: i + 1}, nil
		}
	}
	return Result{Verdict: fact.Identical}, nil
}
