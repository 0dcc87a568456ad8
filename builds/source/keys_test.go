package source_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/secret"
)

const keyBody = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCanaryCanaryCana\n"

func keyBlock(label string) string {
	return "-----BEGIN " + label + "-----\n" + keyBody + "-----END " + label + "-----\n"
}

var (
	ownKey    = keyBlock("ENCRYPTED SIGSTORE PRIVATE KEY")
	publicKey = keyBlock("PUBLIC KEY")
)

// TestKeygensFiles: what keygen leaves in a tree does not make it dirty, and
// nothing else is taken for it.
func TestKeygensFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: links are for Unix")
	}
	const mine = "# private keys (mintmark keygen)\n/mintmark.key\n"
	for _, tt := range []struct {
		name        string
		make        func(r *repo)
		dirty, note string
	}{
		{"a pair", func(r *repo) { r.write("mintmark.key", ownKey).write("mintmark.pub", publicKey) }, "", "mintmark.key is a private key, and git does not ignore it"},
		{"a pair elsewhere", func(r *repo) { r.write("keys/a b.key", ownKey).write("keys/a b.pub", publicKey) }, "", `add the line /keys/a\ b.key to .gitignore`},
		{"another's key", func(r *repo) { r.write("id", keyBlock("OPENSSH PRIVATE KEY")) }, "", "id is a private key"},
		{"a public key alone", func(r *repo) { r.write("x.pub", publicKey) }, "x.pub", ""},
		{"a public key beside no key", func(r *repo) { r.write("x.pub", publicKey).write("x.key", "x") }, "x.key x.pub", ""},
		{"more than a public key", func(r *repo) { r.write("x.key", ownKey).write("x.pub", publicKey+"x") }, "x.pub", "x.key is"},
		{"a program with a key", func(r *repo) { r.write("key.go", "package main\n\nconst k = `\n"+ownKey+"`\n") }, "key.go", ""},
		{"settings with a key", func(r *repo) { r.write(".env", "KEY='"+ownKey+"'\n") }, ".env", ""},
		{"staged", func(r *repo) { r.write("mintmark.key", ownKey).git("add", "-f", "mintmark.key") }, "mintmark.key", ""},
		{"a link to a key", func(r *repo) { r.symlink("elsewhere.key", "link.key") }, "link.key", ""},
		{"ignored, untracked", func(r *repo) { r.write("mintmark.key", ownKey).write("sub/.gitignore", "/k\n").write("sub/k", ownKey) }, "", "mintmark.key is"},
		{"ignored by keygen", func(r *repo) { r.write("mintmark.key", ownKey).write(".gitignore", "*.ignored\n"+mine) }, "", ""},
		{"ignored by keygen on Windows", func(r *repo) {
			r.write("mintmark.key", ownKey).write(".gitignore", "*.ignored\r\n"+strings.ReplaceAll(mine, "\n", "\r\n"))
		}, "", ""},
		{"ignored, with a line of the user's", func(r *repo) { r.write("mintmark.key", ownKey).write(".gitignore", "*.ignored\n"+mine+"/main.go\n") }, ".gitignore", ""},
		{"ignored, with a line less", func(r *repo) { r.write("mintmark.key", ownKey).write(".gitignore", mine) }, ".gitignore", ""},
		{"ignored, no key", func(r *repo) { r.write(".gitignore", "*.ignored\n"+mine) }, ".gitignore", ""},
		{"ignored and staged", func(r *repo) {
			r.write("mintmark.key", ownKey).write(".gitignore", "*.ignored\n"+mine).git("add", ".gitignore")
		}, ".gitignore", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t)
			r.module("", "example.com/m").write(".gitignore", "*.ignored\n")
			r.commit()
			r.tag("v1.0.0")
			tt.make(r)
			s, err := source.Open(t.Context(), r.config(t, ""))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(s.Dirty, " "); got != tt.dirty {
				t.Errorf("dirty: %q, want %q", got, tt.dirty)
			}
			if notes := strings.Join(s.Notes, "\n"); !strings.Contains(notes, tt.note) || tt.note == "" && notes != "" {
				t.Errorf("notes: %q, want %q", notes, tt.note)
			}
			if tt.dirty != "" {
				return
			}
			// Nor does a snapshot take the key along.
			for name, text := range files(t, r.checkout(s, true)) {
				if strings.Contains(text, "PRIVATE KEY") {
					t.Errorf("%s is in the snapshot", name)
				}
			}
		})
	}
}

