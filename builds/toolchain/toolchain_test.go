package toolchain

import (
	"archive/zip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

func TestExact(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"go1.26.8", "go1.26.8"}, {"1.26.8", "go1.26.8"},
		{"1.21", "go1.21.0"}, {"go1.23", "go1.23.0"}, {"1.23.0", "go1.23.0"},
		{"1.20", "go1.20"}, {"go1.20.14", "go1.20.14"}, {"go1.18", "go1.18"},
		{"go1.26rc1", "go1.26rc1"}, {"1.21rc2", "go1.21rc2"},
		{"", ""}, {"go", ""}, {"latest", ""}, {"go1.26.8-custom", ""}, {"1.26.8 linux", ""}, {"gogo1.26", ""},
		{"v1.26.8", ""}, {"1.26.", ""}, {"1.26.x", ""}, {"../1.26", ""}, {"go1.026", ""}, {"default", ""}, {"local", ""},
	} {
		got, err := Exact(tt.in)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("Exact(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

func FuzzExact(f *testing.F) {
	for _, s := range []string{"go1.26.8", "1.21", "1.20", "go1.26rc1", "go1.26-x", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Exact(s)
		if err != nil {
			return
		}
		again, err := Exact(v)
		if err != nil || again != v {
			t.Errorf("%q gives %q, and that gives %q, %v", s, v, again, err)
		}
		if strings.ContainsAny(v, "/\\ @\n") {
			t.Errorf("%q gives %q", s, v)
		}
	})
}

// poison are settings that would change a build, or leak.
var poison = []string{
	"GOFLAGS=-ldflags=-s nonsense", "GOEXPERIMENT=nosuch", "GOWORK=/nowhere/go.work", "GOTOOLCHAIN=go1.1", "GODEBUG=x=y",
	"GOFIPS140=latest", "GO_EXTLINK_ENABLED=1", "GOCOMPILEDEBUG=x", "GOOS=plan9", "GOARCH=386", "GOAMD64=v3", "CGO_ENABLED=1",
	"CC=evil", "CXX=evil", "CGO_CFLAGS=-DEVIL", "CGO_LDFLAGS=-levil", "PKG_CONFIG=evil", "GOROOT=/nowhere", "GOBIN=/nowhere",
	"GOCACHEPROG=evil", "GOTMPDIR=/nowhere", "GITHUB_TOKEN=secret", "AWS_SECRET_ACCESS_KEY=secret", "GOPROXY=https://user:secret@example.com",
	"MINTMARK_PASSWORD=secret", "COSIGN_PASSWORD=secret", "LD_PRELOAD=", "SOURCE_DATE_EPOCH=1", "GIT_DIR=/nowhere", "GIT_CONFIG_PARAMETERS='core.editor=evil'",
}

func TestBuildEnvironment(t *testing.T) {
	goCmd, _ := runningGo(t)
	place := testPlace(t)
	for _, kv := range poison {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	place.OtherUser, place.MaxProcs = true, 3
	env := place.Env([]string{"GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0", "GOEXPERIMENT="}, "off")
	res, err := Run(t.Context(), Command{Path: goCmd, Args: []string{"env", "GOFLAGS", "GOEXPERIMENT", "GOWORK", "GOENV", "GOOS", "GOARCH",
		"GOAMD64", "CGO_ENABLED", "CC", "CGO_CFLAGS", "GOPROXY", "GOSUMDB", "GOBIN", "GOFIPS140", "GODEBUG", "GOTOOLCHAIN", "GOCACHEPROG", "GOPRIVATE"}, Dir: place.Empty, Env: env, Confine: place.Confine()})
	if err != nil {
		t.Fatal(err)
	}
	want := "\n\noff\n\nlinux\narm64\n\n0\ngcc\n-O2 -g\noff\noff\n\noff\n\nlocal\n\n\n"
	if runtime.GOOS == "linux" && string(res.Stdout) != want {
		t.Errorf("go env says\n%q, want\n%q", res.Stdout, want)
	}
	allowed := strings.Fields(`APPDATA CGO_ENABLED GIT_ALLOW_PROTOCOL GIT_ATTR_NOSYSTEM GIT_NO_LAZY_FETCH GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM GIT_CONFIG_SYSTEM GIT_OPTIONAL_LOCKS
		GIT_TERMINAL_PROMPT GO111MODULE GOARCH GOAUTH GOCACHE GOCOMPILEDEBUG GODEBUG GOENV GOEXPERIMENT GOFIPS140 GOFLAGS GOINSECURE GOMAXPROCS
		GOMODCACHE GONOPROXY GONOSUMDB GOOS GOPATH GOPRIVATE GOPROXY GOSUMDB GOTOOLCHAIN GOVCS GOWORK GO_EXTLINK_ENABLED HOME
		LANG LC_ALL LOCALAPPDATA LOGNAME PATH PATHEXT SYSTEMROOT TEMP TMP TMPDIR TZ USER USERPROFILE WINDIR`)
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if !slices.Contains(allowed, name) {
			t.Errorf("%s reaches a build", name)
		}
		for _, bad := range []string{"secret", "evil", "nowhere"} {
			if strings.Contains(value, bad) {
				t.Errorf("%s reaches a build", kv)
			}
		}
	}
}

// testHome is a home of a user who has turned go's telemetry off: its process
// outlives go and would write into the directory while the test removes it.
func testHome(t *testing.T) string {
	t.Helper()
	p := testPlace(t)
	return p.Home
}

// Nothing of a build goes on when its command has ended, and nothing is
// written into HOME behind its back.
func TestNoTelemetry(t *testing.T) {
	goCmd, _ := runningGo(t)
	p := testPlace(t)
	if _, err := Run(t.Context(), Command{Path: goCmd, Args: []string{"version"}, Dir: p.Empty, Env: p.Env(nil, "off"), Confine: p.Confine()}); err != nil {
		t.Fatal(err)
	}
	var found []string
	err := filepath.WalkDir(p.Home, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, d.Name())
		}
		return err
	})
	if err != nil || !slices.Equal(found, []string{"mode"}) {
		t.Errorf("HOME holds %q, %v", found, err)
	}
}

