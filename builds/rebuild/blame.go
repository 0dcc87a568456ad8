package rebuild

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/builds"
	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/internal/bindiff"
)

// Causes that only our own rebuilds can show, from the action graphs of both.
const (
	// Nondeterministic: an action with the same inputs gave different outputs.
	Nondeterministic = "nondeterministic"
	// ActionInputs: the go command itself saw different inputs.
	ActionInputs = "action-inputs"
)

// maxBlamed bounds the findings of one unit, and the inputs listed in one.
const maxBlamed = 10

// keptOutputs are the builds whose output of an action is of an earlier run.
func keptOutputs(a, b *actions.Action) (out []string) {
	if !a.Executed {
		out = append(out, "first")
	}
	if !b.Executed {
		out = append(out, "second")
	}
	return out
}

// Blame compares the action graphs of a unit's two builds and names the
// packages to blame for a difference: first those compiled from the same inputs
// to different outputs, then those whose inputs differ, with the inputs. It
// costs two more runs of go from a warm cache when inputs differ.
func Blame(ctx context.Context, first, second *builds.Site, u *builds.Unit) ([]bindiff.Finding, error) {
	a, errA := actions.Load(first.Graph(u))
	b, errB := actions.Load(second.Graph(u))
	if err := errors.Join(errA, errB); err != nil {
		return nil, err
	}
	diffs := actions.Compare(a, b)
	var keys []string
	for _, d := range diffs {
		if d.Kind == actions.Inputs && len(keys) < maxBlamed {
			keys = append(keys, d.Action)
		}
	}
	var inA, inB map[string][]string
	if len(keys) > 0 {
		var errA, errB error
		inA, errA = first.HashInputs(ctx, u, keys)
		inB, errB = second.HashInputs(ctx, u, keys)
		if err := errors.Join(errA, errB); err != nil {
			return nil, err
		}
	}
	var out []bindiff.Finding
	for i, d := range diffs {
		if i == maxBlamed {
			break
		}
		what := "package " + d.Action
		if pkg, ok := strings.CutPrefix(d.Action, "link "); ok {
			what = "the link of " + pkg
		}
		f := bindiff.Finding{Confidence: bindiff.Certain}
		switch d.Kind {
		case actions.Nondeterministic:
			f.Cause = Nondeterministic
			f.Evidence = []string{fmt.Sprintf("%s: action %s in both builds, output %s in the first, %s in the second", what, d.A.ID, d.A.Output, d.B.Output)}
			f.Remedy = "the same inputs gave different outputs: look for cgo code that reads the time, a path or the host, for tools outside of Go's knowledge, or report a compiler bug"
			if kept := keptOutputs(d.A, d.B); len(kept) > 0 {
				// Two executions prove it. One, and the word of a cache, do not.
				f.Confidence = bindiff.Likely
				f.Evidence = append(f.Evidence, fmt.Sprintf("the output in the %s was not made by this run: it is what the build cache says that an earlier one made", strings.Join(kept, " and in the ")))
				f.Remedy += "; -full compiles it twice, and shows whether the build cache was wrong"
			}
		case actions.Inputs:
			f.Cause = ActionInputs
			f.Evidence = []string{fmt.Sprintf("%s: action %s in the first build, %s in the second", what, d.A.ID, d.B.ID)}
			changed := actions.ChangedInputs(inA[d.Action], inB[d.Action])
			for j, line := range changed {
				if j == maxBlamed {
					f.Evidence = append(f.Evidence, fmt.Sprintf("… and %d more inputs", len(changed)-j))
					break
				}
				f.Evidence = append(f.Evidence, line)
			}
			f.Remedy = "the go command was given different inputs: make the named ones the same in every checkout"
		case actions.Missing:
			f.Cause = ActionInputs
			f.Evidence = []string{what + " was built in only one of the builds"}
			f.Remedy = "the two builds did not have the same packages: look for generated files and build constraints"
		}
		if d.Follows > 0 {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%d more actions differ because they depend on what differs", d.Follows))
		}
		out = append(out, f)
	}
	return out, nil
}
