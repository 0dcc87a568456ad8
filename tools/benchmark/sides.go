package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/files"
)

// kept is what a cold cache of mintmark holds: toolchains and modules, which
// the others have too before they are measured.
var kept = []string{"first/go", "first/modcache", "second/toolchains"}

// cool removes everything from a cache directory of mintmark but what is kept:
// the build cache, the ledger, what it has learned of costs.
func cool(cache string) error {
	for _, name := range kept {
		if fi, err := os.Stat(filepath.Join(cache, name)); err != nil || !fi.IsDir() {
			return fmt.Errorf("mintmark's cache has no %s: what a cold cache keeps has changed", name)
		}
	}
	return removeBut(cache, kept)
}

func removeBut(dir string, keep []string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		var inside []string
		whole := false
		for _, k := range keep {
			head, rest, deeper := strings.Cut(k, "/")
			if head == e.Name() {
				whole = whole || !deeper
				inside = append(inside, rest)
			}
		}
		path := filepath.Join(dir, e.Name())
		switch {
		case whole:
		case inside != nil:
			err = removeBut(path, inside)
		default:
			err = os.RemoveAll(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mintmarkSide is mintmark with a cache directory and a checkout.
type mintmarkSide struct {
	b          *bench
	p          *project
	dir, cache string
	jobs       int // at a time
}

// newMintmark makes a cache directory that has the toolchain of both places and
// the project's modules.
func (b *bench) newMintmark(ctx context.Context, s *sources, name string) (*mintmarkSide, error) {
	dir, err := b.checkout(ctx, s, "mintmark")
	if err != nil {
		return nil, err
	}
	m := &mintmarkSide{b, s.p, dir, filepath.Join(b.work, s.p.name, "mintmark-cache-"+name), cores()}
	template := filepath.Join(b.work, "mintmark-cache")
	if _, err := os.Stat(template); err != nil {
		b.say("preparing a cache for mintmark")
		// A release of the smallest program fetches what every release needs.
		q := quickProject()
		q.name, q.platforms = "prepare", q.platforms[:1]
		dir, err := b.checkout(ctx, &sources{p: &q, dirs: map[string]string{}}, "mintmark")
		if err != nil {
			return nil, err
		}
		first := &mintmarkSide{b, &q, dir, template, cores()}
		if _, err := first.run(ctx, "release", "none"); err != nil {
			return nil, err
		}
		if err := cool(template); err != nil {
			return nil, err
		}
	}
	if err := linkTree(template, m.cache); err != nil {
		return nil, err
	}
	args, err := m.args("check", "none")
	if err != nil {
		return nil, err
	}
	_, err = b.output(ctx, dir, b.mintmarkEnv(m.cache), args...)
	return m, err
}

// linkTree makes a copy of a directory whose files are the same files.
func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		return os.Link(path, filepath.Join(to, rel))
	})
}

func (m *mintmarkSide) args(verb, archive string, more ...string) ([]string, error) {
	config := filepath.Join(m.b.work, m.p.name, "mintmark-"+archive+".yaml")
	if err := os.WriteFile(config, []byte(mintmarkConfig(m.p, archive)), 0o644); err != nil {
		return nil, err
	}
	args := []string{m.b.mintmark, verb, "-config=" + config}
	if verb == "release" || verb == "build" {
		args = append(args, "-out="+m.out(), "-jobs="+strconv.Itoa(m.jobs))
	}
	return append(args, more...), nil
}

func (m *mintmarkSide) out() string { return filepath.Join(m.b.work, m.p.name, "out-mintmark") }

// growthProfiles are profiles that share no compile: each has a flag that says
// what is so anyway, and that goes into every action ID.
var growthProfiles = []string{"-live=false", "-wb=true", "-errorurl=false", "-smallframes=false", "-clobberdead=false", "-clobberdeadreg=false"}

