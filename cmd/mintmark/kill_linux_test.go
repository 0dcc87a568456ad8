package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/release"
)

// TestLedgerKilled kills releases at random points. What the next one makes is
// what a machine makes that nobody disturbed, and what is known of executions is
// all there, but for a line that was being written.
func TestLedgerKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds")
	}
	t.Parallel()
	// MINTMARK_TEST_SEED repeats a run, as far as the machine's load permits.
	seed, err := strconv.ParseUint(os.Getenv("MINTMARK_TEST_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("MINTMARK_TEST_SEED=%d", seed)
	b := newKillBench(t, rand.New(rand.NewPCG(seed, 0)))

	// Everything is still to be compiled: killed again and again.
	b.commit("v1.0.0", 1)
	when := b.undisturbed("1.0.0")
	const cold = 2
	for i := range cold {
		b.kill(when.within(b.rand, i, cold), i%2 == 1)
	}
	b.finish("1.0.0")

	// The usual release: most of it is proven. The last two end while they sign
	// and publish.
	const warm = 4
	for i := range warm {
		version := fmt.Sprintf("1.%d.0", i+1)
		b.commit("v"+version, i+2)
		when := b.undisturbed(version)
		at := when.within(b.rand, i, warm-2)
		if i >= warm-2 {
			at = point{lines: when.line("signing"), delay: time.Duration(b.rand.Int64N(int64(40 * time.Millisecond)))}
		}
		b.kill(at, i%2 == 0)
		b.finish(version)
	}
	t.Logf("%d of %d were killed before they had ended", b.kills, cold+warm)
	if b.kills < (cold+warm)/2 {
		t.Errorf("only %d were killed before they had ended", b.kills)
	}

	var res release.Ledgers
	out := b.ok(b.killed, "mintmark", "ledger", "-json")
	if err := json.Unmarshal(out, &res); err != nil {
		t.Fatal(err)
	}
	for _, l := range res.Ledgers {
		if len(l.Disputed) > 0 || l.Damaged > 0 || l.Unread > b.kills || l.Actions == 0 || l.Proven != l.Actions {
			t.Errorf("ledger of %s after %d kills: %+v", l.Toolchain, b.kills, l)
		}
	}
	if left, err := os.ReadDir(filepath.Join(b.killed.cache, "work")); err != nil || len(left) > 0 {
		t.Errorf("left in the work directory: %v %v", left, err)
	}

	// The caches are warm now: the rest takes seconds.
	t.Run("points", func(t *testing.T) {
		b.t = t
		b.points(fmt.Sprintf("1.%d.0", warm))
	})
}

// killBench is a module, and two users who release it.
type killBench struct {
	t             *testing.T
	rand          *rand.Rand
	mod, key      string
	plain, killed *user
	kills         int
}

// user has a machine to himself.
type user struct {
	home, cache, out string
	env              []string
}

func newKillBench(t *testing.T, r *rand.Rand) *killBench {
	dir := t.TempDir()
	b := &killBench{t: t, rand: r, mod: filepath.Join(dir, "mod"), key: filepath.Join(dir, "me")}
	settings := goEnv(t)
	for i, u := range []**user{&b.plain, &b.killed} {
		home := filepath.Join(dir, strconv.Itoa(i))
		*u = &user{home: home, cache: filepath.Join(home, "cache"), out: filepath.Join(home, "out", "dist")}
		(*u).env = append(os.Environ(), "HOME="+home, "MINTMARK_CACHE="+(*u).cache, "MINTMARK_PASSWORD=", "MINTMARK_LEDGER_KEY=",
			"MINTMARK_KEY="+b.key+".key", "GIT_CONFIG_NOSYSTEM=1",
			"GOPROXY="+settings["GOPROXY"], "GOMODCACHE="+settings["GOMODCACHE"], "GOSUMDB="+settings["GOSUMDB"],
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
			"GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
		if err := os.MkdirAll(home, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// What the one has downloaded need not be downloaded again.
	b.killed.env = append(b.killed.env, "GOMODCACHE="+filepath.Join(b.plain.cache, "first", "modcache"))
	b.write("go.mod", "module example.com/killed\n\ngo 1.24.0\n")
	b.write("main.go", "package main\n\nimport \"example.com/killed/lib\"\n\nfunc main() { println(lib.X()) }\n")
	b.write("mintmark.yaml", "version: 1\nproject: killed\ngo: "+toolchain+"\nledger: {publish: true}\nprofiles:\n"+
		// Two units, of which one compile serves both.
		"  release: {platforms: [linux/amd64]}\n  unstripped: {platforms: [linux/amd64], ldflags: {strip: false}, name: unstripped}\n")
	b.ok(b.plain, "git", "init", "-q", "-b", "main", ".")
	b.ok(b.plain, "mintmark", "keygen", "-prefix="+b.key)
	return b
}

func (b *killBench) write(name, text string) {
	b.t.Helper()
	name = filepath.Join(b.mod, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// commit makes a version whose library, and what depends on it, is new.
func (b *killBench) commit(tag string, n int) {
	b.t.Helper()
	b.write("lib/lib.go", fmt.Sprintf("package lib\n\nfunc X() int { return %d }\n", n))
	b.ok(b.plain, "git", "add", "-A")
	b.ok(b.plain, "git", "commit", "-q", "-m", tag)
	b.ok(b.plain, "git", "tag", tag)
}

func (b *killBench) command(u *user, args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = b.mod
	cmd.Env = u.env
	return cmd
}

func (b *killBench) ok(u *user, args ...string) []byte {
	b.t.Helper()
	cmd := b.command(u, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		b.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, errOut.Bytes())
	}
	return out.Bytes()
}

// timeline is when a release printed each of its lines, and when it ended.
type timeline struct {
	lines []string
	at    []time.Duration
	end   time.Duration
}

// point is a moment in a release: some time after it has printed so many lines.
type point struct {
	lines int
	delay time.Duration
}

// within gives a random point in the i-th of n equal parts of the release.
func (tl *timeline) within(r *rand.Rand, i, n int) point {
	part := tl.end / time.Duration(n)
	at := time.Duration(i)*part + time.Duration(r.Int64N(int64(part)))
	k, _ := slices.BinarySearch(tl.at, at)
	if k == 0 {
		return point{0, at}
	}
	return point{k, at - tl.at[k-1]}
}

// line is how many lines there are up to the first with that text.
func (tl *timeline) line(text string) int {
	return 1 + slices.IndexFunc(tl.lines, func(l string) bool { return strings.Contains(l, text) })
}

// undisturbed makes a release where nobody is killed.
func (b *killBench) undisturbed(version string) *timeline {
	b.t.Helper()
	tl := &timeline{}
	began := time.Now()
	cmd := b.command(b.plain, "mintmark", "release", "-profile=release,unstripped", "-out="+b.plain.out)
	errOut, err := cmd.StderrPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	for sc := bufio.NewScanner(errOut); sc.Scan(); {
		tl.lines = append(tl.lines, sc.Text())
		tl.at = append(tl.at, time.Since(began))
	}
	if err := cmd.Wait(); err != nil {
		b.t.Fatalf("undisturbed: %v\n%s", err, strings.Join(tl.lines, "\n"))
	}
	tl.end = time.Since(began)
	b.verify(b.plain, version)
	return tl
}

func (b *killBench) verify(u *user, version string) {
	b.t.Helper()
	b.ok(u, "mintmark", "verify", "-key="+b.key+".pub", "-project=killed", "-version="+version, u.out)
}

// kill begins a release and kills it at that point: alone, so that what it
// started goes on for a while beside the next one, or with all that it started.
func (b *killBench) kill(at point, alone bool) {
	b.t.Helper()
	_, err := os.Lstat(b.killed.out)
	published := err == nil
	cmd := b.command(b.killed, "mintmark", "release", "-profile=release,unstripped", "-out="+b.killed.out)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	errOut, err := cmd.StderrPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	reached, ended := make(chan bool), make(chan bool)
	var last string
	go func() {
		defer close(ended)
		sc := bufio.NewScanner(errOut)
		for n := 0; ; n++ {
			if n == at.lines {
				close(reached)
			}
			if !sc.Scan() {
				return
			}
			last = sc.Text()
		}
	}()
	select {
	case <-ended:
	case <-reached:
		select {
		case <-ended:
		case <-time.After(at.delay):
		}
	}
	if !alone {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		b.killAll()
	}
	cmd.Process.Kill()
	<-ended
	err = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		b.kills++
	} else if err != nil {
		b.t.Errorf("to be killed %+v: %v\n%s", at, err, last)
	}
	b.t.Logf("killed %+v, alone %v: %v, after %q", at, alone, cmd.ProcessState, last)

	// A release is there as a whole, or not at all.
	if _, err := os.Lstat(b.killed.out); err == nil {
		b.ok(b.killed, "mintmark", "verify", "-key="+b.key+".pub", "-project=killed", b.killed.out)
	} else if old, _ := filepath.Glob(b.killed.out + ".unfinished-*-old"); published && len(old) != 1 {
		b.t.Errorf("the earlier release is gone: %v", old)
	}
}

// killAll kills all processes that know the killed user's cache, until none is left.
func (b *killBench) killAll() {
	b.t.Helper()
	for range 100 {
		found := false
		procs, err := filepath.Glob("/proc/[0-9]*")
		if err != nil {
			b.t.Fatal(err)
		}
		for _, p := range procs {
			pid, err := strconv.Atoi(filepath.Base(p))
			if err != nil || pid == os.Getpid() {
				continue
			}
			env, _ := os.ReadFile(p + "/environ")
			if bytes.Contains(env, []byte(b.killed.cache)) {
				syscall.Kill(pid, syscall.SIGKILL)
				found = true
			}
		}
		if !found {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.t.Error("processes survive SIGKILL")
}

// finish makes the release to its end, and holds it against the undisturbed one.
func (b *killBench) finish(version string) {
	b.t.Helper()
	b.ok(b.killed, "mintmark", "release", "-profile=release,unstripped", "-out="+b.killed.out)
	b.verify(b.killed, version)
	if left, _ := filepath.Glob(b.killed.out + ".unfinished*"); len(left) > 0 {
		b.t.Errorf("left: %v", left)
	}
	want, got := readRelease(b.t, b.plain.out), readRelease(b.t, b.killed.out)
	for name := range want {
		if got[name] != want[name] {
			b.t.Errorf("%s: %s is not what the undisturbed machine made:\n%.2000s\n%.2000s", version, name, want[name], got[name])
		}
	}
	if len(got) != len(want) || len(want) < 4 {
		b.t.Errorf("%s: %d files, undisturbed %d", version, len(got), len(want))
	}
}

// readRelease reads all of a release that does not depend on what was known
// before: of release.json only the artifacts.
func readRelease(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		switch name := e.Name(); {
		case strings.HasPrefix(name, "checksums.txt"), strings.HasPrefix(name, "provenance"):
		case strings.HasPrefix(name, "report."): // says what was proven earlier, as release.json does
		case name == "release.json":
			var m struct {
				Artifacts json.RawMessage `json:"artifacts"`
			}
			if err := json.Unmarshal(data, &m); err != nil {
				t.Fatal(err)
			}
			files[name] = string(m.Artifacts)
			if strings.Contains(files[name], `"different"`) || strings.Contains(files[name], `"unchecked"`) || !strings.Contains(files[name], `"identical"`) {
				t.Errorf("%s: not identical: %s", dir, files[name])
			}
		default:
			files[name] = string(data)
		}
	}
	return files
}
