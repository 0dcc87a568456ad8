// Package execute builds units, each once.
//
// An [Executor] is one way and one place to do it; a release has several, and
// holds against each other what they give. An execution does not know that there
// are others. What it gave is an [Outcome]: it says what was true of that one
// execution, and nothing of what was meant.
//
// [Local] is a place on this machine. A release has two, [First] and [Second],
// that share nothing that can be different.
package execute

import (
	"context"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/internal/fact"
)

// Executor builds units, several at a time if it is asked to.
type Executor interface {
	// Name tells the executor from the others of a run, for messages: "first".
	Name() string
	// Build builds a unit once, with nothing of an earlier build of it by this
	// executor but what its caches hold. An outcome comes with an error as well, if
	// work was done for it.
	Build(ctx context.Context, u *plan.Unit, pace Pace) (*Outcome, error)
}

// Mender is an executor that keeps things from one build to the next, which may
// be damaged.
type Mender interface {
	Executor
	// Mend reads everything again that the unit's last build may have been made
	// from. What is damaged it removes, and with it what was made from that: the
	// actions whose short IDs are in suspects. did says what was done; "" means that
	// nothing was damaged. An error says that no further build will be any better.
	Mend(ctx context.Context, u *plan.Unit, suspects []string) (did string, err error)
	// Sound is nil unless what was mended is damaged again.
	Sound(ctx context.Context, u *plan.Unit) error
}

// Explainer is an executor that can say what the go command hashed into the IDs
// of the actions of the unit's last build; keys are [actions.Action.Key].
type Explainer interface {
	HashInputs(ctx context.Context, u *plan.Unit, keys []actions.Key) (map[actions.Key][]string, error)
}

// Keeper is an executor that can make use of what it has linked the next time.
type Keeper interface {
	// Keep takes the unit's files, which nobody needs any more. sums are the SHA-256
	// in hex that they had when they were compared, by [Product.Path]: a program that
	// was run since may have written to its own file.
	Keep(u *plan.Unit, sums map[string]string) error
}

// Pace is how much of the machine a build may take.
type Pace struct {
	P    int   // actions at a time
	Room int64 // for [toolchain.Roomy]: of the go command and of each of its tools; 0: none
	// Site is the machine that it runs on, for an executor that has several; see
	// [schedule.Site].
	Site string
	// Compiling is told the import path of each package as the go command begins to
	// compile it; those that its cache has are not compiled. Nil asks for nothing.
	Compiling func(pkg string)
}

// Outcome is what one execution of a unit gave.
type Outcome struct {
	By       string        // the executor's name
	Products []Product     // in the order of the plan's artifacts: each binary, then its header
	Actions  actions.Graph // the go command's own account
	// Timing is what its actions took; nil where that did not come along.
	Timing *actions.Timing
	Cost   schedule.Cost // of all attempts
	// Kept says that binaries were taken from an earlier link: the cost is not that
	// of a whole build.
	Kept bool
	// Circumstances are what was true of the execution that left the products.
	Circumstances fact.Circumstances
	Ran           fact.Execution // where it ran
	Mended        []string       // what was damaged on the way, and what was done
}

// Product is one file that the go command made for a main package.
type Product struct {
	Main   fact.Main
	Header bool // of a C library; otherwise what was linked
	// Path is a file with its content, on this machine; an executor elsewhere has
	// brought it.
	Path   string
	SHA256 string // of the content when it was made
	Size   int64
}

// Cached is an executor whose compiles lie in a build cache on this machine: what
// is proven can be put there, and what was executed can be read off it.
type Cached interface {
	Executor
	BuildCache() string // a GOCACHE directory
}
