package release

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/generate"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/workspace"
)

// generation is what commands have made for a source: the files that its checkouts
// have beside those of the commit.
type generation struct {
	commands []plan.Generate
	source   generate.Source
	made     []*generate.Made // of each place that ran them, the first place's first
	files    []fact.GeneratedFile
	dir      string // that has the files
}

// Generates reports whether a file is one that the commands of the profile file make.
func (s *Subject) generates(name string) bool {
	for _, g := range s.file.Generate {
		for _, glob := range g.Outputs {
			if files.Match(glob, name) {
				return true
			}
		}
	}
	return false
}

// generateOwn runs the commands of the profile file in the first place, once.
func (c *Copied) generateOwn(ctx context.Context) error {
	if len(c.file.Generate) == 0 || c.generation != nil {
		return nil
	}
	if c.Repo == nil {
		return c.file.Problem(c.file.Pos("generate[0]"), "a module of the proxy is built as it is published: nothing is generated for it", "commit what the commands make and tag that, or build a checkout (-dir=DIR)")
	}
	commands, err := plan.Commands(c.file, c.Source, c.Version)
	if err != nil {
		return err
	}
	made, err := c.Generate(ctx, commands)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(c.outputs), func(name string) bool {
		return slices.ContainsFunc(made.Files, func(f fact.GeneratedFile) bool { return f.Name == name })
	})
	if len(left) > 0 {
		c.Cautions.add("%s: is in the tree and not in the commit, outputs of generate match it, and no command makes it: it is not built; commit it if it belongs to the release, or remove it", firstFew(left))
	}
	return nil
}

// Generate fetches what the commands need and runs them in the first place. The
// first private copy of the source has their files then.
func (c *Copied) Generate(ctx context.Context, commands []plan.Generate) (*generate.Made, error) {
	if c.Loader.Ready != nil {
		if err := c.Loader.Ready(ctx); err != nil {
			return nil, err
		}
	}
	g := &generation{commands: commands, source: generate.Source{Time: c.Source.CommitTime, Tracked: c.trackedFiles()}}
	var err error
	fetcher := &generate.Fetcher{Dir: filepath.Join(c.Cache, "fetched"), Client: c.httpClient()}
	if slices.ContainsFunc(commands, func(g plan.Generate) bool { return len(g.Fetch) > 0 }) {
		c.Phase("fetching what commands need")
	}
	if g.source.Fetched, err = fetcher.Fetch(ctx, commands); err != nil {
		return nil, err
	}
	if err := c.fetchForCommands(ctx, c.Loader); err != nil {
		return nil, err
	}
	c.Phase("generating files")
	objects, err := c.commandCache()
	if err != nil {
		return nil, err
	}
	made, err := c.runCommands(ctx, g, c.placeOf("first place", c.Goroot, c.BuildPlace, c.Checkout, objects))
	if err != nil {
		return nil, err
	}
	g.files, g.dir = made.Files, made.Dir
	return made, c.use(ctx, g)
}

// UseGenerated takes files that were generated elsewhere, and lie below dir, into the
// first private copy of the source.
func (c *Copied) UseGenerated(ctx context.Context, dir string, list []fact.GeneratedFile) error {
	if c.Loader.Ready != nil {
		if err := c.Loader.Ready(ctx); err != nil {
			return err
		}
	}
	return c.use(ctx, &generation{source: generate.Source{Tracked: c.trackedFiles()}, files: list, dir: dir})
}

// use puts generated files into the first private copy.
func (c *Copied) use(ctx context.Context, g *generation) error {
	if err := c.install(ctx, g, c.Checkout); err != nil {
		return err
	}
	for _, f := range g.files {
		c.Source.SetExecutable(path.Join(c.Source.Dir, f.Name), f.Mode == "0755")
	}
	if c.Loader.Source != "" { // the go command's answers depend on them too
		c.Loader.Source += " generated " + digestOf(g.files)
	}
	c.generation = g
	return nil
}

// install puts generated files into a private copy of the source, and has git pass
// over them there.
func (c *Copied) install(ctx context.Context, g *generation, checkout string) error {
	added, err := generate.Install(ctx, g.dir, g.files, checkout, g.source.Tracked)
	if err != nil {
		return err
	}
	if c.Repo == nil {
		return nil
	}
	return c.Repo.Exclude(ctx, c.top(checkout), added)
}