func mintmarkConfig(p *project, archive string) string {
	var c strings.Builder
	fmt.Fprintf(&c, "version: 1\nproject: %s\ngo: %s\nsign: none\nmain: [%s]\nprofiles:\n", p.name, toolchain, strings.Join(p.mains, ", "))
	fmt.Fprintf(&c, "  release:\n    ldflags: {strip: true}\n    archive: %s\n    platforms: [%s]\n", archive, strings.Join(p.platforms, ", "))
	if p.name == "growth" {
		for i, flag := range growthProfiles {
			fmt.Fprintf(&c, "  p%d:\n    inherit: release\n    gcflags: [\"all=%s\"]\n    platforms: [%s]\n", i+1, flag, strings.Join(p.platforms[:8], ", "))
			c.WriteString("    name: \"{{.Project}}_{{.Profile}}_{{.OS}}_{{.Arch}}{{.Variant}}\"\n")
		}
	}
	return c.String()
}

// run measures one release, build or plan.
func (m *mintmarkSide) run(ctx context.Context, verb, archive string, more ...string) (sample, error) {
	args, err := m.args(verb, archive, more...)
	if err != nil {
		return sample{}, err
	}
	s, out, err := m.b.measure(ctx, job{dir: m.dir, env: m.b.mintmarkEnv(m.cache), args: args})
	if err != nil || verb == "plan" {
		return s, err
	}
	if s.InGo, err = cpuInGo(out); err != nil {
		return s, err
	}
	if archive == "none" {
		s.Digests, err = digests(ctx, m.out())
	}
	return s, err
}

var inGo = regexp.MustCompile(`\(.*, (<?)([^,()]+) of CPU in go\)`)

// cpuInGo finds mintmark's own account of its builds in its closing line.
func cpuInGo(out string) (time.Duration, error) {
	m := inGo.FindStringSubmatch(out)
	if m == nil {
		return 0, errors.New("mintmark's closing line does not say how much CPU its builds took")
	}
	return parseDuration(m[2])
}

// parseDuration reads what internal/ui.FormatDuration writes: 350 ms, 3.2 s, 2 min 05 s, 1 h 02 min.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.NewReplacer(" min", "m", " ", "").Replace(text))
	if err != nil {
		return 0, fmt.Errorf("%q is no duration", text)
	}
	return d, nil
}

// goreleaserSide is GoReleaser with a build cache and a checkout.
type goreleaserSide struct {
	b          *bench
	p          *project
	dir, cache string
	jobs       int // at a time
}

func (b *bench) newGoReleaser(ctx context.Context, s *sources) (*goreleaserSide, error) {
	if err := b.needGoReleaser(ctx); err != nil {
		return nil, err
	}
	dir, err := b.checkout(ctx, s, "goreleaser")
	if err != nil {
		return nil, err
	}
	g := &goreleaserSide{b, s.p, dir, filepath.Join(b.work, s.p.name, "gocache-goreleaser"), cores()}
	return g, os.WriteFile(g.config(), []byte(goreleaserConfig(s.p, g.out())), 0o644)
}

func (g *goreleaserSide) config() string {
	return filepath.Join(g.b.work, g.p.name, "goreleaser.yaml")
}
func (g *goreleaserSide) out() string { return filepath.Join(g.b.work, g.p.name, "out-goreleaser") }

func goreleaserConfig(p *project, dist string) string {
	var c strings.Builder
	fmt.Fprintf(&c, "version: 2\nproject_name: %s\ndist: %s\nbuilds:\n", p.name, dist)
	for _, main := range p.mains {
		name := filepath.Base(main)
		if name == "." {
			name = p.name
		}
		fmt.Fprintf(&c, "  - id: %[1]s\n    binary: %[1]s\n    main: %[2]s\n    env: [CGO_ENABLED=0]\n    flags: [-trimpath]\n    ldflags: [\"%[3]s\"]\n    targets:\n", name, main, ldflags)
		for _, pl := range p.platforms {
			fmt.Fprintf(&c, "      - %s\n", strings.ReplaceAll(pl, "/", "_"))
		}
	}
	c.WriteString("archives: [{formats: [tar.gz], files: [none*]}]\nchangelog: {disable: true}\nrelease: {disable: true}\n")
	return c.String()
}

