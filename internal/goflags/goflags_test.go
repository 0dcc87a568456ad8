package goflags

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// refused are the flags of the tools that a stranger may not set. A flag of a
// new release is in none of the lists, and the test fails until somebody has
// looked at what it does.
var refused = map[Tool]string{
	Compiler: `% + D E G I K L V W asan asmhdr bench blockprofile buildid clobberdead clobberdeadreg complete coveragecfg cpuprofile dynlink embedcfg env
		errorurl gendwarfinl goversion h importcfg importmap installsuffix j json linkobj linkshared live memprofile memprofilerate msan mutexprofile
		nolocalimports o p pack pgoprofile r race shared std symabis t traceprofile trimpath v`,
	Assembler: `I V compiling-runtime d debug dynlink gensymabis linkshared o p shared trimpath v`,
	Linker: `D L V a asan benchmark benchmarkprofile buildmode c capturehostobjs cpuprofile debugnosplit debugtextsize debugtramp dumpdep e extar extld fipso
		h importcfg installsuffix libgcc linkshared memprofile memprofilerate msan n o pluginpath pruneweakmap race strictdups tmpdir`,
}

// TestTables holds the tables against the tools: each flag of each release is
// judged, and takes its value as the table says.
func TestTables(t *testing.T) {
	all := map[string][]toolFlag{"this go": nil}
	for release, flags := range listed() {
		all[release] = flags
	}
	line := regexp.MustCompile(`(?m)^  -([^ \t\n]+)( [^\t\n]+)?`)
	for _, tool := range []Tool{Compiler, Assembler, Linker} {
		out, _ := exec.Command("go", "tool", string(tool), "-h").CombinedOutput() // exits with 2
		for _, m := range line.FindAllStringSubmatch(string(out), -1) {
			all["this go"] = append(all["this go"], toolFlag{string(tool), m[1], m[2] != ""})
		}
	}
	for release, flags := range all {
		if len(flags) < 100 {
			t.Fatalf("%s: %d flags: the lists are not read", release, len(flags))
		}
		for _, f := range flags {
			tool := Tool(f.tool)
			row, ok := tool.table()[f.name]
			no := slices.Contains(strings.Fields(refused[tool]), f.name)
			switch {
			case ok == no:
				t.Errorf("%s: %s -%s: in the table %v, refused %v: what does it read, write or run?", release, f.tool, f.name, ok, no)
			case ok && f.value != (row.kind == text):
				t.Errorf("%s: %s -%s: its value is the next word: %v, the table says otherwise", release, f.tool, f.name, f.value)
			}
		}
	}
}

func TestForeignFlag(t *testing.T) {
	for _, flag := range []string{
		"-trimpath", "-buildvcs=true", "-mod=vendor", "-tags=a,b", "-tags=go1.2_x", "-gcflags=all=-l -B", "-gcflags=-N -l=4", "-gcflags=./...=-d=checkptr=1,loopvar",
		"-asmflags=-D X=1", "-asmflags=all=-S", "-pgo=default.pgo", "-pgo=cmd/x/my.pgo", "-pgo=off", "-buildmode=pie", "-race", "-race=true", "-gcflags=", "-gcflags=all=",
		"-ldflags=-s -w -X main.version=1.2.3 -X 'main.text=two words' -X=main.a=-toolexec=x -linkmode=external -buildid=",
		"-ldflags=-X main.v=- -extldflags '-static -Wl,-z,relro,-z,now' -linkmode external", "-ldflags=-w=0 -H windowsgui -B 0x01", `-ldflags=-X "main.a=it's"`,
		"-ldflags=-X 'main.v=\u00a0x\u00a0'", "-ldflags=-T 0x1000 -R 4096 -r $ORIGIN/../lib -I /lib64/ld-linux-x86-64.so.2",
	} {
		f, err := ForeignFlag(flag)
		if err != nil || !f.Canonical() || f.String() != flag {
			t.Errorf("%q: %q, canonical %v, %v", flag, f, f.Canonical(), err)
		}
	}
	// Written otherwise, but nothing else can be read in it.
	for _, flag := range []string{"-ldflags=  -s   -w ", "-ldflags=-s\n\t-w", "-gcflags=all = -l", "-ldflags=-X \"main.v=a b\"", "-ldflags=-r '$ORIGIN'"} {
		f, err := ForeignFlag(flag)
		if err != nil || f.Canonical() || f.String() != flag {
			t.Errorf("%q: %q, canonical %v, %v", flag, f, f.Canonical(), err)
		}
	}
	for _, flag := range hostile() {
		if f, err := ForeignFlag(flag); err == nil {
			t.Errorf("%q passes as %q", flag, f)
		}
	}
}

