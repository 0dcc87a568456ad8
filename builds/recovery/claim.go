package recovery

import (
	"errors"
	"fmt"
	"go/version"
	"path"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/stamp"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/goflags"
	"github.com/mintmark/mintmark/profiles"
	"golang.org/x/mod/module"
)

// Claim is what a binary says of its making, in the form a build needs.
type Claim struct {
	Go         string // the release: go1.23.12
	Experiment string // GOEXPERIMENT
	Package    string
	Module     string
	Version    string // of the module: "(devel)", a release, a pseudo-version; may end in +dirty
	Sum        string // h1, of a binary built as PATH@VERSION

	GOOS, GOARCH string
	Variant      string // value of GOARM and so on
	Revision     string
	Time         string // RFC 3339
	Modified     bool   // the tree was changed
	VCS          string

	Env    []goflags.Variable // of the build: platform, cgo, experiments
	Flags  []goflags.Flag     // of go build, without -ldflags, -buildvcs, -pgo
	PGO    string             // base name of a profile, "" for none or default.pgo
	Tags   []string
	Cgo    bool
	Vendor bool // built with -mod=vendor: the dependencies carry no sums

	LDFlags    goflags.Flag // where they are recorded
	HasLDFlags bool
	Trimpath   bool
	// TrimpathUnknown says that this release of Go does not record the flag.
	TrimpathUnknown bool
	BuildMode       string // "" for the default
	FIPS140         string
	Distribution    string // whose package of Go made it, with the evidence; "" if nothing says so
	ModifiedGo      bool   // no linker of an unchanged Go release leaves out the section of the build information
	LocalModule     string
	Deps            []module.Version // the dependencies, as they were required: a replacement is not seen
}

// NamedFiles is the package of a program that was built from files (go build FILE.go).
const NamedFiles = "command-line-arguments"

// mainAmong is the main module of a program that was built from named files: the go
// command records none, and of the dependencies it is the one that has no version.
func mainAmong(deps []*debug.Module) *debug.Module {
	for _, d := range deps {
		if d.Version == "(devel)" && d.Replace == nil {
			return d
		}
	}
	return nil
}

// unrecorded reports whether a release of Go leaves a setting out of the build
// information that it builds by. -trimpath is recorded since go1.19
// (cmd/go/internal/load.(*Package).setBuildInfo).
func unrecorded(goVersion, setting string) bool {
	return setting == "-trimpath" && version.Compare(goVersion, "go1.19") < 0
}

// trim makes the claim that of a build with -trimpath.
func (c *Claim) trim() error {
	c.Trimpath = true
	return c.setflag("-trimpath")
}

// errUnclaimed is a file that does not say anything of its making.
var errUnclaimed = errors.New("it carries no build information")

// The forms that runtime.Version has in a binary of a Go release. Experiments
// are appended since Go 1.17, after a blank until Go 1.24.
var (
	releaseGo = regexp.MustCompile(`^go1\.[0-9]+(\.[0-9]+)?((rc|beta)[0-9]+)?$`)
	markedGo  = regexp.MustCompile(`^(go1\.[0-9]+(?:\.[0-9]+)?(?:(?:rc|beta)[0-9]+)?)(?: X:|-X:)([A-Za-z0-9,]+)$`)
)

// goRelease splits what runtime.Version says into the release and its
// experiments. What names no release is an error that says what it names.
func goRelease(v string) (release, experiments string, err error) {
	switch {
	case v == "":
		return "", "", errors.New("it does not say which Go it was built with: Go before 1.18, mostly, which recorded no settings either")
	case releaseGo.MatchString(v):
		release = v
	case markedGo.MatchString(v):
		m := markedGo.FindStringSubmatch(v)
		release, experiments = m[1], m[2]
		for x := range strings.SplitSeq(experiments, ",") {
			if who := otherExperiments[x]; who != "" {
				return "", "", fmt.Errorf("built with %s (%s): no release of the Go project has the experiment %s", who, v, x)
			}
		}
	case !strings.Contains(v, "go1") && !strings.HasPrefix(v, "devel"):
		return "", "", fmt.Errorf("it says %q where the version of Go has to be: obfuscated (as by garble), or changed after it was linked", v)
	case strings.HasPrefix(v, "devel"):
		return "", "", fmt.Errorf("built with a development version of Go (%s): there is no release to rebuild it with", v)
	default:
		return "", "", fmt.Errorf("built with %s (%s), and not with a release of the Go project: the module proxy does not have it", vendorOf(v), v)
	}
	if version.Compare(release, "go1.18") < 0 {
		return "", "", fmt.Errorf("built with %s: before go1.18 binaries do not record their settings", release)
	}
	if release, err = toolchain.Exact(release); err != nil {
		return "", "", err
	}
	return release, experiments, nil
}

