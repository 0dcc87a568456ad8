package profiles

import (
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
)

func TestGoVersion(t *testing.T) {
	for in, hint := range map[string]string{
		"go1.26.8": "", "go1.21.0": "", "go1.27rc1": "", "go1.20": "", "go1.20.14": "", "go1.4": "",
		"1.20": "go1.20.P", "1.26": "go1.26.P", "go1.26": "go1.26.P", "1.26.8": "did you mean go1.26.8?",
		"v1.26.8": "did you mean go1.26.8?", "go1.20.0": "go1.20.P", "1.x": "such as", "go1.26.x": "go1.26.P", "latest": "another one tomorrow",
		"go1.026.1": "did you mean go1.26.1?", "go1.26.08": "did you mean go1.26.8?", "go2.0.0": "such as", "go1.26.8-custom": "such as", "go1.26rc0": "such as", "": "such as", "go1.26.8 ": "such as",
	} {
		err := checkGoVersion(in)
		if (err == nil) != (hint == "") || err != nil && !strings.Contains(fault.Hint(err), hint) {
			t.Errorf("%q: %v, hint %q, want %q", in, err, fault.Hint(err), hint)
		}
	}
}

func TestSize(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "1": 1, "8MiB": 8 << 20, "8 MiB": 8 << 20, "900KiB": 900 << 10, "10MB": 10e6, "5kB": 5000, "5KB": 5000, "2GiB": 2 << 30, "1GB": 1e9, "7B": 7,
		"-1": -1, "1.5MiB": -1, "8M": -1, "8mib": -1, "": -1, "MiB": -1, "999999999999999999GiB": -1, "1TiB": -1, "0x10": -1, "1_000": -1,
	} {
		got, err := parseSize(in)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q: %d, %v, want %d", in, got, err, want)
		}
	}
	for in, want := range map[string]string{"8M": "did you mean 8MiB?", "8mib": "did you mean 8MiB?", "8k": "did you mean 8KiB?", "1.5MiB": "1536KiB"} {
		if _, err := parseSize(in); err == nil || !strings.Contains(fault.Hint(err), want) {
			t.Errorf("%q: hint %q, want %q", in, fault.Hint(err), want)
		}
	}
}

func TestDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{"300ms": 300 * time.Millisecond, "1.5s": 1500 * time.Millisecond, "0": 0, "-1s": -1, "300": -1, "": -1, "1d": -1} {
		got, err := parseDuration(in)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
}

func TestEnvNames(t *testing.T) {
	for _, good := range []string{"CC", "CXX", "AR", "PKG_CONFIG", "PKG_CONFIG_PATH", "CGO_CFLAGS", "CGO_LDFLAGS_ALLOW", "GOEXPERIMENT", "GOFIPS140", "FOO", "SOURCE_DATE_EPOCH", "KEYBOARD", "PATHS"} {
		if err := checkEnvName(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{
		"GOOS", "GOARM64", "GO386", "GOFLAGS", "GOROOT", "GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOTOOLCHAIN", "GOENV", "GOWORK", "GODEBUG",
		"GO_EXTLINK_ENABLED", "GOCOMPILEDEBUG", "GOCACHEPROG", "GONOSUMDB", "GOAUTH", "CGO_ENABLED", "HOME", "home", "Path", "TMPDIR", "LC_ALL", "https_proxy", "GIT_CONFIG_GLOBAL", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES",
		"MINTMARK_KEY", "COSIGN_PASSWORD", "NPM_TOKEN", "token", "AWS_SECRET_ACCESS_KEY", "MY_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "GH_PAT", "", "A B", "1A", "A=B", "Ä", "goexperiment",
	} {
		if checkEnvName(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestMainPatterns(t *testing.T) {
	for _, good := range []string{".", "./", "./...", "./cmd/...", "./cmd/tool", "example.com/m/cmd/tool"} {
		if err := checkMain(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "..", "../x", "./../x", "/x", "cmd/tool", "all", "std", "cmd", "./main.go", "./x@v1.0.0", "-x", "~/x", `.\cmd`, "C:/x", "./a b", "./*"} {
		if checkMain(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestNearest(t *testing.T) {
	known := lastNames(append(settingKeys(), structureKeys()...))
	for in, want := range map[string]string{
		"trimpaht": "trimpath", "ldflag": "ldflags", "platform": "platforms", "inherits": "inherit", "tag": "tags", "OVERRIDES": "overrides", "zzzzzz": "", "x": "",
	} {
		if got := Nearest(in, known); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	if d := editDistance("kitten", "sitting"); d != 3 {
		t.Errorf("kitten, sitting: %d", d)
	}
	if d := editDistance("ab", "ba"); d != 1 {
		t.Errorf("ab, ba: %d", d)
	}
}
