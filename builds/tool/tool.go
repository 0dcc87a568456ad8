package tool

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/memo"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// Config is where a program is looked for, built and kept.
type Config struct {
	// Fetcher downloads modules. Its place lends git, and which circumstances a build has.
	Fetcher *toolchain.Fetcher
	// Goroot is the toolchain of the release. It builds the program unless that needs a
	// newer one, which Newer installs; nil: that is an error.
	Goroot *toolchain.Goroot
	Newer  func(ctx context.Context, goVersion string) (*toolchain.Goroot, error)

	Cache string      // directory that programs are kept in; made when it is needed
	Work  string      // private directory of this run, in which nothing is of this package yet
	Known *memo.Store // which digest a kept program has; nil: none is kept

	Confined *confine.Log         // is told what held the commands
	Said     func(program string) // is told which program is built, which takes long; may be nil

	// GoCache is the build cache, for tests; "" is a new one.
	GoCache string
}

// Program is a program that was built from what its Known says.
type Program struct {
	Known
	// Path is a copy of this run's own, and SHA256 its digest, in lower-case hex. That is
	// not the same on every machine.
	Path   string
	SHA256 string

	// Place is where it was built, and runs.
	Place *toolchain.Place
}

// maxProgram bounds the file of a program.
const maxProgram = 256 << 20

// kept is what is remembered of a program.
type kept struct {
	SHA256 string
}

// Fetch gives the program: the one that is kept, if its digest is what was remembered
// when it was built from the same; else it is downloaded and built. Only then is the
// network needed, so this belongs to the fetch phase. Two runs that need one program
// wait for each other.
func Fetch(ctx context.Context, cfg Config, k Known) (_ *Program, err error) {
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		} else if err != nil {
			err = fmt.Errorf("%s %s: %w", k.Name, k.Version, err)
		}
	}()
	g, err := cfg.builder(ctx, k)
	if err != nil {
		return nil, err
	}
	own, err := files.MakeDir(cfg.Work, "tools", k.Name)
	if err != nil {
		return nil, err
	}
	p := &Program{Known: k, Path: filepath.Join(own, exe(k.Name)), Place: place(cfg, own)}
	if err := p.Place.Make(); err != nil {
		return nil, err
	}
	key := memo.NewKey("tool 1", k.Module, k.Version, k.Sum, k.Package, g.Toolchain.Sum, runtime.GOOS, runtime.GOARCH, fmt.Sprint(environment(), arguments("")))
	file := filepath.Join(cfg.Cache, k.dirName(hex.EncodeToString(key[:])), exe(k.Name))
	if cfg.take(ctx, key, file, p) {
		return p, nil
	}
	parent, err := files.MakeDir(cfg.Cache)
	if err != nil {
		return nil, err
	}
	if err := files.IsDir(parent); err != nil {
		return nil, err
	}
	lock, err := filelock.Wait(ctx, filepath.Join(parent, lockFile))
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	if cfg.take(ctx, key, file, p) { // somebody built it while we waited
		return p, nil
	}
	if cfg.Said != nil {
		cfg.Said(k.Name + " " + k.Version)
	}
	if err := cfg.build(ctx, g, p, own); err != nil {
		return nil, err
	}
	return p, cfg.keep(ctx, key, file, p)
}

const lockFile = ".mintmark-lock"

// builder is the toolchain that builds the program.
func (cfg Config) builder(ctx context.Context, k Known) (*toolchain.Goroot, error) {
	g := cfg.Goroot
	if g != nil && version.Compare(g.Toolchain.Version, k.Go) >= 0 && g.Toolchain.Modification() == nil {
		return g, nil
	}
	if cfg.Newer == nil {
		return nil, fmt.Errorf("it is built with %s or newer", k.Go)
	}
	return cfg.Newer(ctx, k.Go)
}

// place is where the program is built and runs: nothing of earlier runs is in it.
func place(cfg Config, own string) *toolchain.Place {
	p := *cfg.Fetcher.Place
	p.Home, p.Tmp, p.Empty = filepath.Join(own, "home"), filepath.Join(own, "tmp"), filepath.Join(own, "empty")
	p.ModCache, p.GoCache = filepath.Join(own, "modcache"), filepath.Join(own, "gocache")
	p.Ready, p.Confined = nil, cfg.Confined
	if cfg.GoCache != "" {
		p.GoCache = cfg.GoCache
	}
	return &p
}

func exe(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return name
}