// The place's own directories win over a unit's environment.
func TestBuildEnvironmentOrder(t *testing.T) {
	p := testPlace(t)
	env := dedupe(p.Env([]string{"HOME=/elsewhere", "GOCACHE=/elsewhere", "GOPROXY=direct", "GOSUMDB=x", "GODEBUG=a=b"}, "off"))
	for _, kv := range []string{"HOME=" + p.Home, "GOCACHE=" + p.GoCache, "GOPROXY=off", "GOSUMDB=off", "GODEBUG=a=b"} {
		if !slices.Contains(env, kv) {
			t.Errorf("%s is missing in %q", kv, env)
		}
	}
}

func TestUserSettings(t *testing.T) {
	goCmd, _ := runningGo(t)
	home, empty := testHome(t), t.TempDir()
	goenv := filepath.Join(home, "go-env-file")
	base := []string{"HOME=" + home, "USERPROFILE=" + home, "PATH=/usr/bin:/bin", "GOENV=" + goenv}
	write(t, goenv, "GOPROXY=https://proxy.example.com\nGOPRIVATE=*.corp.example.com\nGOMODCACHE="+filepath.Join(home, "cache")+"\n")
	s, err := UserSettings(t.Context(), goCmd, empty, append(base, poison[0], poison[1], poison[2], "GOSUMDB=sum.example.com", "GITHUB_TOKEN=secret"))
	if err != nil {
		t.Fatal(err)
	}
	if s.GOPROXY != "https://proxy.example.com" || s.GOPRIVATE != "*.corp.example.com" || s.GONOSUMDB != "*.corp.example.com" ||
		s.GOSUMDB != "sum.example.com" || s.ModCache != filepath.Join(home, "cache") {
		t.Errorf("got %+v", s)
	}
	if slices.Contains(s.Network, "GITHUB_TOKEN=secret") || !slices.Contains(s.Network, "HOME="+home) {
		t.Errorf("network: %q", s.Network)
	}
	// The environment comes before the file.
	if s, err := UserSettings(t.Context(), goCmd, empty, append(base, "GOPROXY=off")); err != nil || s.GOPROXY != "off" {
		t.Errorf("got %q, %v", s.GOPROXY, err)
	}
	// Nonsense in the file that says nothing about modules.
	for _, line := range []string{
		"GOFLAGS=nonsense -x", "GOEXPERIMENT=nosuch", "GOFIPS140=zz", "GO111MODULE=perhaps", "GOTOOLCHAIN=nonsense", "GOWORK=relative",
		"GOOS=beos", "GOARCH=pdp11", "GOAMD64=v9", "CGO_ENABLED=maybe", "GODEBUG=x", "not a setting", "\x00\xff", "GOCACHE=relative", "GOAUTH=nosuch",
	} {
		write(t, goenv, line+"\nGOPROXY=https://proxy.example.com\n")
		if s, err := UserSettings(t.Context(), goCmd, empty, base); err != nil || s.GOPROXY != "https://proxy.example.com" {
			t.Errorf("with %q in the file: %q, %v", line, s.GOPROXY, err)
		}
	}
}

