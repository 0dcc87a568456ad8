package startup

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
)

// few starts are enough for what always or never fails.
const few = 4

// prove runs Prove on two programs, with few starts, and fails on an error.
func prove(t testing.TB, packed, plain, ready string, args ...string) *Proofs {
	t.Helper()
	r, err := ParseReady(ready)
	if err != nil {
		t.Fatal(err)
	}
	w := &Workload{Args: args, Ready: r}
	if ready == "" {
		w = nil
	}
	return proveWith(t, ProveConfig{Packed: packed, Plain: plain, Workload: w, Starts: few})
}

func proveWith(t testing.TB, cfg ProveConfig) *Proofs {
	t.Helper()
	cfg.Work, cfg.Dir = t.TempDir(), t.TempDir()
	p, err := Prove(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []fact.Proof{p.Smoke, p.Environment} {
		if one.Result == fact.Passed && len(one.Starts) == 0 {
			t.Errorf("passed, and it was never started: %+v", one)
		}
		if (one.Result == fact.Passed) != (one.Reason == "") || (one.Result == fact.Passed) != (one.How != "") || strings.Contains(one.How+one.Reason, cfg.Work) {
			t.Errorf("%+v", one)
		}
	}
	return p
}

func wantProof(t testing.TB, what string, got fact.Proof, result fact.Result, text string) {
	t.Helper()
	if got.Result != result || !strings.Contains(got.How+got.Reason, text) {
		t.Errorf("%s: %+v, want %s with %q", what, got, result, text)
	}
}

func TestProve(t *testing.T) {
	plain, limited, silent := build(t, "plain"), build(t, "limited", "most=333"), build(t, "silent", "silent=x")
	hello := &Workload{Args: []string{"print=hello"}}
	p := proveWith(t, ProveConfig{Packed: plain, Plain: plain, Workload: hello})
	wantProof(t, "itself", p.Smoke, fact.Passed, "print=hello: exit status 0 and the same output: 36 starts, none failed, which would have missed a crash of 1 start in 3 with probability 4.6e-07")
	wantProof(t, "itself", p.Environment, fact.Passed, "36 starts with each of 100, 300, 500, 700 and 1000 environment variables of various lengths, none failed, each of which would have missed a crash of 1 start in 3 with probability 4.6e-07")

	// What is wrong only with a large environment, or at once.
	p = prove(t, limited, plain, "exit", "print=hello")
	wantProof(t, "limited", p.Smoke, fact.Passed, "")
	wantProof(t, "limited", p.Environment, fact.Failed, "4 of 4 starts failed with 334 environment variables, 0 of 3 with 333: exit status 7, want exit status 0 (unpacked, 0 of 4 starts failed)")
	if strings.Contains(p.Environment.Reason, "too many") {
		t.Errorf("what it wrote may be anything, and is in the manifest: %+v", p)
	}
	p = prove(t, silent, plain, "exit", "print=hello")
	wantProof(t, "silent", p.Smoke, fact.Failed, "printed something else")
	wantProof(t, "silent", p.Environment, fact.Untested, "the smoke run failed")
	broken := filepath.Join(t.TempDir(), "broken")
	script := "#!/bin/sh\nkill -SEGV $$\n"
	if err := os.WriteFile(broken, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" {
		p = prove(t, broken, plain, "exit", "print=hello")
		wantProof(t, "crash", p.Smoke, fact.Failed, "4 of 4 starts failed with 0 environment variables: killed by SIGSEGV, want exit status 0 (unpacked, 0 of 4 starts failed)")
		p = prove(t, plain, broken, "exit", "print=hello")
		wantProof(t, "the unpacked one crashes", p.Smoke, fact.Untested, "the unpacked program is killed by SIGSEGV too")
		wantProof(t, "the unpacked one crashes", p.Environment, fact.Untested, "too")
	}

	// Nothing to learn from: it fails unpacked, its output varies, it prints its environment.
	p = prove(t, plain, plain, "exit", "exit=5")
	wantProof(t, "declared and failing", p.Smoke, fact.Untested, "ends with exit status 5")
	p = prove(t, plain, plain, "exit", "env")
	wantProof(t, "prints its environment", p.Smoke, fact.Passed, "")
	wantProof(t, "prints its environment", p.Environment, fact.Untested, "the unpacked program does something else too")
	varies := filepath.Join(t.TempDir(), "varies")
	if err := os.WriteFile(varies, []byte("#!/bin/sh\necho $$\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" {
		p = prove(t, varies, varies, "exit")
		wantProof(t, "varies", p.Smoke, fact.Passed, "varies and was not compared")
		wantProof(t, "varies", p.Environment, fact.Passed, "")
	}

	// One start of several that is late is not said to be a crash.
	late, quick := filepath.Join(t.TempDir(), "late"), filepath.Join(t.TempDir(), "quick")
	for path, script := range map[string]string{late: "echo x >>n\ntest $(wc -c <n) = 4 && exec sleep 60\necho ok\n", quick: "echo ok\n"} {
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOOS == "linux" {
		p = proveWith(t, ProveConfig{Packed: late, Plain: quick, Workload: &Workload{Timeout: 2 * time.Second}, Starts: few})
		wantProof(t, "late once", p.Smoke, fact.Untested, "1 of 4 starts failed with 0 environment variables: not ready after 2s (ready is exit); a busy machine does that too")
	}

	// Nothing declared: all that counts is that both do the same, success or not.
	p = prove(t, plain, plain, "")
	wantProof(t, "undeclared", p.Smoke, fact.Passed, "--version (bench declares none): exit status")
	wantProof(t, "undeclared", p.Environment, fact.Passed, "--version")
	p = prove(t, limited, plain, "")
	wantProof(t, "undeclared, limited", p.Environment, fact.Failed, "with 334 environment variables")

	// What fails now and then: packed only, or unpacked too.
	flaky := build(t, "flaky", "every=3,460")
	p = proveWith(t, ProveConfig{Packed: flaky, Plain: plain, Workload: hello})
	wantProof(t, "flaky", p.Smoke, fact.Passed, "")
	wantProof(t, "flaky", p.Environment, fact.Failed, "5 of ")
	if s := p.Environment.Starts; len(s) != 5 || !slices.ContainsFunc(s, func(s fact.Starts) bool { return s.Failed == confirming && s.Starts >= 2*confirming }) {
		t.Errorf("flaky: %+v", s)
	}
	p = proveWith(t, ProveConfig{Packed: flaky, Plain: flaky, Workload: hello})
	wantProof(t, "flaky unpacked too", p.Environment, fact.Untested, "the unpacked program does something else too (")
	p = proveWith(t, ProveConfig{Packed: plain, Plain: plain, Workload: hello, Budget: time.Nanosecond})
	wantProof(t, "no time", p.Smoke, fact.Untested, "print=hello: 1 start, none failed, which would have missed a crash of 1 start in 3 with probability 0.67")
	wantProof(t, "no time", p.Smoke, fact.Untested, "for more there was no time within 1ns")

	// Other kinds of readiness.
	p = prove(t, plain, plain, "first-byte", "complain=x")
	wantProof(t, "first byte", p.Smoke, fact.Passed, "complain=x: got ready (first-byte)")
	wantProof(t, "first byte", p.Environment, fact.Passed, "")
	p = prove(t, silent, plain, "first-byte", "complain=x")
	wantProof(t, "never ready", p.Smoke, fact.Failed, "before it was ready")

	if _, err := Prove(t.Context(), ProveConfig{Packed: plain, Plain: plain + "-missing", Work: t.TempDir()}); !os.IsNotExist(err) {
		t.Errorf("missing: %v", err)
	}
	w := &Workload{Args: []string{"sleep=1h"}, Timeout: 100 * time.Millisecond}
	p = proveWith(t, ProveConfig{Packed: plain, Plain: plain, Workload: w})
	wantProof(t, "does not end", p.Smoke, fact.Untested, "the unpacked program: not ready after 100ms")
}

// TestProvePacked: UPX 3.94 for arm64 makes programs that start, and crash in a
// large environment. Without an emulator they are unchecked, and say why.
func TestProvePacked(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("UPX 3.94 is there for linux/amd64")
	}
	upx := upx394(t)
	plain := buildFor(t, "fixture", []string{"GOARCH=arm64"})
	packed := filepath.Join(t.TempDir(), "fixture.packed")
	if b, err := exec.Command(upx, "-q", "-1", "-o", packed, plain).CombinedOutput(); err != nil {
		t.Fatalf("upx: %v\n%s", err, b)
	}
	p := proveWith(t, ProveConfig{Packed: packed, Plain: plain})
	wantProof(t, "no emulator", p.Smoke, fact.Untested, "qemu-aarch64 is not installed")
	wantProof(t, "no emulator", p.Environment, fact.Untested, "qemu-aarch64 is not installed")

	dirs := filepath.SplitList(os.Getenv("PATH"))
	if _, err := Emulator("linux/arm64", dirs); err != nil {
		t.Skipf("linux/arm64 was not run: %v", err)
	}
	p = proveWith(t, ProveConfig{Packed: packed, Plain: plain, Emulators: dirs, Starts: 2})
	wantProof(t, "arm64", p.Smoke, fact.Passed, "under qemu-aarch64")
	wantProof(t, "arm64", p.Environment, fact.Failed, "environment variables, 0 of ")
}
