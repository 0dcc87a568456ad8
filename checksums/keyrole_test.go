package checksums

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// command is the command line in a hint; nameOf the name of a key that it gives.
var (
	command = regexp.MustCompile(`export \w+="\$\(.*\)"`)
	nameOf  = regexp.MustCompile(`env://\w+|(?:\w+\.)(?:pub|key)\b`)
)

// TestKeyRoles makes every mistake with a public and with a private key, and does
// what the hint says, as sh does it: the key is read then. The private key is
// never where the public one belongs.
func TestKeyRoles(t *testing.T) {
	if _, err := exec.LookPath("base64"); err != nil {
		t.Skip("no base64: the hint is for where it is")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}) // without a passphrase, which would take its time
	public, err := cryptoutils.MarshalPublicKeyToPEM(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	for name, data := range map[string][]byte{"mintmark.key": private, "mintmark.pub": public, "text.txt": []byte("text\n"), "empty": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []struct {
		role
		right, wrong []byte
		load         func(text string, env map[string]string) error
	}{
		{publicRole(), public, private, func(text string, env map[string]string) error {
			_, err := LoadTrust(t.Context(), NewKeyRef(text, lookup(env)))
			return err
		}},
		{privateRole(), private, public, func(text string, env map[string]string) error {
			_, err := LoadSigner(t.Context(), NewKeyRef(text, lookup(env)), password(""))
			return err
		}},
	} {
		flat := func(data []byte) string { return strings.ReplaceAll(string(data), "\n", " ") }
		encode := base64.StdEncoding.EncodeToString
		other := "mintmark.key"
		if r.noun == "private" {
			other = "mintmark.pub"
		}
		for name, c := range map[string]struct {
			text string // in place of the name of a key
			has  *string
		}{
			"not set": {"env://K", nil}, "empty": {"env://K", new("")}, "blank": {"env://K", new(" \n")}, "base64": {"env://K", new(encode(r.right))},
			"base64 of the other": {"env://K", new(encode(r.wrong))}, "base64 of nothing": {"env://K", new("LS0tLS1CRUdJTi!")},
			"flat": {"env://K", new(flat(r.right))}, "flat other": {"env://K", new(flat(r.wrong))}, "other": {"env://K", new(string(r.wrong))}, "word": {"env://K", new("word")},
			"large": {"env://K", new(strings.Repeat("x", maxKeySize+1))}, "no name": {"env://$K", new(string(r.right))},
			"a private key": {string(private), nil}, "a private key in base64": {encode(private), nil}, "a public key": {string(public), nil},
			"file of the other": {other, nil}, "no file": {"nowhere", nil}, "directory": {".", nil}, "text": {"text.txt", nil}, "empty file": {"empty", nil},
		} {
			env := map[string]string{}
			if c.has != nil {
				env["K"] = *c.has
			}
			err := r.load(c.text, env)
			if err == nil {
				t.Errorf("%s: %s: no error", r.noun, name)
				continue
			}
			var bad *KeyRefError
			if r.noun == "public" && !errors.As(err, &bad) {
				t.Errorf("%s: %s: %v is not wrong usage", r.noun, name, err)
			}
			hint := fault.Hint(err)
			if strings.Contains(hint, other) {
				t.Errorf("%s: %s: %v: the hint names the other key: %s", r.noun, name, err, hint)
			}
			text := strings.ReplaceAll(hint, "NAME.", "mintmark.")
			if err := r.load(followKey(t, c.text, text, env), env); err != nil {
				t.Errorf("%s: %s: the hint %q, followed: %v", r.noun, name, hint, err)
			}
		}
	}
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

// followKey does in env what the hint says, and returns how the key is named then.
func followKey(t *testing.T, text, hint string, env map[string]string) string {
	line := command.FindString(hint)
	if line == "" && strings.Contains(hint, "without $") {
		return strings.ReplaceAll(text, "$", "")
	}
	if line != "" {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		cmd := exec.Command("sh", "-c", line+"; printenv "+name)
		cmd.Env = os.Environ()
		for k, v := range env {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		env[name] = string(out)
		return "env://" + name
	}
	if !strings.Contains(hint, "name ") && strings.HasPrefix(text, envScheme) {
		// What to do with the file is said, and the variable is to hold it.
		data, err := os.ReadFile(nameOf.FindString(hint))
		if err != nil {
			t.Errorf("%q: %v", hint, err)
		}
		env[strings.TrimPrefix(text, envScheme)] = string(data)
		return text
	}
	return nameOf.FindString(hint)
}
