package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// plainKey is a key pair in PEM that is not encrypted: to decrypt one takes some
// tenths of a second each time.
func plainKey(t *testing.T) (private, public []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if private, err = cryptoutils.MarshalPrivateKeyToPEM(key); err != nil {
		t.Fatal(err)
	}
	if public, err = cryptoutils.MarshalPublicKeyToPEM(key.Public()); err != nil {
		t.Fatal(err)
	}
	return private, public
}

// TestWrongPaths gives every flag and argument of the verb table that names a
// file what is none of the kind: that is wrong usage with every verb, the name is
// said once, and so is what to name.
func TestWrongPaths(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	private, public := plainKey(t)
	for name, data := range map[string][]byte{"me.key": private, "me.pub": public, "text": []byte("text\n"), "empty": nil, "release.json": []byte(`{"schema":"x"}`)} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("adir", 0o755); err != nil {
		t.Fatal(err)
	}
	env := []string{"HOME=" + dir, "PATH=" + filepath.Join(dir, "adir"), "MINTMARK_CACHE=" + filepath.Join(dir, "cache"), "MINTMARK_LEDGER_KEY=0123456789abcdef", "MINTMARK_PASSWORD=", "MINTMARK_KEY=me.key"}
	tried := 0
	try := func(wrong string, words ...string) {
		tried++
		code, _, stderr := say(env, words...)
		if code != 2 || !strings.Contains(stderr, wrong) || !strings.Contains(stderr, "mintmark: hint: ") {
			t.Errorf("mintmark %s: exit code %d, want 2, the name and a hint\n%s", strings.Join(words, " "), code, stderr)
		}
		for line := range strings.Lines(stderr) {
			if strings.HasPrefix(line, "mintmark: error: ") && strings.Count(line, wrong) > 1 {
				t.Errorf("mintmark %s: the name is there twice\n%s", strings.Join(words, " "), stderr)
			}
		}
	}
	for _, v := range Verbs() {
		var args []string
		for _, a := range v.Args() {
			switch {
			case a.Optional:
			case a.Name == "command":
				args = append(args, "merge")
			default:
				args = append(args, "adir")
			}
		}
		for _, f := range v.Flags() {
			private := f.field.Type == reflect.TypeFor[privateKey]()
			public := f.field.Type == reflect.TypeFor[publicKey]() || f.field.Type == reflect.TypeFor[publicKeys]()
			if !private && !public && f.reads == "" {
				continue
			}
			wrong := []string{"nowhere", "adir"}
			if f.dirs {
				wrong = wrong[:1]
			}
			switch {
			case private:
				wrong = append(wrong, "text", "empty", "release.json", "me.pub")
			case public:
				wrong = append(wrong, "text", "empty", "release.json", "me.key")
			}
			for _, w := range wrong {
				words := []string{v.Name, "-" + f.Name + "=" + w}
				for _, p := range f.partners() {
					if p == "on" { // the one of them that takes a value
						p = "on=here"
					}
					words = append(words, "-"+p)
				}
				if f.Name == "rebuilder" {
					words = append(words, "-key=me.pub")
				}
				try(w, append(words, args...)...)
			}
		}
	}
	for _, words := range [][]string{
		{"verify", "-unsigned", "nowhere"}, {"report", "nowhere"}, {"attest", "-key=me.pub", "nowhere"}, {"inspect", "nowhere"}, {"size", "nowhere"}, {"rebuild", "nowhere"},
		{"diff", "nowhere", "text"}, {"diff", "text", "nowhere"}, {"bench", "nowhere"}, {"pgo", "merge", "out.pgo", "nowhere"},
		{"inspect", "adir"}, {"bench", "adir"}, {"pgo", "merge", "out.pgo", "adir"},
		{"verify", "-unsigned", "text"}, {"report", "text"}, {"inspect", "text"}, {"size", "text"}, {"bench", "text"}, {"bench", "-files=text"}, {"pgo", "merge", "out.pgo", "text"},
		{"keygen", "-prefix=nowhere/x"}, {"keygen", "-prefix=text/x"}, {"keygen", "-prefix=adir/"}, {"bench", "-files=,,"},
	} {
		wrong := words[len(words)-1]
		if _, value, ok := strings.Cut(wrong, "="); ok {
			wrong = strings.TrimSuffix(value, "/x")
		}
		if slices.Contains(words, "nowhere") {
			wrong = "nowhere"
		}
		try(wrong, words...)
	}
	t.Logf("%d command lines", tried)
}

// TestFlagsThatGoTogether: a flag that goes with others is refused without them,
// by its name and theirs, as the help says.
func TestFlagsThatGoTogether(t *testing.T) {
	for line, want := range map[string]string{
		"verify -config=x -unsigned .":        "error: verify: -config goes with -repeat or -ledgers",
		"verify -platform=linux -unsigned .":  "error: verify: -platform goes with -rebuild or -repeat",
		"verify -proven -unsigned .":          "error: verify: -proven goes with -rebuild",
		"verify -toolchain=x -unsigned .":     "error: verify: -toolchain goes with -repeat",
		"size -jobs=1 .":                      "error: size: -jobs goes with -waterfall",
		"size -jobs=1 -waterfall=false .":     "error: size: -jobs goes with -waterfall",
		"verify -threshold=-1 -unsigned .":    "error: -threshold=-1",
		"size a b c":                          `error: size: unexpected argument "c"`,
		"size -old=a b c":                     `error: size: unexpected argument "c"`,
		"verify -threshold=1 -unsigned .":     "error: no rebuilders",
		"verify -rebuilder=,, -unsigned .":    "error: -rebuilder=,, has no value",
		"verify -profile=x -repeat=0 -json .": "error: verify: -repeat=0",
	} {
		code, _, stderr := say([]string{"MINTMARK_CACHE=" + t.TempDir(), "MINTMARK_LEDGER_KEY=0123456789abcdef"}, strings.Fields(line)...)
		if strings.Contains(line, "-repeat=0") {
			if strings.Contains(stderr, "goes with") {
				t.Errorf("%s: %s", line, stderr)
			}
			continue
		}
		if code != 2 || !strings.Contains(stderr, want) || !strings.Contains(stderr, "hint: ") {
			t.Errorf("%s: exit code %d, want %q\n%s", line, code, want, stderr)
		}
	}
}
