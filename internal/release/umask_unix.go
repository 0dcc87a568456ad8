//go:build unix

package release

// canUmask: the second build runs with another file mode mask.
const canUmask = true
