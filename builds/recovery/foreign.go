package recovery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/builds/stamp"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/goflags"
	"github.com/mintmark/mintmark/internal/patch"
	"github.com/mintmark/mintmark/profiles"
)

// Config is what rebuilding needs from outside.
type Config struct {
	// Place has the caches; its Git is the user's git, for -source, "" for none.
	Place   *toolchain.Place
	Fetcher *toolchain.Fetcher
	// Confined is told what held the builds, and Unpacking what held the packer
	// that Unpack runs; may be nil.
	Confined, Unpacking *confine.Log
	// Goroot fetches a release of Go and makes it ready; asked once for each.
	Goroot func(ctx context.Context, version string) (*toolchain.Goroot, error)
	// Unpack unpacks a file packed by that packer ("UPX 3.94") into out; nil
	// when there is no packer.
	Unpack func(ctx context.Context, packer, file, out string) error
	// Repack packs what p says until the result is p.File, and leaves that at
	// out; an error when it does not come out. May be nil.
	Repack func(ctx context.Context, p Packing, out string) (*fact.Packer, error)
	Work   string // an empty private directory
	Source string // directory or URL of a git repository; "" asks the module proxy
	Like   string // a sibling binary, for those that say nothing of themselves
	// Patch is what was different in the toolchain that the binaries were made with;
	// nil builds with the releases that they name, or by a known recipe.
	Patch *patch.Patch
	Jobs  int // processors to keep busy; 0: the machine's
	// MaxLinks bounds the links of one binary; 0 is 64. MaxSpellings bounds the
	// values of -ldflags whose action ID is computed; 0 is 400 000.
	MaxLinks, MaxSpellings int
	// Earlier is what an earlier run has found out about the file of that name and digest,
	// which is then not built again; nil if it has not. May be nil itself. Slices of
	// universal binaries are always built.
	Earlier func(name, sha256 string) *Result
	// Event is told when a binary is begun (result nil) and done. May be nil.
	Event func(name string, r *Result)
	// Step is told what is being done for a binary that was begun: "source", "compile 3 of
	// at most 120", "link 2". May be nil.
	Step func(name, what string)
}

// Packing is a packed file, and what it may have been made from.
type Packing struct {
	Packer string // as in [Result.Packed]
	Method string // as the packer's header says: NRV2E
	Level  int    // 1 to 10
	File   string // packed
	Linked string // to be packed
}

// Rebuild rebuilds every input and gives the results in their order. Its error
// is about this machine or the end of ctx; what keeps one binary from being
// rebuilt is in its result.
func Rebuild(ctx context.Context, cfg Config, inputs []Input) ([]*Result, error) {
	if cfg.MaxLinks == 0 {
		cfg.MaxLinks = 64
	}
	if cfg.MaxSpellings == 0 {
		cfg.MaxSpellings = 400_000
	}
	e := &engine{Config: cfg, shared: map[string]*sharing{}}
	var results []*Result
	var tasks []schedule.Task
	slice := map[int]bool{}
	for _, in := range inputs {
		for _, p := range in.parts {
			slice[p] = true
		}
	}
	for i, in := range inputs {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		r := &Result{Name: in.Name, Member: in.Member, Kind: in.Kind}
		results = append(results, r)
		if in.universal != nil {
			continue // its slices are inputs
		}
		b := &subject{engine: e, in: in, Result: r, confined: cfg.Confined.Part(), work: filepath.Join(cfg.Work, fmt.Sprintf("binary-%d", i))}
		if cfg.Earlier != nil && in.Path != "" && in.Skip == "" && !slice[i] {
			sum, _, err := files.Digest(ctx, in.Path)
			if err != nil {
				return nil, err
			}
			if known := cfg.Earlier(in.Name, sum); known != nil {
				*r = *known
				r.Name, r.Member, r.Kind, r.Earlier = in.Name, in.Member, in.Kind, true
				e.event(r.Name, r)
				continue
			}
		}
		if err := b.read(ctx); err != nil {
			return nil, err
		}
		if r.Verdict != "" {
			b.held()
			e.event(r.Name, r)
			continue
		}
		tasks = append(tasks, schedule.Task{
			ID: schedule.ID{Unit: fmt.Sprintf("%d %s", i, in.Name)},
			// Builds of one platform from one source share what they compile.
			Group: strings.Join(append([]string{b.claim.Go, b.claim.Module, b.claim.Release(), b.claim.Revision}, goflags.Environ(b.claim.Env)...), " "),
			Run: func(ctx context.Context, at schedule.At) error {
				e.event(r.Name, nil)
				b.p = at.P
				err := b.rebuild(ctx)
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if err != nil {
					b.giveUp(err.Error())
				}
				b.held()
				e.event(r.Name, r)
				return nil
			},
		})
	}
	if err := schedule.Run(ctx, []schedule.Site{{Budget: schedule.Budget{CPUs: cfg.Jobs}}}, tasks); err != nil {
		return nil, err
	}
	for i, in := range inputs {
		if in.universal == nil {
			continue
		}
		var parts []*Result
		for _, p := range in.parts {
			parts = append(parts, results[p])
		}
		if err := results[i].whole(ctx, in, parts); err != nil {
			return nil, err
		}
		e.event(results[i].Name, results[i])
	}
	return results, nil
}

