package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/memo"
	"github.com/mintmark/mintmark/internal/secret"
)

// Package is what go list says of a package on one platform.
type Package struct {
	ImportPath              string
	Name                    string
	Dir                     string
	Target                  string
	Standard                bool
	DepOnly                 bool
	GoFiles                 []string
	CgoFiles                []string
	SwigFiles, SwigCXXFiles []string
	// Of cgo packages, what the C compiler gets; ${SRCDIR} is not replaced in the flags.
	CFiles, CXXFiles, FFiles, HFiles                           []string
	CgoCFLAGS, CgoCPPFLAGS, CgoCXXFLAGS, CgoFFLAGS, CgoLDFLAGS []string
	CgoPkgConfig                                               []string
	EmbedFiles                                                 []string
	ImportMap                                                  map[string]string // import in the source → package
	Module                                                     *struct {
		Path, Version string
		GoVersion     string // its go line
		Replace       *struct{ Path, Version string }
		Main          bool
	}
	Error *struct {
		Pos, Err string
	}
}

// packageError is an error of one package.
type packageError struct {
	error
	pkg *Package
}

func (e *packageError) Unwrap() error { return e.error }

// noPackage reports whether the package was asked for and is none on this
// platform: no such directory, no Go files in it, none for the platform.
func (e *packageError) noPackage() bool {
	return !e.pkg.DepOnly && e.pkg.Name == "" && e.pkg.Error.Pos == ""
}

// Binary is the name go gives the package's executable, without extension.
func (p *Package) Binary() string {
	if p.Target != "" {
		return strings.TrimSuffix(filepath.Base(p.Target), ".exe")
	}
	return path.Base(p.ImportPath)
}

// Loader asks go about the packages of a checkout. It is part of the fetch
// phase: what is missing in the module cache is downloaded.
type Loader struct {
	Goroot   *toolchain.Goroot
	Place    *toolchain.Place
	Settings toolchain.Settings
	Dir      string          // the module's directory in a private checkout
	Kind     fact.SourceKind // of the source
	// Offline says that all there is to fetch is in another place's downloads, so
	// that go is confined to this place, and needs no network.
	Offline bool

	// Known remembers what go said of a source; may be nil. Source is what the
	// answers depend on, [source.Source.Identity]; with "" nothing is remembered.
	Known  *memo.Store
	Source string
	// Ready makes Dir when it is first needed; nil if it is there. It may be
	// called often, and from several goroutines.
	Ready func(ctx context.Context) error

	seen    sync.Map // what there has found
	outline struct {
		once sync.Once
		sum  string
		err  error
	}
}

// List loads patterns for the unit's platform and flags. With deps it loads
// everything they import, so that afterwards nothing has to be fetched; only
// then are errors in dependencies found. All errors are reported together. An
// answer without errors is remembered.
func (l *Loader) List(ctx context.Context, unitEnv, flags, patterns []string, deps bool) ([]*Package, error) {
	args := []string{"list", "-e", "-json=ImportPath,Name,Dir,Target,Standard,DepOnly,GoFiles,CgoFiles,SwigFiles,SwigCXXFiles,CFiles,CXXFiles,FFiles,HFiles,CgoCFLAGS,CgoCPPFLAGS,CgoCXXFLAGS,CgoFFLAGS,CgoLDFLAGS,CgoPkgConfig,EmbedFiles,ImportMap,Module,Error"}
	if deps {
		args = append(args, "-deps")
	}
	for _, f := range flags {
		if strings.HasPrefix(f, "-tags=") || strings.HasPrefix(f, "-mod=") {
			args = append(args, f)
		}
	}
	args = append(append(args, "--"), patterns...)
	key, known := l.listKey(l.Source, unitEnv, args)
	if known {
		if pkgs, ok := l.keptListing(key); ok {
			return pkgs, nil
		}
	}
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	keys := []memo.Key{key}
	if known {
		// Of another commit, go may have read the same.
		if outline, err := l.outlined(ctx); err == nil {
			key, _ = l.listKey("outline 1 "+outline, unitEnv, args)
			if pkgs, ok := l.keptListing(key); ok {
				l.keepListing(keys, pkgs, deps)
				return pkgs, nil
			}
			keys = append(keys, key)
		}
	}
	pkgs, err := l.ask(ctx, unitEnv, args)
	if known && err == nil {
		l.keepListing(keys, pkgs, deps)
	}
	return pkgs, err
}

