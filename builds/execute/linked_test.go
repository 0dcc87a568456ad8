package execute

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/buildstest"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/memo"
)

// build is what a build made: its bytes by binary, and whether they were linked.
type build struct {
	*Outcome
	sums     map[string]string // for keep
	digests  []string
	executed []string // names of the actions that ran
}

func buildOnce(t *testing.T, l *Local, u *plan.Unit) *build {
	t.Helper()
	made, err := l.Build(t.Context(), u, Pace{P: 2})
	if err != nil {
		t.Fatal(err)
	}
	b := &build{Outcome: made, sums: map[string]string{}}
	for _, p := range made.Products {
		b.sums[p.Path] = p.SHA256
		b.digests = append(b.digests, p.SHA256)
	}
	for key, a := range made.Actions {
		if a.Executed {
			b.executed = append(b.executed, key.String())
		}
	}
	slices.Sort(b.executed)
	return b
}

// Nothing is linked again that was linked before and is as it was; everything
// else is, with the bytes of a build that knows nothing.
func TestLinked(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles")
	}
	f := buildstest.New(t, buildstest.Sample())
	planned, err := planner(f, fmt.Sprintf("main: ./cmd/...\nprofiles:\n  release: {platforms: [%s/%s], buildvcs: false}\n", runtime.GOOS, runtime.GOARCH)).Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u := planned.Units[0]
	known := &memo.Store{Dir: t.TempDir(), Secret: []byte("of a test")}
	dir := filepath.Join(t.TempDir(), "linked")
	kept := func() *Linked { return &Linked{Dir: dir, Known: known, Scope: "h1:x example.com/fx"} }
	site := func() *Local {
		return &Local{Label: "first", Goroot: buildstest.Goroot(t), Place: f.Place, Dir: f.Dir, Out: filepath.Join(t.TempDir(), "out"), Kind: fact.SourceGit, Version: "v1.2.3"}
	}
	// run is a build with what is kept, which is kept again.
	run := func(l *Linked, want bool) *build {
		t.Helper()
		s := site()
		s.Linked = l
		p := buildOnce(t, s, u)
		if p.Kept != want {
			t.Fatalf("taken: %v, want %v", p.Kept, want)
		}
		if err := s.Keep(u, p.sums); err != nil {
			t.Fatal(err)
		}
		return p
	}
	links := []string{"the link of example.com/fx/cmd/a", "the link of example.com/fx/cmd/b"}

	first := run(kept(), false)
	for _, link := range links { // and all compiles, if the build cache was empty
		if !slices.Contains(first.executed, link) {
			t.Fatalf("the first build ran %q, but not %s", first.executed, link)
		}
	}
	for range 2 {
		p := run(kept(), true)
		if len(p.executed) > 0 {
			t.Errorf("ran again: %q", p.executed)
		}
		if !slices.Equal(p.digests, first.digests) {
			t.Error("other bytes")
		}
	}

	// Whatever is wrong with what is kept, it is linked anew.
	file := filepath.Join(kept().dir(site(), u), filepath.Base(first.Products[0].Path))
	for name, damage := range map[string]func() error{
		"a byte":  func() error { return flip(file) },
		"cut off": func() error { return os.Truncate(file, 1000) },
		"removed": func() error { return os.Remove(file) },
		"one more": func() error {
			return os.WriteFile(filepath.Join(filepath.Dir(file), "more"), nil, 0o755)
		},
		"a link": func() error {
			return errors.Join(os.Rename(file, filepath.Join(known.Dir, "elsewhere")), os.Symlink(filepath.Join(known.Dir, "elsewhere"), file))
		},
		"all": func() error { return os.RemoveAll(dir) },
	} {
		if err := damage(); err != nil {
			t.Fatal(name, err)
		}
		p := run(kept(), false)
		if !slices.Equal(p.executed, links) || !slices.Equal(p.digests, first.digests) {
			t.Errorf("%s: ran %q, other bytes: %v", name, p.executed, !slices.Equal(p.digests, first.digests))
		}
	}
	for name, l := range map[string]*Linked{
		"nil":            nil,
		"another scope":  {Dir: dir, Known: known, Scope: "h1:y example.com/fx"},
		"another secret": {Dir: dir, Known: &memo.Store{Dir: known.Dir, Secret: []byte("another")}, Scope: "h1:x example.com/fx"},
		"nothing known":  {Dir: dir, Scope: "h1:x example.com/fx"},
		"full":           {Dir: dir, Known: &memo.Store{Dir: known.Dir, Secret: known.Secret, Full: true}, Scope: "h1:x example.com/fx"},
	} {
		if l.take(t.Context(), site(), u) {
			t.Errorf("%s: taken", name)
		}
	}
	installed := site()
	installed.Kind = fact.SourceModule
	if kept().take(t.Context(), installed, u) {
		t.Error("what go build made was taken for go install, which would leave it where it is")
	}
	cgo := *u
	cgo.Env = slices.Clone(u.Env)
	cgo.Env[slices.Index(cgo.Env, "CGO_ENABLED=0")] = "CGO_ENABLED=1"
	if kept().take(t.Context(), site(), &cgo) {
		t.Error("a link that may read C libraries was taken")
	}

	// One program is changed, as it never was before: the build cache is shared.
	// Its link runs, the other's does not.
	f.Write("cmd/b/main.go", strings.Replace(buildstest.Main, `"x"`, strconv.Quote(time.Now().String()), 1))
	p := run(kept(), true)
	if want := []string{"package example.com/fx/cmd/b", links[1]}; !slices.Equal(p.executed, want) {
		t.Errorf("after a change of one program %q ran, want %q", p.executed, want)
	}
	if p.digests[0] != first.digests[0] || p.digests[1] == first.digests[1] {
		t.Error("a change of one program did not change it alone")
	}

	// A program that wrote to its own file is not kept.
	s := site()
	kept().take(t.Context(), s, u)
	p = buildOnce(t, s, u)
	if err := flip(p.Products[1].Path); err != nil {
		t.Fatal(err)
	}
	if err := kept().keep(s, u, p.sums); err != nil {
		t.Fatal(err)
	}
	run(kept(), false)

	if err := kept().Prune(time.Now().Add(-time.Hour)); err != nil || !run(kept(), true).same(p) {
		t.Error("forgotten too early:", err)
	}
	if err := kept().Prune(time.Now().Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := (&Linked{Dir: filepath.Join(dir, "not there")}).Prune(time.Now()); err != nil {
		t.Error(err)
	}
}

func (p *build) same(q *build) bool { return slices.Equal(p.digests, q.digests) }

// flip changes a byte in the middle of a file and leaves its build ID alone.
func flip(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	data[len(data)/2] ^= 1
	return os.WriteFile(name, data, 0o755)
}
