package profiles

import (
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

func TestPlatformEnv(t *testing.T) {
	for in, want := range map[string]string{
		"linux/amd64":              "GOOS=linux GOARCH=amd64 GOAMD64=v1",
		"linux/amd64/v3":           "GOOS=linux GOARCH=amd64 GOAMD64=v3",
		"linux/arm":                "GOOS=linux GOARCH=arm GOARM=7",
		"linux/arm/6,softfloat":    "GOOS=linux GOARCH=arm GOARM=6,softfloat",
		"darwin/arm64":             "GOOS=darwin GOARCH=arm64 GOARM64=v8.0",
		"linux/arm64/v9.5,crypto":  "GOOS=linux GOARCH=arm64 GOARM64=v9.5,crypto",
		"windows/386":              "GOOS=windows GOARCH=386 GO386=sse2",
		"linux/386/softfloat":      "GOOS=linux GOARCH=386 GO386=softfloat",
		"linux/mipsle/softfloat":   "GOOS=linux GOARCH=mipsle GOMIPS=softfloat",
		"linux/mips64":             "GOOS=linux GOARCH=mips64 GOMIPS64=hardfloat",
		"aix/ppc64":                "GOOS=aix GOARCH=ppc64 GOPPC64=power8",
		"linux/riscv64":            "GOOS=linux GOARCH=riscv64 GORISCV64=rva20u64",
		"js/wasm":                  "GOOS=js GOARCH=wasm GOWASM=",
		"wasip1/wasm/satconv":      "GOOS=wasip1 GOARCH=wasm GOWASM=satconv",
		"linux/s390x":              "GOOS=linux GOARCH=s390x",
		"linux/loong64":            "GOOS=linux GOARCH=loong64",
		"linux/ppc64le/power10":    "GOOS=linux GOARCH=ppc64le GOPPC64=power10",
		"linux/riscv64/rva23u64":   "GOOS=linux GOARCH=riscv64 GORISCV64=rva23u64",
		"linux/mips64le/softfloat": "GOOS=linux GOARCH=mips64le GOMIPS64=softfloat",
	} {
		p, err := ParsePlatform(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := strings.Join(p.Env(), " "); got != want {
			t.Errorf("%s: env %s, want %s", in, got, want)
		}
		if p.String() != in {
			t.Errorf("%s: String %s", in, p)
		}
	}
}

func TestPlatformErrors(t *testing.T) {
	for in, hint := range map[string]string{
		"":                        "write OS/arch",
		"linux":                   "linux/amd64",
		"arm":                     "linux/arm",
		"linux/":                  "",
		"/amd64":                  "",
		"linux//7":                "",
		"linux/arm/":              "",
		"Linux/amd64":             "did you mean linux/amd64?",
		"linux/aarch64":           "did you mean linux/arm64?",
		"linux/amd46":             "did you mean linux/amd64?",
		"macos/arm64":             "did you mean darwin/arm64?",
		"amd64/linux":             "did you mean linux/amd64?",
		"linux/amd64/v5":          "",
		"linux/amd64/v1,v2":       "",
		"linux/arm/7,softfloat,":  "",
		"linux/arm/8":             "",
		"linux/arm/7,crypto":      "",
		"linux/arm64/v8.10":       "",
		"linux/arm64/v9.6":        "",
		"linux/arm64/v8.0,lse,x":  "",
		"linux/s390x/z15":         "",
		"js/wasm/satconv,satconv": "",
		"linux/amd64/v1/x":        "",
		"linux/*":                 "",
		" linux/amd64":            "did you mean linux/amd64?",
	} {
		p, err := ParsePlatform(in)
		if in == "linux/arm/" { // an empty variant must not be a second spelling
			if err == nil {
				t.Errorf("%q: parsed as %v", in, p)
			}
			continue
		}
		if err == nil {
			t.Errorf("%q: parsed as %v", in, p)
		} else if !strings.Contains(fault.Hint(err), hint) {
			t.Errorf("%q: %v: hint %q, want %q", in, err, fault.Hint(err), hint)
		}
	}
}

func TestCanonical(t *testing.T) {
	for _, same := range []string{
		"linux/amd64 linux/amd64/v1",
		"linux/arm linux/arm/7 linux/arm/7,hardfloat",
		"linux/arm/5 linux/arm/5,softfloat",
		"linux/arm/6 linux/arm/6,hardfloat",
		"linux/arm64 linux/arm64/v8.0",
		"linux/arm64/v8.1 linux/arm64/v8.1,lse",
		"linux/arm64/v8.0,lse,crypto linux/arm64/v8.0,crypto,lse",
		"linux/mipsle linux/mipsle/hardfloat",
		"linux/386 linux/386/sse2",
		"js/wasm/satconv,signext js/wasm/signext,satconv",
	} {
		var first Platform
		for i, s := range strings.Fields(same) {
			p, err := ParsePlatform(s)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = p
			}
			if p.Canonical() != first.Canonical() {
				t.Errorf("%s is %s, %s is %s", first, first.Canonical(), p, p.Canonical())
			}
			if p.Canonical().Canonical() != p.Canonical() {
				t.Errorf("%s: not stable", p)
			}
			pat, err := parsePattern(s)
			if err != nil || !pat.Match(first) {
				t.Errorf("pattern %s does not match %s (%v)", s, first, err)
			}
		}
	}
	for _, other := range []string{"linux/arm/5,hardfloat linux/arm/5", "linux/arm/6 linux/arm", "linux/arm64/v8.0,lse linux/arm64"} {
		f := strings.Fields(other)
		a, _ := ParsePlatform(f[0])
		b, _ := ParsePlatform(f[1])
		if a.Canonical() == b.Canonical() {
			t.Errorf("%s and %s are the same", a, b)
		}
	}
}

func TestPattern(t *testing.T) {
	all := []string{"darwin/arm64", "linux/amd64", "linux/amd64/v3", "linux/arm", "linux/arm/6", "linux/mipsle/softfloat", "windows/386"}
	for pattern, want := range map[string]string{
		"linux":                  "linux/amd64 linux/amd64/v3 linux/arm linux/arm/6 linux/mipsle/softfloat",
		"linux/amd64":            "linux/amd64 linux/amd64/v3",
		"linux/amd64/v1":         "linux/amd64",
		"linux/arm/7":            "linux/arm",
		"*/arm":                  "linux/arm linux/arm/6",
		"*/*/softfloat":          "linux/mipsle/softfloat",
		"linux/*":                "linux/amd64 linux/amd64/v3 linux/arm linux/arm/6 linux/mipsle/softfloat",
		"linux/amd64/*":          "linux/amd64 linux/amd64/v3",
		"*":                      strings.Join(all, " "),
		"plan9":                  "",
		"linux/arm/6,hardfloat":  "linux/arm/6",
		"linux/mipsle/hardfloat": "",
	} {
		p, err := parsePattern(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if p.String() != pattern {
			t.Errorf("%s: String %s", pattern, p)
		}
		var got []string
		for _, s := range all {
			pl, err := ParsePlatform(s)
			if err != nil {
				t.Fatal(err)
			}
			if p.Match(pl) {
				got = append(got, s)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s matches %s, want %s", pattern, got, want)
		}
	}
	if !(Pattern{}).Match(Platform{"plan9", "386", ""}) {
		t.Error("the zero pattern does not match")
	}
	for in, hint := range map[string]string{
		"arm": "*/arm", "arm/7": "*/arm/7", "": "", "linux//7": "", "linux/": "", "softfloat": "quotes", "linx": "linux",
		"linux/arm/9": "", "*/*/v9": "", "linux/arm/7/x": "",
	} {
		p, err := parsePattern(in)
		if err == nil || !strings.Contains(fault.Hint(err), hint) {
			t.Errorf("%q: %v, %v, hint %q", in, p, err, fault.Hint(err))
		}
	}
}

func TestPatternPlatform(t *testing.T) {
	for in, want := range map[string]bool{"linux": false, "linux/arm": true, "linux/arm/6": true, "*/arm": false, "linux/*": false, "linux/arm/*": false} {
		p, err := parsePattern(in)
		if err != nil {
			t.Fatal(err)
		}
		if pl, ok := p.Platform(); ok != want || ok && pl.String() != in {
			t.Errorf("%s: %v %v", in, pl, ok)
		}
	}
}

func TestPatternList(t *testing.T) {
	list, err := ParsePatternList("linux/arm/7,softfloat, windows,linux/arm64/v8.0,lse,crypto,js/wasm/satconv,signext")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range list {
		got = append(got, p.String())
	}
	want := []string{"linux/arm/7,softfloat", "windows", "linux/arm64/v8.0,lse,crypto", "js/wasm/satconv,signext"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if list, err := ParsePatternList(""); list != nil || err != nil {
		t.Error(list, err)
	}
	for _, bad := range []string{"softfloat", "linux/arm,softfloat", "linux,,windows", "linux,arm"} {
		if list, err := ParsePatternList(bad); err == nil {
			t.Errorf("%q: %v", bad, list)
		}
	}
}

func TestCompare(t *testing.T) {
	want := []string{"darwin/arm64", "linux/amd64", "linux/amd64/v3", "linux/arm/5", "linux/arm/6", "windows/386"}
	var list []Platform
	for _, s := range want {
		p, err := ParsePlatform(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	slices.Reverse(list)
	slices.SortFunc(list, comparePlatforms)
	if got := platformStrings(list); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func FuzzParsePlatform(f *testing.F) {
	for _, s := range []string{"linux/amd64", "linux/arm/7,softfloat", "linux/arm64/v8.0,lse,crypto", "*/arm", "linux", "js/wasm/satconv,signext", "linux/arm/", "//", "a,b,c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := ParsePlatform(s); err == nil {
			if p.String() != s {
				t.Errorf("%q: String %q", s, p)
			}
			c := p.Canonical()
			if again, err := ParsePlatform(c.String()); err != nil || again.Canonical() != c {
				t.Errorf("%q: canonical %q: %v", s, c, err)
			}
			pat, err := parsePattern(s)
			if err != nil || !pat.Match(p) || !pat.Match(c) {
				t.Errorf("%q: pattern %v: %v", s, pat, err)
			}
			if pl, ok := pat.Platform(); !ok || pl != p {
				t.Errorf("%q: pattern's platform %v", s, pl)
			}
		}
		if list, err := ParsePatternList(s); err == nil {
			var words []string
			for _, p := range list {
				words = append(words, p.String())
			}
			again, err := ParsePatternList(strings.Join(words, ","))
			if err != nil || !slices.Equal(list, again) {
				t.Errorf("%q: list %q: %v", s, words, err)
			}
		}
	})
}
