package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/ui"
)

// canary is a part of every secret of these tests.
const canary = "CanaryCanaryCanaryCanaryCanaryCanaryCanaryCanaryCanaryCanary0123"

// leaked are the forms in which the canary could come out.
func leaked(text string) bool {
	forms := []string{canary[:24], strings.ToUpper(canary[:24])}
	for i := range 3 { // in base64 it depends on where it begins
		forms = append(forms, base64.StdEncoding.EncodeToString([]byte(canary[i:]))[:24])
	}
	for _, f := range forms {
		if strings.Contains(text, f) {
			return true
		}
	}
	return false
}

const keyText = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n" + canary + "\n" + canary + "\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n"

// keyForms are private keys as somebody could pass them by mistake; addressForms
// are addresses with a password.
func keyForms() map[string]string {
	return map[string]string{
		"PEM": keyText, "without line ends": strings.ReplaceAll(keyText, "\n", " "), "base64": base64.StdEncoding.EncodeToString([]byte(keyText)),
		"inner":   `{"kdf":{"name":"scrypt"},"cipher":{"name":"nacl/secretbox"},"ciphertext":"` + canary + `"}`,
		"age":     "AGE-SECRET-KEY-1" + strings.ToUpper(canary[:58]),
		"JWK":     `{"kty":"EC","crv":"P-256","d":"` + canary + `"}`,
		"openssh": "-----BEGIN OPENSSH PRIVATE KEY-----\n" + canary,
		"env":     "env://" + keyText,
	}
}

var addressForms = map[string]string{
	"password": "https://user:" + canary + "@127.0.0.1:1/x", "token": "https://" + canary + "@127.0.0.1:1/x.git",
	"KMS": "hashivault://user:" + canary + "@127.0.0.1:1/key", "parameter": "https://127.0.0.1:1/x?access_token=" + canary,
}

// bench runs verbs in this process, with an environment and directories of its own.
type secretBench struct {
	t         *testing.T
	dir, work string
}

