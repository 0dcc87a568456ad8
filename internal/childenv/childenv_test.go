package childenv_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/childenv"
	"github.com/mintmark/mintmark/internal/publish"
	"github.com/mintmark/mintmark/internal/startup"
)

// tokens are secrets as they lie in the environments of continuous integration.
// All values hold the word secret.
var tokens = strings.Fields(`MINTMARK_PASSWORD COSIGN_PASSWORD MINTMARK_LEDGER_KEY MINTMARK_KEY COSIGN_KEY COSIGN_PRIVATE_KEY GITHUB_TOKEN GH_TOKEN
	GITLAB_TOKEN CI_JOB_TOKEN CI_JOB_JWT NPM_TOKEN RSYNC_PASSWORD NODE_AUTH_TOKEN CARGO_REGISTRY_TOKEN PYPI_TOKEN TWINE_PASSWORD DOCKER_PASSWORD DOCKER_AUTH_CONFIG
	GORELEASER_KEY HOMEBREW_GITHUB_API_TOKEN ACTIONS_RUNTIME_TOKEN ACTIONS_ID_TOKEN_REQUEST_TOKEN SSH_PRIVATE_KEY GPG_PASSPHRASE GPG_PRIVATE_KEY
	DATABASE_URL SLACK_WEBHOOK SENTRY_AUTH_TOKEN HEROKU_API_KEY DIGITALOCEAN_ACCESS_TOKEN KUBECONFIG_DATA ANSIBLE_VAULT_PASSWORD SECRET ANYTHING
	GIT_PASSWORD GIT_TOKEN GIT_DIR GIT_CONFIG_PARAMETERS GIT_CONFIG GOFLAGS GODEBUG GOCACHEPROG LD_PRELOAD_PATH DYLD_INSERT_LIBRARIES_X BASH_ENV ENV
	NODE_OPTIONS PERL5OPT PYTHONSTARTUP`)

// clouds are credentials that KMS plugins need, and nobody else.
var clouds = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_CLIENT_SECRET", "VAULT_TOKEN", "ACME_HSM_PIN"}

