package toolchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/mintmark/mintmark/internal/childenv"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/secret"
	"golang.org/x/mod/module"
)

// modulePath is the module that carries Go's released toolchains (https://go.dev/doc/toolchain).
const modulePath = "golang.org/toolchain"

// Toolchain is one released Go toolchain for this host, as the checksum database knows it.
type Toolchain struct {
	fact.Toolchain
	zip      string
	modified *fact.Modification // nil: as it was released
}

// Sent is a toolchain whose module zip came from elsewhere. Its hash is what is
// claimed until it is installed.
func Sent(t fact.Toolchain, zip string) *Toolchain { return &Toolchain{Toolchain: t, zip: zip} }

// Zip is the file that it is installed from.
func (t *Toolchain) Zip() string { return t.zip }

// DirName is a directory name that no other toolchain has, modified ones included.
func (t *Toolchain) DirName() string {
	sum := strings.NewReplacer("h1:", "", "/", "_", "+", "-", "=", "").Replace(t.Sum)
	name := t.Version + "-" + sum[:min(len(sum), 16)]
	if t.modified != nil {
		name += "-modified-" + t.modified.Patch[:16]
	}
	return name
}

// ModuleOf is the module of the release of that exact version for a system, with its
// own version.
func ModuleOf(version, system string) string {
	return modulePath + "@v0.0.1-" + version + "." + strings.ReplaceAll(system, "/", "-")
}

// Exact turns the version a go.mod names into an exact release: since Go 1.21
// "1.23" means the language, whose first release is go1.23.0
// (https://go.dev/doc/toolchain#version). The result starts with "go".
func Exact(v string) (string, error) {
	if !strings.HasPrefix(v, "go") {
		v = "go" + v
	}
	if !version.IsValid(v) || strings.ContainsAny(v, " -") {
		return "", fmt.Errorf("%q is not a Go version", v)
	}
	if version.Lang(v) == v && Supported(v) {
		v += ".0"
	}
	return v, nil
}

// Fetcher gets toolchains and modules. It is the part of mintmark that may use the network.
type Fetcher struct {
	// Go is the go command of the host, used for fetching only: it never compiles anything of the release.
	Go string
	// Place is where its caches are.
	Place *Place
	// Settings say where modules come from.
	Settings Settings
}

// Toolchain downloads the toolchain of that exact version for this host, or
// finds it in the module cache, and has it checked against the checksum database.
func (f *Fetcher) Toolchain(ctx context.Context, goVersion string) (*Toolchain, error) {
	return f.ToolchainFor(ctx, goVersion, runtime.GOOS+"/"+runtime.GOARCH)
}

// ToolchainFor is Toolchain for another host: system is its GOOS/GOARCH.
func (f *Fetcher) ToolchainFor(ctx context.Context, goVersion, system string) (*Toolchain, error) {
	exact, err := Exact(goVersion)
	if err != nil {
		return nil, &fault.Error{Err: err, Tip: "write the toolchain as a release, such as go: " + Recent(runtime.Version())}
	}
	mod := ModuleOf(exact, system)
	d, err := f.Module(ctx, mod)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		tip := "check that this Go release exists and that the module proxy and the checksum database can be reached; the toolchain is fetched once and kept"
		if f.Settings.GOSUMDB == "off" {
			tip = "GOSUMDB=off: a toolchain is built with only when the checksum database knows it; unset GOSUMDB, at least for the first time"
		}
		return nil, fault.Errorf(tip, "toolchain %s for %s: %w", exact, system, err)
	}
	return Sent(fact.Toolchain{
		Version: exact, Host: system, Module: mod, Sum: d.Sum, SumDB: f.Settings.checksToolchain(f.Place),
	}, d.Zip), nil
}

// Module is a downloaded module.
type Module struct {
	Path, Version         string
	Info, GoMod, Zip, Dir string // file names in the module cache
	Sum                   string // h1:
	Error                 string
	Origin                *Origin
}

// Origin is what the proxy says of a module's version control. It is a claim, not a proof.
type Origin struct {
	VCS, URL, Hash string
}

