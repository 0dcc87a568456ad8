//go:build unix

package output

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

// TestReadOnlyOut: a directory that is read-only is refused before anything is
// built; what was in it could only be moved aside, and would stop the next run.
func TestReadOnlyOut(t *testing.T) {
	final := filepath.Join(t.TempDir(), "dist")
	if err := os.Mkdir(final, 0o555); err != nil {
		t.Fatal(err)
	}
	s, err := (Dir{Path: final}).Open(t.Context())
	if err == nil {
		s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "is read-only") || !strings.Contains(fault.Hint(err), "chmod u+w "+final) {
		t.Errorf("%v (hint %q)", err, fault.Hint(err))
	}
	if left := (Dir{Path: final}).beside(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
