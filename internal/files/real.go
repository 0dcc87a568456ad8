package files

import (
	"os"
	"path/filepath"
)

// RealPath makes a path absolute and resolves the symbolic links in what of it
// exists, so that one directory has one name.
func RealPath(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		if _, lerr := os.Lstat(dir); lerr == nil || filepath.Dir(dir) == dir {
			return "", err // a link that leads nowhere, a directory nobody may enter
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}