func (g *goreleaserSide) args(verb string) []string {
	args := []string{g.b.goreleaser, verb, "--clean", "--config=" + g.config(), "--parallelism=" + strconv.Itoa(g.jobs)}
	if verb == "release" {
		args = append(args, "--skip=publish,announce")
	}
	return args
}

// run measures goreleaser build or release.
func (g *goreleaserSide) run(ctx context.Context, verb string) (sample, error) {
	s, _, err := g.b.measure(ctx, job{dir: g.dir, env: g.b.goEnv(g.cache), args: g.args(verb)})
	if err == nil && verb == "build" {
		s.Digests, err = digests(ctx, g.out())
	}
	return s, err
}

// byHand measures go build for each platform, one after the other, times times,
// each time with another GOCACHE that was empty before.
func (b *bench) byHand(ctx context.Context, s *sources, times int) (sample, error) {
	dir, err := b.checkout(ctx, s, "hand")
	if err != nil {
		return sample{}, err
	}
	base := filepath.Join(b.work, s.p.name, "hand")
	var jobs []job
	var graphs []string
	for i := range times {
		at := filepath.Join(base, strconv.Itoa(i))
		if err := os.RemoveAll(at); err != nil {
			return sample{}, err
		}
		if err := os.MkdirAll(at, 0o755); err != nil {
			return sample{}, err
		}
		for n, pl := range s.p.platforms {
			graph := filepath.Join(at, strconv.Itoa(n)+".json")
			args := append([]string{b.goCmd, "build", "-trimpath", "-ldflags=" + ldflags, "-debug-actiongraph=" + graph,
				"-o", filepath.Join(at, "out", strconv.Itoa(n)) + "/"}, s.p.mains...)
			jobs = append(jobs, job{dir: dir, env: b.goEnv(filepath.Join(at, "gocache"), platformEnv(pl)...), args: args})
			if i == 0 {
				graphs = append(graphs, graph)
			}
		}
	}
	sm, _, err := b.measure(ctx, jobs...)
	if err != nil {
		return sm, err
	}
	if sm.Actions, err = uniqueActions(graphs); err != nil {
		return sm, err
	}
	if sm.Digests, err = digests(ctx, filepath.Join(base, "0", "out")); err == nil && len(sm.Digests) != s.p.binaries() {
		err = fmt.Errorf("%s: the loop made %d different files, not %d", s.p.name, len(sm.Digests), s.p.binaries())
	}
	return sm, errors.Join(err, os.RemoveAll(base))
}

// platformEnv are the variables of a platform OS/arch[/variant].
func platformEnv(platform string) []string {
	parts := strings.SplitN(platform, "/", 3)
	env := []string{"GOOS=" + parts[0], "GOARCH=" + parts[1]}
	if len(parts) == 3 {
		name := map[string]string{"mipsle": "GOMIPS", "mips64": "GOMIPS64", "mips64le": "GOMIPS64"}[parts[1]]
		if name == "" {
			name = "GO" + strings.ToUpper(parts[1])
		}
		env = append(env, name+"="+parts[2])
	}
	return env
}

// uniqueActions sums user+sys of the tools that ran in the builds with these
// action graphs; an action ID counts once.
func uniqueActions(graphs []string) (time.Duration, error) {
	var sum time.Duration
	seen := map[string]bool{}
	for _, name := range graphs {
		data, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		var actions []struct {
			ActionID        string
			Cmd             []string
			CmdUser, CmdSys time.Duration
		}
		if err := json.Unmarshal(data, &actions); err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		for _, a := range actions {
			if len(a.Cmd) > 0 && !seen[a.ActionID] {
				seen[a.ActionID] = a.ActionID != ""
				sum += a.CmdUser + a.CmdSys
			}
		}
	}
	return sum, nil
}

// digests are the SHA-256 of all files below dir, sorted, each once.
func digests(ctx context.Context, dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		sum, _, err := files.Digest(ctx, path)
		out = append(out, sum)
		return err
	})
	slices.Sort(out)
	return slices.Compact(out), err
}
