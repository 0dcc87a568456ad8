//go:build (!unix && !windows) || solaris || aix

package filelock

import "os"

// lockFile locks nothing: this system has no lock that ends with the process.
// Two releases into the same directory at once are the user's to avoid.
func lockFile(*os.File) error { return nil }