// hostileHome is the environment of a user, in which everything is secret.
func hostileHome(t *testing.T, bin string) []string {
	home := t.TempDir()
	environ := []string{"HOME=" + home, "PATH=" + bin, "HTTPS_PROXY=http://proxy.example", "SSH_AUTH_SOCK=/agent", "GOPROXY=off", "GOENV=" + filepath.Join(home, "goenv"),
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=a.b", "GIT_CONFIG_VALUE_0=c"}
	for _, name := range slices.Concat(tokens, clouds) {
		environ = append(environ, name+"=secret")
	}
	for _, kv := range environ { // what a child would inherit unasked
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	return environ
}

// Every kind of child is started with a recorder in its place that records its
// environment. UPX is not among them: it can write nowhere when it is asked for its
// version, and is given one variable (internal/upx).
func TestNoChildGetsSecrets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: the stubs are shell scripts")
	}
	bin, work := t.TempDir(), t.TempDir()
	log := filepath.Join(work, "log") // where those that are confined may write
	for _, name := range []string{"go", "git", "sigstore-kms-acme-hsm", "program", "qemu-mips", "rsync"} {
		script := "#!/bin/sh\n/usr/bin/env >>'" + log + "'\necho '{}'\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	environ := hostileHome(t, bin)
	ctx := t.Context()
	at := func(name string) string { return filepath.Join(bin, name) }
	place := &toolchain.Place{Home: t.TempDir(), Tmp: work, GoCache: work, ModCache: work, Empty: work, Git: at("git")}
	settings, err := toolchain.UserSettings(ctx, at("go"), work, environ)
	if err != nil {
		t.Fatal(err)
	}
	recorded := func(what string) map[string]string {
		t.Helper()
		data, err := os.ReadFile(log)
		os.Remove(log)
		if err != nil {
			t.Fatalf("%s: it was not started: %v", what, err)
		}
		vars := map[string]string{}
		for line := range strings.Lines(string(data)) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			vars[name] = value
		}
		return vars
	}
	g := git.New(at("git"), environ, work)
	for _, child := range []struct {
		what  string
		start func()
		has   []string // which of the user's it needs
	}{
		{"go that is asked for the user's settings", func() {}, []string{"HOME", "GOENV", "GOPROXY"}},
		{"go that fetches", func() {
			(&toolchain.Fetcher{Go: at("go"), Place: place, Settings: settings}).Module(ctx, "example.com/m@v1.0.0")
		}, []string{"HOME", "PATH", "HTTPS_PROXY", "SSH_AUTH_SOCK"}},
		{"go that builds", func() {
			toolchain.Run(ctx, toolchain.Command{Path: at("go"), Dir: work, Env: place.Env(nil, "off"), Confine: place.Confine()})
		}, nil},
		{"git that is asked where a repository is", func() { g.Find(ctx, work) }, []string{"HOME", "GIT_CONFIG_COUNT"}},
		{"git in a directory of ours", func() { g.Borrow(ctx, work) }, nil},
		{"git that fetches", func() { g.Source(ctx, "https://example.com/x", "") }, []string{"HOME", "PATH", "HTTPS_PROXY", "SSH_AUTH_SOCK", "GIT_CONFIG_COUNT"}},
		{"a program that is measured", func() {
			startup.Prove(ctx, startup.ProveConfig{Packed: at("program"), Plain: at("program"), Work: work, Dir: t.TempDir(), Counts: []int{0}})
		}, nil},
		{"rsync", func() {
			target, err := publish.ParseTarget("rsync:host:path")
			if err != nil {
				t.Error(err)
			}
			if err := publish.Fetch(ctx, publish.Config{Target: target, Env: childenv.Of(childenv.Rsync, environ)}, "v1", t.TempDir()); err == nil {
				t.Error("no error")
			}
		}, []string{"HOME", "PATH", "SSH_AUTH_SOCK", "RSYNC_PASSWORD"}},
		{"a KMS plugin", func() {
			ctx := checksums.WithPlugins(ctx, checksums.Plugins{Env: func(name string) []string { return childenv.Plugin(name, environ) }})
			if _, err := checksums.LoadSigner(ctx, checksums.NewKeyRef("acme-hsm://key", nil), nil); err == nil {
				t.Error("no error")
			}
		}, append([]string{"HOME", "PATH", "HTTPS_PROXY", "SSH_AUTH_SOCK"}, clouds...)},
	} {
		child.start()
		vars := recorded(child.what)
		for name, value := range vars {
			if strings.Contains(value, "secret") && !slices.Contains(child.has, name) {
				t.Errorf("%s gets %s=%s", child.what, name, value)
			}
		}
		for _, name := range child.has {
			if vars[name] == "" {
				t.Errorf("%s lacks %s", child.what, name)
			}
		}
		if len(child.has) == 0 && (vars["HOME"] != "" && strings.HasPrefix(environ[0], "HOME="+vars["HOME"]) || vars["SSH_AUTH_SOCK"] != "" || vars["HTTPS_PROXY"] != "") {
			t.Errorf("%s gets the user's home or network: %v", child.what, vars)
		}
	}
}

func TestQuietComesAfterTheUser(t *testing.T) {
	got := childenv.Quiet([]string{"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=core.hooksPath", "GIT_CONFIG_VALUE_0=/evil", "GIT_CONFIG_KEY_1=a.b", "GIT_CONFIG_VALUE_1=c"}, []string{"filter.a=b.smudge="})
	for _, want := range []string{"GIT_CONFIG_KEY_2=core.hooksPath", "GIT_CONFIG_VALUE_2=" + os.DevNull, "GIT_CONFIG_KEY_7=filter.a=b.smudge", "GIT_CONFIG_VALUE_7=", "GIT_CONFIG_COUNT=8"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	for _, count := range []string{"x", "-3", ""} {
		if got := childenv.Quiet([]string{"GIT_CONFIG_COUNT=" + count}, nil); !slices.Contains(got, "GIT_CONFIG_KEY_0=core.hooksPath") {
			t.Errorf("%q: %q", count, got)
		}
	}
}

// What mintmark is told in secret is on no list, whatever else a plugin gets.
func TestSecretsAreOnNoList(t *testing.T) {
	environ := []string{"MINTMARK_PASSWORD=x", "COSIGN_PASSWORD=x", "MINTMARK_LEDGER_KEY=x"}
	for _, name := range []string{"mintmark", "cosign", "MINTMARK", "aws"} {
		if got := childenv.Plugin(name, environ); len(got) > 0 {
			t.Errorf("a plugin named %s gets %q", name, got)
		}
	}
	for _, kind := range []childenv.Kind{childenv.None, childenv.Settings, childenv.Fetch} {
		if got := childenv.Of(kind, environ); len(got) > 0 {
			t.Errorf("%s", fmt.Sprint(kind, got))
		}
	}
}