// commands are those that were run, for the plan.
func (c *Copied) commands() []plan.Generate {
	if c.generation == nil {
		return nil
	}
	return c.generation.commands
}

// trackedFiles says which files the source has without its generated ones.
func (c *Copied) trackedFiles() func(name string) bool {
	if c.Repo != nil {
		return c.Repo.Tracked
	}
	known := map[string]bool{}
	filepath.WalkDir(c.Checkout, func(name string, d fs.DirEntry, err error) error {
		if rel, rerr := filepath.Rel(c.Checkout, name); err == nil && rerr == nil && !d.IsDir() {
			known[filepath.ToSlash(rel)] = true
		}
		return err
	})
	return func(name string) bool { return known[name] }
}

// digestOf is the digest of a list of files, their names and modes.
func digestOf(list []fact.GeneratedFile) string {
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "%s %s %s\n", f.SHA256, f.Mode, f.Name)
	}
	return files.DigestBytes([]byte(b.String()))
}

// top is the directory of the whole source, of which checkout is the module's.
func (c *Copied) top(checkout string) string {
	if c.Source.Dir == "" {
		return checkout
	}
	for range strings.Count(c.Source.Dir, "/") + 1 {
		checkout = filepath.Dir(checkout)
	}
	return checkout
}

// placeOf is a place for commands, beside the one that builds: a copy of the source,
// a home and a build cache that no build has. What commands leave there, and what
// they compile, is not what a release is made of.
func (c *Copied) placeOf(name string, goroot *toolchain.Goroot, builds *toolchain.Place, checkout, objects string) *generate.Place {
	place, dir := *builds, filepath.Join(filepath.Dir(builds.Home), "commands")
	place.Home, place.Tmp, place.GoCache = filepath.Join(dir, "home"), filepath.Join(dir, "tmp"), objects
	return &generate.Place{
		Name: name, Goroot: goroot, Place: &place, Source: c.top(checkout), Module: c.Source.Dir,
		Work: filepath.Join(dir, "source"), Path: c.Env("PATH"),
	}
}

// runCommands runs the commands in a place.
func (c *Copied) runCommands(ctx context.Context, g *generation, at *generate.Place) (*generate.Made, error) {
	made, err := at.Run(ctx, g.commands, g.source)
	if err != nil {
		return nil, err
	}
	g.made = append(g.made, made)
	return made, nil
}

// commandCache is the build cache of the commands in the first place.
func (c *Copied) commandCache() (string, error) {
	if c.Full || len(c.Secret) == 0 {
		return filepath.Join(c.Workspace.Dir, "first", "commands", "objects"), nil
	}
	dir, err := files.MakeDir(c.Cache, "first", "gocache", c.GoToolchain.DirName()+"-commands")
	if err != nil {
		return "", workspace.Error(err)
	}
	return dir, nil
}

// fetchForCommands downloads the modules that go run and go tool may need.
func (c *Copied) fetchForCommands(ctx context.Context, l *plan.Loader) error {
	if c.Source.Vendored {
		return nil
	}
	if _, err := os.Stat(filepath.Join(l.Dir, "go.sum")); err != nil {
		return nil // there are no other modules
	}
	if err := l.FetchAll(ctx); err != nil {
		return fmt.Errorf("modules for the commands that generate files: %w", err)
	}
	return nil
}

// generateAgain runs the commands in a further place, holds what they made against
// the first place's, and takes it into that place's copy of the source.
func (p *Planned) generateAgain(ctx context.Context, at *execute.Local, name string, l *plan.Loader) error {
	g := p.generation
	if g == nil {
		return nil
	}
	if g.made == nil { // elsewhere: what was made there is the same for all places
		return p.install(ctx, g, at.Dir)
	}
	if err := p.fetchForCommands(ctx, l); err != nil {
		return err
	}
	p.Phase("generating files again")
	place := p.placeOf(name, at.Goroot, at.Place, at.Dir, filepath.Join(filepath.Dir(at.Place.Home), "commands", "objects"))
	place.SetUmask, place.Hostname = at.SetUmask, at.Hostname
	made, err := p.runCommands(ctx, g, place)
	if err != nil {
		return err
	}
	differ, err := generate.Compare(ctx, g.made[0], made)
	if err != nil {
		return err
	}
	if len(differ) > 0 {
		return p.generatedDiffer(ctx, g.made[0], made, differ)
	}
	own := *g
	own.dir = made.Dir
	return p.install(ctx, &own, at.Dir)
}