func newSecretBench(t *testing.T) *secretBench {
	b := &secretBench{t: t, dir: t.TempDir()}
	b.work = filepath.Join(b.dir, "work")
	for _, d := range []string{"work", "home", "empty"} {
		if err := os.Mkdir(filepath.Join(b.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(b.work)
	t.Setenv("HOME", filepath.Join(b.dir, "home")) // for os.UserCacheDir and os.UserConfigDir
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	return b
}

// run does a verb and fails if the canary is anywhere but where it was put.
func (b *secretBench) run(what string, env []string, args ...string) (said string, code int) {
	b.t.Helper()
	var out, errOut bytes.Buffer
	getenv := func(string) string { return "" }
	d := &app{term: ui.New(strings.NewReader(""), &out, &errOut, getenv), env: append([]string{"HOME=" + filepath.Join(b.dir, "home"), "MINTMARK_CACHE=" + filepath.Join(b.dir, "cache")}, env...)}
	code = d.main(context.Background(), args)
	said = out.String() + errOut.String()
	if leaked(said) {
		b.t.Errorf("%s: printed:\n%s", what, said)
	}
	return said, code
}

// files looks for the canary in everything that was written.
func (b *secretBench) files(allowed ...string) {
	b.t.Helper()
	err := filepath.WalkDir(b.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if leaked(strings.TrimPrefix(name, b.dir)) {
			b.t.Errorf("in a name: %s", name)
		}
		for _, a := range allowed {
			if filepath.Base(name) == a {
				return nil
			}
		}
		if d.Type().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if leaked(string(data)) {
				b.t.Errorf("written to %s", name)
			}
		}
		return nil
	})
	if err != nil {
		b.t.Error(err)
	}
}

// TestSecretsInFlags gives every text flag and every argument of every verb a
// private key, and an address with a password.
func TestSecretsInFlags(t *testing.T) {
	b := newSecretBench(t)
	env := []string{"PATH=" + filepath.Join(b.dir, "empty")} // no go, no git: the messages before them
	runs := 0
	try := func(verb, what string, isKey bool, args []string) {
		for _, asJSON := range []bool{false, true} {
			runs++
			all := append([]string{verb}, args...)
			if asJSON {
				all = append(all, "-json")
			}
			said, code := b.run(verb+" "+what, env, all...)
			if code == 0 {
				t.Errorf("%s %s: fine?\n%s", verb, what, said)
			}
			if asJSON && strings.Contains(said, "not defined: -json") {
				continue
			}
			if isKey && (code != 2 || !strings.Contains(said, "not the name of one") && !strings.Contains(said, "hint: ")) {
				t.Errorf("%s %s: exit code %d\n%s", verb, what, code, said)
			}
		}
	}
	for _, v := range Verbs() {
		named := slices.DeleteFunc(v.Args(), func(a Arg) bool { return a.Optional && !a.many })
		args := make([]string, len(named))
		for i := range args {
			args[i] = filepath.Join(b.dir, "absent")
		}
		forms := map[bool]map[string]string{true: keyForms(), false: addressForms}
		for isKey, list := range forms {
			for name, text := range list {
				for _, f := range v.Flags() {
					if f.Type() == "string" && v.Name != "keygen" {
						try(v.Name, "-"+f.Name+", "+name, isKey, append([]string{"-" + f.Name + "=" + text}, args...))
					}
				}
				for i := range args {
					with := append([]string(nil), args...)
					with[i] = text
					try(v.Name, named[i].Name+", "+name, isKey, with)
				}
				if isKey {
					try(v.Name, "a flag's name, "+name, false, append([]string{"-" + text}, args...))
					try(v.Name, "one more argument, "+name, false, append(append([]string(nil), args...), text))
				}
			}
		}
	}
	for name, text := range keyForms() {
		try("keygen", "-prefix, "+name, true, []string{"-prefix=" + text})
		try(text, "as a verb, "+name, false, nil)
		try("release", "-jobs, "+name, false, []string{"-jobs=" + text})
		b.run("MINTMARK_CACHE, "+name, append(env, "MINTMARK_CACHE="+text), "plan")
	}
	b.files()
	t.Logf("%d command lines", runs)
	if runs < 1000 {
		t.Errorf("only %d command lines", runs)
	}
}

// TestSecretsInEnvironment passes secrets in variables and files, to verbs that
// come as far as using them.
func TestSecretsInEnvironment(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	b := newSecretBench(t)
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "GOPROXY=off", "GIT_CONFIG_NOSYSTEM=1"}
	run := func(args ...string) {
		cmd := exec.Command(git, args...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write("go.mod", "module example.com/m\n\ngo 1.26.0\n")
	write("main.go", "package main\n\nfunc main() {}\n")
	write("mintmark.yaml", "version: 1\nproject: m\nprofiles:\n  release: {platforms: [linux/amd64]}\n")
	run("init", "-q", "-b", "main", ".")
	run("add", "-A")
	run("commit", "-q", "-m", "x")
	run("tag", "v1.0.0")

	// The usual mistake: MINTMARK_KEY="$(cat mintmark.key)".
	for name, text := range keyForms() {
		said, code := b.run("MINTMARK_KEY, "+name, append(env, "MINTMARK_KEY="+text), "release")
		if code != 2 || !strings.Contains(said, "not the name of one") || !strings.Contains(said, "env://MINTMARK_KEY_PEM") {
			t.Errorf("MINTMARK_KEY, %s: exit code %d\n%s", name, code, said)
		}
		b.run("MINTMARK_KEY, "+name, append(env, "MINTMARK_KEY="+text), "attest", b.work, "-json")
		b.run("MINTMARK_LEDGER_KEY, "+name, append(env, "MINTMARK_LEDGER_KEY="+text), "ledger")
	}
	for name, text := range addressForms {
		b.run("MINTMARK_KEY, "+name, append(env, "MINTMARK_KEY="+text), "release", "-json")
		b.run("GOPROXY, "+name, append(env, "GOPROXY="+text), "plan", "-module=example.com/m@v1.0.0")
	}

	// A key in a variable, with a wrong passphrase.
	private, public, err := checksums.GenerateKey([]byte("right"))
	if err != nil {
		t.Fatal(err)
	}
	for name, with := range map[string][]string{
		"MINTMARK_PASSWORD": {"MINTMARK_PASSWORD=" + canary}, "COSIGN_PASSWORD": {"COSIGN_PASSWORD=" + canary},
	} {
		said, code := b.run(name, append(append(env, "MINTMARK_KEY=env://PEM", "PEM="+string(private)), with...), "release")
		if code != 1 || !strings.Contains(said, "env://PEM: cannot be decrypted") || !strings.Contains(said, "the passphrase is wrong") {
			t.Errorf("%s: exit code %d\n%s", name, code, said)
		}
	}
	for name, value := range map[string]string{"a damaged key": keyText, "a word": canary, "base64": base64.StdEncoding.EncodeToString([]byte(keyText))} {
		said, code := b.run("env://, "+name, append(env, "MINTMARK_KEY=env://PEM", "PEM="+value, "MINTMARK_PASSWORD="), "release")
		if code == 0 || !strings.Contains(said, "env://PEM: ") {
			t.Errorf("env://, %s: exit code %d\n%s", name, code, said)
		}
		b.run("verify, env://, "+name, append(env, "PEM="+value), "verify", "-key=env://PEM", b.work, "-json")
		b.run("rebuild, env://, "+name, append(env, "PEM="+value), "rebuild", "-key=env://PEM", b.work, "-json")
	}
	// A public key in a variable is used: what fails comes later.
	said, _ := b.run("verify", append(env, "PUB="+string(public)), "verify", "-key=env://PUB", b.work)
	if !strings.Contains(said, checksums.ChecksumsFile) || strings.Contains(said, "public key:") {
		t.Errorf("a public key in a variable:\n%s", said)
	}

	// A key in the profile file, and one lying in the tree.
	write("leaky.yaml", "version: 1\nproject: m\nsign:\n  key: |\n    "+strings.ReplaceAll(strings.TrimSpace(keyText), "\n", "\n    ")+"\nprofiles:\n  release: {platforms: [linux/amd64]}\n")
	for _, verb := range []string{"plan", "check", "release"} {
		said, code := b.run(verb+", a key in the profile file", append(env, "MINTMARK_KEY=env://PEM", "PEM="+string(private)), verb, "-config=leaky.yaml")
		if code != 2 || !strings.Contains(said, "leaky.yaml:5:5: an encrypted private key of Sigstore is in the profile file") {
			t.Errorf("%s: exit code %d\n%s", verb, code, said)
		}
	}
	write("settings.env", "COSIGN_KEY='"+keyText+"'\n") // not a key file: it makes the tree dirty
	said, code := b.run("dirty", env, "release")
	if code != 1 || !strings.Contains(said, "with private keys in them:\n    leaky.yaml\n    settings.env\n") || strings.Contains(said, "commit what belongs") {
		t.Errorf("dirty: exit code %d\n%s", code, said)
	}
	b.files("leaky.yaml", "settings.env")
}
