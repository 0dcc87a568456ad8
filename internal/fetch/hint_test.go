package fetch

import (
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/run"
)

// TestToolchainHint: the toolchain that a hint proposes is one that is taken, and the
// one that this program was built with, not one that somebody wrote down.
func TestToolchainHint(t *testing.T) {
	recent := toolchain.Recent(runtime.Version())
	for _, named := range []string{"go1.16", "1.20.14", "latest"} {
		s := &Subject{Run: &run.Run{Config: &run.Config{}}}
		s.Toolchain = named
		_, err := s.wantedToolchain()
		if hint := fault.Hint(err); fault.ExitCode(err) != 2 || !strings.Contains(hint, recent) || strings.Count(hint, "go1.") != strings.Count(hint, recent) {
			t.Errorf("%s: %v: %q does not propose %s", named, err, hint, recent)
		}
		s.Toolchain = recent
		if got, err := s.wantedToolchain(); got != recent || err != nil {
			t.Errorf("%s: %q, %v", recent, got, err)
		}
	}
}
