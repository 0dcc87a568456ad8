//go:build !unix

package execute

import "path/filepath"

// device names the file system that a directory is on: the drive.
func device(dir string) (string, bool) {
	name := filepath.VolumeName(dir)
	return name, name != ""
}