// A build's fetch phase sees where modules come from, and nothing that steers a build.
func TestFetchEnvironment(t *testing.T) {
	goCmd, _ := runningGo(t)
	home := testHome(t)
	var environ []string
	environ = append(environ, poison...)
	environ = append(environ, "HOME="+home, "PATH=/usr/bin:/bin", "GOENV=off", "GOPROXY=https://proxy.example.com", "GIT_CONFIG_GLOBAL="+home+"/gitconfig",
		"GOMODCACHE="+filepath.Join(home, "mod cache"))
	write(t, filepath.Join(home, "mod cache", "cache", "download", "x"), "")
	s, err := UserSettings(t.Context(), goCmd, t.TempDir(), environ)
	if err != nil {
		t.Fatal(err)
	}
	env := dedupe(testPlace(t).FetchEnv(s))
	for _, kv := range []string{"GOFLAGS=", "GOEXPERIMENT=", "GOENV=off", "GOWORK=off", "HOME=" + home, "GIT_CONFIG_GLOBAL=" + home + "/gitconfig",
		"GOPROXY=" + proxyURL(filepath.Join(home, "mod cache")) + ",https://proxy.example.com"} {
		if !slices.Contains(env, kv) {
			t.Errorf("%s is missing in %q", kv, env)
		}
	}
	for _, kv := range env {
		if strings.Contains(kv, "secret") || strings.Contains(kv, "evil") || strings.HasPrefix(kv, "GIT_DIR=") || strings.HasPrefix(kv, "GIT_CONFIG_SYSTEM=") {
			t.Errorf("%s reaches the fetch phase", kv)
		}
	}
}

func TestChecks(t *testing.T) {
	for _, tt := range []struct {
		sumdb, nosumdb, path string
		want                 bool
	}{
		{"sum.golang.org", "", "example.com/m", true},
		{"off", "", "example.com/m", false},
		{"sum.golang.org", "example.com", "example.com/m", false},
		{"sum.golang.org", "example.com/m", "example.com/m/v2", false},
		{"sum.golang.org", "example.com/other", "example.com/m", true},
		{"sum.golang.org", "example.com/m/x", "example.com/m", true},
		{"sum.golang.org", "*.example.com", "git.example.com/a/b", false},
		{"sum.golang.org", "*.example.com", "example.com/a/b", true},
		{"sum.golang.org", "other.org,*.example.com/priv*", "git.example.com/private/b", false},
		{"sum.golang.org", "other.org/,example.com", "example.com/a", false},
		{"sum.golang.org", ",,", "example.com/a", true},
		{"sum.golang.org", "[", "example.com/a", true},
		{"sum.golang.org", "*", "example.com/a", false},
	} {
		if got := (Settings{GOSUMDB: tt.sumdb, GONOSUMDB: tt.nosumdb}).Checks(tt.path); got != tt.want {
			t.Errorf("GOSUMDB=%s GONOSUMDB=%s %s: %v", tt.sumdb, tt.nosumdb, tt.path, got)
		}
	}
}

