//go:build (!unix && !windows) || solaris || aix

package toolchain

import "os"

// tryLock locks nothing: this system has no lock that ends with the process.
// Two processes that install the same toolchain at once are the user's to avoid.
func tryLock(*os.File) error { return nil }
