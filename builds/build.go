package builds

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
)

// Site is a place made ready for building: a toolchain, a checkout, caches.
type Site struct {
	Name     string // "first" or "second", for messages
	Goroot   *toolchain.Goroot
	Place    *toolchain.Place
	Dir      string // the module's directory: in the private checkout, or extracted in the module cache
	Out      string // where binaries go, one directory a unit
	Hostname string
	SetUmask bool
	Kind     string // of the source
	Version  string // of the module
}

// Built is one linked binary.
type Built struct {
	Main Main
	Path string
}

// Cost is what a build took.
type Cost struct {
	CPU    time.Duration `json:"cpu"`
	MaxRSS int64         `json:"max_rss"` // of its largest process, bytes
}

// Build runs the unit's one go command in the site with p actions at a time.
func (s *Site) Build(ctx context.Context, u *Unit, p int) ([]Built, Cost, error) {
	fail := func(err error) ([]Built, Cost, error) {
		return nil, Cost{}, fmt.Errorf("%s: %w", u.ID(), err)
	}
	out := filepath.Join(s.Out, u.Key())
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fail(err)
	}
	args := u.Command(s.Kind, s.Version, out+string(filepath.Separator))
	args = append([]string{args[0], "-p=" + strconv.Itoa(p), "-modcacherw"}, args[1:]...)
	proxy, dir := "off", s.Dir
	unitEnv := u.Env
	if s.Kind == source.Module {
		// The command runs outside of the module, which the PGO profile is in.
		for i, a := range args {
			if name, ok := strings.CutPrefix(a, "-pgo="); ok && name != "off" && name != "auto" && !filepath.IsAbs(name) {
				args[i] = "-pgo=" + filepath.Join(s.Dir, filepath.FromSlash(name))
			}
		}
		// go install asks for the module's list of versions; the place's own
		// download directory answers, not the network.
		proxy, dir = s.Place.Proxy(), s.Place.Empty
	}
	env := s.Place.Env(unitEnv, proxy)
	if s.Kind == source.Module {
		env = append(env, "GOPATH="+out)
	}
	res, err := toolchain.Run(ctx, toolchain.Command{
		Path: s.Goroot.Go(), Args: args, Dir: dir, Env: env,
		SetUmask: s.SetUmask, Umask: s.Place.Umask, Hostname: s.Hostname,
	})
	cost := Cost{CPU: res.CPU, MaxRSS: res.MaxRSS}
	if err != nil {
		var exit *toolchain.ExitError
		if errors.As(err, &exit) {
			// Only the compiler's own lines, with paths a reader knows.
			exit.Output = shorten(exit.Output, s.Dir)
			if err = explainList(exit); ctx.Err() == nil && noSpace(exit.Output) {
				err = &toolchain.Error{Err: exit, Tip: "the disk that holds mintmark's cache directory is full; MINTMARK_CACHE can name another"}
			}
		}
		return nil, cost, fmt.Errorf("%s (%s build): %w", u.ID(), s.Name, err)
	}
	var built []Built
	var errs []error
	for _, m := range u.Mains {
		path, err := find(out, m.Binary+u.Exe())
		if err != nil {
			errs = append(errs, fmt.Errorf("%s (%s build): %w", u.ID(), s.Name, err))
			continue
		}
		built = append(built, Built{m, path})
	}
	return built, cost, errors.Join(errs...)
}

func noSpace(output string) bool {
	return strings.Contains(output, "no space left on device") || strings.Contains(output, "not enough space")
}

// find looks for the binary below dir: go install puts those of a foreign
// platform into a directory of that name.
func find(dir, name string) (string, error) {
	var found string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() == name {
			found = path
		}
		return err
	})
	if err == nil && found == "" {
		err = fmt.Errorf("go made no file %s", name)
	}
	return found, err
}
