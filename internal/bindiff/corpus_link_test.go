package bindiff

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// linkVariant is one link of a source that other links of its group are compared with.
type linkVariant struct {
	name    string
	ldflags string
	env     []string
	want    fact.Cause // cause of the difference to the first of the group; "" when the files are the same
	sure    fact.Confidence
	also    []fact.Cause // further causes that may be certain
	says    string       // what the evidence must say
}

// linkGroup are links of one source for one platform, with one recorded setting
// of everything that is compiled. The first is what the others are compared with.
type linkGroup struct {
	name     string
	platform string
	cgo      bool
	args     []string
	strip    string // flags that all have
	variants []linkVariant
}

// linkGroups are the pairs of builds that differ in the link alone.
func linkGroups() []linkGroup {
	ext := func(name, flags string, want fact.Cause, says string) linkVariant {
		return linkVariant{name: name, ldflags: `"-extldflags=` + flags + `"`, want: want, sure: fact.Certain, says: says}
	}
	plain := []linkVariant{
		{name: "base"},
		{name: "-T", ldflags: "-T 0x801000", want: "link-layout", sure: fact.Certain, says: "lowest address"},
		{name: "-funcalign", ldflags: "-funcalign=128", want: "link-layout", sure: fact.Certain, says: "alignment of functions"},
		{name: "-randlayout", ldflags: "-randlayout=7", want: "link-layout", sure: fact.Certain, says: "another order"},
		{name: "-R", ldflags: "-R 0x10000", want: "link-layout", sure: fact.Certain, says: "alignment of segments"},
		{name: "-B", ldflags: "-B 0x12345678", want: "executable-header", sure: fact.Certain, says: "GNU build ID"},
		{name: "-B none", ldflags: "-B none", want: "executable-header", sure: fact.Certain, says: "GNU build ID"},
		{name: "-checklinkname", ldflags: "-checklinkname=0", want: "flag-spelling", sure: fact.Certain},
	}
	return []linkGroup{
		{name: "ELF", platform: "linux/amd64", strip: "-s -w", variants: plain},
		{name: "ELF with symbols", platform: "linux/amd64", variants: append(plain[:2:2],
			linkVariant{name: "-compressdwarf", ldflags: "-compressdwarf=false", want: "dwarf-compression", sure: fact.Certain, says: "DWARF"},
		)},
		{name: "ELF PIE", platform: "linux/amd64", args: []string{"-buildmode=pie"}, strip: "-s -w", variants: []linkVariant{
			{name: "base"},
			{name: "-I", ldflags: "-I /lib/ld-musl-x86_64.so.1", want: "interpreter", sure: fact.Certain, says: "ld-musl"},
			{name: "-r", ldflags: "-r /opt/lib", want: "dynamic-section", sure: fact.Certain, says: "/opt/lib"},
			{name: "-bindnow", ldflags: "-bindnow", want: "dynamic-section", sure: fact.Certain, says: "BIND_NOW"},
			{name: "-funcalign", ldflags: "-funcalign=64", want: "link-layout", sure: fact.Certain},
			{name: "-randlayout", ldflags: "-randlayout=3", want: "link-layout", sure: fact.Certain},
		}},
		{name: "ELF by the C linker", platform: "linux/amd64", cgo: true, strip: "-s -w -linkmode=external", variants: []linkVariant{
			{name: "base"},
			ext("--dynamic-linker", "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1", "interpreter", "ld-musl"),
			ext("-z now", "-Wl,-z,now", "dynamic-section", "BIND_NOW"),
			ext("-rpath", "-Wl,-rpath,/opt/lib", "dynamic-section", "/opt/lib"),
			ext("--hash-style", "-Wl,--hash-style=sysv", "dynamic-section", "sysv"),
			ext("-lm", "-Wl,--no-as-needed -lm", "dynamic-section", "libm.so.6"),
			ext("-z norelro", "-Wl,-z,norelro", "executable-header", "RELRO"),
			ext("-z execstack", "-Wl,-z,execstack", "executable-header", "stack"),
			ext("--build-id", "-Wl,--build-id=none", "executable-header", "GNU build ID"),
			ext("-z noseparate-code", "-Wl,-z,noseparate-code", "link-layout", "segments"),
			ext("-Ttext-segment", "-Wl,-Ttext-segment=0x800000", "link-layout", "lowest address"),
			{name: "-static", ldflags: "-extldflags=-static", want: "interpreter", sure: fact.Certain, also: []fact.Cause{"dynamic-section"}, says: "absent in B"},
			ext("-fuse-ld", "-fuse-ld=gold", "linker", "gold"),
			{name: "CGO_LDFLAGS", env: []string{"CGO_LDFLAGS=-O2 -g -Wl,-z,relro,-z,now"}, want: "dynamic-section", sure: fact.Certain, says: "BIND_NOW"},
			{name: "CGO_LDFLAGS without effect", env: []string{"CGO_LDFLAGS=-O2 -g -O1 -O2"}, want: "cgo-toolchain", sure: fact.Likely},
			{name: "GO_EXTLINK_ENABLED", ldflags: "-linkmode=internal", want: "linker", sure: fact.Certain, says: "Go's own"},
		}},
		{name: "ELF PIE by the C linker", platform: "linux/amd64", cgo: true, args: []string{"-buildmode=pie"}, strip: "-s -w -linkmode=external", variants: []linkVariant{
			{name: "base"},
			ext("-z now", "-Wl,-z,now", "dynamic-section", "BIND_NOW"),
			ext("-z pack-relative-relocs", "-Wl,-z,pack-relative-relocs", "dynamic-section", "RELR"),
			{name: "-static-pie", ldflags: "-extldflags=-static-pie", want: "interpreter", sure: fact.Certain, also: []fact.Cause{"dynamic-section"}, says: "absent in B"},
			{name: "-linkmode", ldflags: "-linkmode=internal", want: "linker", sure: fact.Certain, says: "Go's own"},
		}},
		{name: "PE", platform: "windows/amd64", strip: "-s -w", variants: []linkVariant{
			{name: "base"},
			{name: "-H", ldflags: "-H windowsgui", want: "executable-header", sure: fact.Certain, says: "Windows GUI"},
			{name: "-funcalign", ldflags: "-funcalign=64", want: "link-layout", sure: fact.Certain},
			{name: "-randlayout", ldflags: "-randlayout=3", want: "link-layout", sure: fact.Certain},
		}},
		{name: "PE with symbols", platform: "windows/amd64", variants: []linkVariant{
			{name: "base"},
			{name: "-compressdwarf", ldflags: "-compressdwarf=false", want: "dwarf-compression", sure: fact.Certain},
		}},
		{name: "Mach-O", platform: "darwin/arm64", strip: "-s -w", variants: []linkVariant{
			{name: "base"},
			{name: "-funcalign", ldflags: "-funcalign=64", want: "link-layout", sure: fact.Certain},
			{name: "-randlayout", ldflags: "-randlayout=3", want: "link-layout", sure: fact.Certain},
			{name: "-B none", ldflags: "-B none", want: "executable-header", sure: fact.Certain, says: "UUID"},
		}},
		{name: "Mach-O with symbols", platform: "darwin/arm64", variants: []linkVariant{
			{name: "base"},
			{name: "-compressdwarf", ldflags: "-compressdwarf=false", want: "dwarf-compression", sure: fact.Certain},
		}},
		{name: "ELF on riscv64", platform: "linux/riscv64", strip: "-s -w", variants: []linkVariant{
			{name: "base"},
			{name: "-funcalign", ldflags: "-funcalign=128", want: "link-layout", sure: fact.Certain},
			{name: "-T", ldflags: "-T 0x801000", want: "link-layout", sure: fact.Certain},
		}},
	}
}

