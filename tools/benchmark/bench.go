package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	self       = "github.com/mintmark/mintmark"
	toolchain  = "go1.26.8" // of all sides
	goreleaser = "github.com/goreleaser/goreleaser/v2@v2.15.2"
	ldflags    = "-s -w"
)

// bench is one run of the benchmark: the tools of all sides, ready to run.
type bench struct {
	work  string // everything that is made lies below it
	say   func(format string, args ...any)
	meter *meter
	log   *os.File // what the measured commands print

	root       string // of mintmark's repository
	tree       string // a copy of it
	revision   string // what it is
	goCmd      string // of the toolchain
	mintmark   string
	goreleaser string            // "" until it is needed
	user       map[string]string // how the user reaches modules
	memory     int64             // available before anything was measured
}

// newBench prepares the tools: the toolchain, and mintmark as it is in this tree.
func newBench(ctx context.Context, work, goreleaserPath string, say func(string, ...any)) (_ *bench, err error) {
	b := &bench{work: work, say: say, memory: memoryAvailable()}
	if b.meter, err = newMeter(); err != nil {
		return nil, err
	}
	for _, dir := range []string{"home/.config/go/telemetry", "tmp", "bin"} {
		if err := os.MkdirAll(filepath.Join(work, dir), 0o755); err != nil {
			return nil, err
		}
	}
	// As in mintmark's builds: no process that outlives the go command.
	if err := os.WriteFile(filepath.Join(work, "home", ".config", "go", "telemetry", "mode"), []byte("off"), 0o644); err != nil {
		return nil, err
	}
	if b.log, err = os.Create(filepath.Join(work, "log")); err != nil {
		return nil, err
	}
	if goreleaserPath != "" {
		if b.goreleaser, err = filepath.Abs(goreleaserPath); err != nil {
			return nil, err
		}
	}

	out, err := b.output(ctx, "", nil, "go", "env", "-json", "GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOMODCACHE", "GOCACHE")
	if err == nil {
		err = json.Unmarshal(out, &b.user)
	}
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	if out, err = b.output(ctx, "", append(os.Environ(), "GOFLAGS=", "GOTOOLCHAIN="+toolchain), "go", "env", "GOROOT"); err != nil {
		return nil, err
	}
	b.goCmd = filepath.Join(strings.TrimSpace(string(out)), "bin", "go")
	if out, err = b.output(ctx, "", b.userEnv(), b.goCmd, "env", "GOVERSION"); err != nil {
		return nil, err
	}
	if got := strings.TrimSpace(string(out)); got != toolchain {
		return nil, fmt.Errorf("%s is %s, not %s", b.goCmd, got, toolchain)
	}
	if out, err = b.output(ctx, "", b.userEnv(), b.goCmd, "list", "-m", "-f", "{{.Path}}\n{{.Dir}}"); err != nil {
		return nil, err
	}
	path, dir, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if path != self {
		return nil, fmt.Errorf("run it in a checkout of %s, not of %s", self, path)
	}
	b.root = dir
	return b, b.buildSelf(ctx)
}