type engine struct {
	Config
	mu     sync.Mutex
	shared map[string]*sharing
	events sync.Mutex
}

func (e *engine) event(name string, r *Result) {
	if e.Event != nil {
		e.events.Lock()
		defer e.events.Unlock()
		e.Event(name, r)
	}
}

// step says what is being done now.
func (b *subject) step(format string, args ...any) {
	if b.engine.Step == nil {
		return
	}
	b.events.Lock()
	defer b.events.Unlock()
	b.engine.Step(b.in.Name, fmt.Sprintf(format, args...))
}

// sharing is something that several binaries need, made once.
type sharing struct {
	once  sync.Once
	value any
	err   error
}

// share makes the thing of that key, or waits for who is making it.
func share[T any](e *engine, key string, make func(dir string) (T, error)) (T, error) {
	e.mu.Lock()
	s := e.shared[key]
	if s == nil {
		s = &sharing{}
		e.shared[key] = s
	}
	sum := sha256.Sum256([]byte(key))
	dir := filepath.Join(e.Work, "shared-"+hex.EncodeToString(sum[:6]))
	e.mu.Unlock()
	s.once.Do(func() { s.value, s.err = make(dir) })
	value, _ := s.value.(T)
	return value, s.err
}

// toolchain fetches and installs a release.
func (e *engine) toolchain(ctx context.Context, version string) (*toolchain.Goroot, error) {
	return share(e, "toolchain "+version, func(string) (*toolchain.Goroot, error) { return e.Goroot(ctx, version) })
}

// stampProgram compiles the program that answers in git's place.
func (e *engine) stampProgram(ctx context.Context, g *toolchain.Goroot) (string, error) {
	return share(e, "stamp "+g.Dir, func(dir string) (string, error) { return stamp.Compile(ctx, g, e.Place, dir) })
}

// tree gets the source of a claim, in that version: a private copy, shared by all
// binaries of the same revision.
func (e *engine) tree(ctx context.Context, c *Claim, from found) (*tree, error) {
	stamp := "stamped"
	if c.Revision == "" {
		stamp = "plain"
	}
	key := strings.Join([]string{"source", c.Module, c.Release(), c.Revision, c.Sum, stamp, fmt.Sprint(c.Vendor), from.version}, " ")
	return share(e, key, func(dir string) (*tree, error) {
		if e.Config.Source != "" {
			if e.Place.Git == "" {
				return nil, fault.Errorf("install git: -source= is cloned with it", "no git command on PATH")
			}
			return fetchGit(ctx, e.Fetcher, e.Place.Git, e.Config.Source, c, dir, e.Config.Work)
		}
		t, err := fetchZip(ctx, e.Fetcher, c, from.version, dir)
		if err != nil {
			return nil, err
		}
		if from.note != "" {
			t.notes = append([]string{from.note}, t.notes...)
			t.Other = from.other
		}
		if stamp == "stamped" {
			err = os.Mkdir(filepath.Join(dir, ".git"), 0o755) // that it is a directory is all the go command asks of it
		}
		return t, err
	})
}

// subject is one file on its way to a verdict.
type subject struct {
	*engine
	*Result
	in     Input
	work   string
	file   string // what is compared: in.Path, or what it unpacks to
	sum    string // its SHA-256
	format gobin.Format
	id     [4]string
	noID   bool
	claim  *Claim
	// untouched is whether the file is as the linker left it.
	untouched gobin.Untouched
	bin       *gobin.File
	p         int

	packing     Packing // of a packed file
	notRepacked string  // why its packed bytes did not come out

	// confined is told what held this binary's builds.
	confined *confine.Log
	// modifying is told what held the making of its toolchain; nil for a release.
	modifying *confine.Log
}

// held notes what held everything that ran for the binary.
func (b *subject) held() {
	logs := []*confine.Log{b.confined}
	if b.modifying != nil {
		logs = append(logs, b.modifying)
	}
	if b.Packed != "" {
		logs = append(logs, b.Unpacking)
	}
	if state, ran := confine.Join(logs...); ran {
		b.Confinement = &state
	}
}

