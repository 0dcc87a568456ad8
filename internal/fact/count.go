package fact

import (
	"fmt"
	"strings"
)

// Times is how often something was done: once, twice, 3 times.
func Times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// Builds is how many builds there were: one build, two builds, 3 builds.
func Builds(n int) string {
	switch n {
	case 1:
		return "one build"
	case 2:
		return "two builds"
	}
	return Count(n, "build")
}

// AllBuilds are all builds that there were: the build, both builds, all 3 builds.
func AllBuilds(n int) string {
	switch n {
	case 1:
		return "the build"
	case 2:
		return "both builds"
	}
	return "all " + Builds(n)
}

// Count is a number of things: 1 unit, 2 units, 0 entries. What is printed for
// people counts with it.
func Count[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if stem, ok := strings.CutSuffix(thing, "y"); ok && !strings.HasSuffix(stem, "a") && !strings.HasSuffix(stem, "e") {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	if strings.HasSuffix(thing, "x") {
		return fmt.Sprintf("%d %ses", n, thing)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