// linkShop links one source again and again.
type linkShop struct {
	w   *workshop
	top string
	src map[bool]string
}

func newLinkShop(t testing.TB) *linkShop {
	return &linkShop{w: newWorkshop(t), top: t.TempDir(), src: map[bool]string{}}
}

func (l *linkShop) source(t testing.TB, cgo bool) string {
	t.Helper()
	if dir := l.src[cgo]; dir != "" {
		return dir
	}
	dir := filepath.Join(l.top, map[bool]string{false: "plain", true: "cgo"}[cgo])
	files := fixtureFiles()
	if cgo {
		// GoString is inlined, so that lines of main come from a generated file.
		files["main.go"] = strings.NewReplacer("import \"C\"", "// static const char *name(void) { return \"c\"; }\nimport \"C\"", "C.twice(3)", "C.twice(3), C.GoString(C.name())").Replace(cgoFiles()["main.go"])
	}
	for n, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(n))
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, l.w.env(dir), "go", "mod", "tidy")
	l.src[cgo] = dir
	return dir
}

// link builds a variant.
func (l *linkShop) link(t testing.TB, g *linkGroup, v *linkVariant) string {
	t.Helper()
	dir := l.source(t, g.cgo)
	goos, goarch, _ := strings.Cut(g.platform, "/")
	env := append(l.w.env(dir), "GOOS="+goos, "GOARCH="+goarch)
	if g.cgo {
		env = append(env, "CGO_ENABLED=1")
	}
	env = append(env, v.env...)
	out := filepath.Join(l.top, strings.NewReplacer(" ", "_", "/", "_").Replace(g.name+"-"+v.name))
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags=" + strings.TrimSpace(g.strip+" "+v.ldflags), "-o", out}, g.args...)
	run(t, dir, env, "go", append(args, ".")...)
	return out
}