// take copies a kept program that has the digest that was remembered.
func (cfg Config) take(ctx context.Context, key memo.Key, file string, p *Program) bool {
	var was kept
	if !cfg.Known.Get(key, &was) || files.IsDir(filepath.Dir(file)) != nil || files.CopyOwn(file, p.Path) != nil {
		return false
	}
	// Of the copy, which nobody else can write.
	sum, _, err := files.DigestOwn(ctx, p.Path, maxProgram)
	if err == nil && sum == was.SHA256 && os.Chmod(p.Path, 0o700) == nil {
		p.SHA256 = sum
		return true
	}
	os.Remove(p.Path)
	return false
}

// keep keeps a program for later runs. The lock is held.
func (cfg Config) keep(ctx context.Context, key memo.Key, file string, p *Program) (err error) {
	if p.SHA256, _, err = files.DigestOwn(ctx, p.Path, maxProgram); err != nil {
		return err
	}
	// What is there is damaged, or nobody remembers what it is.
	dir := filepath.Dir(file)
	if err := files.RemoveTree(dir); err != nil {
		return err
	}
	if _, err := files.MakeDir(cfg.Cache, filepath.Base(dir)); err != nil {
		return err
	}
	if err := files.CopyOwn(p.Path, file); err != nil {
		return err
	}
	cfg.Known.Put(key, kept{p.SHA256})
	return nil
}

// build downloads, checks and builds the program.
func (cfg Config) build(ctx context.Context, g *toolchain.Goroot, p *Program, own string) error {
	m, err := cfg.Fetcher.Module(ctx, p.id())
	if err != nil {
		return fault.Errorf("check that the module proxy and the checksum database can be reached; it is fetched once and kept", "module %s: %w", p.id(), err)
	}
	src := filepath.Join(own, "src")
	if err := zip.Unzip(src, module.Version{Path: p.Module, Version: p.Version}, m.Zip); err != nil {
		return fmt.Errorf("module %s: %w", p.id(), err)
	}
	// Not the zip, which somebody may write to meanwhile, but what is built from.
	sum, err := dirhash.HashDir(src, p.id(), dirhash.Hash1)
	if err != nil {
		return err
	}
	if sum != p.Sum {
		return fault.Errorf("the module proxy, or the module cache of this machine, gives other files than mintmark was made for: clear the module cache, or use another proxy",
			"module %s: its files have the hash %s, and mintmark takes no other than %s", p.id(), sum, p.Sum)
	}
	run := func(env []string, limits confine.Limits, args ...string) error {
		_, err := toolchain.Run(ctx, toolchain.Command{Path: g.Go(), Args: args, Dir: src, Env: append(env, environment()...), Confine: limits})
		return err
	}
	// Loading its packages downloads the modules that they are in, and no others.
	if err := run(p.Place.FetchEnv(cfg.Fetcher.Settings), p.Place.Fetching(), "list", "-deps", "-mod=readonly", "-modcacherw", "-buildvcs=false", "-f={{.ImportPath}}", p.Package); err != nil {
		return fmt.Errorf("what it needs: %w", err)
	}
	if err := run(p.Place.Env(nil, "off"), p.Place.Confine(own), arguments(p.Path, p.Package)...); err != nil {
		return fmt.Errorf("building it: %w", err)
	}
	fi, err := os.Lstat(p.Path)
	if err == nil && !fi.Mode().IsRegular() {
		err = &fs.PathError{Op: "build", Path: p.Path, Err: errors.ErrUnsupported}
	}
	if err != nil {
		return err
	}
	// Nobody needs these any more, and they are many.
	var errs []error
	for _, dir := range []string{src, p.Place.ModCache, filepath.Join(own, "gocache")} {
		errs = append(errs, files.RemoveTree(dir))
	}
	return errors.Join(errs...)
}

// Command is a run of the program in dir, which it may write, without the network and
// with an environment of nothing but where temporary files go. Whoever wants more of
// it changes the command.
func (p *Program) Command(dir string, args ...string) toolchain.Command {
	env := []string{"TMPDIR=" + p.Place.Tmp}
	if runtime.GOOS == "windows" { // without these no program starts
		root := `C:\Windows`
		env = []string{"SYSTEMROOT=" + root, "WINDIR=" + root, "TEMP=" + p.Place.Tmp, "TMP=" + p.Place.Tmp}
	}
	return toolchain.Command{
		Path: p.Path, Args: args, Dir: dir, Env: env,
		Confine: confine.Limits{Write: []string{dir, p.Place.Tmp}, Log: p.Place.Confined},
	}
}

// environment and arguments are how a program is built.
func environment() []string {
	return []string{"CGO_ENABLED=0", "GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH}
}

func arguments(out string, packages ...string) []string {
	return append([]string{"build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o=" + out}, packages...)
}
