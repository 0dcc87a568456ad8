//go:build unix

package execute

// CanUmask: the second build runs with another file mode mask.
const CanUmask = true
