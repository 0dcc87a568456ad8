package startup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/stats"
)

// config measures files in few rounds. The confidence is high, so that an A/A
// comparison that is called a difference by chance is one in a thousand runs.
func config(t testing.TB, files ...string) Config {
	c := Config{
		Work: t.TempDir(), Confidence: 0.999, Seed: 1, MemoryRuns: 2, Time: time.Hour,
		Rule: stats.Rule{HalfWidth: 0.001, Least: 20, Most: 20},
	}
	for _, f := range files {
		c.Programs = append(c.Programs, Program{Name: filepath.Base(f), Path: f})
	}
	return c
}

// TestMeasure: a program that takes 40 ms longer is slower, and two copies of one
// file are not different. The programs run, cold and warm; how long they take is
// known, and not what the machine makes of it. That the clock sees a pause is
// TestReadyOrder's.
func TestMeasure(t *testing.T) {
	fast, slow := build(t, "fast"), build(t, "slow", "pause=1ms")
	same := filepath.Join(t.TempDir(), "same")
	if err := copyFile(fast, same); err != nil {
		t.Fatal(err)
	}
	cfg := config(t, fast, slow, same)
	noise := rand.New(rand.NewPCG(1, 2))
	cfg.took = func(program string, round int) time.Duration {
		d := 10*time.Millisecond + time.Duration(round)*50*time.Microsecond // the machine gets warm
		if program == "slow" {
			d += 40 * time.Millisecond
		}
		return d + time.Duration(noise.IntN(1000))*time.Microsecond
	}
	res, err := Measure(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	warm := res.Run(Warm)
	if warm == nil || warm.Rounds != 20 || warm.Stopped != stats.Rounds || warm.Control == nil || warm.NoiseFloor == nil {
		t.Fatalf("%+v", warm)
	}
	if c := warm.Compare("fast", "slow"); c == nil || c.Verdict != stats.More || c.Ratio < 2 || c.Extra < 20e6 || c.Low > c.Ratio || c.High < c.Ratio {
		t.Errorf("slow: %+v, noise floor %v", c, *warm.NoiseFloor)
	}
	if c := warm.Compare("fast", "same"); c == nil || c.Verdict != stats.NoDifference {
		t.Errorf("the same file: %+v, noise floor %v", c, *warm.NoiseFloor)
	}
	if c := warm.Compare("fast", "slow"); c.ExtraLow > c.Extra || c.ExtraHigh < c.Extra || c.ExtraLow < 20e6 {
		t.Errorf("extra %g, from %g to %g", c.Extra, c.ExtraLow, c.ExtraHigh)
	}
	if c := warm.CPU; c == nil || (c.NotMeasured == "") != (c.Control != nil && len(c.Comparisons) == 3) {
		t.Errorf("CPU: %+v", c)
	}
	if c := warm.Compare("slow", "same"); c == nil || c.Verdict != stats.Less {
		t.Errorf("pairs that leave out the base: %+v", c)
	}
	for _, s := range warm.Times {
		if s.Median <= 0 || s.Min > s.Median || s.Low > s.Median || s.High < s.Median || s.CPU <= 0 {
			t.Errorf("%+v", s)
		}
	}
	if f := res.Programs[0].File; f.SHA256 != res.Programs[2].SHA256 || f.SHA256 == res.Programs[1].SHA256 || f.Platform != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("%+v", res.Programs)
	}
	if runtime.GOOS == "linux" {
		if cold := res.Run(Cold); cold.NotMeasured == "" {
			// A program that is not in memory has to be read: that is what cold means.
			for i, s := range cold.Times {
				if s.MajorFaults < 1 || warm.Times[i].MajorFaults >= s.MajorFaults {
					t.Errorf("%s: %v major faults cold, %v warm", s.Program, s.MajorFaults, warm.Times[i].MajorFaults)
				}
			}
		} else if !strings.Contains(cold.NotMeasured, "page cache") {
			t.Errorf("cold: %+v", cold)
		}
		for _, p := range res.Programs {
			if m := p.Memory; m == nil || m.NotMeasured != "" || m.Runs != 2 || m.PrivateDirty <= 0 {
				t.Errorf("%s: %+v", p.Name, m)
			}
		}
	} else if res.Run(Cold).NotMeasured == "" || res.Programs[0].Memory.NotMeasured == "" {
		t.Errorf("%+v", res)
	}
	checkSamples(t, res)
	if left, err := os.ReadDir(cfg.Work); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// checkSamples: every round has every program and the control once, in orders
// that differ, and the written forms have every sample.
func checkSamples(t *testing.T, res *Result) {
	t.Helper()
	orders := map[string]bool{}
	order, count := "", 0
	for i, s := range res.Samples {
		if s.Place != count || s.Wall <= 0 {
			t.Fatalf("sample %d: %+v", i, s)
		}
		order += s.Program[:2]
		if s.Control {
			order += "*"
		}
		if count++; count == len(res.Programs)+1 {
			orders[order] = true
			if strings.Count(order, "*") != 1 || strings.Count(order, "fa") != 2 || strings.Count(order, "sl") != 1 {
				t.Fatalf("round %d: %s", s.Round, order)
			}
			order, count = "", 0
		}
	}
	if len(orders) < 5 {
		t.Errorf("only %d different orders", len(orders))
	}
	var lines, bench bytes.Buffer
	if err := errors.Join(res.WriteSamples(&lines), res.WriteGoBench(&bench)); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(&lines)
	for i, want := range res.Samples {
		var got Sample
		if err := dec.Decode(&got); err != nil || got != want {
			t.Fatalf("sample %d: %+v, %v, want %+v", i, got, err, want)
		}
	}
	if got := strings.Count(bench.String(), "\nBenchmarkStartup/bin="); got != len(res.Samples) {
		t.Errorf("%d lines for %d samples:\n%.500s", got, len(res.Samples), bench.String())
	}
}

// TestSeed: the same seed draws the same orders.
func TestSeed(t *testing.T) {
	a, b := build(t, "a"), build(t, "b", "silent=x")
	order := func(seed uint64) (s string) {
		cfg := config(t, a, b)
		cfg.Seed, cfg.SkipCold, cfg.SkipMemory = seed, true, true
		cfg.Rule.Least, cfg.Rule.Most = 10, 10
		res, err := Measure(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range res.Samples {
			s += x.Program
			if x.Control {
				s += "*"
			}
		}
		if len(res.Notes) != 1 || !strings.Contains(res.Notes[0], "b does not print what a prints") {
			t.Errorf("notes %q", res.Notes)
		}
		if res.Run(Cold).NotMeasured == "" || res.Programs[0].Memory != nil {
			t.Errorf("%+v", res)
		}
		return s
	}
	first := order(7)
	if again := order(7); again != first {
		t.Errorf("%s and %s", first, again)
	}
	if other := order(8); other == first {
		t.Error("another seed, the same order")
	}
}

func TestMeasureErrors(t *testing.T) {
	path := build(t, "fixture")
	cfg := config(t, path)
	cfg.Workload.Args = []string{"complain=flag_unknown", "exit=2"}
	_, err := Measure(t.Context(), cfg)
	wantError(t, err, "fixture: exit status 2, want exit status 0; it wrote: flag_unknown")
	if fault.Hint(err) == "" {
		t.Error("no hint")
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = Measure(t.Context(), config(t, path, text))
	wantError(t, err, "no executable")
	_, err = Measure(t.Context(), config(t, path, path))
	wantError(t, err, "two programs are named")
	_, err = Measure(t.Context(), config(t))
	wantError(t, err, "no program")
	_, err = Measure(t.Context(), config(t, path+"-missing"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	cfg = config(t, path)
	cfg.Workload.Env = []string{"A"}
	_, err = Measure(t.Context(), cfg)
	wantError(t, err, `environment "A"`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Measure(ctx, config(t, path)); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// TestForeign: programs of other platforms have no milliseconds, and say why.
func TestForeign(t *testing.T) {
	host := build(t, "host")
	windows := filepath.Join(t.TempDir(), "windows.exe")
	pe := make([]byte, 0x100)
	copy(pe, "MZ")
	pe[0x3c] = 0x80
	copy(pe[0x80:], "PE\x00\x00\x64\x86")
	if err := os.WriteFile(windows, pe, 0o755); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		t.Skip("the foreign program is one for Windows")
	}
	cfg := config(t, host, windows)
	cfg.SkipCold = true
	res, err := Measure(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := res.Programs[1]
	if p.Platform != "windows/amd64" || !strings.Contains(p.NotMeasured, "windows/amd64 cannot be run on") || p.Memory != nil || p.Smoke != nil {
		t.Errorf("%+v", p)
	}
	if w := res.Run(Warm); w.Time("windows.exe") != nil || w.Time("host") == nil || len(w.Comparisons) != 0 {
		t.Errorf("%+v", w)
	}
	// Nothing that this machine runs is no error either.
	if res, err := Measure(t.Context(), config(t, windows)); err != nil || len(res.Runs) != 0 {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestPlatform(t *testing.T) {
	elf := func(class, data, abi byte, machine uint16) []byte {
		b := make([]byte, 64)
		copy(b, "\x7fELF")
		b[4], b[5], b[7] = class, data, abi
		if b[18], b[19] = byte(machine), byte(machine>>8); data == 2 {
			b[18], b[19] = b[19], b[18]
		}
		return b
	}
	for _, c := range []struct {
		head []byte
		want string
	}{
		{elf(2, 1, 0, 62), "linux/amd64"}, {elf(1, 1, 3, 3), "linux/386"}, {elf(2, 1, 0, 183), "linux/arm64"}, {elf(1, 1, 0, 40), "linux/arm"},
		{elf(1, 1, 0, 8), "linux/mipsle"}, {elf(1, 2, 0, 8), "linux/mips"}, {elf(2, 1, 0, 8), "linux/mips64le"}, {elf(2, 2, 0, 8), "linux/mips64"},
		{elf(2, 2, 0, 21), "linux/ppc64"}, {elf(2, 1, 0, 21), "linux/ppc64le"}, {elf(2, 1, 0, 243), "linux/riscv64"}, {elf(2, 2, 0, 22), "linux/s390x"},
		{elf(2, 1, 0, 258), "linux/loong64"}, {elf(2, 1, 9, 62), "freebsd/amd64"}, {elf(2, 1, 12, 183), "openbsd/arm64"}, {elf(2, 1, 2, 62), "netbsd/amd64"},
		{elf(2, 1, 0, 9999), ""}, {elf(2, 1, 0, 62)[:63], ""},
		{[]byte("\xcf\xfa\xed\xfe\x0c\x00\x00\x01"), "darwin/arm64"}, {[]byte("\xcf\xfa\xed\xfe\x07\x00\x00\x01"), "darwin/amd64"},
		{[]byte("\x00asm\x01\x00\x00\x00"), "wasip1/wasm"}, {[]byte("#!/bin/sh\n"), "script"}, {[]byte("MZ"), ""}, {nil, ""},
	} {
		if got := platform(c.head); got != c.want {
			t.Errorf("%q: %q, want %q", c.head, got, c.want)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if f, err := identify(t.Context(), self); err != nil || f.Platform != runtime.GOOS+"/"+runtime.GOARCH || !native(f.Platform) {
		t.Errorf("%+v, %v", f, err)
	}
}

func FuzzPlatform(f *testing.F) {
	f.Add([]byte("MZ"))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, head []byte) { platform(head) })
}

// TestCPU: CPU is compared in pairs of one round, by the control's own floor; a start of
// which the system counted nothing is no basis for a ratio.
func TestCPU(t *testing.T) {
	b := &bench{Config: &Config{Confidence: 0.95, Programs: []Program{{Name: "a"}, {Name: "b"}}}, measured: []int{0, 1}}
	tab := &table{samples: make([][]Sample, 3)}
	for i := range 40 {
		machine := int64(1000 + 100*(i%7)) // what all of a round share
		for n, factor := range []int64{100, 103, 100} {
			tab.samples[n] = append(tab.samples[n], Sample{CPU: machine * factor})
		}
	}
	c := b.cpu(tab)
	if x := c.Compare("a", "b"); x == nil || x.Verdict != stats.More || x.Ratio < 1.029 || x.Ratio > 1.031 || c.NotMeasured != "" {
		t.Errorf("%+v: %+v", c, x)
	}
	if c.Compare("b", "a") != nil || (*CPU)(nil).Compare("a", "b") != nil {
		t.Error("a comparison that was not made")
	}
	tab.samples[1][3].CPU = 0
	if c := b.cpu(tab); c.NotMeasured == "" || c.Control != nil {
		t.Errorf("%+v", c)
	}
}
