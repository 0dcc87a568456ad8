package profiles

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestReadBuildFlags: what BuildFlags writes is read as settings that are
// written so again, whatever is in them.
func TestReadBuildFlags(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	texts := []string{"", "1.2.3", "a b", "it's", `say "x"`, "-s", "-o=x", "=", "a=b", "@x", "\u00a0", "x\u00a0", "tab\u2003", "ä", "-Wl,-z=a b", "'", "{{"}
	for range 5000 {
		s := Settings{
			Trimpath: r.IntN(2) == 0, BuildVCS: r.IntN(2) == 0, Strip: pick("", StripDebug, StripAll), Mod: pick("", "readonly", "vendor"),
			BuildMode: pick("", "pie", "exe"), PGO: pick("", "off", "cmd/default.pgo"), Set: map[string]string{},
		}
		for range r.IntN(3) {
			s.Tags = append(s.Tags, fmt.Sprint("t", r.IntN(9)))
			s.Set[pick("main.a", "main.b", "example.com/x.C")] = pick(texts...)
			s.LDFlags = append(s.LDFlags, pick("-H=windowsgui", "-linkmode", "-extldflags="+pick(texts...), "-checklinkname=0"))
			if last := s.LDFlags[len(s.LDFlags)-1]; last == "-linkmode" {
				s.LDFlags = append(s.LDFlags, "external")
			}
			s.GCFlags = append(s.GCFlags, pick("-l", "all=-N", "./...=-d=checkptr", "-lang=go1.20"))
		}
		slices.Sort(s.Tags)
		s.Tags = slices.Compact(s.Tags)
		flags := s.BuildFlags("go1.26.8")
		back, err := ReadBuildFlags(flags)
		if err != nil {
			t.Fatalf("%q: %v", flags, err)
		}
		if again := back.BuildFlags("go1.26.8"); !slices.Equal(again, flags) {
			t.Fatalf("%q\nis written again as\n%q", flags, again)
		}
		if len(s.Set) > 0 && fmt.Sprint(back.Set) != fmt.Sprint(s.Set) || back.Strip != s.Strip || back.PGO != s.PGO {
			t.Fatalf("%+v\nis read as\n%+v", s, back)
		}
	}
}

func TestReadBuildFlagsRefuses(t *testing.T) {
	for _, flag := range []string{
		"", "x", "-", "-trimpat", "-toolexec=x", "-o=x", "-race", "-mod=x", "-mod=", "-tags=", "-tags=b,a", "-tags=a,a", "-tags=a b", "-buildmode=x", "-pgo=/x", "-pgo=../x", "-pgo=",
		"-ldflags=", "-ldflags= ", "-ldflags=x", "-ldflags=all=-s", "-ldflags=-X", "-ldflags=-X x", "-ldflags=-X -x=y", "-ldflags=\u00a0-s", "-ldflags=-s '", "-gcflags=x", "-gcflags=-l x", "-gcflags=all=x", "-gcflags=all=-l x",
	} {
		s, err := ReadBuildFlags([]string{flag})
		if err == nil && slices.Contains(s.BuildFlags("go1.26.8"), flag) {
			t.Errorf("%q: %+v", flag, s)
		}
	}
	if _, err := ReadBuildFlags([]string{"-a", "-b"}); err == nil || !strings.Contains(err.Error(), `"-a"`) || !strings.Contains(err.Error(), `"-b"`) {
		t.Errorf("not all that is wrong: %v", err)
	}
}

func FuzzReadBuildFlags(f *testing.F) {
	for _, s := range []string{"-ldflags=-s -w -X main.a=b -X 'main.b=c d' -extldflags '-static -s'", "-gcflags=all=-l -B", "-tags=a,b", "-ldflags=-extldflags -Wl,-z 'a b'", "-gcflags= -o=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, flag string) {
		s, err := ReadBuildFlags([]string{flag})
		if err != nil {
			return
		}
		// What is written of it is one spelling: it stays as it is.
		flags := s.BuildFlags("go1.26.8")
		back, err := ReadBuildFlags(flags)
		if err != nil {
			return // such as two flags that no value can hold
		}
		if again := back.BuildFlags("go1.26.8"); slices.Contains(flags, flag) && !slices.Equal(again, flags) {
			t.Errorf("%q: %q, then %q", flag, flags, again)
		}
	})
}