// hostile are flags that would have a build run a program, or read or write a
// file, that their author chose.
func hostile() []string {
	list := []string{
		"", "-", "--", "x", "./evil", "-toolexec=/bin/sh", "-overlay=x.json", "-o=/etc/passwd", "-C=/", "-modfile=/tmp/go.mod", "-pkgdir=/x", "-n", "-work",
		"-exec=x", "-compiler=gccgo", "-gccgoflags=-x", "-installsuffix=x", "-linkshared", "-a", "-json", "-debug-trace=x", "-coverpkg=x", "-modcacherw",
		"--ldflags=-s", "-trimpath=", "-trimpath=1", "-race=", "-buildvcs", "-buildvcs=", "-buildvcs=auto", "-mod", "-mod=", "-mod=x",
		"-buildmode=x y", "-buildmode=shared", "-buildmode=archive", "-pgo", "-pgo=", "-pgo=/etc/passwd", "-pgo=../x", "-pgo=a/../../x", `-pgo=C:\x`, "-pgo=c:x", "-pgo=./x", "-pgo=x ",
		"-tags", "-tags=", "-tags=a b", "-tags='-o x'", "-tags=a,,b", "-tags=-o",
		"-ldflags", "-ldflags=x", "-ldflags=\"-s\" -w", "-ldflags='-extld=/bin/sh'", "-ldflags=--extld=/bin/sh", "-ldflags=-s --extld /bin/sh", "-ldflags=-s -", "-ldflags=-s --", "-ldflags=-s x", "-ldflags=-X", "-ldflags=-X x",
		"-ldflags=-X -extld /bin/sh", "-ldflags=-X=main.a=b -extld=/bin/sh", "-ldflags=-X @/etc/passwd", "-ldflags=@/etc/passwd", "-ldflags=-s @/etc/passwd", "-ldflags=all=@/etc/passwd",
		"-ldflags=-s -w=/etc", "-ldflags=-s=x", "-ldflags=-s -linkmode", "-ldflags=-linkmode=x", "-ldflags=-H ../x", "-ldflags=-B /x",
		"-ldflags=-extldflags=-fplugin=x.so", "-ldflags=-extldflags -fplugin=x.so", "-ldflags=-extldflags '-static -fplugin=x.so'", "-ldflags=-extldflags=-static,-fplugin=x", "-ldflags=-extldflags=@x",
		"-ldflags=-extldflags -Wl,-z,relro,-plugin,x", "-ldflags=-extldflags=-fuse-ld=x", "-ldflags=-extldflags -B.", "-ldflags=-extldflags",
		"-gcflags=-extldflags=-static", "-gcflags=all=-d=checkptr -o=/x", "-gcflags=-l 4", "-gcflags=x.go", "-gcflags=-l x.go",
		"-gcflags=-d=ssa/all/dump=main", "-gcflags=-d=ssa/check_bce/debug=1", "-gcflags=-d=checkptr,ssa/lower/dump", "-gcflags=-d=dumpinlfuncprops=/x", "-gcflags=-d dumpinlfuncprops=/x", "-gcflags=-d=checkptr:/x", "-gcflags=-d=help", "-gcflags=-d=", "-gcflags=-d=gossahash=x",
		"-gcflags=-D /x", "-asmflags=-I/etc", "-asmflags=-I /etc", "-asmflags=-D=x=@y", "-asmflags=-gensymabis",
		"-gcflags=='-o=/x'", "-gcflags='all=-l'", "-gcflags=/abs=-l", "-gcflags=-x=-l", "-gcflags=al l=-l", "-gcflags=a\"b=-l",
		"-ldflags=-s\x00-extld=x", "-ldflags=-s\v-w", "-ldflags=\u00a0-s", "-ldflags=-s\u2028", "-ldflags=-s\u00a0-extld=x", "-ldflags=-X main.v=\xff", "-ldflags='", "-ldflags=-s '", "-ldflags=-X \u00a0main.v=1",
		"-ldflags=-X main.v=\u00a0 -s  -w", // not in one spelling, and not ASCII
		"-ldflags=-X main.a=" + strings.Repeat("x", maxValue),
	}
	// What the harmless -d= hid: every blank that somebody trims, before a flag
	// that writes.
	for _, blank := range []string{" ", "\t", "\n", "\r", "\v", "\f", "\u0085", "\u00a0", "\u2003", "\u3000", "  \t"} {
		for tool, names := range map[string]string{"gcflags": "cpuprofile o linkobj asmhdr embedcfg bench memprofile json traceprofile", "asmflags": "o I", "ldflags": "cpuprofile o tmpdir fipso benchmarkprofile extld capturehostobjs"} {
			for name := range strings.FieldsSeq(names) {
				list = append(list, "-"+tool+"="+blank+"-"+name+"=-d=/../../x/y", "-"+tool+"=all="+blank+"-"+name+"=-d=/x", "-"+tool+"="+blank+"all=-"+name+"=-d=/x", "-"+tool+"=-e"+blank+"-"+name+" -d=/x")
			}
		}
	}
	return list
}