// buildSelf copies the tree and builds mintmark from the copy: what is edited
// meanwhile changes nothing.
func (b *bench) buildSelf(ctx context.Context) error {
	out, err := b.output(ctx, b.root, nil, "git", "ls-files", "-z", "-c", "-o", "--exclude-standard")
	if err != nil {
		return err
	}
	b.tree = filepath.Join(b.work, "tree")
	for name := range strings.SplitSeq(strings.Trim(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(b.root, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, and not yet committed
		}
		if err != nil {
			return err
		}
		to := filepath.Join(b.tree, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			return err
		}
	}
	if out, err = b.output(ctx, b.root, nil, "git", "describe", "--always", "--long", "--dirty= with changes"); err != nil {
		return err
	}
	b.revision = strings.TrimSpace(string(out))
	b.mintmark = filepath.Join(b.work, "bin", "mintmark")
	_, err = b.output(ctx, b.tree, b.userEnv(), b.goCmd, "build", "-o", b.mintmark, "./cmd/mintmark")
	return err
}

// needGoReleaser installs it, unless the user has named one, and checks its version.
func (b *bench) needGoReleaser(ctx context.Context) error {
	_, version, _ := strings.Cut(goreleaser, "@")
	if b.goreleaser == "" {
		b.say("installing GoReleaser %s: some minutes of CPU (-goreleaser=PATH names one that is there)", version)
		if _, err := b.output(ctx, b.work, b.userEnv("GO111MODULE=on", "GOBIN="+filepath.Join(b.work, "bin")), b.goCmd, "install", goreleaser); err != nil {
			return fmt.Errorf("GoReleaser: %w", err)
		}
		b.goreleaser = filepath.Join(b.work, "bin", "goreleaser")
	}
	out, err := b.output(ctx, b.work, b.env(), b.goreleaser, "--version")
	if err != nil {
		return err
	}
	if !bytes.Contains(out, []byte(version)) {
		return fmt.Errorf("%s is not GoReleaser %s", b.goreleaser, version)
	}
	return nil
}

// env is the environment of what is measured: nothing of the user's.
func (b *bench) env(more ...string) []string {
	return append([]string{
		"PATH=" + filepath.Dir(b.goCmd) + ":" + systemPath(),
		"HOME=" + filepath.Join(b.work, "home"), "TMPDIR=" + filepath.Join(b.work, "tmp"), "LANG=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
	}, more...)
}

// systemPath is where git is, and what every system has.
func systemPath() string {
	path := "/usr/local/bin:/usr/bin:/bin"
	if git, err := exec.LookPath("git"); err == nil {
		path = filepath.Dir(git) + ":" + path
	}
	return path
}

// goEnv is env for commands that run go, with a build cache of their own.
func (b *bench) goEnv(cache string, more ...string) []string {
	return append(b.env(
		"GOENV=off", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0", "GOPROXY=off",
		"GOCACHE="+cache, "GOMODCACHE="+b.user["GOMODCACHE"], "GOPATH="+filepath.Join(b.work, "home", "go"),
	), more...)
}

// userEnv is for what prepares: the user's own environment with our toolchain and no flags.
func (b *bench) userEnv(more ...string) []string {
	return append(os.Environ(), append([]string{"GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0"}, more...)...)
}

// mintmarkEnv gives mintmark the user's way to modules, and a cache directory.
func (b *bench) mintmarkEnv(cache string) []string {
	env := b.env("MINTMARK_CACHE="+cache, "GOMODCACHE="+b.user["GOMODCACHE"], "GOFLAGS=")
	for _, name := range []string{"GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB"} {
		env = append(env, name+"="+b.user[name])
	}
	for _, kv := range os.Environ() { // a proxy and certificates, where the network needs them
		name, _, _ := strings.Cut(kv, "=")
		if upper := strings.ToUpper(name); strings.HasSuffix(upper, "_PROXY") && upper != "GOPROXY" || strings.HasPrefix(upper, "SSL_CERT_") {
			env = append(env, kv)
		}
	}
	return env
}

// output runs a command that is not measured. Without env it has the user's.
func (b *bench) output(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s%s", strings.Join(args, " "), err, stderr.Bytes(), stdout.Bytes())
	}
	return stdout.Bytes(), nil
}

// git runs git with fixed persons and dates; the nth change is n minutes after the source.
func (b *bench) git(ctx context.Context, dir string, n int, args ...string) error {
	date := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(n) * time.Minute).Format(time.RFC3339)
	_, err := b.output(ctx, dir, b.env(
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date,
	), append([]string{"git", "-c", "core.autocrlf=false", "-c", "gc.auto=0"}, args...)...)
	return err
}

// measure runs jobs as one measurement and returns what they printed.
func (b *bench) measure(ctx context.Context, jobs ...job) (sample, string, error) {
	from, err := b.log.Seek(0, io.SeekEnd)
	if err != nil {
		return sample{}, "", err
	}
	s, err := b.meter.run(ctx, b.log, jobs...)
	if err != nil {
		return s, "", err
	}
	fi, err := b.log.Stat()
	if err != nil {
		return s, "", err
	}
	out := make([]byte, fi.Size()-from)
	if _, err := b.log.ReadAt(out, from); err != nil {
		return s, "", err
	}
	return s, string(out), nil
}

// conditions is what a reader needs to know of a run.
func (b *bench) conditions() string {
	cpu := runtime.GOARCH
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(data)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d processors (%s), %s, mintmark %s", cores(), cpu, toolchain, b.revision)
}
