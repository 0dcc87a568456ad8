package diff

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
)

// BenchmarkAgainstDiffoscope compares two builds of mintmark, with and without
// -trimpath, with both tools in turn: wall time of the whole, and for
// diffoscope, which is a program, its CPU time as well.
func BenchmarkAgainstDiffoscope(b *testing.B) {
	dir := b.TempDir()
	pair := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	for i, flags := range [][]string{{"-trimpath"}, {}} {
		args := append([]string{"build", "-o", pair[i]}, flags...)
		if out, err := exec.Command("go", append(args, "../../cmd/mintmark")...).CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	if fi, err := os.Stat(pair[0]); err == nil {
		b.Logf("two files of about %d bytes", fi.Size())
	}
	b.Run("mintmark", func(b *testing.B) {
		for b.Loop() {
			r, err := Compare(b.Context(), pair[0], pair[1], dir)
			if err != nil || r.Verdict != fact.Different {
				b.Fatal(err)
			}
		}
	})
	b.Run("diffoscope", func(b *testing.B) {
		tool, err := exec.LookPath("diffoscope")
		if err != nil {
			b.Skip("no diffoscope (Debian: apt-get install diffoscope-minimal)")
		}
		var cpu time.Duration
		for b.Loop() {
			ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
			cmd := exec.CommandContext(ctx, tool, "--text", filepath.Join(dir, "out"), pair[0], pair[1])
			err := cmd.Run()
			cancel()
			cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			var exit *exec.ExitError
			if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) { // 1: they differ
				b.Logf("not finished: %v", err)
			}
		}
		b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/op")
	})
}
