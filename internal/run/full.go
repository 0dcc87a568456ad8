package run

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// ExplainFull adds to an error that came of a full disk what can be done: it
// surfaces in many places, and some of them suggest another cause.
//
// An error with a method Elsewhere() string is of the machine that this names: what it
// quotes of disks is of that machine, unless the error is one of this system.
func ExplainFull(err error) error {
	here, there := full(err)
	var tips []string
	if here {
		tips = append(tips, "the disk of that file is full; -out=DIR names another output directory, MINTMARK_CACHE another cache")
	}
	for _, machine := range slices.Compact(slices.Sorted(slices.Values(there))) {
		tips = append(tips, fmt.Sprintf("the disk of %s is full: what mintmark keeps on it can be removed, as docs/machines.md says", machine))
	}
	if len(tips) == 0 {
		return err
	}
	return &fault.Error{Err: err, Code: fault.Failed, Tip: strings.Join(tips, "\n")}
}

// full says whose disk is full: this machine's, and those of others.
func full(err error) (here bool, there []string) {
	if err == nil {
		return false, nil
	}
	if e, ok := err.(interface{ Elsewhere() string }); ok {
		switch {
		case isFull(err):
			return true, nil
		case saysFull(err):
			return false, []string{e.Elsewhere()}
		}
		return false, nil
	}
	var within []error
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		within = []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		within = e.Unwrap()
	}
	for _, e := range within {
		h, t := full(e)
		here, there = here || h, append(there, t...)
	}
	if !here && len(there) == 0 {
		here = saysFull(err)
	}
	return here, there
}

// saysFull goes by the text: much of it was said by other programs.
func saysFull(err error) bool {
	text := err.Error()
	return slices.ContainsFunc([]string{"no space left on device", "not enough space on the disk", "disk quota exceeded"}, func(s string) bool {
		return strings.Contains(text, s)
	})
}
