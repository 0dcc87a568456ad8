package cli

import (
	"bufio"
	"bytes"
	"errors"

	"github.com/mintmark/mintmark/internal/files"
)

// writeFile writes a file as a whole, or leaves what was there. A file that
// does not begin as the new one does is something else, such as a source whose
// name was typed by mistake, and is not replaced.
func writeFile(name string, write func(*bufio.Writer) error) error {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	if err := errors.Join(write(w), w.Flush()); err != nil {
		return err
	}
	const begin = 12
	return files.WriteOver(name, b.Bytes(), 0o644, "is of another kind than what is to be written", func(old []byte) bool {
		return len(old) == 0 || bytes.HasPrefix(old, b.Bytes()[:min(begin, b.Len())])
	})
}