func TestForeignVariable(t *testing.T) {
	for _, kv := range []string{
		"GOOS=linux", "GOARM=7,softfloat", "GOARM64=v8.0,lse", "GOWASM=", "CGO_ENABLED=1", "CC=arm-linux-gnueabihf-gcc-12", "CXX=clang++", "CGO_CFLAGS=-O2 -g -DX=1", "CGO_CFLAGS=",
		"CGO_CFLAGS=-O2 -g -fstack-protector-strong -Wall -Werror=format-security -Wp,-D_FORTIFY_SOURCE=2 -fno-plt -march=x86-64-v2 -mno-avx512f -ffile-prefix-map=/build/x=.",
		"CGO_LDFLAGS=-O2 -g -lm -lstdc++ -static -Wl,-z,relro,-z,now -Wl,--as-needed", "GOEXPERIMENT=jsonv2,nogreenteagc", "GOEXPERIMENT=", "GOFIPS140=v1.0.0", "GOFIPS140=latest",
	} {
		if v, err := ForeignVariable(kv); err != nil || v.String() != kv {
			t.Errorf("%s: %q, %v", kv, v, err)
		}
	}
	for _, kv := range []string{
		"", "=", "GOOS", "PATH=/x", "LD_PRELOAD=x.so", "GOFLAGS=-toolexec=x", "GOROOT=/x", "PKG_CONFIG=x", "AR=x", "GCCGO=x", "GOCACHEPROG=x", "GOAUTH=x", "goos=linux",
		"GOOS=../x", "GOOS=linux\nPATH=x", "GOFIPS140=../../x", "GOFIPS140=v1.0.0-../x", "GOEXPERIMENT=a b", "CGO_ENABLED=", "CGO_ENABLED=2",
		"CC=/tmp/evil", "CC=./gcc", "CC=gcc -fplugin=x.so", "CC=", "CC=-gcc", "CC='gcc'", "CC=x/gcc", `CC=x\gcc`,
		"CGO_CFLAGS=-fplugin=x.so", "CGO_CFLAGS=-fplugin-arg-x-y=z", "CGO_CFLAGS=-specs=x", "CGO_CFLAGS=-fdump-rtl-all", "CGO_CFLAGS=-fdump-tree-all", "CGO_CFLAGS=-fdump-final-insns", "CGO_CFLAGS=-fprofile-generate",
		"CGO_CFLAGS=-fprofile-use=/x", "CGO_CFLAGS=-fprofile-arcs", "CGO_CFLAGS=-ftest-coverage", "CGO_CFLAGS=-fstack-usage", "CGO_CFLAGS=-fcallgraph-info", "CGO_CFLAGS=-fsave-optimization-record", "CGO_CFLAGS=-ftime-trace",
		"CGO_CFLAGS=-fopt-info", "CGO_CFLAGS=-fcompare-debug", "CGO_CFLAGS=-fpch-preprocess", "CGO_CFLAGS=-flto", "CGO_CFLAGS=-fuse-ld=x", "CGO_CFLAGS=-mllvm -O2", "CGO_CFLAGS=-mmcu=../x", "CGO_CFLAGS=-gsplit-dwarf",
		"CGO_CFLAGS=@x", "CGO_CFLAGS=-O2 @x", "CGO_CFLAGS=-I/etc", "CGO_CFLAGS=-include /etc/passwd", "CGO_CFLAGS=-save-temps", "CGO_CFLAGS=-MD", "CGO_CFLAGS=-MF x", "CGO_CFLAGS=-o x", "CGO_CFLAGS=-B.", "CGO_CFLAGS=-wrapper x",
		"CGO_CFLAGS=-Wl,-o,x", "CGO_CFLAGS=-Wa,-a=x", "CGO_CFLAGS=-Wp,-MD,x", "CGO_CFLAGS=-Xclang -load", "CGO_CFLAGS='-fplugin=x'", "CGO_CFLAGS=-DX=1\u00a0-fplugin=x", "CGO_CFLAGS=x.c", "CGO_CFLAGS=-", "CGO_CFLAGS=-D X", "CGO_CFLAGS=-DX=@y",
		"CGO_LDFLAGS=-Wl,-plugin,x.so", "CGO_LDFLAGS=-lto_library -s", "CGO_LDFLAGS=-lazy_library -lx", "CGO_LDFLAGS=-L/x", "CGO_LDFLAGS=-l:x.o", "CGO_LDFLAGS=-l", "CGO_LDFLAGS=x.o", "CGO_LDFLAGS=-Wl,-z,relro,-o,x", "CGO_LDFLAGS=-T x.ld",
		"CGO_CFLAGS=-lm", "CGO_CFLAGS=-DX=" + strings.Repeat("x", maxValue),
	} {
		if v, err := ForeignVariable(kv); err == nil {
			t.Errorf("%q passes as %q", kv, v)
		}
	}
}

