package lint

import (
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/run"
)

// TestUploads: names that a forge would change are known before anything is built.
func TestUploads(t *testing.T) {
	l := &Linted{cautions: fetch.Cautions{Run: &run.Run{Config: &run.Config{}}}, Published: &Published{Units: []string{"tool_1.0.0_linux_amd64.tar.gz", "tool 1.0.0.zip"}, List: fact.DefaultList()}}
	l.uploads()
	if got := l.cautions.List(); len(got) != 1 || !strings.Contains(got[0], `"tool 1.0.0.zip" has the character ' '`) {
		t.Errorf("%q", got)
	}
}
