//go:build !unix

package files

// Here nothing waits when it is opened, and looking before and after opening
// has to do for links.
const (
	nonblock = 0
	nofollow = 0
)