// linkCauses are what pairs of one source that differ in the link may be said to differ in.
var linkCauses = []fact.Cause{
	"linker", "interpreter", "dynamic-section", "executable-header", "link-layout", "dwarf-compression", "link-flags",
	"flag-spelling", "strip-flags", "cgo-toolchain",
}

// TestLinks: pairs of one source that differ in the link alone have the wanted
// cause, and no two of a group are said to be of other sources, of another
// toolchain or with other values of -X.
func TestLinks(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the pairs are links by GNU ld for linux/amd64, and by Go for others")
	}
	if testing.Short() {
		t.Skip("links programs in many ways")
	}
	shop := newLinkShop(t)
	var table strings.Builder
	table.WriteString("| pair | differs in | cause | evidence |\n|---|---|---|---|\n")
	pairs := 0
	for _, g := range linkGroups() {
		pairs += len(g.variants) - 1
		t.Run(g.name, func(t *testing.T) {
			if g.cgo {
				if _, err := exec.LookPath("gcc"); err != nil {
					t.Skip("gcc is not installed")
				}
			}
			var built []string
			for i := range g.variants {
				built = append(built, shop.link(t, &g, &g.variants[i]))
			}
			for i := range built {
				for j := i + 1; j < len(built); j++ {
					evidence := checkLinks(t, &g, built, i, j)
					if v := g.variants[j]; i == 0 {
						fmt.Fprintf(&table, "| %s | `%s` | %s, %s | %s |\n", g.name, v.flags(), v.want, v.sure, cell(evidence))
					}
				}
			}
		})
	}
	const least = 20
	if pairs < least {
		t.Errorf("%d pairs, at least %d are wanted", pairs, least)
	}
	if *update && !t.Failed() {
		writeTable(t, linkTableStart, table.String())
	}
}

const linkTableStart = "<!-- table: written by go test ./internal/bindiff -run TestLinks -update -->\n"

// flags is what a variant has and the first of its group has not.
func (v *linkVariant) flags() string {
	if v.env != nil {
		return strings.Join(v.env, " ")
	}
	return "-ldflags=" + v.ldflags
}

// checkLinks compares two of a group, and returns the evidence of the wanted cause.
func checkLinks(t *testing.T, g *linkGroup, built []string, i, j int) string {
	t.Helper()
	name := g.variants[i].name + " and " + g.variants[j].name
	d, err := Compare(t.Context(), built[i], built[j], Known{})
	if err != nil {
		t.Fatal(err)
	}
	v := g.variants[j]
	if i == 0 && (v.want == "" || d.Equal) {
		if !d.Equal || v.want != "" {
			t.Errorf("%s: equal is %v, want %q", name, d.Equal, v.want)
		}
		return ""
	}
	for _, f := range d.Findings {
		if !slices.Contains(linkCauses, f.Cause) {
			t.Errorf("%s: %s (%s) %q", name, f.Cause, f.Confidence, f.Evidence)
		}
	}
	if i > 0 {
		return ""
	}
	evidence := evidenceOf(d, v.want)
	if !slices.ContainsFunc(d.Findings, func(f fact.Finding) bool { return f.Cause == v.want && f.Confidence == v.sure }) || !strings.Contains(strings.Join(evidence, "\n"), v.says) {
		t.Errorf("%s: %+v, want %s (%s) that says %q", name, d.Findings, v.want, v.sure, v.says)
		return ""
	}
	for _, f := range d.Findings {
		if f.Confidence == fact.Certain && f.Cause != v.want && !slices.Contains(v.also, f.Cause) {
			t.Errorf("%s: %s is called certain: %q", name, f.Cause, f.Evidence)
		}
	}
	checkKnown(t, built[i], built[j], d)
	for _, e := range evidence {
		if strings.Contains(e, v.says) {
			return e
		}
	}
	return ""
}
