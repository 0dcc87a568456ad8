package shell

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for want, words := range map[string][]string{
		`go build '-ldflags=-s -w' 'it'\''s'`: {"go", "build", "-ldflags=-s -w", "it's"},
		`-o a/b.key '' '~' 'x*' 'a;b'`:        {"-o", "a/b.key", "", "~", "x*", "a;b"},
		`example.com/x@v1.2.3 linux/arm,7`:    {"example.com/x@v1.2.3", "linux/arm,7"},
	} {
		if got := Words(words); got != want {
			t.Errorf("%q: %s, want %s", words, got, want)
		}
	}
	if got, want := Names([]string{"a/b.key", "-f", "it's", "--x y"}), `a/b.key ./-f 'it'\''s' './--x y'`; got != want {
		t.Errorf("names: %s, want %s", got, want)
	}
	if got, want := Env([]string{"A=", "B=x y", "C=1"}), "A= B='x y' C=1"; got != want {
		t.Errorf("environment: %s, want %s", got, want)
	}
}

// FuzzWords: a real shell reads back what was written.
func FuzzWords(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("no sh")
	}
	for _, s := range []string{"", "a b", "it's", "$HOME `id` $(id)", "-n", "\\n\n\t", "é ü", "!!", "~root", "a=b", "#x", "{a,b}"} {
		f.Add(s, "x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.ContainsRune(a+b, 0) {
			t.Skip("no argument holds a zero byte")
		}
		out, err := exec.Command(sh, "-c", `printf '%s\0' `+Words([]string{a, b})).Output()
		if got := strings.Split(string(out), "\x00"); err != nil || !slices.Equal(got, []string{a, b, ""}) {
			t.Errorf("%q, %q: the shell reads %q, %v", a, b, got, err)
		}
	})
}
