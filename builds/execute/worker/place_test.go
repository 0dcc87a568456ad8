package worker

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/files"
)

// places are the directories of runs.
func (k *kit) places() []string {
	k.t.Helper()
	list, err := filepath.Glob(filepath.Join(k.w.Dir, runsName, "*"))
	if err != nil {
		k.t.Fatal(err)
	}
	return list
}

// TestShare: builds of one run share a place; another source, other modules or another
// toolchain under the ID of that run do not get what was made for it.
func TestShare(t *testing.T) {
	k := newKit(t)
	one := k.archive(map[string]string{"main.go": "package main // one\n"})
	first := k.request(one)
	k.built(first)
	again := k.request(one)
	again.Build.Run = first.Build.Run
	k.built(again)
	if n := len(k.places()); n != 1 {
		t.Fatalf("%d places of one run", n)
	}
	other := k.request(k.archive(map[string]string{"main.go": "package main // two\n"}))
	other.Build.Run = first.Build.Run
	if text := k.built(other); !strings.Contains(text, "// two") || strings.Contains(text, "// one") {
		t.Errorf("another source under the same run:\n%s", text)
	}
	tc, zip := k.toolchain(strings.Replace(fakeGo, "env;", "echo another go; env;", 1))
	foreign := k.request(one)
	foreign.Build.Run, foreign.Build.Toolchain, foreign.Build.Zip = first.Build.Run, tc, zip.SHA256
	k.inputs(foreign, one, zip)
	if text := k.built(foreign); !strings.Contains(text, "another go") {
		t.Errorf("another toolchain under the same run:\n%s", text)
	}
	if n := len(k.places()); n != 3 {
		t.Errorf("%d places of three", n)
	}
}

