package startup

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/upx/upxtest"
)

func sweepConfig(t testing.TB, path string) SweepConfig {
	return SweepConfig{Path: path, Work: t.TempDir()}
}

func TestSweep(t *testing.T) {
	fine, limited := build(t, "fine"), build(t, "limited", "most=333")
	res, err := Sweep(t.Context(), sweepConfig(t, fine))
	if err != nil || res.FirstFailure != -1 || len(res.Tried) != len(sweepCounts()) || res.Emulator != "" || res.Cut {
		t.Fatalf("%+v, %v", res, err)
	}
	for i, s := range res.Tried {
		if s.Variables != sweepCounts()[i] || s.Starts.Starts != sweepStarts || s.Failed != 0 {
			t.Errorf("%+v", s)
		}
	}
	want := "36 starts with each of 0, 100, 300, 500, 700 and 1000 environment variables of various lengths, none failed, each of which would have missed a crash of 1 start in 3 with probability 4.6e-07, "
	if got := res.String(); !strings.HasPrefix(got, want) {
		t.Errorf("%q", got)
	}
	cfg := sweepConfig(t, limited)
	cfg.Counts = []int{0, 200, 500, 1000}
	res, err = Sweep(t.Context(), cfg)
	if err != nil || res.FirstFailure != 334 {
		t.Fatalf("%+v, %v: want 334, the first count above 333", res, err)
	}
	before := -1
	for _, s := range res.Tried {
		if s.Variables <= before || (s.Failure == "") != (s.Variables < 334) || s.Variables >= 334 && s.Failed != s.Starts.Starts {
			t.Errorf("%+v after %d", s, before)
		}
		if s.Failure != "" && !strings.Contains(s.Failure, "exit status 7, want exit status 0; it wrote: too many variables") {
			t.Errorf("%+v", s)
		}
		before = s.Variables
	}
	if got := res.String(); got != "5 of 5 starts failed with 334 environment variables, 0 of 3 with 333: exit status 7, want exit status 0" {
		t.Errorf("%q", got)
	}

	// It fails from the start.
	cfg = sweepConfig(t, fine)
	cfg.Args = []string{"exit=5"}
	if res, err := Sweep(t.Context(), cfg); err != nil || res.FirstFailure != 0 || len(res.Tried) != 1 || res.Tried[0].Failed != confirming {
		t.Errorf("%+v, %v", res, err)
	}
	cfg.Exit, cfg.Starts = 5, 2
	if res, err := Sweep(t.Context(), cfg); err != nil || res.FirstFailure != -1 || res.Tried[0].Starts.Starts != 2 {
		t.Errorf("%+v, %v", res, err)
	}
	// What it prints has to be the same, as itself with no variables or as another.
	cfg = sweepConfig(t, fine)
	cfg.Args = []string{"env"}
	cfg.Counts = []int{0, 3}
	if res, err := Sweep(t.Context(), cfg); err != nil || res.FirstFailure != 1 || !strings.Contains(res.Tried[1].Failure, "printed something else") {
		t.Errorf("%+v, %v", res, err)
	}
	cfg = sweepConfig(t, build(t, "silent", "silent=x"))
	cfg.Reference = fine
	if res, err := Sweep(t.Context(), cfg); err != nil || res.FirstFailure != 0 {
		t.Errorf("%+v, %v", res, err)
	}
	// One that does not end is not waited for again and again.
	cfg = sweepConfig(t, fine)
	cfg.Args, cfg.Timeout = []string{"sleep=1h"}, 50*time.Millisecond
	if res, err := Sweep(t.Context(), cfg); err != nil || res.FirstFailure != 0 || res.Tried[0].Starts.Starts != 2 || res.Tried[0].Failed != 2 {
		t.Errorf("%+v, %v", res, err)
	}
	// What the budget cuts off is missing, and that is said.
	cfg = sweepConfig(t, fine)
	cfg.Budget = time.Nanosecond
	if res, err := Sweep(t.Context(), cfg); err != nil || res.FirstFailure != -1 || !res.Cut || len(res.Tried) != len(sweepCounts()) || res.Tried[0].Starts.Starts != 1 {
		t.Errorf("%+v, %v", res, err)
	}
}

// TestSweepNowAndThen: a program that dies in one of three starts with a large
// environment is found out, and how often it does is counted.
func TestSweepNowAndThen(t *testing.T) {
	cfg := sweepConfig(t, build(t, "flaky", "every=3,460"))
	res, err := Sweep(t.Context(), cfg)
	if err != nil || res.FirstFailure < 500 {
		t.Fatalf("%+v, %v", res, err)
	}
	step := res.Step(res.FirstFailure)
	if step.Failed != confirming || step.Starts.Starts < 2*confirming || step.Starts.Starts > 3*confirming+1 {
		t.Errorf("%+v", step)
	}
	for _, s := range res.Tried { // below it nothing was searched for: there is no first number
		if !slices.Contains(sweepCounts(), s.Variables) {
			t.Errorf("%+v", s)
		}
	}
	// The numbers are such that it is missed less than once in a million times.
	if missed := (fact.Starts{Starts: sweepStarts}).Missed(1.0 / 3); missed > 1e-6 {
		t.Errorf("missed with probability %g", missed)
	}
}

