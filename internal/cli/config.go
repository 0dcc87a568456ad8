package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/profiles"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

func (d *app) getenv(name string) string {
	v, _ := d.lookupEnv(name)
	return v
}

func (d *app) lookupEnv(name string) (value string, ok bool) {
	for _, kv := range d.env {
		if n, v, _ := strings.Cut(kv, "="); n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// configurer is a group of flags that says something of how to build.
type configurer interface {
	configure(c *run.Config) error
}

// config makes the pipeline's configuration of the environment and of flags.
func (d *app) config(flags ...configurer) (c run.Config, err error) {
	cache := d.getenv("MINTMARK_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return run.Config{}, fault.Usagef("set MINTMARK_CACHE to an absolute path", "%s", "no cache directory: "+err.Error())
		}
		cache = filepath.Join(dir, "mintmark")
	}
	if !filepath.IsAbs(cache) {
		return run.Config{}, fault.Usagef("set it to an absolute path", "%s", "MINTMARK_CACHE="+cache+" is not an absolute path")
	}
	if err := d.cacheDir(cache); err != nil {
		return run.Config{}, err
	}
	c = run.Config{
		Cache: cache, Environ: d.env, Key: d.keyRef(d.getenv("MINTMARK_KEY")), Password: d.password, Tool: version(), Now: time.Now(),
	}
	if p, ok := d.givenPassword(); ok {
		c.Given = func() ([]byte, error) { return p, nil }
	}
	if c.Secret, err = d.ledgerSecret(); err != nil {
		d.term.Warn("nothing that was proven or checked before is used: %v", err)
	}
	for _, f := range flags {
		if on, ok := f.(onFlag); ok && len(on.On) == 0 {
			if on.On, err = d.machines(); err != nil {
				return run.Config{}, err
			}
			f = on
		}
		if err := f.configure(&c); err != nil {
			return run.Config{}, err
		}
	}
	return c, nil
}

// machines are those of the user's file, for who names none: MINTMARK_MACHINES, or
// machines.yaml in the user's configuration directory. No file: none.
func (d *app) machines() ([]string, error) {
	name, given := d.lookupEnv("MINTMARK_MACHINES")
	if !given {
		dir, err := os.UserConfigDir()
		if err != nil {
			return nil, nil // no place of the user's to keep it in
		}
		name = filepath.Join(dir, "mintmark", "machines.yaml")
	}
	if name == "" {
		return nil, nil
	}
	data, err := files.Read(name, 1<<20)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Usagef("MINTMARK_MACHINES names another file; with MINTMARK_MACHINES= there is none", "machines: %w", err)
	}
	return profiles.LoadMachines(name, data)
}

// cacheDir refuses a cache directory that is none, or is below something that is none.
func (d *app) cacheDir(cache string) error {
	for at := cache; ; at = filepath.Dir(at) {
		switch fi, err := os.Stat(at); {
		case err == nil && fi.IsDir(), at == filepath.Dir(at):
			return nil // or it can be made there
		case err != nil:
			continue
		}
		what := at
		if at == cache && d.getenv("MINTMARK_CACHE") != "" {
			what = "MINTMARK_CACHE=" + at
		}
		return fault.Usagef("set MINTMARK_CACHE to a directory, or to one that can be made: an absolute path", "%s", what+" is a file, not a directory")
	}
}

// keyRef reads the name of a key. It may be env://NAME: only a door reads the
// environment.
func (d *app) keyRef(text string) checksums.KeyRef { return checksums.NewKeyRef(text, d.lookupEnv) }

// password asks for the passphrase of the signing key. An empty one in the
// environment is an answer.
func (d *app) password() ([]byte, error) {
	if p, ok := d.givenPassword(); ok {
		return p, nil
	}
	p, err := d.term.Password("passphrase of the signing key: ")
	if err != nil {
		return nil, err
	}
	if p == nil {
		p = []byte{} // nil would mean: not asked
	}
	return p, nil
}

// givenPassword is the passphrase in the environment.
func (d *app) givenPassword() ([]byte, bool) {
	for _, name := range []string{"MINTMARK_PASSWORD", "COSIGN_PASSWORD"} {
		if v, ok := d.lookupEnv(name); ok {
			return []byte(v), true
		}
	}
	return nil, false
}

// version is mintmark's own version, for the manifest: a release's, or (devel).
// The stamp of a checkout is left out: it says +dirty while mage compiles, and
// nothing with GOFLAGS=-buildvcs=false, so two releases of one commit would
// differ in it.
func version() string {
	if bi, ok := debug.ReadBuildInfo(); ok {
		if m := ownModule(bi); unreleased(m) == "" {
			return m.Version
		}
	}
	return devel
}

const devel = "(devel)"

// ownModule is mintmark's module in what a program with it records: the main
// module of the command, a dependency of a magefile; nil if there is none.
func ownModule(bi *debug.BuildInfo) *debug.Module {
	const self = "github.com/mintmark/mintmark"
	for _, m := range append([]*debug.Module{&bi.Main}, bi.Deps...) {
		if m.Path == self {
			return m
		}
	}
	return nil
}

// unreleased says why a program with this module has no release of it; "" if it has.
func unreleased(m *debug.Module) string {
	switch {
	case m == nil:
		return "the program does not record mintmark's module"
	case m.Replace != nil:
		return "the module is replaced by " + m.Replace.Path
	case m.Version == "" || m.Version == devel:
		return "no version was recorded"
	case !semver.IsValid(m.Version):
		return m.Version + " is no version"
	case semver.Build(m.Version) != "":
		return "the checkout was not the commit (" + m.Version + ")"
	case module.IsPseudoVersion(m.Version):
		return "the commit has no version tag (" + m.Version + ")"
	}
	return ""
}
