package recovery

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/goflags"
)

// TestLinkInputs: the action ID that is computed for other flags is what a link
// with these flags has.
func TestLinkInputs(t *testing.T) {
	g := hostGo(t)
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module example.com/tool\n\ngo 1.24\n", "main.go": "package main\n\nvar v string\n\nfunc main() { println(v) }\n"})
	j := job{claim: &Claim{Flags: testFlags("-trimpath"), Env: testEnv("CGO_ENABLED=0")}, place: testPlace(t, ""), goroot: g, dir: dir, out: t.TempDir(), pkg: ".", ask: true}
	_, stderr, err := j.build(t.Context(), "first", goflags.Flag{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := parseLinkInputs(stderr, "example.com/tool")
	if err != nil {
		t.Fatal(err)
	}
	j.ask = false
	for i, text := range []string{"", "-s", "-s -w", "-w -s", "-s -w -X main.v=1", "-s -w -X=main.v=1", "-X 'main.v=a b' -w", "-w -X main.none="} {
		flags, err := goflags.Split(text)
		if err != nil {
			t.Fatal(err)
		}
		flag, err := candidate{Flags: flags}.flag()
		if err != nil {
			t.Fatal(err)
		}
		file, _, err := j.build(t.Context(), fmt.Sprint(i), flag)
		if err != nil {
			t.Fatal(err)
		}
		f, err := gobin.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if got := in.ActionID(flags); got != f.BuildIDParts()[0] {
			t.Errorf("%q: computed %s, linked %s", text, got, f.BuildIDParts()[0])
		}
	}
	if got := in.Ignored([]string{"-s", "-X", "main.v=1", "-X=runtime.x=2", "-X", "example.com/gone.v=a.b=c"}); len(got) != 1 || got[0] != "example.com/gone.v" {
		t.Errorf("ignored: %q", got)
	}
	if _, err := parseLinkInputs(stderr, "example.com/other"); err == nil {
		t.Error("another package was found")
	}
	if _, err := parseLinkInputs([]byte(strings.Replace(string(stderr), "linkflags []", "linkflags [1]", 1)), "example.com/tool"); err == nil {
		t.Error("altered inputs were accepted")
	}
}

func FuzzLinkInputs(f *testing.F) {
	sum := sha256.Sum256([]byte("saltlink\nlinkflags []\nrest"))
	f.Add([]byte(fmt.Sprintf("HASH[link x]\nHASH[link x]: \"salt\"\nHASH[link x]: \"link\\n\"\nHASH[link x]: \"linkflags []\\n\"\nHASH[link x]: \"rest\"\nHASH[link x]: %x\n", sum)))
	f.Add([]byte("HASH[link x]\nHASH[link x]: "))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := parseLinkInputs(data, "x")
		if err == nil && len(in.ActionID([]string{"-s"})) != 20 {
			t.Errorf("%q", in.ActionID(nil))
		}
	})
}