// ReadClaim turns a binary's build information into what a build needs.
func ReadClaim(f *gobin.File) (*Claim, error) {
	bi := f.BuildInfo
	if bi == nil {
		what, err := obfuscated(f)
		if err == nil && what != "" {
			return nil, fmt.Errorf("%s: %w", what, errUnclaimed)
		}
		_, err = f.PCLNTab()
		if unknown, ok := errors.AsType[*gobin.UnknownTableError](err); ok {
			return nil, fmt.Errorf("%w; %w", errUnclaimed, unknown)
		}
		return nil, fmt.Errorf("%w: linked outside of a module, by Go before 1.13, or removed since (as by garble)", errUnclaimed)
	}
	c := &Claim{Package: bi.Path, Module: bi.Main.Path, Version: bi.Main.Version, Sum: bi.Main.Sum}
	// wasm and XCOFF have no such section in any release.
	c.ModifiedGo = f.BuildInfoFrom == gobin.FromModInfo && (f.Format == gobin.ELF || f.Format == gobin.MachO || f.Format == gobin.PE)
	var err error
	if c.Go, c.Experiment, err = goRelease(bi.GoVersion); err != nil {
		return c, err
	}
	m, _ := readMarks(f)  // a table that cannot be read tells nothing
	var own *debug.Module // the main module, where it is named as a dependency
	if c.Package == NamedFiles && c.Module == "" {
		if own = mainAmong(bi.Deps); own == nil {
			return c, errors.New("it was built from named files (go build FILE.go) that import no package of their module: the binary does not say which module that is")
		}
		c.Module, c.Version = own.Path, own.Version
	}
	if c.Package == "" || c.Module == "" {
		return c, m.errNoModule(f)
	}
	if who := m.vendor(bi); who != "" {
		return c, fmt.Errorf("built with %s; the module proxy does not have it", who)
	}
	c.Distribution = m.distribution()
	if bi.Main.Replace != nil {
		return c, fmt.Errorf("its main module %s was replaced by %s", c.Module, bi.Main.Replace.Path)
	}
	for _, d := range bi.Deps {
		if d == own {
			continue
		}
		c.Deps = append(c.Deps, module.Version{Path: d.Path, Version: d.Version})
	}
	c.Vendor = len(c.Deps) > 0
	for _, d := range bi.Deps {
		if d.Replace != nil && d.Replace.Version == "" || d.Replace != nil && d.Replace.Version == "(devel)" {
			c.LocalModule = d.Path + " => " + d.Replace.Path
		}
		if d.Sum != "" || d.Replace != nil && d.Replace.Sum != "" {
			c.Vendor = false
		}
	}
	if c.LocalModule != "" && len(bi.Deps) == 1 {
		c.Vendor = false
	}
	var errs []error
	if c.Experiment != "" {
		errs = append(errs, c.setenv("GOEXPERIMENT", c.Experiment))
	}
	recorded := map[string]bool{}
	for _, s := range bi.Settings {
		errs = append(errs, c.setting(s.Key, s.Value))
		recorded[s.Key] = true
	}
	c.TrimpathUnknown = !recorded["-trimpath"] && unrecorded(c.Go, "-trimpath")
	if c.GOOS == "" || c.GOARCH == "" {
		return c, errors.Join(append(errs, errors.New("its build information names no platform"))...)
	}
	if err := errors.Join(append(errs, c.checkNames())...); err != nil {
		return c, fmt.Errorf("its build information says what nothing is built with here: %w", err)
	}
	return c, nil
}

// What version control systems call a revision, and a version: no option of
// git's, and none of the go command's, begins so.
var (
	revisionForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._:@-]*$`)
	versionForm  = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._+~-]*$`)
)

// checkNames checks what becomes an argument of the go command and of git: none
// of it may be an option.
func (c *Claim) checkNames() error {
	errs := []error{module.CheckImportPath(c.Package), module.CheckImportPath(c.Module)}
	if _, err := profiles.ParsePlatform(c.Platform()); err != nil {
		errs = append(errs, err)
	}
	if c.Revision != "" && !revisionForm.MatchString(c.Revision) {
		errs = append(errs, fmt.Errorf("bad revision %.80q", c.Revision))
	}
	if v := c.Release(); v != "" && v != "(devel)" && !versionForm.MatchString(v) {
		errs = append(errs, fmt.Errorf("bad version %.80q", v))
	}
	return errors.Join(errs...)
}

// setenv takes a variable over, if it is one that a stranger may set.
func (c *Claim) setenv(name, value string) error {
	v, err := goflags.ForeignVariable(name + "=" + value)
	if err == nil {
		c.Env = append(c.Env, v)
	}
	return err
}

