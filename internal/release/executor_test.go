package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/ledger"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/gobin/gobintest"
	"github.com/mintmark/mintmark/internal/lint"
	"github.com/mintmark/mintmark/internal/output"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
	"github.com/mintmark/mintmark/profiles"
)

// fake is an executor that builds nothing: it has files with the content that it
// is told, in a place that no other has.
type fake struct {
	name    string
	dir     string
	content func(u *plan.Unit, m fact.Main) []byte
	fails   error
	mends   string // what Mend says; content is then whole's
	whole   func(u *plan.Unit, m fact.Main) []byte
	ran     func(u *plan.Unit) fact.Execution // nil: here

	mu    sync.Mutex // two units may be built at the same time
	built int
}

func (f *fake) Name() string { return f.name }

func (f *fake) Build(_ context.Context, u *plan.Unit, _ execute.Pace) (*execute.Outcome, error) {
	f.mu.Lock()
	f.built++
	content := f.content
	f.mu.Unlock()
	ran := fact.Execution{Here: true}
	if f.ran != nil {
		ran = f.ran(u)
	}
	o := &execute.Outcome{By: f.name, Ran: ran, Circumstances: fact.Circumstances{fact.Home: f.dir, fact.Kernel: "one"}}
	if f.fails != nil {
		return o, f.fails
	}
	for _, m := range u.Mains {
		data := content(u, m)
		path := filepath.Join(f.dir, u.Key(), u.File(m))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o755)); err != nil {
			return o, err
		}
		sum := sha256.Sum256(data)
		o.Products = append(o.Products, execute.Product{Main: m, Path: path, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))})
	}
	return o, nil
}

// mender is a fake with damage that it can mend.
type mender struct{ *fake }

func (m mender) Mend(context.Context, *plan.Unit, []string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.content = m.whole
	return m.mends, nil
}

func (m mender) Sound(context.Context, *plan.Unit) error { return nil }

// binary is one of the unit, with a text of its own.
func binary(text string) func(u *plan.Unit, m fact.Main) []byte {
	return func(u *plan.Unit, m fact.Main) []byte {
		return append(gobintest.ELF("a/b/c/d", "path\t"+m.Package+"\nmod\texample.com/p\tv1.2.3\t\n"), u.ID()+m.Binary+text...)
	}
}

// fakeRelease is a release of two platforms by these executors, up to what is
// published.
type fakeRelease struct {
	dir       string
	top       string // further keys of the profile file
	profile   string // further settings of the profile
	executors []execute.Executor
	sites     []schedule.Site // none: this machine
	published Published
	event     func(run.Event)
}