// TestSweepEnv: no two starts have environments of the same length, and none has
// less of it than its number says.
func TestSweepEnv(t *testing.T) {
	seen := map[int]int{}
	for start := range sweepStarts {
		n := 0
		for _, kv := range sweepEnv(500, start) {
			n += len(kv) + 1
		}
		if other, ok := seen[n]; ok || n < len(strings.Join(sweepEnv(500, 0), "\n")) {
			t.Errorf("starts %d and %d: %d bytes", other, start, n)
		}
		seen[n] = start
	}
	if env := sweepEnv(0, 7); len(env) != 0 {
		t.Errorf("%q", env)
	}
}

func TestSweepErrors(t *testing.T) {
	path := build(t, "fixture")
	cfg := sweepConfig(t, path+"-missing")
	if _, err := Sweep(t.Context(), cfg); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	for _, counts := range [][]int{{}, {3, 2}, {-1, 0}} {
		cfg := sweepConfig(t, path)
		cfg.Counts = counts
		if _, err := Sweep(t.Context(), cfg); err == nil {
			t.Errorf("counts %v are accepted", counts)
		}
	}
	cfg = sweepConfig(t, path)
	cfg.Reference = path
	cfg.Args = []string{"exit=5"}
	_, err := Sweep(t.Context(), cfg)
	wantError(t, err, "exit status 5")
	wasm := filepath.Join(t.TempDir(), "x.wasm")
	if err := os.WriteFile(wasm, []byte("\x00asm\x01\x00\x00\x00"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = Sweep(t.Context(), sweepConfig(t, wasm))
	wantError(t, err, "an emulator is needed")
}

// TestSweepPacked packs the fixture with a real UPX 3.94. On amd64 it starts
// with any environment; on arm64 it crashes in a large one (upx issue 743).
func TestSweepPacked(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("UPX 3.94 is there for linux/amd64")
	}
	upx := upx394(t)
	pack := func(path string) string {
		out := filepath.Join(t.TempDir(), filepath.Base(path)+".packed")
		if b, err := exec.Command(upx, "-q", "-1", "-o", out, path).CombinedOutput(); err != nil {
			t.Fatalf("upx: %v\n%s", err, b)
		}
		return out
	}
	plain := build(t, "fixture")
	cfg := sweepConfig(t, pack(plain))
	cfg.Reference, cfg.Counts = plain, []int{0, 250, 500, 1000}
	if res, err := Sweep(t.Context(), cfg); err != nil || res.FirstFailure != -1 {
		t.Errorf("linux/amd64: %+v, %v", res, err)
	}

	emulator, err := Emulator("linux/arm64", filepath.SplitList(os.Getenv("PATH")))
	if err != nil {
		t.Skipf("linux/arm64 was not swept: %v", err)
	}
	plain = buildFor(t, "fixture", []string{"GOARCH=arm64"})
	cfg = sweepConfig(t, plain)
	cfg.Emulator, cfg.Counts, cfg.Starts = emulator, []int{0, 500, 1000}, 2
	if res, err := Sweep(t.Context(), cfg); err != nil || res.FirstFailure != -1 || res.Emulator != filepath.Base(emulator) {
		t.Errorf("linux/arm64, not packed: %+v, %v", res, err)
	}
	cfg.Path, cfg.Reference, cfg.Counts = pack(plain), plain, []int{0, 100, 300, 500, 700, 1000}
	res, err := Sweep(t.Context(), cfg)
	if err != nil || res.FirstFailure <= 0 || res.FirstFailure > 500 {
		t.Fatalf("linux/arm64, packed: %+v, %v", res, err)
	}
	t.Logf("linux/arm64 packed by UPX 3.94 fails with %d variables: %+v", res.FirstFailure, res.Tried)

	// The same two in a measurement: a smoke run each, and no times.
	bench, err := Measure(t.Context(), Config{
		Programs: []Program{{"plain", plain}, {"packed", cfg.Path}, {"broken", pack(buildFor(t, "fixture", []string{"GOARCH=arm64"}, "most=-1"))}},
		Work:     t.TempDir(), Emulators: filepath.SplitList(os.Getenv("PATH")),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range bench.Programs {
		if p.Platform != "linux/arm64" || p.NotMeasured == "" || p.Smoke == nil || p.Smoke.OK != (i < 2) || p.Memory != nil || len(bench.Runs) > 0 {
			t.Errorf("%+v %+v", p, p.Smoke)
		}
	}
}

// upx394 is a real UPX.
func upx394(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and packs programs")
	}
	return upxtest.Path(t)
}