// setflag is setenv for a flag of go build.
func (c *Claim) setflag(flag string) error {
	f, err := goflags.ForeignFlag(flag)
	if err == nil {
		c.Flags = append(c.Flags, f)
	}
	return err
}

// setting takes over one entry of the build information. DefaultGODEBUG
// follows from go.mod and the source, GOFLAGS is never recorded, and
// -buildmode=exe stands for no flag at all: with the flag, the build ID is
// another one.
func (c *Claim) setting(key, value string) (err error) {
	switch key {
	case "-buildmode":
		if value != "exe" {
			c.BuildMode = value
			err = c.setflag("-buildmode=" + value)
		}
	case "-trimpath":
		if value == "true" {
			err = c.trim()
		}
	case "-race", "-msan", "-asan", "-cover", "-gcflags", "-asmflags":
		err = c.setflag(key + "=" + value)
	case "-tags":
		c.Tags = strings.Split(value, ",")
		err = c.setflag("-tags=" + value)
	case "-ldflags":
		c.HasLDFlags = true
		c.LDFlags, err = goflags.ForeignFlag(key + "=" + value)
	case "-pgo":
		// With -trimpath, the base name; without, a path of the other machine.
		c.PGO = path.Base(strings.ReplaceAll(value, `\`, "/"))
	case "CGO_ENABLED":
		c.Cgo = value == "1"
		err = c.setenv(key, value)
	case "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS":
		if value != "" {
			err = c.setenv(key, value)
		}
	case "GOOS":
		c.GOOS = value
		err = c.setenv(key, value)
	case "GOARCH":
		c.GOARCH = value
		err = c.setenv(key, value)
	case "GOEXPERIMENT":
		// As it was written; the version has what it came to.
		err = c.setenv(key, value)
		c.Experiment = value
	case "GOFIPS140":
		// v1.0.0 is recorded with the hash of its zip: v1.0.0-c2097c7c.
		base, _, _ := strings.Cut(value, "-")
		c.FIPS140 = base
		err = c.setenv(key, base)
	case "vcs":
		c.VCS = value
	case "vcs.revision":
		c.Revision = value
	case "vcs.time":
		c.Time = value
	case "vcs.modified":
		c.Modified = value == "true"
	default:
		// GOARCH comes before its variable.
		if v := (profiles.Platform{Arch: c.GOARCH}).VariantVar(); v != "" && key == v {
			c.Variant = value
			err = c.setenv(key, value)
		}
	}
	return err
}

// Platform is how profiles write it.
func (c *Claim) Platform() string {
	p := c.GOOS + "/" + c.GOARCH
	if c.Variant != "" {
		p += "/" + c.Variant
	}
	return p
}

// Release is the version without +dirty.
func (c *Claim) Release() string {
	v, dirty := strings.CutSuffix(c.Version, "+dirty")
	if !dirty {
		v = strings.TrimSuffix(v, ".dirty") // +incompatible.dirty
	}
	return v
}

// Pseudo reports whether the version is made from a commit.
func (c *Claim) Pseudo() bool { return module.IsPseudoVersion(c.Release()) }

// Tag is the version tag the stamp was made of, "" for none.
func (c *Claim) Tag() string {
	v := strings.TrimSuffix(c.Release(), "+incompatible")
	if v == "" || v == "(devel)" || c.Pseudo() {
		return ""
	}
	return v
}

// Installed reports whether it was built as PATH@VERSION.
func (c *Claim) Installed() bool { return c.Sum != "" && c.Revision == "" }

// Project is a name for the release.
func (c *Claim) Project() string {
	p := c.Module
	if prefix, _, ok := module.SplitPathVersion(p); ok {
		p = prefix
	}
	return path.Base(p)
}

// MainDir is the package's directory in the module, as the go command takes it.
func (c *Claim) MainDir() (string, bool) {
	if c.Package == c.Module {
		return "./", true
	}
	rest, ok := strings.CutPrefix(c.Package, c.Module+"/")
	return "./" + rest, ok
}

// replay is what a binary claims of its source.
func (c *Claim) replay() (stamp.Claim, error) {
	r := stamp.Claim{Revision: c.Revision, Modified: c.Modified}
	if c.VCS != "git" {
		return r, fmt.Errorf("stamped from %s: only git's stamps can be replayed", c.VCS)
	}
	var err error
	if r.Time, err = time.Parse(time.RFC3339Nano, c.Time); err != nil {
		return r, fmt.Errorf("its version control stamp has the time %q: %w", c.Time, err)
	}
	switch release := c.Release(); release {
	case "", "(devel)":
		// The version is then what a go command says that finds none: those
		// before go1.24, which do not ask, and later ones outside of a module.
		r.Unversioned = true
	default:
		err = r.SetVersion(release)
	}
	return r, err
}