func (r *fakeRelease) run(t *testing.T, kind checksums.Kind) (*described, error) {
	t.Helper()
	file, err := profiles.Load("mintmark.yaml", []byte("version: 1\nproject: p\nsign: none\n"+r.top+"profiles:\n  release:\n    platforms: [linux/amd64, linux/arm64]\n"+r.profile))
	if err != nil {
		t.Fatal(err)
	}
	selected, err := file.Select(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	src := source.Published("example.com/p", "v1.2.3", "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", strings.Repeat("c", 40), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	tree := filepath.Join(r.dir, "tree")
	if err := errors.Join(os.MkdirAll(tree, 0o755), os.WriteFile(filepath.Join(tree, "LICENSE"), []byte("free"), 0o644)); err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{
		Schema: fact.PlanSchema, Project: "p", Version: "1.2.3", Go: "go1.26.8", Env: plan.CommonEnv(), Source: src.ID(),
	}
	for _, arch := range []string{"amd64", "arm64"} {
		u := &plan.Unit{
			Profile: "release", Platform: "linux/" + arch, Env: []string{"GOOS=linux", "GOARCH=" + arch, "CGO_ENABLED=0"}, Flags: []string{"-trimpath"},
			Mains:   []fact.Main{{Package: "example.com/p", Binary: "p"}, {Package: "example.com/p/q", Binary: "q"}},
			Archive: "tar.gz", Name: "p_1.2.3_linux_" + arch, Files: []string{"LICENSE"}, Verify: fact.RequireIdentical,
		}
		if strings.Contains(r.profile, "verify: report") {
			u.Verify = fact.ReportVerdicts
		}
		p.Units = append(p.Units, u)
	}
	id, err := p.ID()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(r.dir, "dist")
	begun, err := run.Begin(&run.Config{Cache: filepath.Join(r.dir, "cache"), Out: out, Tool: "test", Event: r.event})
	if err != nil {
		t.Fatal(err)
	}
	defer begun.Close()
	file.Bills = []fact.BillFormat{} // there is no source to read a go.mod in
	subject := &fetch.Subject{Run: begun, Found: fetch.Found{Source: src}, File: file, Selected: selected, Version: "1.2.3"}
	tc := &toolchain.Toolchain{Toolchain: fact.Toolchain{Version: "go1.26.8", Host: "linux/amd64", Module: "golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64", Sum: src.Sum}}
	ready := &Prepared{
		Of: &fetch.Planned{Copied: &fetch.Copied{Subject: subject, Kit: &fetch.Kit{GoToolchain: tc}, Checkout: tree}, Planner: &plan.Planner{}, Plan: p, PlanID: id},
	}
	ready.Sites = r.sites
	for _, e := range r.executors {
		ready.Executors = append(ready.Executors, ReadyExecutor{e, tree})
	}
	stage, err := (output.Dir{Path: begun.Out}).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stage.Close()
	if err := stage.Claim(lint.UnitFiles(p)...); err != nil {
		t.Fatal(err)
	}
	m := &Maker{Prepared: ready, Stage: stage.Dir, Sizes: kind == checksums.KindRelease, NotRun: builtOnce}
	f, err := m.Finish(t.Context(), r.published)
	if err != nil {
		return nil, err
	}
	d, err := f.describe(t.Context(), kind)
	if err != nil {
		return nil, err
	}
	if err := d.gate(nil); err != nil {
		return d, err
	}
	return d, (&publication{described: d, stage: stage, report: m.Sizes}).publish(t.Context())
}

// TestFakeExecutors: a release is made of what any executors give, however many and
// wherever they are, and is what they make of it.
func TestFakeExecutors(t *testing.T) {
	same, other := binary("x"), binary("y")
	only := func(platform string, c, otherwise func(*plan.Unit, fact.Main) []byte) func(*plan.Unit, fact.Main) []byte {
		return func(u *plan.Unit, m fact.Main) []byte {
			if u.Platform == platform {
				return c(u, m)
			}
			return otherwise(u, m)
		}
	}
	type contents = []func(*plan.Unit, fact.Main) []byte
	for _, tt := range []struct {
		name      string
		contents  contents
		profile   string
		kind      checksums.Kind
		code      int
		verdicts  string // of all artifacts, in the manifest's order
		published bool
	}{
		{"two that agree", contents{same, same}, "", checksums.KindRelease, 0, "identical", true},
		{"three that agree", contents{same, same, same}, "", checksums.KindRelease, 0, "identical", true},
		{"the second differs", contents{same, other}, "", checksums.KindRelease, fault.NotReproducible, "different", false},
		{"the third of three differs", contents{same, same, other}, "", checksums.KindRelease, fault.NotReproducible, "different", false},
		{"one platform differs", contents{same, only("linux/arm64", other, same)}, "", checksums.KindRelease, fault.NotReproducible, "identical different", false},
		{"it may differ", contents{same, other}, "    verify: report\n", checksums.KindRelease, 0, "different", true},
		{"one", contents{same}, "", checksums.KindRelease, fault.NotReproducible, "unchecked", false},
		{"one, and nobody asks for more", contents{same}, "", checksums.KindBuild, 0, "unchecked", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &fakeRelease{dir: t.TempDir(), profile: tt.profile}
			for i, c := range tt.contents {
				name := fmt.Sprintf("place %d", i)
				r.executors = append(r.executors, &fake{name: name, dir: filepath.Join(r.dir, name), content: c})
			}
			f, err := r.run(t, tt.kind)
			if fault.ExitCode(err) != tt.code {
				t.Fatalf("exit code %d, want %d: %v", fault.ExitCode(err), tt.code, err)
			}
			var verdicts []string
			for _, a := range f.manifest.Artifacts {
				if v := string(a.Verdict); len(verdicts) == 0 || verdicts[len(verdicts)-1] != v {
					verdicts = append(verdicts, v)
				}
			}
			if got := strings.Join(verdicts, " "); got != tt.verdicts {
				t.Errorf("verdicts %q, want %q", got, tt.verdicts)
			}
			if f.manifest.Rebuild.Executions != len(tt.contents) {
				t.Errorf("%d executions of %d", f.manifest.Rebuild.Executions, len(tt.contents))
			}
			if want := len(tt.contents) > 1; want != (len(f.manifest.Rebuild.Varied) == 1 && f.manifest.Rebuild.Varied[0] == "HOME") {
				t.Errorf("varied: %q", f.manifest.Rebuild.Varied)
			}
			_, err = os.Stat(filepath.Join(r.dir, "dist", "p_1.2.3_linux_arm64.tar.gz"))
			if (err == nil) != tt.published {
				t.Errorf("published: %v", err)
			}
			if kept := f.kept(); (len(kept) > 0) != strings.Contains(tt.verdicts, "different") {
				t.Errorf("kept: %q", kept)
			}
			if tt.kind == checksums.KindRelease && tt.published {
				if _, err := checksums.VerifyRelease(t.Context(), filepath.Join(r.dir, "dist"), checksums.VerifyConfig{AllowUnsigned: true}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestFakeFailure: a build that fails publishes nothing, and leaves nothing.
func TestFakeFailure(t *testing.T) {
	r := &fakeRelease{dir: t.TempDir()}
	r.executors = []execute.Executor{&fake{name: "one", dir: r.dir, fails: errors.New("no compiler")}, &fake{name: "two", dir: r.dir, content: binary("x")}}
	if _, err := r.run(t, checksums.KindRelease); err == nil || !strings.Contains(err.Error(), "no compiler") {
		t.Errorf("%v", err)
	}
	if names, err := os.ReadDir(r.dir); err != nil || strings.Contains(fmt.Sprint(names), "dist") {
		t.Errorf("%v, %v", names, err)
	}
}

// TestFakeDamage: an executor that finds damage builds once more, and the result
// says so.
func TestFakeDamage(t *testing.T) {
	r := &fakeRelease{dir: t.TempDir()}
	damaged := &fake{name: "one", dir: filepath.Join(r.dir, "1"), content: binary("damaged"), whole: binary("x"), mends: "something was damaged"}
	r.executors = []execute.Executor{mender{damaged}, &fake{name: "two", dir: filepath.Join(r.dir, "2"), content: binary("x")}}
	f, err := r.run(t, checksums.KindRelease)
	if err != nil {
		t.Fatal(err)
	}
	if lines := f.damage(); len(lines) == 0 || !strings.Contains(lines[0], "something was damaged; release linux/a") || !strings.Contains(lines[0], "both builds are the same now") {
		t.Errorf("%q", f.damage())
	}
	if damaged.built < 3 {
		t.Errorf("built %d times", damaged.built)
	}
}

// TestJudgedByPublished: built once, a file is judged by what was published.
func TestJudgedByPublished(t *testing.T) {
	first := &fakeRelease{dir: t.TempDir()}
	first.executors = []execute.Executor{&fake{name: "one", dir: filepath.Join(first.dir, "1"), content: binary("x")}, &fake{name: "two", dir: filepath.Join(first.dir, "2"), content: binary("x")}}
	f, err := first.run(t, checksums.KindRelease)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]fact.Verdict{"x": fact.Identical, "y": fact.Different} {
		r := &fakeRelease{dir: t.TempDir(), published: f.manifest.Artifacts}
		r.executors = []execute.Executor{&fake{name: "third", dir: filepath.Join(r.dir, "3"), content: binary(text)}}
		again, _ := r.run(t, checksums.KindBuild)
		for _, a := range again.Artifacts() {
			if a.Stage == fact.Linked && a.Verdict != want {
				t.Errorf("%s: %+v", text, a)
			}
		}
	}
}

// cached is a fake whose compiles lie in a build cache.
type cached struct{ *fake }

func (c cached) BuildCache() string { return c.dir }

// TestLedgerOfTwo: the ledger is about two places with a build cache, wherever they
// are among the executors; the others compile everything.
func TestLedgerOfTwo(t *testing.T) {
	dir := t.TempDir()
	open, err := ledger.Open(ledger.Config{Dir: dir, Toolchain: "t", Sum: "h1:x", Secret: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	plain, with := &fake{name: "plain", dir: dir}, cached{&fake{name: "with", dir: dir}}
	for _, tt := range []struct {
		executors []execute.Executor
		from, to  int // 0, 0: no ledger
	}{
		{[]execute.Executor{with}, 0, 0},
		{[]execute.Executor{with, plain}, 0, 0},
		{[]execute.Executor{with, with}, 0, 1},
		{[]execute.Executor{plain, with, plain, with, with}, 1, 3},
	} {
		p := &Prepared{Of: &fetch.Planned{Copied: &fetch.Copied{Subject: &fetch.Subject{Run: &run.Run{Config: &run.Config{Cache: dir}, Workspace: &workspace.Workspace{Dir: dir}}}}}}
		for _, e := range tt.executors {
			p.Executors = append(p.Executors, ReadyExecutor{Executor: e})
		}
		l := p.useLedger(open)
		if (l != nil) != (tt.to > 0) || l != nil && (l.from != tt.from || l.to != tt.to || l.seeds(tt.from) || !l.seeds(tt.to)) {
			t.Errorf("%d executors: %+v", len(tt.executors), l)
		}
	}
}

// TestWhatIsDoneIsSaid: after the builds of a unit it is said what is done with what
// they gave, and after all of them what is done of the release.
func TestWhatIsDoneIsSaid(t *testing.T) {
	var mu sync.Mutex
	steps, phases := map[string][]string{}, []string{} // by unit
	r := &fakeRelease{dir: t.TempDir(), event: func(e run.Event) {
		mu.Lock()
		defer mu.Unlock()
		switch e.Kind {
		case run.Step:
			steps[e.ID.Unit] = append(steps[e.ID.Unit], e.Text)
		case run.Phase:
			phases = append(phases, e.Text)
		}
	}}
	for _, name := range []string{"one", "another"} {
		r.executors = append(r.executors, &fake{name: name, dir: filepath.Join(r.dir, name), content: binary("x")})
	}
	d, err := r.run(t, checksums.KindRelease)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range d.Of.Plan.Units {
		if got, want := steps[u.ID()], []string{"comparing", "measuring sizes", "archiving"}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", u.ID(), got, want)
		}
	}
	want := []string{"writing release.json, measurements.json, report.html, report.md, checksums.txt", "verifying the finished release"}
	if !slices.Equal(phases, want) {
		t.Errorf("%q, want %q", phases, want)
	}
}

// TestThreeExecutors: whatever is said of a release of three executors says three,
// in errors, in the lines about damage and in every file that is published.
func TestThreeExecutors(t *testing.T) {
	fixed := regexp.MustCompile(`(?i)\b(two|twice|both|second|third)\b`)
	run := func(third execute.Executor, r *fakeRelease) (*described, error) {
		for i, name := range []string{"one", "another"} {
			r.executors = append(r.executors, &fake{name: name, dir: filepath.Join(r.dir, fmt.Sprint(i)), content: binary("x")})
		}
		r.executors = append(r.executors, third)
		return r.run(t, checksums.KindRelease)
	}
	told := func(what, text string, want ...string) {
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not in %s", what, w, text)
			}
		}
		for _, word := range fact.Independences() { // of the format, whatever the number
			text = strings.ReplaceAll(text, string(word), "")
		}
		if at := fixed.FindStringIndex(text); at != nil {
			t.Errorf("%s: of three executors it says %q", what, text[max(0, at[0]-60):min(len(text), at[1]+60)])
		}
	}

	r := &fakeRelease{dir: t.TempDir()}
	damaged := &fake{name: "damaged", dir: filepath.Join(r.dir, "3"), content: binary("damaged"), whole: binary("x"), mends: "something was damaged"}
	f, err := run(mender{damaged}, r)
	if err != nil {
		t.Fatal(err)
	}
	told("mended", strings.Join(f.damage(), "\n"), "all 3 builds are the same now")
	published, err := os.ReadDir(filepath.Join(r.dir, "dist"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"report.md": {"identical in 3 builds"}, "report.html": {"identical in 3 builds", "the same in at least 2 of them"}, "release.json": {`"executions": 3`},
	}
	for _, e := range published {
		if filepath.Ext(e.Name()) == ".gz" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(r.dir, "dist", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		told(e.Name(), string(data), want[e.Name()]...)
		delete(want, e.Name())
	}
	if len(want) > 0 {
		t.Errorf("not published: %v", want)
	}

	r = &fakeRelease{dir: t.TempDir()}
	_, err = run(&fake{name: "other", dir: filepath.Join(r.dir, "3"), content: binary("y")}, r)
	if err == nil {
		t.Fatal("published")
	}
	told("different", err.Error()+"\n"+fault.Hint(err), "3 builds of the same plan differ", "the files that differ are kept in")
}
