//go:build !unix

package execute

// CanUmask: there is no file mode mask here.
const CanUmask = false