// TestBrokenOff: a place that was never made ready is made anew, whatever lies there.
func TestBrokenOff(t *testing.T) {
	k := newKit(t)
	r := k.request(k.archive(map[string]string{"main.go": "package main // whole\n"}))
	k.built(r)
	place := filepath.Join(k.places()[0], First)
	for _, name := range []string{"ready", "git/claims"} {
		if err := os.Remove(filepath.Join(place, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"src/main.go": "half", "src/left.go": "left", "proxy/x": "x", "cache/gocache/00/x-a": "x", "stamp/git": "x"} {
		name = filepath.Join(place, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r.Build.Nonce = nonce()
	if text := k.built(r); !strings.Contains(text, "// whole") {
		t.Errorf("built of what was left:\n%s", text)
	}
	for _, name := range []string{"src/left.go", "proxy/x", "cache/gocache/00/x-a"} {
		if _, err := os.Lstat(filepath.Join(place, filepath.FromSlash(name))); err == nil {
			t.Errorf("%s of an attempt that was broken off is still there", name)
		}
	}
}

// TestAtOnce: requests for one place at the same time, among them those of another source
// under the same run, each get what they asked for.
func TestAtOnce(t *testing.T) {
	k := newKit(t)
	sources := []Input{k.archive(map[string]string{"main.go": "source 0\n"}), k.archive(map[string]string{"main.go": "source 1\n"})}
	run := nonce()
	var requests []*Request
	for i := range 8 {
		r := k.request(sources[i%2])
		r.Build.Run = run
		requests = append(requests, r)
	}
	var wg sync.WaitGroup
	for i, r := range requests {
		wg.Go(func() {
			if text, want := k.built(r), []string{"source 0\n", "source 1\n"}[i%2]; !strings.HasSuffix(text, want) {
				t.Errorf("request %d:\n%s", i, text)
			}
		})
	}
	wg.Wait()
	if n := len(k.places()); n != 2 {
		t.Errorf("%d places of two sources", n)
	}
}

// TestKept: what is used stays, and what nobody has used for long goes, of each kind.
func TestKept(t *testing.T) {
	k := newKit(t)
	now := time.Now()
	k.w.Now = func() time.Time { return now }
	source := k.archive(map[string]string{"main.go": "x"})
	unused := k.input([]byte("never used"))
	r := k.request(source)
	k.inputs(r, k.zip, source, unused)
	k.built(r)
	count := func(kind string) int {
		list, err := os.ReadDir(filepath.Join(k.w.Dir, kind))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	left := filepath.Join(k.w.Dir, inputsName, "new-killed") // of one that was killed
	if err := os.Mkdir(left, 0o755); err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	for _, step := range []struct {
		after                           time.Duration
		build                           bool // or only a greeting
		inputs, toolchains, runs, nonce int
	}{
		{time.Hour, false, 4, 1, 1, 1},
		{day, true, 4, 1, 1, 1},
		{28 * day, true, 4, 1, 1, 1},
		{10 * day, false, 2, 1, 0, 0}, // the one that was never used, and what was left
		{10 * day, false, 2, 1, 0, 0},
		{11 * day, false, 0, 0, 0, 0},
	} {
		now = now.Add(step.after)
		again := NewRequest(version)
		if step.build {
			again = k.request(source)
		}
		a, _ := k.send(again)
		if a.Error != nil {
			t.Fatalf("%+v", a.Error)
		}
		got := [4]int{count(inputsName), count(toolchainsName), count(runsName), count(noncesName)}
		if want := [4]int{step.inputs, step.toolchains, step.runs, step.nonce}; got != want {
			t.Errorf("after %v more: %v, want %v", step.after, got, want)
		}
	}
	if list, _ := os.ReadDir(filepath.Join(k.w.Dir, removedName)); len(list) > 0 {
		t.Errorf("%v was not removed", list)
	}
}

// TestKilledSweep: what a sweep had put aside when it was killed is removed.
func TestKilledSweep(t *testing.T) {
	k := newKit(t)
	left := filepath.Join(k.w.Dir, removedName, "runs-1", "x")
	if err := os.MkdirAll(left, 0o755); err != nil {
		t.Fatal(err)
	}
	k.send(NewRequest(version))
	if _, err := os.Lstat(filepath.Dir(left)); err == nil {
		t.Error("it is still there")
	}
}

// TestSigned: a worker with a key signs the bytes of its receipt.
func TestSigned(t *testing.T) {
	k := newKit(t)
	k.w.Sign = func(_ context.Context, receipt []byte) ([]byte, error) {
		return []byte("by the worker: " + files.DigestBytes(receipt)), nil
	}
	_, list := k.send(k.request(k.archive(map[string]string{"main.go": "x"})))
	if len(list) != 1 || string(list[0].Signature) != "by the worker: "+files.DigestBytes(list[0].Signed) {
		t.Errorf("%d outcomes", len(list))
	}
}

// TestConfined: the commands of a build write into their place and nowhere else, and the
// receipt says what held them.
func TestConfined(t *testing.T) {
	k := newKit(t)
	outside := filepath.Join(t.TempDir(), "outside")
	text := strings.Replace(fakeGo, "{ env;", "echo written >"+outside+"; { env;", 1)
	tc, zip := k.toolchain(text)
	source := k.archive(map[string]string{"main.go": "x"})
	r := k.request(source)
	r.Build.Toolchain, r.Build.Zip = tc, zip.SHA256
	k.inputs(r, source, zip)
	a, list := k.send(r)
	if a.Error != nil || len(list) != 1 {
		t.Fatalf("%+v", a.Error)
	}
	held := list[0].Confinement
	if held == nil {
		t.Fatal("the receipt does not say what held the build")
	}
	_, err := os.Lstat(outside)
	if written := err == nil; written == held.Writes.Held {
		t.Errorf("the file outside is there: %v, and the receipt says %+v", written, *held)
	}
}

// TestBounded: a system that does not know its memory has a worker all the same.
func TestBounded(t *testing.T) {
	for memory, want := range map[int64]int64{1 << 30: 1 << 30, maxMemory: maxMemory, math.MaxInt64: 0} {
		if got := bounded(memory); got != want {
			t.Errorf("%d bytes: %d, want %d", memory, got, want)
		}
	}
}
