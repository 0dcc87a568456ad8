package recovery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/goflags"
)

// recipe is how one binary is built, apart from the linker's flags: with these it
// is a unit, for the executor at. What is not ours in it is of a type that only
// judged flags have.
type recipe struct {
	claim *Claim
	// release is the toolchain as it was released, which fetches: programs that
	// somebody's patch is part of run in confined builds alone.
	release *toolchain.Goroot
	at      *execute.Local // each link has a directory of its own below its Out
	pkg     string         // a package or file that go build is given; "" for the claim's, as a module version
	vcs     bool           // stamp from the source
	mod     string         // -mod=
	pgo     string         // path of a profile, "" for what the go command does by itself
	pace    execute.Pace
	// packages is how many packages the build has, those included that need not be
	// compiled anew; 0 where nobody counted.
	packages int
}

// unit is the recipe with these flags of the linker; the zero flag is none.
func (r *recipe) unit(ldflags goflags.Flag) *plan.Unit {
	u := &plan.Unit{Profile: "recovered", Platform: r.claim.Platform(), Env: goflags.Environ(r.claim.Env), Flags: goflags.Strings(r.claim.Flags)}
	if r.at.Kind != fact.SourceModule {
		u.Flags = append(u.Flags, "-buildvcs="+strconv.FormatBool(r.vcs))
	}
	if r.mod != "" {
		u.Flags = append(u.Flags, "-mod="+r.mod)
	}
	if ldflags.Name() != "" {
		u.Flags = append(u.Flags, ldflags.String())
	}
	if r.pgo != "" {
		u.Flags = append(u.Flags, "-pgo="+r.pgo)
	}
	m := fact.Main{Package: r.pkg}
	if r.at.Kind == fact.SourceModule {
		m.Package = r.claim.Package
	}
	if u.Mode().Library() {
		m.Binary = "binary"
	}
	u.Mains = []fact.Main{m}
	return u
}

// command is the unit's command line for people, without -o.
func (r *recipe) command(u *plan.Unit) []string {
	if r.at.Kind == fact.SourceModule {
		return append([]string{"go"}, u.Command(r.at.Kind, r.at.Version, "")...)
	}
	return append(append([]string{"go", "build"}, u.Flags...), u.Mains[0].Package)
}

// place is the executor for the link of that name.
func (r *recipe) place(name string) *execute.Local {
	return r.at.Apart(filepath.Join(r.at.Out, name), "")
}

// build links once and returns the product.
func (r *recipe) build(ctx context.Context, name string, ldflags goflags.Flag) (execute.Product, error) {
	made, err := r.place(name).Build(ctx, r.unit(ldflags), r.pace)
	if err == nil {
		return made.Products[0], nil
	}
	if exit, ok := errors.AsType[*toolchain.ExitError](err); ok && ctx.Err() == nil { // which unit it is goes without saying
		exit.Output = lastLines(exit.Output, 12)
		return execute.Product{}, exit
	}
	return execute.Product{}, err
}

// inputs has the go command say what it hashes for the link of that name.
func (r *recipe) inputs(ctx context.Context, name string, ldflags goflags.Flag) (*linkInputs, error) {
	key := actions.Key{Package: r.claim.Package, Link: true}
	all, err := r.place(name).HashInputs(ctx, r.unit(ldflags), []actions.Key{key})
	if err != nil {
		return nil, err
	}
	in, err := newLinkInputs(all[key])
	if err != nil {
		return nil, fmt.Errorf("the link of %s: %w", r.claim.Package, err)
	}
	return in, nil
}

// lastLines keeps the end of a long message, where the error is.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	if len(lines) > n {
		lines = append([]string{fmt.Sprintf("… %d lines …", len(lines)-n)}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n")
}

// fetch has the go command load what the build needs, with the network: the
// modules of all packages that are compiled.
func (r *recipe) fetch(ctx context.Context, f *toolchain.Fetcher) error {
	args := []string{"list", "-deps", "-f={{.ImportPath}}", "-modcacherw", "-buildvcs=false"}
	for _, flag := range r.claim.Flags {
		if flag.Name() == "-tags" || flag.Name() == "-trimpath" {
			args = append(args, flag.String())
		}
	}
	pkg := r.pkg
	if r.mod == "vendor" {
		// The vendor directory is no part of a module's zip; it is made of the
		// same modules.
		if _, err := os.Stat(filepath.Join(r.at.Dir, "vendor", "modules.txt")); err != nil || !hasPackages(filepath.Join(r.at.Dir, "vendor")) {
			files.RemoveTree(filepath.Join(r.at.Dir, "vendor"))
			_, err := toolchain.Run(ctx, toolchain.Command{Path: r.release.Go(), Args: []string{"mod", "vendor"}, Dir: r.at.Dir, Env: r.fetchEnv(f), Confine: r.at.Place.Fetching()})
			return err
		}
		return nil
	}
	res, err := toolchain.Run(ctx, toolchain.Command{Path: r.release.Go(), Args: append(args, pkg), Dir: r.at.Dir, Env: r.fetchEnv(f), Confine: r.at.Place.Fetching()})
	r.packages = bytes.Count(res.Stdout, []byte("\n"))
	return err
}

func (r *recipe) fetchEnv(f *toolchain.Fetcher) []string {
	return append(f.Place.FetchEnv(f.Settings), goflags.Environ(r.claim.Env)...)
}

// hasPackages reports whether a vendor directory holds more than its list.
func hasPackages(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) > 1
}