var ansi = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// Module downloads path@version into the place's module cache. The checksum
// database is asked unless the user's settings exempt the module.
func (f *Fetcher) Module(ctx context.Context, pathVersion string) (*Module, error) {
	res, err := Run(ctx, Command{
		Path: f.Go,
		Args: []string{"mod", "download", "-json", pathVersion},
		Dir:  f.Place.Empty,
		Env:  f.Place.FetchEnv(f.Settings), Confine: f.Place.Fetching(),
	})
	var m Module
	if jsonErr := json.Unmarshal(res.Stdout, &m); jsonErr != nil {
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("go mod download %s: %w", pathVersion, jsonErr)
	}
	if m.Error != "" {
		return nil, errors.New(secret.Redact(ansi.ReplaceAllString(m.Error, "")))
	}
	if err != nil {
		return nil, err
	}
	if m.Zip == "" || m.Sum == "" {
		return nil, fmt.Errorf("go mod download %s: no zip or no hash", pathVersion)
	}
	return &m, nil
}

// Settings are the user's own go settings that say where modules come from.
// Nothing else of the user's go environment is ever used.
type Settings struct {
	GOPROXY, GOSUMDB, GOPRIVATE, GONOPROXY, GONOSUMDB, GOINSECURE, GOAUTH, GOVCS string
	// ModCache is the user's module cache; it is read as one more proxy, so
	// that what is already on the machine is not downloaded again. Every file
	// from there is checked like one from the network.
	ModCache string
	// Network are the variables that tools need to reach the network and its
	// credentials (HTTP_PROXY, SSH_AUTH_SOCK, HOME for .netrc, …).
	Network []string
}

// UserSettings asks the go command for the user's settings. environ is the
// user's environment in the form of os.Environ.
func UserSettings(ctx context.Context, goCommand, dir string, environ []string) (Settings, error) {
	env := childenv.Of(childenv.Settings, environ)
	for _, kv := range environ {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE", "GOAUTH", "GOVCS", "GOMODCACHE", "GOPATH", "GOENV":
			env = append(env, kv)
		}
	}
	// An empty value would let the one in the user's GOENV file through, and go
	// env itself fails on values of these that it does not understand.
	env = append(env, "GOTOOLCHAIN=local", "GOWORK=off", "GO111MODULE=on", "GOEXPERIMENT=none", "GOFIPS140=off")
	res, err := Run(ctx, Command{
		Path: goCommand,
		Args: []string{"env", "-json", "GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE", "GOAUTH", "GOVCS", "GOMODCACHE"},
		Dir:  dir,
		Env:  env,
		// Where the user's go is a shell script of a version manager, it may want to write.
		Confine: confine.Limits{Waived: "it is the user's own go, asked for the user's own settings"},
	})
	if err != nil {
		return Settings{}, fmt.Errorf("asking go for the module proxy: %w", err)
	}
	var s Settings
	var m map[string]string
	if err := json.Unmarshal(res.Stdout, &m); err != nil {
		return Settings{}, fmt.Errorf("go env: %w", err)
	}
	s.GOPROXY, s.GOSUMDB, s.GOPRIVATE, s.GONOPROXY, s.GONOSUMDB = m["GOPROXY"], m["GOSUMDB"], m["GOPRIVATE"], m["GONOPROXY"], m["GONOSUMDB"]
	s.GOINSECURE, s.GOAUTH, s.GOVCS, s.ModCache = m["GOINSECURE"], m["GOAUTH"], m["GOVCS"], m["GOMODCACHE"]
	s.Network = childenv.Of(childenv.Fetch, environ)
	return s, nil
}

// Checks reports whether modules of that path are checked against the checksum database under these settings.
func (s Settings) Checks(modPath string) bool {
	if s.GOSUMDB == "off" {
		return false
	}
	return !module.MatchPrefixPatterns(s.GONOSUMDB, modPath)
}

// checksToolchain is the rule of cmd/go/internal/modfetch.useSumDB for golang.org/toolchain.
func (s Settings) checksToolchain(p *Place) bool {
	proxy := ""
	for _, kv := range p.FetchEnv(s) {
		if v, ok := strings.CutPrefix(kv, "GOPROXY="); ok {
			proxy = v
		}
	}
	return !strings.HasPrefix(proxy, "file://") || strings.ContainsAny(proxy, ",|") || s.Checks(modulePath)
}

// proxyURL is the GOPROXY value that reads a module cache's download directory.
func proxyURL(modcache string) string { return FileProxy(filepath.Join(modcache, "cache", "download")) }

// FileProxy is the GOPROXY value of a module proxy in a directory.
func FileProxy(dir string) string {
	p := filepath.ToSlash(dir)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/… on Windows
	}
	// Commas and bars separate the elements of GOPROXY.
	return "file://" + strings.NewReplacer(",", "%2C", "|", "%7C").Replace((&url.URL{Path: p}).EscapedPath())
}
