package archive

import (
	"io"

	"github.com/mintmark/mintmark/internal/files"
)

// Opener opens a file that goes into an archive: [Member.Open].
func Opener(name string) func() (io.ReadCloser, int64, error) {
	return func() (io.ReadCloser, int64, error) {
		f, err := files.Open(name)
		if err != nil {
			return nil, 0, err
		}
		fi, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, 0, err
		}
		return f, fi.Size(), nil
	}
}
