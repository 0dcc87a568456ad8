package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the program that is measured.
func TestMain(m *testing.M) {
	if words := strings.Fields(os.Getenv("BENCHMARK_TEST_PROGRAM")); len(words) > 0 {
		if err := program(words); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const burnt = 400 * time.Millisecond // of CPU

// program is burn, hold, hoard, many or fail; "child X" and "orphan X" start X in a
// process group of its own, and wait for it or not.
func program(words []string) error {
	switch words[0] {
	case "burn":
		for selfCPU() < burnt {
		}
	case "hold":
		if err := hold(); err != nil {
			return err
		}
		time.Sleep(time.Second)
	case "hoard":
		for range limit/held + 1 {
			if err := hold(); err != nil {
				return err
			}
		}
	case "many": // every start of a program shows its parent's memory for a moment
		if err := hold(); err != nil {
			return err
		}
		for range 300 {
			if err := exec.Command("true").Run(); err != nil {
				return err
			}
		}
	case "fail":
		return fmt.Errorf("failed as told")
	case "child", "orphan":
		cmd := exec.Command(os.Args[0])
		cmd.Env = []string{"BENCHMARK_TEST_PROGRAM=" + strings.Join(words[1:], " ")}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if words[0] == "orphan" {
			return cmd.Start()
		}
		return cmd.Run()
	}
	return nil
}

const held = 200 << 20 // bytes

// hold takes memory until the process ends. It is not Go's, as the race
// detector would take several times as much beside it.
func hold() error {
	data, err := syscall.Mmap(-1, 0, held, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	for i := 0; i < len(data); i += 4096 {
		data[i] = 1
	}
	return err
}

func measureProgram(t *testing.T, words string) (sample, error) {
	t.Helper()
	m, err := newMeter()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	return m.run(context.Background(), log, job{args: []string{os.Args[0]}, env: []string{"PATH=" + os.Getenv("PATH"), "BENCHMARK_TEST_PROGRAM=" + words}})
}

// TestCPU: the CPU of a process counts wherever it stands in the tree, and once.
func TestCPU(t *testing.T) {
	programs := []string{"child burn", "burn", "child child burn", "orphan burn", "child orphan child burn"}
	if testing.Short() {
		programs = programs[:1]
	}
	for _, words := range programs {
		s, err := measureProgram(t, words)
		if err != nil {
			t.Fatal(err)
		}
		if s.CPU < burnt*9/10 || s.CPU > burnt*2 {
			t.Errorf("%s: %v of CPU, want about %v", words, s.CPU, burnt)
		}
	}
}

// TestMemory: so does its memory, and what a process shares with its parent
// until it becomes another program does not.
func TestMemory(t *testing.T) {
	programs := []string{"child hold", "hold", "orphan hold", "child orphan child hold", "many"}
	if testing.Short() {
		programs = programs[:1]
	}
	for _, words := range programs {
		s, err := measureProgram(t, words)
		if err != nil {
			t.Fatal(err)
		}
		if s.Peak < held || s.Anon < held || s.Peak > held*3/2 || s.Anon > s.Peak {
			t.Errorf("%s: peak of %d bytes, %d of them anonymous, in %d looks; want a little more than %d", words, s.Peak, s.Anon, s.Looks, held)
		}
	}
}

func TestFailure(t *testing.T) {
	if _, err := measureProgram(t, "fail"); err == nil || !strings.Contains(err.Error(), "failed as told") {
		t.Errorf("got %v, want an error with the output", err)
	}
}

// TestIdle: a program with a compiler's name is seen, others are not.
func TestIdle(t *testing.T) {
	s, err := measureProgram(t, "burn")
	if err != nil || s.Idle >= 0 {
		t.Errorf("no compiler ran, and idle is %v (%v)", s.Idle, err)
	}
	tool := filepath.Join(t.TempDir(), "compile")
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tool, data, 0o755); err != nil {
		t.Fatal(err)
	}
	m, err := newMeter()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s, err = m.run(context.Background(), log, job{args: []string{tool}, env: []string{"BENCHMARK_TEST_PROGRAM=burn"}})
	if err != nil || s.Idle < 0 || s.Idle > 1 || s.Unused < 0 || s.Unused > s.Idle+0.2 {
		t.Errorf("idle %v, unused %v (%v)", s.Idle, s.Unused, err)
	}
}

// TestQuick runs the benchmark with the smallest program, without GoReleaser.
func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and releases a program several times")
	}
	var stdout, stderr strings.Builder
	samples := filepath.Join(t.TempDir(), "samples.json")
	if err := benchmark(t.Context(), []string{"-quick", "-rows=" + strings.Join(quickRows, ","), "-samples=" + samples}, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	checkQuick(t, samples, stdout.String())
}

// TestWithin: in a group, a program that takes too much is killed and that is
// counted; one that takes less is not; one that fails for another reason is an
// error. Whatever happens, the group is gone afterwards.
func TestWithin(t *testing.T) {
	if testing.Short() {
		t.Skip("takes more than a gigabyte of memory")
	}
	g, err := newGroup(limit)
	if err != nil {
		t.Skipf("no group can be made here: %v", err)
	}
	parent := filepath.Dir(g.path)
	if err := g.close(); err != nil {
		t.Fatal(err)
	}
	b := &bench{}
	if b.meter, err = newMeter(); err != nil {
		t.Fatal(err)
	}
	if b.log, err = os.Create(filepath.Join(t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	defer b.log.Close()
	for words, want := range map[string]limited{
		"child burn":        {Status: "exit status 0"},
		"hold":              {Status: "exit status 0"},
		"hoard":             {Status: "signal: killed", groupUse: groupUse{Kills: 1}},
		"child hoard":       {Status: "exit status 1", groupUse: groupUse{Kills: 1}},
		"child orphan burn": {Status: "exit status 0"},
	} {
		s, err := b.within(t.Context(), job{args: []string{os.Args[0]}, env: []string{"BENCHMARK_TEST_PROGRAM=" + words}}, filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatalf("%s: %v", words, err)
		}
		l := *s.Limited
		if l.Status != want.Status || l.Kills != want.Kills || l.Peak > limit {
			t.Errorf("%s: %+v, want %+v", words, l, want)
		}
		if strings.HasSuffix(words, "burn") && (l.User < burnt/2 || l.User > burnt*10) {
			t.Errorf("%s: %v of user CPU, want %v and a little", words, l.User, burnt)
		}
		if strings.HasSuffix(words, "hold") && l.Peak >= 0 && l.Peak < held {
			t.Errorf("%s: at most %d bytes, want %d", words, l.Peak, held)
		}
	}
	if _, err := b.within(t.Context(), job{args: []string{os.Args[0]}, env: []string{"BENCHMARK_TEST_PROGRAM=fail"}}, filepath.Join(t.TempDir(), "out")); err == nil || !strings.Contains(err.Error(), "failed as told") {
		t.Errorf("got %v, want an error with the output", err)
	}
	if left, err := filepath.Glob(filepath.Join(parent, "mintmark-benchmark-*")); err != nil || left != nil {
		t.Errorf("left: %q, %v", left, err)
	}
}
