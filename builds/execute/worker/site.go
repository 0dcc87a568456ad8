package worker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/execute/parcel"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/stamp"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
)

// site is where one request is built.
type site struct {
	*Worker
	store  *Store
	inputs map[string]Input
	build  *Build
}

// execution is what came of a build.
type execution struct {
	receipt *parcel.Receipt
	outcome *execute.Outcome
}

// execute builds the unit once.
func (s *site) execute(ctx context.Context) (*execution, error) {
	b := s.build
	p, u, err := b.Unit()
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if p.Go != b.Toolchain.Version {
		return nil, fmt.Errorf("the plan is for %s, and the toolchain is %s", p.Go, b.Toolchain.Version)
	}
	goroot, err := s.toolchain(ctx)
	if err != nil {
		return nil, err
	}
	place, at, err := s.place(ctx, goroot)
	if err != nil {
		return nil, err
	}
	if b.Source.Kind == fact.SourceModule {
		loader := s.loader(goroot, place, at.Dir)
		if err := loader.FetchInstall(ctx, u, b.Source.Version); err != nil {
			return nil, fmt.Errorf("%s: %w", u.ID(), err)
		}
	}
	width := b.P
	if width == 0 {
		width = runtime.NumCPU()
	}
	log := place.Confined
	started := s.Now()
	o, err := at.Build(ctx, u, execute.Pace{P: width})
	if err != nil {
		return nil, err
	}
	r, err := parcel.New(s.Version, b.Job, b.Toolchain, started, o)
	if err != nil {
		return nil, err
	}
	held := log.State()
	r.Confinement = &held
	return &execution{r, o}, nil
}

// toolchain installs the toolchain that was sent, and checks it by its hash.
func (s *site) toolchain(ctx context.Context) (*toolchain.Goroot, error) {
	if here := runtime.GOOS + "/" + runtime.GOARCH; s.build.Toolchain.Host != here {
		return nil, fmt.Errorf("the toolchain runs on %.40q, and this worker is %s", s.build.Toolchain.Host, here)
	}
	zip, err := s.store.check(ctx, s.inputs[s.build.Zip])
	if err != nil {
		return nil, err
	}
	t := toolchain.Sent(s.build.Toolchain, zip)
	return t.Install(ctx, filepath.Join(s.Dir, "toolchains", t.DirName(), "goroot"), s.Known)
}

// place makes the place of the build, which it shares with others of the same run and
// name, and where in it this one is.
func (s *site) place(ctx context.Context, goroot *toolchain.Goroot) (*toolchain.Place, *execute.Local, error) {
	b := s.build
	dir := filepath.Join(s.Dir, "runs", b.Run, b.Build)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	now := s.Now()
	os.Chtimes(filepath.Dir(dir), now, now) // see sweep
	place := execute.First(dir, filepath.Join(dir, "cache"), "")
	if b.Build == Second {
		place = execute.Second(dir, "", "")
	}
	place.Confined = new(confine.Log)
	held, err := filelock.Wait(ctx, filepath.Join(dir, "lock"))
	if err != nil {
		return nil, nil, err
	}
	defer held.Release()
	at := &execute.Local{
		Label: b.Build, Goroot: goroot, Kind: b.Source.Kind, Version: b.Source.Version,
		SetUmask: b.Build == Second && toolchain.CanSetUmask(),
	}
	ready := filepath.Join(dir, "ready")
	_, err = os.Lstat(ready)
	made := err == nil
	if !made {
		if err := place.Make(); err != nil {
			return nil, nil, err
		}
	}
	if err := s.source(ctx, place, at, dir, made); err != nil {
		return nil, nil, err
	}
	if !made {
		if err := s.modules(ctx, goroot, place, at.Dir, dir); err != nil {
			return nil, nil, err
		}
		if err := files.Write(ready, nil, 0o644); err != nil {
			return nil, nil, err
		}
	}
	if b.Source.Kind == fact.SourceModule {
		at.Dir = filepath.Join(place.ModCache, source.CacheDir(b.Source.Module, b.Source.Version))
		at.Origin = fact.Circumstances{fact.ModuleZip: b.Source.Sum}
	}
	// What is of this execution alone. The go command makes its work directory in Tmp.
	place.Nonce = b.Nonce
	place.Tmp = filepath.Join(place.Tmp, b.Nonce)
	at.Out = filepath.Join(dir, "out", b.Nonce)
	for _, d := range []string{place.Tmp, at.Out} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, nil, err
		}
	}
	if b.Build == Second && toolchain.CanSetHostname(ctx, place.Empty) {
		at.Hostname = place.Hostname
	}
	at.Place = place
	return place, at, nil
}

