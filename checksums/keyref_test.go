package checksums

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

// TestKeyRefIsKey gives keys themselves where the name of one belongs, and
// looks for them in everything that can be printed.
func TestKeyRefIsKey(t *testing.T) {
	private, public, err := GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	body := strings.Split(string(private), "\n")[2] // a line of it
	for name, text := range map[string]string{
		"as it is": string(private), "line ends lost": strings.ReplaceAll(string(private), "\n", " "), "trimmed": strings.TrimSpace(string(private)),
		"base64": base64.StdEncoding.EncodeToString(private), "env of a key": "env://" + string(private), "beginning": string(private[:120]),
	} {
		ref := NewKeyRef(text, nil)
		var bad *KeyRefError
		for _, k := range []role{publicRole(), privateRole()} {
			if err := ref.err(k); !errors.As(err, &bad) || !bad.Leaked || bad.Exit() != fault.Usage || !strings.Contains(bad.Remedy, "env://") {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, serr := LoadSigner(t.Context(), ref, nil)
		_, verr := LoadTrust(t.Context(), ref)
		said := fmt.Sprint(serr, verr, ref.Check(t.Context(), nil), fault.Hint(serr), fault.Hint(verr), ref, ref.Path(), ref.Beside("x"))
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			said += fmt.Sprintf(verb, struct {
				Key KeyRef
				key KeyRef
			}{ref, ref})
		}
		data, err := json.Marshal(map[string]any{"key": ref})
		if err != nil {
			t.Error(err)
		}
		said += string(data)
		for _, leak := range []string{body[:20], base64.StdEncoding.EncodeToString([]byte(body))[4:40], fmt.Sprintf("%x", body[:20])} {
			if strings.Contains(said, leak) {
				t.Errorf("%s: printed: %s", name, said)
			}
		}
	}
	ref := NewKeyRef(string(public), nil)
	if _, err := LoadTrust(t.Context(), ref); err == nil || !strings.Contains(err.Error(), "is a public key, not the name of one") {
		t.Error(err)
	}
}

func TestKeyRefEnv(t *testing.T) {
	private, public, err := GenerateKey([]byte("pw"))
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"KEY": string(private), "PUB": string(public), "EMPTY": "", "B64": base64.StdEncoding.EncodeToString(private),
		"FLAT": strings.ReplaceAll(string(private), "\n", " "), "LARGE": strings.Repeat("x", maxKeySize+1), "WORD": "CanaryWord",
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	s, err := LoadSigner(t.Context(), NewKeyRef("env://KEY", lookup), password("pw"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := LoadTrust(t.Context(), NewKeyRef("env://PUB", lookup))
	if err != nil || v.ID().Name != s.ID().Name {
		t.Fatalf("%v", err)
	}
	if err := NewKeyRef("env://KEY", lookup).Check(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if err := NewKeyRef("env://PUB", lookup).Check(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "env://PUB: is a public key") {
		t.Error(err)
	}
	for ref, want := range map[string]string{
		"env://NONE": "env://NONE: the variable is not set", "env://EMPTY": "env://EMPTY: the variable is empty", "env://B64": "env://B64: the variable holds base64",
		"env://FLAT": "env://FLAT: the key has lost its line ends", "env://LARGE": "more than", "env://WORD": "env://WORD: is not a private key in PEM",
		"env://$KEY": "no variable is named so", "env://": "no variable is named so", "env://a b": "no variable is named so",
	} {
		_, err := LoadSigner(t.Context(), NewKeyRef(ref, lookup), password("pw"))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error()+fault.Hint(err), "CanaryWord") {
			t.Errorf("%s: %v, want %q", ref, err, want)
		}
		_, err = LoadTrust(t.Context(), NewKeyRef(ref, lookup))
		if err == nil || strings.Contains(err.Error()+fault.Hint(err), "CanaryWord") {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, err := LoadSigner(t.Context(), NewKeyRef("env://KEY", nil), password("pw")); err == nil || !strings.Contains(err.Error(), "not read here") {
		t.Error(err)
	}
}

// TestKeyRefNames gives things that are no key but may hold a secret.
func TestKeyRefNames(t *testing.T) {
	const canary = "CanaryCanaryCanaryCanaryCanaryCanaryCanaryCanary"
	for _, ref := range []string{canary, "mmabsent://user:" + canary + "@host/key", "mmabsent://" + canary + "@host/key", "a b://u:" + canary + "@host", canary + "\n" + canary} {
		r := NewKeyRef(ref, nil)
		_, serr := LoadSigner(t.Context(), r, nil)
		_, verr := LoadTrust(t.Context(), r)
		if said := fmt.Sprintf("%v %v %v %+v %s %s", serr, verr, r, r, fault.Hint(serr), fault.Hint(verr)); serr == nil || verr == nil || strings.Contains(said, canary) {
			t.Errorf("%q: %s", ref, said)
		}
	}
	_, err := LoadSigner(t.Context(), KeyFile(filepath.Join(t.TempDir(), "mine.key")), nil)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "mine.key") {
		t.Error(err)
	}
	if r := KeyFile("a.key").Beside(filepath.FromSlash("/x/y")); r.Path() != filepath.FromSlash("/x/y/a.key") || r.String() != r.Path() {
		t.Error(r)
	}
	if r := NewKeyRef("env://A", nil).Beside("/x"); r.String() != "env://A" || r.Path() != "" {
		t.Error(r)
	}
	if !(KeyRef{}).IsZero() || KeyFile("x").IsZero() {
		t.Error("zero")
	}
}

// TestKMSCredentials has a plugin repeat the URI that it was given.
func TestKMSCredentials(t *testing.T) {
	buildPlugin(t)
	const token = "CanaryToken"
	_, err := LoadSigner(t.Context(), NewKeyRef("mmtest://me:"+token+"@absent.example/key", nil), nil)
	if err == nil || strings.Contains(err.Error(), token) || !strings.Contains(err.Error(), "mmtest://***@absent.example/key") {
		t.Errorf("%v", err)
	}
}
