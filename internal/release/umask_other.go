//go:build !unix

package release

// canUmask: there is no file mode mask here.
const canUmask = false