// confine are the limits of a go command that loads packages.
func (l *Loader) confine() confine.Limits {
	if l.Offline {
		return l.Place.Confine(l.Place.ModCache)
	}
	return l.Place.Fetching()
}

// outlined is the outline of Dir, which no build changes.
func (l *Loader) outlined(ctx context.Context) (string, error) {
	l.outline.once.Do(func() { l.outline.sum, l.outline.err = outline(ctx, l.Dir) })
	return l.outline.sum, l.outline.err
}

// ask runs go list.
func (l *Loader) ask(ctx context.Context, unitEnv, args []string) ([]*Package, error) {
	res, err := toolchain.Run(ctx, toolchain.Command{Path: l.Goroot.Go(), Args: args, Dir: l.Dir, Env: l.env(unitEnv), Confine: l.confine()})
	if err != nil {
		if exit, ok := errors.AsType[*toolchain.ExitError](err); ok {
			exit.Output = l.shorten(exit.Output)
		}
		return nil, toolchain.Explain(err)
	}
	var pkgs []*Package
	var errs []error
	seen := map[string]bool{}
	report := func(p *Package) {
		text := l.shorten(secret.Redact(strings.TrimSpace(p.Error.Err)))
		if p.Error.Pos != "" {
			text = l.shorten(p.Error.Pos) + ": " + text
		} else if !strings.Contains(text, p.ImportPath) {
			text = p.ImportPath + ": " + text
		}
		if !seen[text] {
			seen[text] = true
			errs = append(errs, &packageError{toolchain.Explain(errors.New(text)), p})
		}
	}
	dec := json.NewDecoder(bytes.NewReader(res.Stdout))
	for {
		var p Package
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if p.Error != nil {
			report(&p)
		}
		p.symbolic()
		pkgs = append(pkgs, &p)
	}
	l.relative(pkgs)
	return pkgs, errors.Join(errs...)
}

// shorten makes paths in the checkout, which has a different place each time, relative.
func (l *Loader) shorten(text string) string { return toolchain.Relative(text, l.Dir) }

// FetchInstall makes go load what `go install PATH@VERSION` would, with the
// network and the checksum database, and build nothing.
func (l *Loader) FetchInstall(ctx context.Context, u *Unit, version string) error {
	args := u.Command(fact.SourceModule, version, "")
	args = append([]string{args[0], "-n"}, args[1:]...)
	// What the profile says of the code changes nothing of what has to be fetched.
	args = slices.DeleteFunc(args, func(a string) bool { return strings.HasPrefix(a, "-pgo=") })
	env := append(l.Place.FetchEnv(l.Settings), u.Env...)
	env = append(env, "GOPATH="+filepath.Join(l.Place.Home, "go"))
	_, err := toolchain.Run(ctx, toolchain.Command{Path: l.Goroot.Go(), Args: args, Dir: l.Place.Empty, Env: env, Confine: l.confine()})
	if err != nil {
		return toolchain.Explain(err)
	}
	return nil
}

// FetchAll downloads all modules that go.mod names into the place's module cache; go
// checks them against go.sum.
func (l *Loader) FetchAll(ctx context.Context) error { return l.download(ctx, nil) }

// FetchModules downloads the modules of these paths, in the versions the
// checkout's go.mod selects, into the place's module cache; go checks them
// against go.sum.
func (l *Loader) FetchModules(ctx context.Context, paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	return l.download(ctx, append([]string{"--"}, paths...))
}

// download runs go mod download.
func (l *Loader) download(ctx context.Context, paths []string) error {
	args := append([]string{"mod", "download", "-modcacherw", "-json"}, paths...)
	res, err := toolchain.Run(ctx, toolchain.Command{Path: l.Goroot.Go(), Args: args, Dir: l.Dir, Env: l.Place.FetchEnv(l.Settings), Confine: l.confine()})
	if err == nil {
		return nil
	}
	var errs []error
	dec := json.NewDecoder(bytes.NewReader(res.Stdout))
	for {
		var m toolchain.Module
		if derr := dec.Decode(&m); derr != nil {
			break // the end, or not what we asked for: then err says what is known
		}
		if m.Error != "" {
			errs = append(errs, toolchain.Explain(fmt.Errorf("module %s@%s: %s", m.Path, m.Version, secret.Redact(m.Error))))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return toolchain.Explain(err)
}