// generatedDiffer is the error of commands that make different files in two places.
// Both are kept for whoever wants to look at them.
func (p *Planned) generatedDiffer(ctx context.Context, a, b *generate.Made, differ []generate.Difference) error {
	below := filepath.Join("different", p.Plan.Project+"-"+p.Version, "generated")
	var errs []error
	for _, m := range []*generate.Made{a, b} {
		for _, f := range m.Files {
			if !slices.ContainsFunc(differ, func(d generate.Difference) bool { return d.Name == f.Name }) {
				continue
			}
			local := filepath.FromSlash(f.Name)
			to, err := files.MakeDir(p.Cache, below, strings.ReplaceAll(m.Place, " ", "-"), filepath.Dir(local))
			if err == nil {
				_, _, err = files.Copy(ctx, filepath.Join(m.Dir, local), filepath.Join(to, filepath.Base(local)), 0o644)
			}
			errs = append(errs, err)
		}
	}
	var lines []string
	commands := map[int]bool{}
	for _, d := range differ {
		lines = append(lines, d.String())
		commands[d.Command] = true
	}
	var which []string
	for i, c := range p.generation.commands {
		if commands[i+1] {
			which = append(which, generate.Title(i+1, c))
		}
	}
	if !generate.SameTools(a, b) {
		lines = append(lines, "the programs that ran were not the same in both places")
	}
	varied := fact.Compare([][]fact.Circumstances{{a.Circumstances, b.Circumstances}}).Varied
	return errors.Join(append(errs, fault.NotReproduciblef(
		"the two places differ in "+strings.Join(varied, ", ")+"; the files are kept in "+filepath.Join(p.Cache, below)+"; the time of the commit is SOURCE_DATE_EPOCH in the environment of every command",
		"not reproducible: %s makes different files in two places; nothing was compiled\n%s", strings.Join(which, ", "), strings.Join(lines, "\n")))...)
}

// generated is what the manifest says of the generated files; nil if there are none.
func (c *Copied) generated() *fact.Generated {
	g := c.generation
	if g == nil || g.made == nil {
		return nil
	}
	out := &fact.Generated{Executions: len(g.made), Verdict: fact.Identical, Tools: g.made[0].Tools, Files: g.files}
	if out.Executions < 2 {
		out.Verdict, out.Reason = fact.Unchecked, "the commands ran in one place"
		return out
	}
	var all []fact.Circumstances
	for _, m := range g.made {
		all = append(all, m.Circumstances)
	}
	compared := fact.Compare([][]fact.Circumstances{all})
	out.Varied, out.Attempted, out.Shared = compared.Varied, compared.Attempted, compared.Shared
	return out
}

// generatedArchive is the file of a release that has the generated files.
func (c *Copied) generatedArchive(ctx context.Context) ([]byte, error) {
	var b bytes.Buffer
	err := generate.Pack(ctx, &b, c.generation.dir, c.generation.files, c.Source.CommitTime)
	return b.Bytes(), err
}

// httpClient is a client with the user's proxies. What it fetches has a digest.
func (c *Config) httpClient() *http.Client {
	env := func(name string) string {
		if v := c.Env(name); v != "" {
			return v
		}
		return c.Env(strings.ToLower(name))
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = func(r *http.Request) (*url.URL, error) {
		host := r.URL.Hostname()
		for entry := range strings.SplitSeq(env("NO_PROXY"), ",") {
			entry = strings.TrimPrefix(strings.TrimSpace(entry), ".")
			if entry == "*" || entry != "" && (host == entry || strings.HasSuffix(host, "."+entry)) {
				return nil, nil
			}
		}
		proxy := env(strings.ToUpper(r.URL.Scheme) + "_PROXY")
		if proxy == "" || host == "localhost" || host == "127.0.0.1" || host == "::1" {
			return nil, nil
		}
		if !strings.Contains(proxy, "://") {
			proxy = "http://" + proxy
		}
		return url.Parse(proxy)
	}
	return &http.Client{Transport: transport}
}
