package run

import (
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// ExplainFull adds to an error that came of a full disk what can be done: it
// surfaces in many places, and some of them suggest another cause.
func ExplainFull(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, s := range []string{"no space left on device", "not enough space on the disk", "disk quota exceeded"} {
		if strings.Contains(text, s) {
			return &fault.Error{Err: err, Code: fault.Failed, Tip: "the disk of that file is full; -out=DIR names another output directory, MINTMARK_CACHE another cache"}
		}
	}
	return err
}