func TestToolchainChecked(t *testing.T) {
	p := testPlace(t)
	for _, tt := range []struct {
		s    Settings
		want bool
	}{
		{Settings{GOPROXY: "https://proxy.example.com,direct", GOSUMDB: "off"}, true},
		{Settings{GOPROXY: "https://proxy.example.com", GOSUMDB: "sum.golang.org", GONOSUMDB: "*"}, true},
		{Settings{GOPROXY: "file:///mirror", GOSUMDB: "sum.golang.org"}, true},
		{Settings{GOPROXY: "file:///mirror,off", GOSUMDB: "off"}, true},
		{Settings{GOPROXY: "file:///mirror", GOSUMDB: "off"}, false},
		{Settings{GOPROXY: "file:///mirror", GOSUMDB: "sum.golang.org", GONOSUMDB: "golang.org"}, false},
	} {
		if got := tt.s.checksToolchain(p); got != tt.want {
			t.Errorf("%+v: %v", tt.s, got)
		}
	}
}

// A module cache in a directory of any name serves as a proxy.
func TestProxyURL(t *testing.T) {
	goCmd, _ := runningGo(t)
	for _, name := range []string{"plain", "with space", "per%20cent", "com,ma", "hash#and?query", "bar|", "ümläut", "a+b&c=d;e", "[x]~"} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, `?|`) {
			continue
		}
		cache := filepath.Join(t.TempDir(), name)
		serve(t, filepath.Join(cache, "cache", "download"), "example.com/m", "v1.0.0", map[string]string{"go.mod": "module example.com/m\n"})
		f := &Fetcher{Go: goCmd, Place: testPlace(t), Settings: Settings{GOPROXY: "off", GOSUMDB: "off", ModCache: cache}}
		m, err := f.Module(t.Context(), "example.com/m@v1.0.0")
		if err != nil {
			t.Errorf("%q: %s: %v", name, proxyURL(cache), err)
			continue
		}
		if !strings.HasPrefix(m.Sum, "h1:") || m.Path != "example.com/m" || !strings.HasPrefix(m.Dir, f.Place.ModCache) {
			t.Errorf("%q: %+v", name, m)
		}
		os.Chmod(m.Dir, 0o755)
		removeAll(t, f.Place.ModCache)
	}
}

func TestFetchErrors(t *testing.T) {
	goCmd, _ := runningGo(t)
	proxy := t.TempDir()
	f := &Fetcher{Go: goCmd, Place: testPlace(t), Settings: Settings{GOPROXY: "file://" + filepath.ToSlash(proxy), GOSUMDB: "off"}}
	_, err := f.Module(t.Context(), "example.com/m@v1.0.0")
	if err == nil || !strings.Contains(err.Error(), "example.com/m@v1.0.0") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("missing module: %v", err)
	}
	for _, v := range []string{"go1.99.99", "nonsense"} {
		_, err := f.Toolchain(t.Context(), v)
		if err == nil || !strings.Contains(err.Error(), v) || fault.Hint(err) == "" {
			t.Errorf("toolchain %s: %v", v, err)
		}
	}
	// A damaged zip in the proxy is noticed by its go.sum line or the checksum
	// database; without either at least a broken zip is.
	serve(t, proxy, "example.com/m", "v1.0.0", map[string]string{"go.mod": "module example.com/m\n"})
	write(t, filepath.Join(proxy, "example.com", "m", "@v", "v1.0.0.zip"), "no zip")
	if _, err := f.Module(t.Context(), "example.com/m@v1.0.0"); err == nil || !strings.Contains(err.Error(), "zip") {
		t.Errorf("broken zip: %v", err)
	}
}

// serve writes a module into a proxy's directory.
func serve(t *testing.T, dir, path, version string, files map[string]string) {
	t.Helper()
	base := filepath.Join(dir, filepath.FromSlash(path), "@v", version)
	write(t, base+".info", `{"Version":"`+version+`","Time":"2026-01-02T03:04:05Z"}`)
	write(t, base+".mod", files["go.mod"])
	write(t, filepath.Join(filepath.Dir(base), "list"), version+"\n")
	src := t.TempDir()
	for name, data := range files {
		write(t, filepath.Join(src, name), data)
	}
	f, err := os.Create(base + ".zip")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := modzip.CreateFromDir(f, module.Version{Path: path, Version: version}, src); err != nil {
		t.Fatal(err)
	}
	if _, err := zip.OpenReader(base + ".zip"); err != nil {
		t.Fatal(err)
	}
}

// removeAll removes a module cache, whose directories are read-only.
func removeAll(t *testing.T, dir string) {
	t.Helper()
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(path, 0o755)
		}
		return nil
	})
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}
