package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
)

// Causes that only our own rebuilds can show, from the action graphs of both.
const (
	// Nondeterministic: an action with the same inputs gave different outputs.
	Nondeterministic fact.Cause = "nondeterministic"
	// ActionInputs: the go command itself saw different inputs.
	ActionInputs fact.Cause = "action-inputs"
)

// maxBlamed bounds the findings of one unit, and the inputs listed in one.
const maxBlamed = 10

// Execution is one of the builds that are held against each other.
type Execution struct {
	Name    string // "first", as in "the first build"
	Actions actions.Graph
	// HashInputs gives what the go command hashed into the IDs of some actions; nil
	// where that cannot be asked.
	HashInputs func(ctx context.Context, u *plan.Unit, keys []actions.Key) (map[actions.Key][]string, error)
}

func (e Execution) inputs(ctx context.Context, u *plan.Unit, keys []actions.Key) (map[actions.Key][]string, error) {
	if e.HashInputs == nil {
		return nil, nil
	}
	return e.HashInputs(ctx, u, keys)
}

// C is what is known of the C code of a unit.
type C struct {
	Packages map[string]bool // that are compiled with C code
	Risks    []plan.CRisk    // what of it makes builds of one source differ
}

// of are the risks that concern an action: those of its package, or of all
// packages with C code. A link gets the code and flags of all.
func (c C) of(pkg string, link bool) (out []plan.CRisk) {
	for _, r := range c.Risks {
		if link || r.Package == pkg || r.Package == "" && c.Packages[pkg] {
			out = append(out, r)
		}
	}
	return out
}

// explain says what is known to make the output of an action differ, and what to
// do about it. Without C code there is little left.
func (c C) explain(pkg string, link bool) (evidence []string, remedy string) {
	if evidence, remedy = describeRisks(c.of(pkg, link)); evidence != nil {
		return evidence, remedy
	}
	switch {
	case c.Packages[pkg], link && len(c.Packages) > 0:
		return nil, "its C code, or a tool that the C compiler calls, reads the time, a path or the host, and none of the flags and macros known for that are in it (see CGO_CFLAGS, CGO_LDFLAGS and #cgo lines); " +
			"compile one file of it twice and compare"
	default:
		return nil, "no C code is in it, so a tool of the toolchain does not do the same twice: a compiler bug, or a damaged machine (-full compiles all of it twice)"
	}
}

// directories are the risks by which the inputs of an action differ: the go
// command hashes the directories in the flags.
func (c C) directories(pkg string, link bool) (evidence []string, remedy string) {
	return describeRisks(slices.DeleteFunc(c.of(pkg, link), func(r plan.CRisk) bool { return !strings.Contains(r.What, "${SRCDIR}") }))
}

func describeRisks(risks []plan.CRisk) (evidence []string, remedy string) {
	var instead []string
	for _, r := range risks {
		evidence = append(evidence, fmt.Sprintf("%s has %s, %s", r.Where, r.What, r.Why))
		if !slices.Contains(instead, r.Instead) {
			instead = append(instead, r.Instead)
		}
	}
	return evidence, strings.Join(instead, "; ")
}

// changedInputs lists the inputs that only one build had, each with no more of
// it than tells it from its counterpart in the other.
func changedInputs(a, b []string) (out []string) {
	changed := actions.ChangedInputs(a, b)
	for i := range changed {
		changed[i] = strings.TrimSuffix(changed[i], "\n")
	}
	for i, line := range changed {
		if i == maxBlamed {
			return append(out, fmt.Sprintf("… and %d more inputs", len(changed)-i))
		}
		out = append(out, bindiff.Excerpt(line, changed))
	}
	return out
}

// Findings are those of the action graphs and of the comparison of the files. A
// cause that the graphs have found is not unknown.
func Findings(blamed []fact.Finding, d *bindiff.Diff) []fact.Finding {
	if len(blamed) == 0 {
		return d.Findings
	}
	return append(blamed, slices.DeleteFunc(slices.Clone(d.Findings), func(f fact.Finding) bool { return f.Cause == fact.CauseUnknown })...)
}

// Nondeterminate are the compiles, by short ID, that had the same inputs in both
// executions and gave different outputs.
func Nondeterminate(a, b Execution) (shorts []string) {
	for _, d := range actions.Compare(a.Actions, b.Actions) {
		if d.Kind == actions.Nondeterministic && !d.A.Link {
			shorts = append(shorts, d.A.ID)
		}
	}
	return shorts
}

// Blame compares the action graphs of two executions of a unit and names the
// packages to blame for a difference: first those compiled from the same inputs
// to different outputs, then those whose inputs differ, with the inputs. It
// costs two more runs of go from a warm cache when inputs differ.
//
// c is what is known of the unit's C code.
func Blame(ctx context.Context, u *plan.Unit, a, b Execution, c C) ([]fact.Finding, error) {
	diffs := actions.Compare(a.Actions, b.Actions)
	var keys []actions.Key
	for _, d := range diffs {
		if d.Kind == actions.Inputs && len(keys) < maxBlamed {
			keys = append(keys, d.Action)
		}
	}
	var inA, inB map[actions.Key][]string
	if len(keys) > 0 {
		var errA, errB error
		inA, errA = a.inputs(ctx, u, keys)
		inB, errB = b.inputs(ctx, u, keys)
		if err := errors.Join(errA, errB); err != nil {
			return nil, err
		}
	}
	var out []fact.Finding
	for i, d := range diffs {
		if i == maxBlamed {
			break
		}
		what, pkg, link := d.Action.String(), d.Action.Package, d.Action.Link
		f := fact.Finding{Confidence: fact.Certain}
		switch d.Kind {
		case actions.Nondeterministic:
			f.Cause = Nondeterministic
			f.Evidence = []string{fmt.Sprintf("%s: action %s in both builds, output %s in the %s, %s in the %s", what, d.A.ID, d.A.Output, a.Name, d.B.Output, b.Name)}
			known, remedy := c.explain(pkg, link)
			f.Evidence = append(f.Evidence, known...)
			f.Remedy = "the same inputs gave different outputs: " + remedy
			var kept []string // the builds whose output is of an earlier run
			for _, x := range []struct {
				of   *actions.Action
				name string
			}{{d.A, a.Name}, {d.B, b.Name}} {
				if !x.of.Executed {
					kept = append(kept, x.name)
				}
			}
			if len(kept) > 0 {
				// Two executions prove it. One, and the word of a cache, do not.
				f.Confidence = fact.Likely
				f.Evidence = append(f.Evidence, fmt.Sprintf("the output in the %s was not made by this run: it is what the build cache says that an earlier one made", strings.Join(kept, " and in the ")))
				f.Remedy += "; -full compiles it twice, and shows whether the build cache was wrong"
			}
		case actions.Inputs:
			f.Cause = ActionInputs
			f.Evidence = []string{fmt.Sprintf("%s: action %s in the %s build, %s in the %s", what, d.A.ID, a.Name, d.B.ID, b.Name)}
			f.Evidence = append(f.Evidence, changedInputs(inA[d.Action], inB[d.Action])...)
			f.Remedy = "the go command was given different inputs: make the named ones the same in every checkout"
			if known, remedy := c.directories(pkg, link); known != nil {
				f.Evidence = append(f.Evidence, known...)
				f.Remedy += "; " + remedy
			}
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
