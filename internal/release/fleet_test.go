package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/run"
)

// sited is a fake on several machines, which at does something before each build.
type sited struct {
	*fake
	at func(ctx context.Context, pace execute.Pace) error
}

func (s sited) Build(ctx context.Context, u *plan.Unit, pace execute.Pace) (*execute.Outcome, error) {
	if err := s.at(ctx, pace); err != nil {
		return nil, fmt.Errorf("%s: %w", u.ID(), err)
	}
	return s.fake.Build(ctx, u, pace)
}

// fleetRelease is a release on machines, and what it says of its builds.
type fleetRelease struct {
	fakeRelease
	mu     sync.Mutex
	events []run.Event
}

func newFleetRelease(t *testing.T, at func(ctx context.Context, pace execute.Pace) error, sites ...string) *fleetRelease {
	r := &fleetRelease{fakeRelease: fakeRelease{dir: t.TempDir()}}
	for _, name := range []string{"first", "second"} {
		r.executors = append(r.executors, sited{&fake{name: name, dir: filepath.Join(r.dir, name), content: binary("x")}, at})
	}
	for _, s := range sites {
		r.sites = append(r.sites, schedule.Site{Name: s, Budget: schedule.Budget{CPUs: 1, Memory: 1 << 40}})
	}
	r.event = func(e run.Event) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.events = append(r.events, e)
	}
	return r
}

// said are the events of a kind, as text.
func (r *fleetRelease) said(kind run.EventKind) (list []string) {
	for _, e := range r.events {
		if e.Kind == kind {
			list = append(list, strings.TrimSpace(fmt.Sprintf("%s %v", e.Text, e.Err)))
		}
	}
	return list
}

// expect writes down what all builds cost at a site the last time.
func (r *fleetRelease) expect(t *testing.T, site string, cpu time.Duration) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(r.dir, "cache"), 0o755); err != nil {
		t.Fatal(err)
	}
	costs := schedule.LoadCosts(filepath.Join(r.dir, "cache", "costs.json"))
	for _, arch := range []string{"amd64", "arm64"} {
		for _, by := range []string{"first", "second"} {
			costs.Set(schedule.CostKey{Module: "example.com/p", Task: schedule.ID{Unit: "release linux/" + arch, By: by}, Site: site}, schedule.Cost{CPU: cpu})
		}
	}
	if err := costs.Save(); err != nil {
		t.Fatal(err)
	}
}

// TestLostMachine: a machine that goes away loses what runs there, which is then built
// on what is left; and it is said of each build where it was and what became of it.
func TestLostMachine(t *testing.T) {
	broken := errors.New("connection broken")
	gone := make(chan struct{}, 1)
	r := newFleetRelease(t, func(ctx context.Context, pace execute.Pace) error {
		if pace.Site == "b" {
			select {
			case gone <- struct{}{}: // the first one
				return schedule.SiteLost(broken)
			default: // another one at the same time may say no more than this
				<-ctx.Done()
				return context.Canceled
			}
		}
		return nil
	}, "a", "b")
	for i := range r.sites {
		r.sites[i].CPUs = 4
	}
	d, err := r.run(t, checksums.KindRelease)
	if err != nil {
		t.Fatal(err)
	}
	if n := d.manifest.Rebuild.Executions; n != 2 {
		t.Errorf("%d executions of each", n)
	}
	lost, began := r.said(run.Lost), r.said(run.Start)
	again := 0
	for _, s := range began {
		if strings.Contains(s, "once more") {
			if again++; !strings.Contains(s, " build at a, once more") {
				t.Errorf("%q", s)
			}
		}
	}
	if len(lost) == 0 || again != len(lost) || len(r.said(run.Done)) != 4 {
		t.Errorf("%d of 4 ended, lost: %q, began: %q", len(r.said(run.Done)), lost, began)
	}
	for _, s := range lost {
		if s != "connection broken" && s != broken.Error() {
			t.Errorf("lost: %q", s)
		}
	}
}

// TestRoom: what a build may take of the memory is known of this machine alone.
func TestRoom(t *testing.T) {
	b := &batch{sites: []schedule.Site{{Name: "a", Budget: schedule.Budget{CPUs: 4}}, {Budget: schedule.Budget{CPUs: 2, Memory: 10 << 30}}}}
	if here, there := b.room(""), b.room("a"); here != 5<<30 || there != 0 {
		t.Errorf("%d bytes here and %d there", here, there)
	}
}

// TestNoMachineLeft: without any machine the release fails, says of which machines
// what, and claims of no build that it ended.
func TestNoMachineLeft(t *testing.T) {
	r := newFleetRelease(t, func(_ context.Context, pace execute.Pace) error {
		return schedule.SiteLost(errors.New("no answer from " + pace.Site))
	}, "a", "b")
	_, err := r.run(t, checksums.KindRelease)
	for _, want := range []string{"no site is left", "no answer from a", "no answer from b"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if done := r.said(run.Done); len(done) > 0 {
		t.Errorf("done: %q", done)
	}
	if r.said(run.Warning) != nil {
		t.Errorf("warned: %q", r.said(run.Warning))
	}
}

// TestSlowMachine: a machine that takes far longer than it did is given up, when
// there is another; else it is waited for.
func TestSlowMachine(t *testing.T) {
	for _, tt := range []struct {
		name     string
		sites    []string
		expected time.Duration
		takes    time.Duration // on b
		lost     int
		after    time.Duration
	}{
		{"busy", []string{"a", "b"}, time.Minute, 14 * time.Minute, 0, 0},
		{"hangs", []string{"a", "b"}, time.Minute, 24 * time.Hour, 2, 15 * time.Minute},
		{"long, as expected", []string{"a", "b"}, time.Hour, 9 * time.Hour, 0, 0},
		{"much longer", []string{"a", "b"}, time.Hour, 24 * time.Hour, 2, 10 * time.Hour},
		{"nothing is expected", []string{"a", "b"}, 0, 24 * time.Hour, 0, 0},
		{"there is no other", []string{"b"}, time.Minute, 24 * time.Hour, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newFleetRelease(t, func(ctx context.Context, pace execute.Pace) error {
					wait := tt.takes
					if pace.Site == "a" {
						wait = time.Second
					}
					select {
					case <-time.After(wait):
						return nil
					case <-ctx.Done(): // as a carrier that was told to end
						return ctx.Err()
					}
				}, tt.sites...)
				for i := range r.sites {
					r.sites[i].CPUs = 4
				}
				if tt.expected > 0 {
					for _, s := range tt.sites {
						r.expect(t, s, tt.expected)
					}
				}
				begin := time.Now()
				if _, err := r.run(t, checksums.KindRelease); err != nil {
					t.Fatal(err)
				}
				lost := r.said(run.Lost)
				if len(lost) < tt.lost || tt.lost == 0 && len(lost) > 0 {
					t.Errorf("lost: %q", lost)
				}
				for _, s := range lost {
					if !strings.Contains(s, "given up after "+tt.after.String()) {
						t.Errorf("lost: %q", s)
					}
				}
				if took := time.Since(begin); tt.lost > 0 && took > 2*tt.after+time.Minute {
					t.Errorf("took %v", took)
				}
				if n := len(slices.Compact(slices.Sorted(slices.Values(r.said(run.Done))))); n == 0 {
					t.Error("nothing ended")
				}
			})
		})
	}
}