// TestGoReadsIt really builds with what was taken for the harmless -d=: the file
// is overwritten, so that the refusal is of something.
func TestGoReadsIt(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"m/go.mod": "module m\n\ngo 1.18\n", "m/m.go": "package m\n\nfunc F() int { return 1 }\n", "m/-d=/x": "", "m/@x": "", "hit": "the user's"} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, flag := range []string{"-gcflags= -cpuprofile=-d=/../../hit", "-gcflags=\u00a0-asmhdr=-d=/../../hit", "-gcflags=-d=ssa/lower/dump=F"} {
		if _, err := ForeignFlag(flag); err == nil {
			t.Errorf("%q passes", flag)
		}
		cmd := exec.Command("go", "build", flag, ".")
		cmd.Dir = filepath.Join(dir, "m")
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOTOOLCHAIN=local", "GOCACHE="+filepath.Join(dir, "cache"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", flag, err, out)
		}
		hit, err := os.ReadFile(filepath.Join(dir, "hit"))
		dumps, _ := filepath.Glob(filepath.Join(cmd.Dir, "F_*.dump"))
		if runtime.GOOS != "windows" && err == nil && string(hit) == "the user's" && len(dumps) == 0 {
			t.Errorf("%q: nothing was written: the test attacks with something harmless", flag)
		}
		os.WriteFile(filepath.Join(dir, "hit"), []byte("the user's"), 0o644)
	}
}

// FuzzForeignFlag: of what passes, the tools of three releases set only what is
// harmless, whatever the spelling.
func FuzzForeignFlag(f *testing.F) {
	for _, flag := range append(hostile(), "-gcflags=all=-l -B -d=checkptr", "-ldflags=-s -w -X 'main.a=b c' -extldflags=-static", "-asmflags=-D X=1 -S", "-ldflags= -s\t-w  -H windowsgui ") {
		f.Add(flag)
	}
	f.Fuzz(func(t *testing.T, flag string) {
		foreign, err := ForeignFlag(flag)
		if err != nil {
			return
		}
		argv := foreign.String()
		name, value, _ := strings.Cut(argv, "=")
		tool, ok := map[string]Tool{"-gcflags": Compiler, "-asmflags": Assembler, "-ldflags": Linker}[name]
		if !ok {
			return
		}
		for _, release := range releases {
			words, err := goPerPackage(value, release < "go1.22")
			if err != nil {
				t.Fatalf("%q: %s refuses to read it: %v", argv, release, err)
			}
			if !slices.Equal(words, foreign.Words()) {
				t.Fatalf("%q: judged were %q, %s reads %q", argv, foreign.Words(), release, words)
			}
			set, files, err := goReaches(release, tool, words)
			// At a flag that it does not have a tool ends, before it does anything.
			if slices.ContainsFunc(files, func(s string) bool { return err == nil || strings.HasPrefix(s, "@") }) {
				t.Errorf("%q: %s is given the files %q", argv, release, files)
			}
			for _, r := range set {
				if slices.Contains(strings.Fields(refused[tool]), r.name) {
					t.Errorf("%q: %s sets -%s=%q", argv, release, r.name, r.value)
				}
				if r.name == "d" && tool == Compiler && strings.ContainsAny(r.value, `/\. `) {
					t.Errorf("%q: %s sets -d=%q", argv, release, r.value)
				}
				if words, err := goSplit(r.value); r.name == "extldflags" && (err != nil || slices.ContainsFunc(words, func(w string) bool {
					return strings.HasPrefix(w, "@") || strings.Contains(w, "plugin") || !strings.HasPrefix(w, "-")
				})) {
					t.Errorf("%q: %s gives the C linker %q", argv, release, words)
				}
			}
		}
	})
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"", "a b", "'a b' \"c'd\"", "'", "a'b c'", " \t\r\n", "''", "\u00a0a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words, err := Split(s)
		want, wantErr := goSplit(s)
		if (err == nil) != (wantErr == nil) || err == nil && !slices.Equal(words, want) {
			t.Fatalf("%q: %q (%v), go reads %q (%v)", s, words, err, want, wantErr)
		}
		if err != nil {
			return
		}
		text, err := Join(words)
		if err != nil {
			return
		}
		if again, err := Split(text); err != nil || !slices.Equal(again, words) {
			t.Errorf("%q: written %q, which reads %q (%v)", words, text, again, err)
		}
	})
}
