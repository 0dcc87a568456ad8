package worker

import (
	"context"
	"encoding/json"
	"errors"
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
	"golang.org/x/mod/sumdb/dirhash"
)

// site is where one request is built.
type site struct {
	*Worker
	store  *Store
	shelf  *shelf
	inputs map[string]Input
	build  *Build
}

// execution is what came of a build.
type execution struct {
	receipt *parcel.Receipt
	outcome *execute.Outcome
	own     []string // directories that nothing else is in
}

// close removes what is of the execution alone.
func (x *execution) close() {
	for _, dir := range x.own {
		files.RemoveTree(dir)
	}
}

// execute builds the unit once.
func (s *site) execute(ctx context.Context) (_ *execution, err error) {
	b := s.build
	u, err := b.unit()
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if err := s.shelf.once(b.Nonce); err != nil {
		return nil, err
	}
	goroot, err := s.toolchain(ctx)
	if err != nil {
		return nil, err
	}
	place, at, err := s.place(ctx, goroot)
	if err != nil {
		return nil, err
	}
	x := &execution{own: []string{place.Tmp, at.Out}}
	defer func() {
		if err != nil {
			x.close()
		}
	}()
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
	if x.outcome, err = at.Build(ctx, u, execute.Pace{P: width}); err != nil {
		return nil, err
	}
	if x.receipt, err = parcel.New(s.Version, b.Job, b.Toolchain, started, x.outcome); err != nil {
		return nil, err
	}
	held := log.State()
	x.receipt.Confinement = &held
	return x, nil
}

// unit is the unit of the build in its plan, which must be of the same source and
// toolchain: a receipt for it says that these were built.
func (b *Build) unit() (*plan.Unit, error) {
	p, u, err := b.Unit()
	if err != nil {
		return nil, err
	}
	if p.Go != b.Toolchain.Version {
		return nil, fmt.Errorf("the plan is for %s, and the toolchain is %s", p.Go, b.Toolchain.Version)
	}
	s, is := b.Source, p.Source
	if s.Kind != is.Kind || s.Module != is.Module || s.Version != is.Version || s.Sum != is.Sum || s.Dir != is.Dir {
		return nil, fmt.Errorf("the plan is of %s %.200q %.80q, and the source is %s %.200q %.80q", is.Kind, is.Module, is.Version, s.Kind, s.Module, s.Version)
	}
	return u, nil
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
	if err := s.shelf.use(ctx, toolchainsName, t.DirName()); err != nil {
		return nil, err
	}
	return t.Install(ctx, filepath.Join(s.Dir, toolchainsName, t.DirName(), "goroot"), s.Known)
}

// share names the builds that share a place: those of one run with the same source,
// modules and toolchain. Whoever asks for others gets another place, whatever run he says
// that they are of.
func (s *site) share() (string, error) {
	b := s.build
	data, err := json.Marshal([]any{b.Run, b.Toolchain, b.Zip, b.Source, b.Modules, b.Fetch})
	return files.DigestBytes(data)[:32], err
}

// place makes the place of the build, which it shares with others of the same name, and
// where in it this one is.
func (s *site) place(ctx context.Context, goroot *toolchain.Goroot) (*toolchain.Place, *execute.Local, error) {
	b := s.build
	share, err := s.share()
	if err != nil {
		return nil, nil, err
	}
	if err := s.shelf.use(ctx, runsName, share); err != nil {
		return nil, nil, err
	}
	dir := filepath.Join(s.Dir, runsName, share, b.Build)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	place := execute.First(dir, filepath.Join(dir, "cache"), "")
	if b.Build == Second {
		place = execute.Second(dir, "", "")
	}
	place.Confined = new(confine.Log)
	held, err := filelock.Wait(ctx, filepath.Join(dir, lockName))
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
		if err := clearAttempt(dir); err != nil {
			return nil, nil, err
		}
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

// lockName is a lock in a place: whoever holds it makes the place ready.
const lockName = "lock"

// clearAttempt removes what an attempt to make a place ready has left that was broken off.
func clearAttempt(dir string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Name() == lockName {
			continue
		}
		if err := files.RemoveTree(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
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
	// Compiled for each place, beside much more: a program that lay here since earlier
	// would have to be believed.
	program, err := stamp.Compile(ctx, at.Goroot, place, filepath.Join(dir, "stamp"))
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

func (s *site) loader(goroot *toolchain.Goroot, place *toolchain.Place, dir string) *plan.Loader {
	proxy := toolchain.Settings{GOPROXY: toolchain.FileProxy(filepath.Join(filepath.Dir(place.Home), "proxy")), GOSUMDB: "off"}
	return &plan.Loader{Goroot: goroot, Place: place, Dir: dir, Kind: s.build.Source.Kind, Settings: proxy, Offline: true}
}

// modules puts the files that were sent where the go command takes them for a proxy,
// and has it unpack what the source needs: it checks each module against go.sum.
func (s *site) modules(ctx context.Context, goroot *toolchain.Goroot, place *toolchain.Place, module, dir string) error {
	proxy := filepath.Join(filepath.Dir(place.Home), "proxy")
	of := s.build.Source
	zip := source.ZipName(of.Module, of.Version)
	found := false
	for _, m := range s.build.Modules {
		name, err := s.store.check(ctx, s.inputs[m.Input])
		if err != nil {
			return err
		}
		if of.Kind == fact.SourceModule && m.Name == zip {
			if sum, err := dirhash.HashZip(name, dirhash.Hash1); err != nil || sum != of.Sum {
				return errors.Join(fmt.Errorf("%s@%s: the zip has the hash %s, not %.80q", of.Module, of.Version, sum, of.Sum), err)
			}
			found = true
		}
		to := filepath.Join(proxy, filepath.FromSlash(m.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if _, _, err := files.Copy(ctx, name, to, 0o644); err != nil {
			return err
		}
	}
	if of.Kind == fact.SourceModule {
		if !found {
			return fmt.Errorf("%s@%s: its zip was not sent", of.Module, of.Version)
		}
		return nil
	}
	if err := s.loader(goroot, place, module).FetchModules(ctx, s.build.Fetch); err != nil {
		return fault.Errorf(fault.Hint(err), "modules: %w", err)
	}
	return nil
}