func TestIgnoreKey(t *testing.T) {
	const comment = "# private keys (mintmark keygen)\n"
	for _, tt := range []struct{ name, before, key, want, err string }{
		{"none", "", "mintmark.key", comment + "/mintmark.key\n", ""},
		{"some", "dist\n", "mintmark.key", "dist\n" + comment + "/mintmark.key\n", ""},
		{"without a line end", "dist", "mintmark.key", "dist\n" + comment + "/mintmark.key\n", ""},
		{"Windows", "dist\r\n", "mintmark.key", "dist\r\n# private keys (mintmark keygen)\r\n/mintmark.key\r\n", ""},
		{"the second", comment + "/a.key\n", "mintmark.key", comment + "/a.key\n/mintmark.key\n", ""},
		{"there already", "/mintmark.key\n", "mintmark.key", "/mintmark.key\n", ""},
		{"all keys", "*.key\n", "sub/x.key", "*.key\n", ""},
		{"all keys but", "*.key\n!/sub/x.key\n", "sub/x.key", "*.key\n!/sub/x.key\n" + comment + "/sub/x.key\n", ""},
		{"odd", "", "sub/a b*[1].key", comment + `/sub/a\ b\*\[1].key` + "\n", ""},
		{"a line end", "", "sub/a\nb.key", "", "line end"},
		{"a link", "->", "mintmark.key", "", "not a regular file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("SKIPPED: links and odd names are for Unix")
			}
			r := newRepo(t)
			r.write("sub/x", "x")
			switch tt.before {
			case "":
			case "->":
				r.symlink(filepath.Join(r.home, "outside"), ".gitignore")
			default:
				r.write(".gitignore", tt.before)
			}
			key := filepath.Join(r.dir, filepath.FromSlash(tt.key))
			r.write(tt.key, ownKey)
			ignore, line, err := source.IgnoreKey(key)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("%v, want %q", err, tt.err)
				}
				if _, err := os.Stat(filepath.Join(r.home, "outside")); err == nil {
					t.Error("the link was followed")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(ignore)
			if err != nil || string(data) != tt.want {
				t.Errorf("%q, %v, want %q (line %s)", data, err, tt.want, line)
			}
			if git := r.git("status", "--porcelain", "-z", "--untracked-files=all"); strings.Contains(git, tt.key) {
				t.Errorf("git sees the key: %q", git)
			}
		})
	}
	if ignore, line, err := source.IgnoreKey(filepath.Join(t.TempDir(), "x.key")); ignore != "" || line != "" || err != nil {
		t.Errorf("no repository: %q %q %v", ignore, line, err)
	}
}

func TestKeysInCommit(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"own.key": ownKey, "deploy.yaml": "key: |\n  " + strings.ReplaceAll(ownKey, "\n", "\n  "), "a/testdata/tls.key": keyBlock("PRIVATE KEY"),
		"a/tls_test.go": "package a\n\nconst k = `" + keyBlock("RSA PRIVATE KEY") + "`\n", "tls.go": "package m\n\nconst k = `" + keyBlock("EC PRIVATE KEY") + "`\n",
		"x.pub": publicKey, "README.md": "cosign writes -----BEGIN ENCRYPTED COSIGN PRIVATE KEY----- and then some lines\n", ".git/own.key": ownKey,
		"eth.json": `{"crypto":{"ciphertext":"` + strings.Repeat("0a", 32) + `","kdf":"scrypt"}}`, "large": strings.Repeat("x", 2<<20) + ownKey,
	} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := source.Keys(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range keys {
		line := k.Name + " " + string(k.Kind)
		if k.Test {
			line += ", test"
		}
		got = append(got, line)
	}
	want := []string{
		"a/testdata/tls.key " + string(secret.PEM) + ", test", "a/tls_test.go " + string(secret.PEM) + ", test", "deploy.yaml " + string(secret.Signing),
		"eth.json " + string(secret.KeyStore), "own.key " + string(secret.Signing), "tls.go " + string(secret.PEM),
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// TestCloneErrors clones from addresses with passwords.
func TestCloneErrors(t *testing.T) {
	const canary = "CanaryCanary"
	for _, from := range []string{"https://user:" + canary + "@127.0.0.1:1/x", "https://" + canary + "@127.0.0.1:1/x", "-x://u:" + canary + "@h", "ssh://u:" + canary + "@127.0.0.1:1/x", "nosuch://u:" + canary + "@h/x"} {
		err := source.CloneAt(t.Context(), tool(t, "git"), os.Environ(), from, source.Built{Commit: strings.Repeat("0", 40)}, filepath.Join(t.TempDir(), "x"), t.TempDir())
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%v", err)
		}
	}
}
