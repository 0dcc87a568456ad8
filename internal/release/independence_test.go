package release

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/ledger"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

// on is an execution of each unit on a worker of that name, boot ID and system, with a
// nonce of its own.
func on(name, boot, system string) func(*plan.Unit) fact.Execution {
	return func(u *plan.Unit) fact.Execution {
		return fact.Execution{Host: fact.Host{Name: name, Boot: boot, System: system}, Nonce: name + u.ID()}
	}
}

// with changes executions of one platform.
func with(ran func(*plan.Unit) fact.Execution, platform string, change func(*fact.Execution)) func(*plan.Unit) fact.Execution {
	return func(u *plan.Unit) fact.Execution {
		e := ran(u)
		if u.Platform == platform {
			change(&e)
		}
		return e
	}
}

func nonce(text string) func(*fact.Execution) { return func(e *fact.Execution) { e.Nonce = text } }

// TestIndependence: a release says of each unit how far its builds were apart, by what
// their machines said, and publishes nothing of which it is not proven that it was built
// twice, unless the profile says so. It names no machine.
func TestIndependence(t *testing.T) {
	const arm = "linux/arm64"
	one, other := on("secret-a", "boot-1", "linux/amd64"), on("secret-b", "boot-2", "windows/arm64")
	type runs = []func(*plan.Unit) fact.Execution
	two, here, unproven := fact.TwoMachines, fact.OneMachine, fact.Unproven
	for _, tt := range []struct {
		name    string
		ran     runs
		want    []fact.Independence // of linux/amd64 and linux/arm64
		missing string              // of what is unproven
		systems string              // of linux/arm64
	}{
		{"here", runs{nil, nil}, []fact.Independence{here, here}, "", ""},
		{"two workers", runs{one, other}, []fact.Independence{two, two}, "", "linux/amd64 windows/arm64"},
		{"one execution of each unit, handed out twice", runs{one, one}, []fact.Independence{unproven, unproven}, "one nonce", ""},
		{"two containers of one machine", runs{one, on("secret-c", "boot-1", "linux/amd64")}, []fact.Independence{here, here}, "", ""},
		{"three", runs{one, other, on("secret-c", "boot-1", "linux/amd64")}, []fact.Independence{two, two}, "", "linux/amd64 windows/arm64"},
		{"no nonce", runs{one, with(other, arm, nonce(""))}, []fact.Independence{two, unproven}, "no nonce", "linux/amd64 windows/arm64"},
		{"the nonce of the other build", runs{one, with(other, arm, nonce("secret-arelease linux/arm64"))}, []fact.Independence{two, unproven}, "one nonce", "linux/amd64 windows/arm64"},
		{"the nonce of another unit's other build", runs{one, with(other, arm, nonce("secret-arelease linux/amd64"))}, []fact.Independence{unproven, unproven}, "another unit", "linux/amd64 windows/arm64"},
		{"the nonce of another unit's same build", runs{one, with(other, arm, nonce("secret-brelease linux/amd64"))}, []fact.Independence{unproven, unproven}, "another unit", "linux/amd64 windows/arm64"},
		{"a machine that does not say which it is", runs{one, with(other, arm, func(e *fact.Execution) { e.Host.Boot = "" })}, []fact.Independence{two, unproven}, "which one it is", "linux/amd64 windows/arm64"},
	} {
		for _, profile := range []string{"", "    verify: report\n"} {
			t.Run(tt.name+profile, func(t *testing.T) {
				r := &fakeRelease{dir: t.TempDir(), profile: profile}
				for i, ran := range tt.ran {
					name := string(rune('a' + i))
					r.executors = append(r.executors, &fake{name: name, dir: filepath.Join(r.dir, name), content: binary("x"), ran: ran})
				}
				d, err := r.run(t, checksums.KindRelease)
				code := 0
				if slices.Contains(tt.want, unproven) && profile == "" {
					code = fault.NotReproducible
				}
				if fault.ExitCode(err) != code {
					t.Fatalf("exit code %d, want %d: %v", fault.ExitCode(err), code, err)
				}
				if code != 0 && !strings.Contains(err.Error(), tt.missing) {
					t.Errorf("%v does not say %q", err, tt.missing)
				}
				for i, u := range d.manifest.Rebuild.Independence {
					if u.Independence != tt.want[i] || u.Platform == arm && strings.Join(u.Systems, " ") != tt.systems {
						t.Errorf("%+v, want %s %s", u, tt.want[i], tt.systems)
					}
					for _, a := range d.manifest.Artifacts {
						if want := u.Independence == unproven; a.Unit() == u.Unit() && (a.Verdict == fact.Unchecked) != want {
							t.Errorf("%s: %s %q", a.Name, a.Verdict, a.Reason)
						}
					}
				}
				if len(d.manifest.Rebuild.Independence) != 2 {
					t.Errorf("%+v", d.manifest.Rebuild.Independence)
				}
				if data, err := json.Marshal(d.manifest); err != nil || strings.Contains(string(data), "secret") || strings.Contains(string(data), "boot-") {
					t.Errorf("%v: names a machine: %s", err, data)
				}
				dist := filepath.Join(r.dir, "dist")
				if _, err := os.Stat(dist); (err == nil) != (code == 0) {
					t.Errorf("published: %v", err)
				} else if err == nil {
					if _, err := checksums.VerifyRelease(t.Context(), dist, checksums.VerifyConfig{AllowUnsigned: true}); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

// TestOneOutcomeTwice: two outcomes whose products are one file are one outcome, and
// what differs is not hidden by that nothing is proven of it.
func TestOneOutcomeTwice(t *testing.T) {
	r := &fakeRelease{dir: t.TempDir()}
	for _, name := range []string{"one", "another"} {
		r.executors = append(r.executors, &fake{name: name, dir: filepath.Join(r.dir, "of both"), content: binary("x")})
	}
	d, err := r.run(t, checksums.KindRelease)
	if fault.ExitCode(err) != fault.NotReproducible || !strings.Contains(err.Error(), "two outcomes are one file") || d.manifest.Rebuild.Independence[1].Independence != fact.Unproven {
		t.Errorf("%v, %+v", err, d.manifest.Rebuild.Independence)
	}

	r = &fakeRelease{dir: t.TempDir()}
	for _, text := range []string{"x", "y"} {
		r.executors = append(r.executors, &fake{name: text, dir: filepath.Join(r.dir, text), content: binary(text), ran: on("a", "1", "linux/amd64")})
	}
	if d, _ = r.run(t, checksums.KindRelease); d.manifest.Artifacts[0].Verdict != fact.Different {
		t.Errorf("%+v", d.manifest.Artifacts[0])
	}
}

// TestRequireMachines: a profile file can demand two machines for every unit. It is a
// demand on releases, and no part of the plan.
func TestRequireMachines(t *testing.T) {
	one, other := on("a", "1", "linux/amd64"), on("b", "2", "linux/amd64")
	var plans []string
	for _, tt := range []struct {
		name, top, wrong string
		kind             checksums.Kind
		second           func(*plan.Unit) fact.Execution
	}{
		{"demanded", "require: machines\n", "", checksums.KindRelease, other},
		{"one unit on one machine", "require: [machines]\n", "release linux/arm64: two places on one machine", checksums.KindRelease, with(other, "linux/arm64", func(e *fact.Execution) { e.Host.Boot = "1" })},
		{"a snapshot", "require: machines\n", "", checksums.KindSnapshot, nil},
		{"not demanded", "", "", checksums.KindRelease, nil},
	} {
		r := &fakeRelease{dir: t.TempDir(), top: tt.top}
		first := one
		if tt.second == nil {
			first = nil
		}
		r.executors = []execute.Executor{
			&fake{name: "1", dir: filepath.Join(r.dir, "1"), content: binary("x"), ran: first},
			&fake{name: "2", dir: filepath.Join(r.dir, "2"), content: binary("x"), ran: tt.second},
		}
		d, err := r.run(t, tt.kind)
		if (err != nil) != (tt.wrong != "") || err != nil && (fault.ExitCode(err) != fault.NotReproducible || !strings.Contains(err.Error(), tt.wrong) || strings.Contains(err.Error(), "amd64") || !strings.Contains(fault.Hint(err), "-on=here,")) {
			t.Errorf("%s: %v (%s)", tt.name, err, fault.Hint(err))
		}
		if _, err := os.Stat(filepath.Join(r.dir, "dist")); (err == nil) != (tt.wrong == "") {
			t.Errorf("%s: published: %v", tt.name, err)
		}
		plans = append(plans, d.manifest.PlanID)
	}
	if slices.Sort(plans); plans[0] != plans[len(plans)-1] {
		t.Errorf("the plan depends on what is demanded: %q", plans)
	}
}

// TestLedgerOfWorkers: what is built on several machines, this one among them, neither
// asks the proof ledger nor adds to it. A worker's two builds of a unit may have one
// cache, and none of it is here.
func TestLedgerOfWorkers(t *testing.T) {
	dir := t.TempDir()
	open, err := ledger.Open(ledger.Config{Dir: dir, Toolchain: "t", Sum: "h1:x", Secret: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	places := []ReadyExecutor{{Executor: cached{&fake{name: "first", dir: dir}}}, {Executor: cached{&fake{name: "second", dir: dir}}}}
	f := &fleet{sites: []schedule.Site{{}, {Name: "ssh://b"}}, here: true}
	for _, tt := range []struct {
		what      string
		executors []ReadyExecutor
		want      bool
	}{{"in two places here", places, true}, {"on here and a worker", f.spreadOver(places), false}} {
		p := &Prepared{Executors: tt.executors, Of: &fetch.Planned{Copied: &fetch.Copied{Subject: &fetch.Subject{Run: &run.Run{Config: &run.Config{Cache: dir}, Workspace: &workspace.Workspace{Dir: dir}}}}}}
		if l := p.useLedger(open); (l != nil) != tt.want {
			t.Errorf("%s: the ledger takes part: %t", tt.what, l != nil)
		}
	}
}
