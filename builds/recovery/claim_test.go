package recovery

import (
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/goflags"
)

func TestGoRelease(t *testing.T) {
	for _, tt := range []struct{ version, release, experiments, err string }{
		{"go1.23.12", "go1.23.12", "", ""},
		{"go1.18", "go1.18", "", ""},
		{"go1.21rc2", "go1.21rc2", "", ""},
		{"go1.22.1 X:loopvar", "go1.22.1", "loopvar", ""},
		{"go1.26.8-X:nogreenteagc,jsonv2", "go1.26.8", "nogreenteagc,jsonv2", ""},
		{"go1.17.13", "", "", "before go1.18"},
		{"", "", "", "does not say"},
		{"devel go1.27-abcdef Fri Jan 2 03:04:05 2026 +0000", "", "", "development version"},
		{"go1.24.4 (Red Hat 1.24.4-1.el9)", "", "", "built with Red Hat's Go (go1.24.4 "},
		{"go1.22.5-microsoft", "", "", "built with the Microsoft build of Go ("},
		{"go1.24.1 X:strictfipsruntime", "", "", "built with Red Hat's Go (golang-fips) (go1.24.1 X:strictfipsruntime): no release of the Go project has the experiment strictfipsruntime"},
		{"go1.25.1-X:boringcrypto,systemcrypto", "", "", "built with the Microsoft build of Go"},
		{"go1.22-20240109-RC01 cl/597041403 +dcbe772469 X:loopvar", "", "", "built with Google's own Go"},
		{"go1.18.10b7", "", "", "built with Go's branch dev.boringcrypto"},
		{"go1.18 gccgo (GCC) 13.2.0", "", "", "built with gccgo"},
		{"go1.25.3-1-msft", "", "", "vendor's Go"},
		{"go1.21.4+auto", "", "", "vendor's Go"},
	} {
		release, experiments, err := goRelease(tt.version)
		if release != tt.release || experiments != tt.experiments || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: %q, %q, %v", tt.version, release, experiments, err)
		}
	}
}

func settings(kv ...string) (list []debug.BuildSetting) {
	for i := 0; i < len(kv); i += 2 {
		list = append(list, debug.BuildSetting{Key: kv[i], Value: kv[i+1]})
	}
	return list
}

func TestReadClaim(t *testing.T) {
	bi := &debug.BuildInfo{
		GoVersion: "go1.25.5", Path: "example.com/tool/cmd/x", Main: debug.Module{Path: "example.com/tool", Version: "v1.2.3+dirty"},
		Deps: []*debug.Module{{Path: "a", Version: "v1.0.0"}, {Path: "b", Version: "v1.0.0"}},
		Settings: settings("-buildmode", "exe", "-compiler", "gc", "-pgo", `C:\x\default.pgo`, "-tags", "b,a", "-trimpath", "true", "DefaultGODEBUG", "x=1",
			"CGO_ENABLED", "0", "GOARCH", "arm", "GOEXPERIMENT", "jsonv2", "GOFIPS140", "v1.0.0-c2097c7c", "GOOS", "linux", "GOARM", "6",
			"vcs", "git", "vcs.revision", "abc", "vcs.time", "2026-01-02T03:04:05Z", "vcs.modified", "true", "GOFLAGS", "-x"),
	}
	c, err := ReadClaim(&gobin.File{Format: gobin.ELF, BuildInfo: bi, BuildInfoFrom: gobin.FromSection})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"CGO_ENABLED=0", "GOARCH=arm", "GOEXPERIMENT=jsonv2", "GOFIPS140=v1.0.0", "GOOS=linux", "GOARM=6"}; !slices.Equal(goflags.Environ(c.Env), want) {
		t.Errorf("env %q", c.Env)
	}
	if want := []string{"-tags=b,a", "-trimpath"}; !slices.Equal(goflags.Strings(c.Flags), want) {
		t.Errorf("flags %q: neither -buildmode=exe nor DefaultGODEBUG may be passed", c.Flags)
	}
	main, ok := c.MainDir()
	if c.Platform() != "linux/arm/6" || c.PGO != "default.pgo" || !c.Vendor || !c.Modified || c.Release() != "v1.2.3" || c.Tag() != "v1.2.3" ||
		main != "./cmd/x" || !ok || c.Installed() || c.ModifiedGo {
		t.Errorf("%+v", c)
	}
	bi.Deps[0].Sum = "h1:x"
	bi.Main = debug.Module{Path: "example.com/tool", Version: "v0.0.0-20260102030405-0123456789ab", Sum: "h1:y"}
	bi.Settings = settings("GOARCH", "amd64", "GOOS", "linux")
	if c, err = ReadClaim(&gobin.File{Format: gobin.ELF, BuildInfo: bi, BuildInfoFrom: gobin.FromModInfo}); err != nil || c.Vendor || !c.Installed() || !c.Pseudo() || c.Tag() != "" || !c.ModifiedGo {
		t.Errorf("%+v, %v", c, err)
	}
	bi.Path = ""
	for _, f := range []*gobin.File{{}, {BuildInfo: bi}, {BuildInfo: &debug.BuildInfo{GoVersion: "go1.25.1", Path: "x", Main: debug.Module{Path: "x"}}}} {
		if _, err := ReadClaim(f); err == nil {
			t.Errorf("%+v: no error", f.BuildInfo)
		}
	}
}