// source unpacks a commit's files, with what the go command is to find about it.
func (s *site) source(ctx context.Context, place *toolchain.Place, at *execute.Local, dir string, made bool) error {
	b := s.build
	if b.Source.Kind != fact.SourceGit {
		return nil
	}
	top := filepath.Join(dir, "src")
	if b.Build == Second {
		top = filepath.Join(dir, "another copy", "of the source")
	}
	at.Dir = filepath.Join(top, filepath.FromSlash(b.Source.Dir))
	at.Origin = fact.Circumstances{fact.SourceArchive: b.Source.Archive}
	git := filepath.Join(dir, "git")
	if made {
		place.Git = filepath.Join(git, stamp.Program())
		return nil
	}
	for _, old := range []string{top, git} { // of an attempt that was broken off
		if err := files.RemoveTree(old); err != nil {
			return err
		}
	}
	archive, err := s.store.check(ctx, s.inputs[b.Source.Archive])
	if err != nil {
		return err
	}
	if err := unpackSource(ctx, archive, top); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(top, ".git"), 0o755); err != nil {
		return err
	}
	program, err := s.stampProgram(ctx, at.Goroot, place)
	if err != nil {
		return err
	}
	st, err := stamp.New(program, git, top, *b.Source.Stamp)
	if err != nil {
		return err
	}
	place.Git = st.Git
	return nil
}

// stampProgram compiles the program in git's place, once for each toolchain.
func (s *site) stampProgram(ctx context.Context, goroot *toolchain.Goroot, place *toolchain.Place) (string, error) {
	parent := filepath.Join(s.Dir, "toolchains", goroot.Toolchain.DirName())
	program := filepath.Join(parent, "stamp", stamp.Program())
	held, err := filelock.Wait(ctx, filepath.Join(parent, "stamp.lock"))
	if err != nil {
		return "", err
	}
	defer held.Release()
	if fi, err := os.Lstat(program); err == nil && fi.Mode().IsRegular() {
		return program, nil
	}
	if err := files.RemoveTree(filepath.Join(parent, "stamp")); err != nil {
		return "", err
	}
	return stamp.Compile(ctx, goroot, place, filepath.Join(parent, "stamp"))
}

func (s *site) loader(goroot *toolchain.Goroot, place *toolchain.Place, dir string) *plan.Loader {
	proxy := toolchain.Settings{GOPROXY: toolchain.FileProxy(filepath.Join(filepath.Dir(place.Home), "proxy")), GOSUMDB: "off"}
	return &plan.Loader{Goroot: goroot, Place: place, Dir: dir, Kind: s.build.Source.Kind, Settings: proxy, Offline: true}
}

// modules puts the files that were sent where the go command takes them for a proxy,
// and has it unpack what the source needs: it checks each module against go.sum.
func (s *site) modules(ctx context.Context, goroot *toolchain.Goroot, place *toolchain.Place, module, dir string) error {
	proxy := filepath.Join(filepath.Dir(place.Home), "proxy")
	for _, m := range s.build.Modules {
		name, err := s.store.check(ctx, s.inputs[m.Input])
		if err != nil {
			return err
		}
		to := filepath.Join(proxy, filepath.FromSlash(m.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if _, _, err := files.Copy(ctx, name, to, 0o644); err != nil {
			return err
		}
	}
	if s.build.Source.Kind == fact.SourceModule {
		return nil
	}
	if err := s.loader(goroot, place, module).FetchModules(ctx, s.build.Fetch); err != nil {
		return fault.Errorf(fault.Hint(err), "modules: %w", err)
	}
	return nil
}