// read finds out what the file says of itself. A verdict is set when there is
// nothing to build.
func (b *subject) read(ctx context.Context) error {
	if b.in.Path != "" {
		var err error
		if b.SHA256, b.Size, err = files.Digest(ctx, b.in.Path); err != nil {
			return err
		}
	}
	if b.in.Skip != "" {
		b.unchecked(b.in.Skip)
		return nil
	}
	if err := os.MkdirAll(b.work, 0o755); err != nil {
		return err
	}
	b.file, b.sum = b.in.Path, b.SHA256
	f, err := gobin.Open(b.file)
	if err != nil {
		b.unchecked(strings.TrimPrefix(err.Error(), b.file+": "))
		return ctx.Err()
	}
	if f.Packed != "" {
		b.Packed = f.Packed
		b.packing = Packing{Packer: f.Packed, Method: f.PackMethod, Level: f.PackLevel, File: b.in.Path}
		f.Close()
		if f, err = b.unpack(ctx); err != nil {
			b.unchecked(fmt.Sprintf("packed by %s and not unpacked: %v", b.Packed, err))
			return ctx.Err()
		}
	}
	b.bin = f
	b.format, b.id, b.noID = f.Format, f.BuildIDParts(), f.BuildID == ""
	untouched, err := f.Untouched()
	if err != nil {
		return err
	}
	b.untouched, b.Untouched = untouched, string(untouched.State)+": "+untouched.Reason
	claimed := f
	if b.Like != "" && f.BuildInfo == nil {
		sibling, err := gobin.Open(b.Like)
		if err != nil {
			return fmt.Errorf("-like: %w", err)
		}
		defer sibling.Close()
		claimed = sibling
		b.note("its settings are those of " + filepath.Base(b.Like) + ", since it says nothing of itself")
	} else if b.Like != "" && f.BuildInfo.GoVersion == "" {
		sibling, err := gobin.Open(b.Like)
		if err != nil {
			return fmt.Errorf("-like: %w", err)
		}
		defer sibling.Close()
		if sibling.BuildInfo != nil {
			f.BuildInfo.GoVersion = sibling.BuildInfo.GoVersion
			b.note("its toolchain is that of " + filepath.Base(b.Like) + ", since it does not name one")
		}
	}
	c, err := ReadClaim(claimed)
	if c != nil {
		b.claim = c
		b.Package, b.Project, b.Distribution = c.Package, c.Project(), c.Distribution
		if c.GOOS != "" {
			b.Platform = c.Platform()
		}
		b.Source = Origin{Module: c.Module, Version: c.Version, Sum: c.Sum, Revision: c.Revision, Time: c.Time}
	}
	if claimed.BuildInfo != nil {
		b.Toolchain.Claimed = claimed.BuildInfo.GoVersion
	}
	if err != nil {
		tip := ""
		if errors.Is(err, errUnclaimed) && (f.Format == gobin.XCOFF || f.Format == gobin.Wasm) {
			tip = "; -like=FILE takes the settings of a binary of the same release for another platform"
		}
		b.giveUp(err.Error() + tip)
		return nil
	}
	if c.TrimpathUnknown {
		trimmed, err := trimmed(f)
		switch {
		case err != nil:
			b.note(c.Go + " does not record -trimpath, and the names of source files in the binary could not be read: " + err.Error())
		case trimmed:
			if err := c.trim(); err != nil {
				return err
			}
			b.note(c.Go + " does not record -trimpath; the names of source files in the binary are those that it leaves")
		}
	}
	if claimed != f {
		if err := c.moveTo(f); err != nil {
			b.unchecked(err.Error())
		}
		b.Platform = c.Platform()
	}
	return nil
}

// trimmed reports whether the names of source files in a binary are those that
// -trimpath leaves: none of them begins at the root of a file system.
func trimmed(f *gobin.File) (bool, error) {
	t, err := f.Functions()
	if err != nil {
		return false, err
	}
	named := false
	for i := range t.Len() {
		fn, err := t.Func(i)
		if err != nil {
			return false, err
		}
		name := t.File(fn)
		if strings.HasPrefix(name, "/") || len(name) > 1 && name[1] == ':' {
			return false, nil
		}
		named = named || name != ""
	}
	if !named {
		return false, errors.New("it has none")
	}
	return true, nil
}

// moveTo makes a sibling's claim that of another platform.
func (c *Claim) moveTo(f *gobin.File) error {
	goos, goarch := c.GOOS, f.Arch
	switch f.Format {
	case gobin.XCOFF:
		goos = "aix"
	case gobin.Wasm:
		goos, goarch = "js", "wasm"
	case gobin.Plan9:
		goos = "plan9"
	}
	drop := (profiles.Platform{Arch: c.GOARCH}).VariantVar()
	c.Env = slices.DeleteFunc(c.Env, func(v goflags.Variable) bool {
		name := v.Name()
		return name == "GOOS" || name == "GOARCH" || name == drop
	})
	c.GOOS, c.GOARCH, c.Variant = goos, goarch, ""
	return errors.Join(c.setenv("GOOS", goos), c.setenv("GOARCH", goarch), c.checkNames())
}

// unpack puts what a packed file holds beside it.
func (b *subject) unpack(ctx context.Context) (*gobin.File, error) {
	if b.engine.Unpack == nil {
		return nil, errors.New("no UPX on PATH")
	}
	out := filepath.Join(b.work, "unpacked")
	if err := b.engine.Unpack(ctx, b.Packed, b.in.Path, out); err != nil {
		return nil, err
	}
	f, err := gobin.Open(out)
	if err != nil {
		return nil, err
	}
	if f.Packed != "" {
		f.Close()
		return nil, errors.New("what it unpacks to is packed again")
	}
	if f.Format == gobin.FatMachO {
		f.Close()
		return nil, errors.New("what it unpacks to is a universal binary")
	}
	b.file = out
	b.sum, _, err = files.Digest(ctx, out)
	b.Unpacked = b.sum
	return f, err
}
