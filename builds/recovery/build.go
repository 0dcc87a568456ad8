package recovery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/goflags"
)

// job is how one binary is built, apart from the linker's flags.
type job struct {
	claim   *Claim
	place   *toolchain.Place // whose git is the stamp's, or the true one
	goroot  *toolchain.Goroot
	dir     string // the module's directory
	out     string // private directory for products
	install string // PATH@VERSION, for go install
	pkg     string // what go build is given
	vcs     bool   // stamp from dir
	mod     string // -mod=
	pgo     string // path of a profile, "" for what the go command does by itself
	p       int    // actions at a time
	ask     bool   // have the go command say what it hashes
}

// args are the go command's arguments, without -o. The zero ldflags are none.
// What is not ours is of a type that only judged flags have.
func (j *job) args(ldflags goflags.Flag) []string {
	args := []string{"build"}
	if j.install != "" {
		args[0] = "install"
	}
	args = append(args, goflags.Strings(j.claim.Flags)...)
	if j.install == "" {
		args = append(args, "-buildvcs="+strconv.FormatBool(j.vcs))
	}
	if j.mod != "" {
		args = append(args, "-mod="+j.mod)
	}
	if ldflags.Name() != "" {
		args = append(args, ldflags.String())
	}
	if j.pgo != "" {
		args = append(args, "-pgo="+j.pgo)
	}
	return args
}

// target is what is built.
func (j *job) target() string {
	if j.install != "" {
		return j.install
	}
	return j.pkg
}

// build links once and returns the product and the go command's messages.
func (j *job) build(ctx context.Context, name string, ldflags goflags.Flag) (file string, stderr []byte, err error) {
	dir := filepath.Join(j.out, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	file = filepath.Join(dir, "binary")
	args := j.args(ldflags)
	extra := []string{"-modcacherw"}
	if j.p > 0 {
		extra = append(extra, "-p="+strconv.Itoa(j.p))
	}
	if j.install == "" {
		extra = append(extra, "-o", file)
	}
	args = append(append(append(args[:1:1], extra...), args[1:]...), j.target())
	work := j.dir
	if j.install != "" {
		work = j.place.Empty
	}
	// Not GOPROXY=off: the go command would then take the version of a revision
	// from any pseudo-version of it that the module cache has, and not ask
	// (cmd/go/internal/modfetch, readDiskStat). The place's own downloads need
	// no network either.
	env := j.place.Env(goflags.Environ(j.claim.Env), j.place.Proxy())
	if j.install != "" {
		env = append(env, "GOPATH="+dir)
	}
	if j.ask {
		env = append(env, "GODEBUG=gocachehash=1")
	}
	cmd := toolchain.Command{Path: j.goroot.Go(), Args: args, Dir: work, Env: env, SetUmask: true, Umask: 0o022, Confine: j.place.Confine(dir)}
	if j.ask {
		cmd.Limit = 512 << 20 // a line for every file of every package
	}
	res, err := toolchain.Run(ctx, cmd)
	if err != nil {
		if exit, ok := errors.AsType[*toolchain.ExitError](err); ok {
			exit.Output = lastLines(strings.ReplaceAll(exit.Output, j.dir, "."), 12)
		}
		return "", res.Stderr, err
	}
	if j.install == "" {
		return file, res.Stderr, nil
	}
	file, err = onlyFile(filepath.Join(dir, "bin"))
	return file, res.Stderr, err
}

// lastLines keeps the end of a long message, where the error is.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	if len(lines) > n {
		lines = append([]string{fmt.Sprintf("… %d lines …", len(lines)-n)}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n")
}

// onlyFile is the one file below dir: go install puts binaries of a foreign
// platform into a directory of that name.
func onlyFile(dir string) (string, error) {
	var found string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = path
		}
		return err
	})
	if err == nil && found == "" {
		err = errors.New("go install made no file")
	}
	return found, err
}

// fetch has the go command load what the build needs, with the network: the
// modules of all packages that are compiled.
func (j *job) fetch(ctx context.Context, f *toolchain.Fetcher) error {
	args := []string{"list", "-deps", "-f={{.ImportPath}}", "-modcacherw", "-buildvcs=false"}
	for _, flag := range j.claim.Flags {
		if flag.Name() == "-tags" || flag.Name() == "-trimpath" {
			args = append(args, flag.String())
		}
	}
	pkg := j.pkg
	if j.mod == "vendor" {
		// The vendor directory is no part of a module's zip; it is made of the
		// same modules.
		if _, err := os.Stat(filepath.Join(j.dir, "vendor", "modules.txt")); err != nil || !hasPackages(filepath.Join(j.dir, "vendor")) {
			files.RemoveTree(filepath.Join(j.dir, "vendor"))
			_, err := toolchain.Run(ctx, toolchain.Command{Path: j.goroot.Go(), Args: []string{"mod", "vendor"}, Dir: j.dir, Env: j.fetchEnv(f), Confine: toolchain.Fetching()})
			return err
		}
		return nil
	}
	_, err := toolchain.Run(ctx, toolchain.Command{Path: j.goroot.Go(), Args: append(args, pkg), Dir: j.dir, Env: j.fetchEnv(f), Confine: toolchain.Fetching()})
	return err
}

func (j *job) fetchEnv(f *toolchain.Fetcher) []string {
	return append(f.Place.FetchEnv(f.Settings), goflags.Environ(j.claim.Env)...)
}

// hasPackages reports whether a vendor directory holds more than its list.
func hasPackages(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) > 1
}
