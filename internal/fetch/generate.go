package fetch

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/generate"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

// Generation is what commands have made for a source: the files that its checkouts
// have beside those of the commit.
type Generation struct {
	Commands []plan.Generate
	Made     []*generate.Made // of each place that ran them, the first place's first; none: it was elsewhere
	Files    []fact.GeneratedFile
	Dir      string // that has the files
	source   generate.Source
}

// Generates reports whether a file is one that the commands of the profile file make.
func (s *Subject) Generates(name string) bool {
	for _, g := range s.File.Generate {
		for _, glob := range g.Outputs {
			if files.Match(glob, name) {
				return true
			}
		}
	}
	return false
}

// generateOwn runs the commands of the profile file in the first place, once.
// summary is that of [profiles.Vars].
func (c *Copied) generateOwn(ctx context.Context, summary string) error {
	if len(c.File.Generate) == 0 || c.Generation != nil {
		return nil
	}
	if c.Repo == nil {
		return c.File.Problem(c.File.Pos("generate[0]"), "a module of the proxy is built as it is published: nothing is generated for it", "commit what the commands make and tag that, or build a checkout (-dir=DIR)")
	}
	vars := plan.CommitVars(c.Source, c.Version, c.Tagged.Tag)
	vars.Summary = summary
	commands, err := plan.Commands(c.File, vars)
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
		c.Cautions.Add("%s: is in the tree and not in the commit, outputs of generate match it, and no command makes it: it is not built; commit it if it belongs to the release, or remove it", FirstFew(left))
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
	g := &Generation{Commands: commands, source: generate.Source{Time: c.Source.CommitTime, Tracked: c.trackedFiles()}}
	var err error
	fetcher := &generate.Fetcher{Dir: filepath.Join(c.Cache, "fetched"), Client: httpClient(c.Config)}
	if slices.ContainsFunc(commands, func(g plan.Generate) bool { return len(g.Fetch) > 0 }) {
		c.Phase("fetching what commands need")
	}
	if g.source.Fetched, err = fetcher.Fetch(ctx, commands); err != nil {
		return nil, err
	}
	if err := c.FetchForCommands(ctx, c.Loader); err != nil {
		return nil, err
	}
	c.Phase("generating files")
	objects, err := c.commandCache()
	if err != nil {
		return nil, err
	}
	made, err := c.RunCommands(ctx, g, c.CommandPlace("first place", c.Goroot, c.BuildPlace, c.Checkout, objects))
	if err != nil {
		return nil, err
	}
	g.Files, g.Dir = made.Files, made.Dir
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
	return c.use(ctx, &Generation{source: generate.Source{Tracked: c.trackedFiles()}, Files: list, Dir: dir})
}

// use puts generated files into the first private copy.
func (c *Copied) use(ctx context.Context, g *Generation) error {
	if err := c.Install(ctx, g, c.Checkout); err != nil {
		return err
	}
	for _, f := range g.Files {
		c.Source.SetExecutable(path.Join(c.Source.Dir, f.Name), f.Mode == "0755")
	}
	if c.Loader.Source != "" { // the go command's answers depend on them too
		c.Loader.Source += " generated " + digestOf(g.Files)
	}
	c.Generation = g
	return nil
}

// Install puts generated files into a private copy of the source, and has git pass
// over them there.
func (c *Copied) Install(ctx context.Context, g *Generation, checkout string) error {
	added, err := generate.Install(ctx, g.Dir, g.Files, checkout, g.source.Tracked)
	if err != nil {
		return err
	}
	if c.Repo == nil {
		return nil
	}
	return c.Repo.Exclude(ctx, c.Top(checkout), added)
}

// commands are those that were run, for the plan.
func (c *Copied) commands() []plan.Generate {
	if c.Generation == nil {
		return nil
	}
	return c.Generation.Commands
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

// Top is the directory of the whole source, of which checkout is the module's.
func (c *Copied) Top(checkout string) string {
	if c.Source.Dir == "" {
		return checkout
	}
	for range strings.Count(c.Source.Dir, "/") + 1 {
		checkout = filepath.Dir(checkout)
	}
	return checkout
}

// CommandPlace is a place for commands, beside the one that builds: a copy of the source,
// a home and a build cache that no build has. What commands leave there, and what
// they compile, is not what a release is made of.
func (c *Copied) CommandPlace(name string, goroot *toolchain.Goroot, builds *toolchain.Place, checkout, objects string) *generate.Place {
	place, dir := *builds, filepath.Join(filepath.Dir(builds.Home), "commands")
	place.Home, place.Tmp, place.GoCache = filepath.Join(dir, "home"), filepath.Join(dir, "tmp"), objects
	return &generate.Place{
		Name: name, Goroot: goroot, Place: &place, Source: c.Top(checkout), Module: c.Source.Dir,
		Work: filepath.Join(dir, "source"), Path: c.Env("PATH"),
	}
}

// RunCommands runs the commands of g in a place, and notes there what they made.
func (c *Copied) RunCommands(ctx context.Context, g *Generation, at *generate.Place) (*generate.Made, error) {
	made, err := at.Run(ctx, g.Commands, g.source)
	if err != nil {
		return nil, err
	}
	g.Made = append(g.Made, made)
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

// FetchForCommands downloads the modules that go run and go tool may need.
func (c *Copied) FetchForCommands(ctx context.Context, l *plan.Loader) error {
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

// httpClient is a client with the user's proxies. What it fetches has a digest.
func httpClient(c *run.Config) *http.Client {
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

// FirstFew names the first of several files.
func FirstFew(names []string) string {
	const show = 3
	if len(names) <= show {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:show], ", "), len(names)-show)
}

// GeneratedDigest is the digest of the files that commands have made, with their names
// and modes; "" for none.
func (c *Copied) GeneratedDigest() string {
	if c.Generation == nil {
		return ""
	}
	return digestOf(c.Generation.Files)
}
