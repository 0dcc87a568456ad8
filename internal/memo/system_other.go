//go:build !linux && !darwin

package memo

import "io/fs"

// Without a ctime a file can be altered unseen.
func identify(fs.FileInfo) (identity, bool) { return identity{}, false }

func local(string) bool { return false }
