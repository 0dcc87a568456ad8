package workspace

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runsIn names in the environment the cache directory that a second process has runs in.
const runsIn = "MINTMARK_TEST_RUNS_IN"

// TestClearBesideRuns: while one process clears a part again and again, the runs of
// another find there what they have put there themselves, to their end.
func TestClearBesideRuns(t *testing.T) {
	if cache := os.Getenv(runsIn); cache != "" {
		haveRuns(t, cache)
		return
	}
	cache := t.TempDir()
	w, err := Open(cache)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	// Runs that died just now: it takes a while to see that nobody is there.
	for i := range 2000 {
		if err := os.WriteFile(filepath.Join(cache, "work", fmt.Sprintf("%s%04d%s", runPrefix, i, LockSuffix)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	me, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), me, "-test.run=^TestClearBesideRuns$", "-test.v")
	cmd.Env = append(os.Environ(), runsIn+"="+cache)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	cleared := 0
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("%v\n%s", err, out.String())
			}
			if cleared == 0 {
				t.Error("nothing was ever cleared")
			}
			return
		default:
		}
		if err := w.Clear([]string{"first"}); err == nil {
			cleared++
		} else if !strings.Contains(err.Error(), "another mintmark is using") {
			t.Error(err)
		}
		time.Sleep(30 * time.Millisecond) // the other waits for the door by looking now and then
	}
}

// haveRuns begins and ends runs, each of which keeps something in the cache.
func haveRuns(t *testing.T, cache string) {
	for i := range 15 {
		w, err := Open(cache)
		if err != nil {
			t.Fatal(err)
		}
		mine := filepath.Join(cache, "first", "go", fmt.Sprint(i))
		if err := os.MkdirAll(filepath.Dir(mine), 0o755); err != nil {
			t.Fatal(err)
		}
		err = os.WriteFile(mine, nil, 0o644)
		for begun := time.Now(); err == nil && time.Since(begun) < 20*time.Millisecond; {
			_, err = os.Stat(mine)
		}
		if err != nil {
			t.Errorf("run %d: %v", i, err)
		}
		w.Close()
		time.Sleep(5 * time.Millisecond)
	}
}
