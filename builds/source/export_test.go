package source

import "slices"

// UncountedOf says why a tag does not count for a module in a directory of a
// commit that has modules in others as well.
func UncountedOf(module, dir, tag string, others ...string) Uncounted {
	return (&Source{ModulePath: module, Dir: dir}).uncounted(tag, func(d string) bool { return d == dir || slices.Contains(others, d) })
}

// Counts reports whether it does.
func Counts(module, dir, tag string) bool {
	v, canonical := (&Source{ModulePath: module, Dir: dir}).counts(tag)
	return v != "" && canonical
}

// NextTagOf is the example of a version tag for a module in a directory.
func NextTagOf(module, dir, version string, taken ...string) string {
	return (&Source{ModulePath: module, Dir: dir, Version: version}).nextTag(func(tag string) bool { return slices.Contains(taken, tag) })
}
