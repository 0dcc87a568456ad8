package release

import (
	"fmt"
)

// stamped is the version that go wrote into the binaries of a commit; "" for none.
// All binaries of a plan are of one module and one toolchain, and have the same.
func stamped(made []*UnitResult) (stamp string, err error) {
	for _, r := range made {
		switch {
		case r.stamp == "" || r.stamp == stamp:
		case stamp == "":
			stamp = r.stamp
		default:
			return "", fmt.Errorf("%s: go stamped the version %s, and %s into another binary of the same commit", r.unit.ID(), r.stamp, stamp)
		}
	}
	return stamp, nil
}
