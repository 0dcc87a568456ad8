package main

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

// Of the runs in a group with little memory: what it may use, in bytes, and how
// many jobs at a time each side is told to run.
const (
	limit       = 1200 << 20
	limitedJobs = 16
)

// limitedRow is the row of these runs. They have a table of their own: of a run
// that was killed there is nothing to compare but how far it came.
const limitedRow = "memory-limit"

const (
	limitedRelease = "mintmark release, in little memory"
	limitedBuild   = "goreleaser build, in little memory"
)

// limited is what became of a run in a group.
type limited struct {
	groupUse
	Status    string // how the command ended
	Binaries  int    // programs that it left
	Identical int    // of these: as many were built at least twice and are identical by the run's own release.json
}

// limited runs both sides in such a group, one after the other. Where none can
// be made, nothing is measured, and the reason is kept.
func (r *run) limited(ctx context.Context) error {
	if !r.needs(limitedRelease, limitedBuild) {
		return nil
	}
	if r.unlimited = r.tryLimit(ctx); r.unlimited != nil {
		r.say("%s: in little memory: not measured: %v", r.p.name, r.unlimited)
		return context.Cause(ctx)
	}
	var sides []side
	if r.need[limitedRelease] {
		m, err := r.newMintmark(ctx, r.src, "limited")
		if err != nil {
			return err
		}
		m.jobs = limitedJobs
		args, err := m.args("release", "none")
		if err != nil {
			return err
		}
		sides = append(sides, side{limitedRelease, func() error { return cool(m.cache) }, func() (sample, error) {
			return r.within(ctx, job{dir: m.dir, env: r.mintmarkEnv(m.cache), args: args}, m.out())
		}})
	}
	if r.need[limitedBuild] {
		g, err := r.newGoReleaser(ctx, r.src)
		if err != nil {
			return err
		}
		g.jobs = limitedJobs
		sides = append(sides, side{limitedBuild, func() error { return os.RemoveAll(g.cache) }, func() (sample, error) {
			return r.within(ctx, job{dir: g.dir, env: r.goEnv(g.cache), args: g.args("build")}, g.out())
		}})
	}
	return r.turns(ctx, 1, nil, sides...)
}

// tryLimit is why no command can be run in such a group, or nil.
func (r *run) tryLimit(ctx context.Context) error {
	kind, err := fileSystemType(r.work)
	if err != nil {
		return err
	}
	if kind == tmpfsType || kind == ramfsType {
		return errors.New("the directory that is worked in is itself in memory, and would count: -work names another")
	}
	g, err := newGroup(limit)
	if err != nil {
		return err
	}
	_, _, err = r.measure(ctx, job{dir: r.work, env: r.env(), args: []string{r.goCmd, "version"}, group: g})
	if err != nil {
		err = fmt.Errorf("no command can be started in %s: %w", g.path, err)
	}
	return errors.Join(err, g.close())
}

// within runs a command in a new group. That it fails is a result if the kernel
// killed something; otherwise memory was not the reason, and it is an error.
func (b *bench) within(ctx context.Context, j job, out string) (s sample, err error) {
	if err := removeAll(out); err != nil { // what an earlier run left would count
		return s, err
	}
	g, err := newGroup(limit)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	j.group = g
	s, _, failed := b.measure(ctx, j)
	use, err := g.use()
	if err != nil {
		return s, err
	}
	l := &limited{groupUse: use, Status: "exit status 0"}
	if failed != nil {
		var exit *exec.ExitError
		if !errors.As(failed, &exit) || use.Kills == 0 {
			return s, failed
		}
		l.Status = exit.Error()
	}
	if s.Digests, err = programs(ctx, out); err != nil {
		return s, err
	}
	l.Binaries = len(s.Digests)
	if l.Identical, err = identical(filepath.Join(out, "release.json")); err != nil {
		return s, err
	}
	s.Limited = l
	return s, nil
}

// programs are the digests of all Go programs below dir, sorted. Without the
// directory there are none.
func programs(ctx context.Context, dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if _, err := buildinfo.ReadFile(path); err != nil {
			return nil // something else, or a part of one
		}
		sum, _, err := files.Digest(ctx, path)
		out = append(out, sum)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	slices.Sort(out)
	return out, err
}

// identical counts the linked programs that a manifest calls identical in at
// least two builds; 0 without a manifest.
func identical(manifest string) (int, error) {
	data, err := os.ReadFile(manifest)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var m struct {
		Rebuild   struct{ Executions int }
		Artifacts []struct{ Stage, Verdict string }
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return 0, fmt.Errorf("%s: %w", manifest, err)
	}
	n := 0
	for _, a := range m.Artifacts {
		if a.Stage == "linked" && a.Verdict == "identical" && m.Rebuild.Executions >= 2 {
			n++
		}
	}
	return n, nil
}

// limitedReport is what a run says of both sides in a group, or why it says nothing.
func (r *run) limitedReport() string {
	if r.unlimited != nil {
		return fmt.Sprintf("Not measured: %s.\n", strings.ReplaceAll(r.unlimited.Error(), "\n", "; "))
	}
	var lines [][]string
	of := func(n int) string { return fmt.Sprintf("%d of %d", n, r.p.binaries()) }
	for _, x := range []struct{ name, command string }{
		{limitedRelease, fmt.Sprintf("`mintmark release -jobs=%d`", limitedJobs)},
		{limitedBuild, fmt.Sprintf("`goreleaser build --parallelism=%d`", limitedJobs)},
	} {
		if len(r.series[x.name]) == 0 {
			lines = append(lines, []string{x.command, "not measured", "", "", "", "", "", ""})
		}
		for _, s := range r.series[x.name] {
			l := s.Limited
			most := "not known"
			if l.Peak >= 0 {
				most = mebibytes(float64(l.Peak))
			}
			lines = append(lines, []string{x.command, l.Status, fmt.Sprint(l.Kills), most, seconds(l.User.Seconds()), seconds(s.Wall.Seconds()), of(l.Binaries), of(l.Identical)})
		}
	}
	return fmt.Sprintf("In a cgroup of its own with memory.max of %s and memory.swap.max of 0, cold:\n\n%s", mebibytes(limit), table(limitedHead, lines))
}

var limitedHead = []string{"command", "ended with", "killed by the kernel", "most memory", "user CPU", "wall", "binaries", "of them built twice, identical"}
