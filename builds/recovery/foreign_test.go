package recovery

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/builds/universal"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
)

// TestRebuildSideBySide rebuilds several binaries of one repository at the same
// time: they share source and toolchain, and every one gets its own verdict.
// testRecipe builds the package in dir below out.
func testRecipe(g *toolchain.Goroot, place *toolchain.Place, dir, out string, env ...string) *recipe {
	return &recipe{
		claim: &Claim{Package: "example.com/tool", GOOS: runtime.GOOS, GOARCH: runtime.GOARCH, Flags: testFlags("-trimpath"), Env: testEnv(append([]string{"CGO_ENABLED=0"}, env...)...)},
		at:    &execute.Local{Label: "test", Goroot: g, Place: place, Dir: dir, Out: out, Kind: fact.SourceGit, SetUmask: true},
		pkg:   ".", vcs: true, pace: execute.Pace{P: 1},
	}
}

func TestRebuildSideBySide(t *testing.T) {
	g := hostGo(t)
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git")
	}
	place := testPlace(t, git)
	repo := t.TempDir()
	write(t, repo, map[string]string{
		"go.mod": "module example.com/tool\n\ngo 1.24\n", "a/main.go": "package main\n\nfunc main() { println(\"a\") }\n", "b/main.go": "package main\n\nfunc main() { println(\"b\") }\n",
		"c/main.go": "package main\n\nimport \"example.com/tool/lib\"\n\nfunc main() { println(lib.Name) }\n", "lib/lib.go": "package lib\n\nvar Name = \"c\"\n",
	})
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "one"}, {"tag", "v1.0.0"}} {
		if out, err := exec.Command(git, append([]string{"-C", repo}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	dir := t.TempDir()
	var inputs []Input
	for _, pkg := range []string{"./a", "./b"} {
		for _, p := range [][2]string{{"linux", "amd64"}, {"darwin", "arm64"}} {
			r := testRecipe(g, place, repo, dir, "GOOS="+p[0], "GOARCH="+p[1])
			r.pkg = pkg
			made, err := r.build(t.Context(), pkg+p[0], testFlag("-ldflags=-w"))
			if err != nil {
				t.Fatal(err)
			}
			inputs = append(inputs, Input{Name: pkg + p[0], Path: made.Path})
		}
	}
	// One of named files, of which the binary says neither module nor package; one without
	// a package of its module, which does not even say that; and one of a tree with a file
	// that git does not know.
	named := testRecipe(g, place, repo, dir)
	for _, n := range []struct{ name, pkg string }{{"named", "./c/main.go"}, {"named alone", "./a/main.go"}, {"dirty", "./a"}} {
		if n.name == "dirty" {
			write(t, repo, map[string]string{"untracked": "x"})
		}
		named.pkg = n.pkg
		made, err := named.build(t.Context(), n.name, testFlag("-ldflags=-w"))
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, Input{Name: n.name, Path: made.Path})
	}
	if err := os.Remove(filepath.Join(repo, "untracked")); err != nil {
		t.Fatal(err)
	}
	// A universal binary, as it should be and with something behind it.
	mac, err := os.ReadFile(inputs[1].Path)
	if err != nil {
		t.Fatal(err)
	}
	fat := fatOf("", string(mac))
	fat = append(append([]byte(universal.Magic+"\x00\x00\x00\x01"), fat[28:48]...), append(make([]byte, 20), fat[48:]...)...)
	for name, data := range map[string][]byte{"fat": fat, "fat-junk": append(fat[:len(fat):len(fat)], "junk"...)} {
		write(t, dir, map[string]string{name: string(data)})
		found, err := Collect(t.Context(), []string{filepath.Join(dir, name)}, t.TempDir())
		if err != nil || len(found.Inputs) != 2 {
			t.Fatalf("%v, %+v", err, found)
		}
		for i := range found.Inputs {
			found.Inputs[i].Name = strings.TrimPrefix(found.Inputs[i].Name, dir+string(filepath.Separator))
			for j := range found.Inputs[i].parts {
				found.Inputs[i].parts[j] += len(inputs)
			}
		}
		inputs = append(inputs, found.Inputs...)
	}
	altered := filepath.Join(dir, "altered")
	data, err := os.ReadFile(inputs[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(altered, data, 0o755); err != nil {
		t.Fatal(err)
	}
	inputs = append(inputs, Input{Name: "altered", Path: altered}, Input{Name: "skipped", Skip: "for a reason"}, Input{Name: "text", Path: filepath.Join(repo, "go.mod")})

	installs, done := 0, map[string]fact.Verdict{}
	cfg := Config{
		Place: place, Work: t.TempDir(), Source: repo, Jobs: 4,
		// Nothing is downloaded: the toolchain is that of the test.
		Fetcher: &toolchain.Fetcher{Go: g.Go(), Place: place, Settings: toolchain.Settings{GOPROXY: "off"}},
		Goroot: func(ctx context.Context, version string) (*toolchain.Goroot, error) {
			installs++
			return g, nil
		},
		Event: func(name string, r *Result) {
			if r != nil {
				done[name] = r.Verdict
			}
		},
	}
	results, err := Rebuild(t.Context(), cfg, inputs)
	if err != nil {
		t.Fatal(err)
	}
	if installs != 1 || len(done) != len(inputs) {
		t.Errorf("%d installations, %d events of %d", installs, len(done), len(inputs))
	}
	for i, r := range results {
		want := map[string]fact.Verdict{"altered": fact.Different, "fat-junk": fact.Different, "skipped": fact.Unchecked, "text": fact.Unchecked, "named alone": fact.Unchecked}[r.Name]
		if want == "" {
			want = fact.Identical
		}
		if r.Name != inputs[i].Name || r.Verdict != want || done[r.Name] != want || (r.Reason == "") != (want == fact.Identical) {
			t.Errorf("%s: %s (%s), want %s; %q", r.Name, r.Verdict, r.Reason, want, r.Notes)
		}
		stamp := map[string]string{"named": StampNone, "dirty": StampReplayed}[r.Name]
		if stamp == "" {
			stamp = StampGit
		}
		if want == fact.Identical && r.Kind != KindUniversal && (r.LDFlags != "-w" || r.Stamp != stamp || r.Source.Confirmed != "git" || r.Platform == "") {
			t.Errorf("%+v", r)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg.Work = t.TempDir()
	if _, err := Rebuild(ctx, cfg, inputs); err == nil {
		t.Error("a cancelled run gave results")
	}
}

// TestPackedVerdict: a packed file is identical only when its packed bytes were
// made here; what it unpacks to is said apart from it.
func TestPackedVerdict(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"packed": "PACKED", "built": "built"})
	sum := func(name string) string {
		s, _, err := files.Digest(t.Context(), filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	packs := func(text string) func(context.Context, Packing, string) (*fact.Packer, error) {
		return func(_ context.Context, p Packing, out string) (*fact.Packer, error) {
			if p.Linked != filepath.Join(dir, "built") || p.Method != "NRV2E" || p.Level != 7 {
				t.Errorf("%+v", p)
			}
			return &fact.Packer{Name: "UPX", Flags: []string{"-7"}}, os.WriteFile(out, []byte(text), 0o644)
		}
	}
	refuses := func(context.Context, Packing, string) (*fact.Packer, error) { return nil, errors.New("other flags") }
	for _, c := range []struct {
		name      string
		format    gobin.Format
		restored  bool // what it unpacks to is what was built
		repack    func(context.Context, Packing, string) (*fact.Packer, error)
		ok        bool // the packed bytes came out
		verdict   fact.Verdict
		unpacked  fact.Verdict
		signed    string // which digest is
		reason    string
		madeOther bool
	}{
		{"both", gobin.ELF, true, packs("PACKED"), true, fact.Identical, fact.Identical, "packed", "", true},
		{"only inside", gobin.ELF, true, refuses, false, fact.Unchecked, fact.Identical, "built", "only what it unpacks to is identical; the packed bytes were not made again: other flags", false},
		{"other bytes", gobin.ELF, true, packs("packed"), false, fact.Unchecked, fact.Identical, "built", "only what it unpacks to", false},
		{"no packer", gobin.ELF, true, nil, false, fact.Unchecked, fact.Identical, "built", "only what it unpacks to is identical; the packed bytes were not made again: no packer", false},
		{"PE", gobin.PE, false, packs("PACKED"), true, fact.Identical, fact.Unchecked, "packed", "", true},
	} {
		b := &subject{engine: &engine{Config: Config{Repack: c.repack}}, Result: &Result{Packed: "UPX 3.94", SHA256: sum("packed"), Unpacked: "of another file"}, work: t.TempDir(),
			format: c.format, packing: Packing{Packer: "UPX 3.94", Method: "NRV2E", Level: 7}}
		a := &attempt{file: filepath.Join(dir, "built"), sum: sum("built")}
		if c.restored {
			b.sum, b.Unpacked = a.sum, a.sum
		}
		ok, err := b.repack(t.Context(), a)
		if err != nil || ok != c.ok {
			t.Errorf("%s: %v, %v", c.name, ok, err)
		}
		b.identical(a, ok)
		digest, part := b.Reproduced()
		if b.Verdict != c.verdict || b.UnpackedVerdict != c.unpacked || !strings.HasPrefix(b.Reason, c.reason) || (b.Reason == "") != (c.reason == "") || digest != sum(c.signed) || (part == "unpacked") != (c.signed == "built") || (b.made != a.file) != c.madeOther || (b.Packer != nil) != c.ok {
			t.Errorf("%s: %+v, signed %s", c.name, b.Result, digest)
		}
	}
	// What does not unpack to the rebuilt file is not packed again.
	b := &subject{engine: &engine{Config: Config{Repack: packs("PACKED")}}, Result: &Result{Packed: "UPX 3.94", SHA256: sum("packed")}, work: t.TempDir(), format: gobin.ELF}
	if ok, err := b.repack(t.Context(), &attempt{file: filepath.Join(dir, "built"), sum: sum("built")}); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}
