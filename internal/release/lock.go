package release

import (
	"errors"
	"io"
	"os"
)

// errLocked: somebody else holds the lock.
var errLocked = errors.New("locked")

// fileLock is an advisory lock that ends with the process, however that ends.
type fileLock struct{ f *os.File }

// acquire takes the lock without waiting and writes note into the file. When
// somebody else holds it, their note is returned with errLocked.
func acquire(path, note string) (*fileLock, string, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, "", err
	}
	if err := lockFile(f); err != nil {
		data, _ := io.ReadAll(io.LimitReader(f, 4096))
		f.Close()
		return nil, string(data), err
	}
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(note), 0)
		if err != nil {
			f.Close()
			return nil, "", err
		}
	}
	return &fileLock{f}, "", nil
}

func (l *fileLock) release() { l.f.Close() }
