package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/execute/parcel"
	"github.com/mintmark/mintmark/builds/execute/remote"
	"github.com/mintmark/mintmark/builds/execute/worker"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/lint"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

// PartConfig says which part of a release is made.
type PartConfig struct {
	Shard plan.Shard
	Place string // PlaceA or PlaceB
	File  string // that the part is written into
}

// ParseShard reads a shard as it is spelled: 2/5.
func ParseShard(text string) (plan.Shard, error) { return plan.ParseShard(text) }

// Places by the names that parts have for them. A release on one machine has the same:
// see [execute.First] and [execute.Second].
const (
	PlaceA = "a"
	PlaceB = "b"
)

// buildIn is the name of the builds in a place, and placeOf the other way round.
func buildIn(place string) string {
	if place == PlaceB {
		return worker.Second
	}
	return worker.First
}

func placeOf(build string) string {
	if build == worker.Second {
		return PlaceB
	}
	return PlaceA
}

// PartResult is the result of [Part].
type PartResult struct {
	Header parcel.Header
	File   string
	Units  []string      // IDs of those that were built
	All    int           // units of the plan
	CPU    time.Duration // of all go commands
}

// Part builds one shard of a release once, in one place, and writes what came of it
// into a file for [Merge], with nothing published or signed. Before, it makes the
// checks that a release makes, but for those of what only the merge does.
func Part(ctx context.Context, cfg run.Config, want PartConfig) (_ *PartResult, err error) {
	defer func() { err = run.ExplainFull(err) }()
	if err := replaceable(want.File, cfg.Tool); err != nil {
		return nil, err
	}
	cfg.Parts = []string{want.File}
	s, err := fetch.Open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	l, err := lint.All(ctx, s, lint.For{Kind: cfg.ReleaseKind(), Opened: true, Part: true, Builds: want.Shard.Units})
	if err != nil {
		return nil, err
	}
	units := want.Shard.Units(l.Plan)
	spool, err := os.CreateTemp(l.Workspace.Dir, "part-")
	if err != nil {
		return nil, workspace.Error(err)
	}
	defer spool.Close()
	b := &partBuilder{of: l.Planned, build: buildIn(want.Place)}
	b.part = parcel.NewPartWriter(parcel.Header{
		Version: l.Tool, Plan: l.PlanID, Source: l.Plan.Source, Generated: l.GeneratedDigest(),
		Shard: want.Shard.Number, Shards: want.Shard.Of, Build: b.build, Toolchain: l.GoToolchain.Toolchain,
	}, spool)
	if len(units) > 0 { // else nothing needs a place
		if err := b.run(ctx, units); err != nil {
			return nil, l.Explain(err)
		}
	}
	if err := files.Replace(want.File, 0o644, func(out *os.File) error { return b.part.Write(ctx, out) }); err != nil {
		return nil, err
	}
	res := &PartResult{Header: b.part.Header, File: want.File, All: len(l.Plan.Units), CPU: b.cpu}
	for _, u := range units {
		res.Units = append(res.Units, u.ID())
	}
	return res, nil
}

// replaceable refuses to write a part over a file that is none, or where there is no
// directory for it: nothing is built in vain.
func replaceable(name, version string) error {
	f, err := files.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		dir := filepath.Dir(name)
		if _, err := os.Stat(dir); err != nil {
			return fault.Usagef("make it, or name another file", "-out=%s: there is no directory %s", name, dir)
		}
		return nil
	}
	const hint = "-out=FILE names another file, or remove this one"
	if err != nil {
		return fault.Usagef(hint, "-out: %w", err)
	}
	defer f.Close()
	if _, err := parcel.OpenPart(f, version); errors.Is(err, parcel.ErrNoPart) {
		return fault.Usagef(hint, "-out: %s is there, and it is no part of a release", name)
	}
	return nil
}

// partBuilder builds units once, each in an execution of its own, into a part.
type partBuilder struct {
	of    *fetch.Planned
	build string
	at    *execute.Local

	mu   sync.Mutex // held while an outcome is added
	part *parcel.PartWriter
	cpu  time.Duration
}

// run builds the units.
func (b *partBuilder) run(ctx context.Context, units []*plan.Unit) (err error) {
	if b.build == worker.First {
		b.at, err = FirstPlace(ctx, b.of)
	} else {
		b.at, err = secondPlace(ctx, b.of, worker.Second)
	}
	if err != nil {
		return err
	}
	p := &Prepared{Of: b.of, Executors: []ReadyExecutor{{b, b.at.Dir}}, Sites: thisMachine(b.of.Run)}
	b.of.Phase("building")
	return p.build(ctx, units, nil, func(context.Context, *outcomes) (string, error) { return "built", nil })
}

// Name implements [execute.Executor].
func (b *partBuilder) Name() string { return b.build }

// Build builds the unit and adds the outcome to the part.
func (b *partBuilder) Build(ctx context.Context, u *plan.Unit, pace execute.Pace) (*execute.Outcome, error) {
	job := parcel.Job{Plan: b.of.PlanID, Profile: u.Profile, Platform: u.Platform, Build: b.build, Nonce: remote.NewNonce()}
	at := b.at.Apart(b.at.Out, "")
	at.Place.Nonce = job.Nonce
	at.Place.Tmp = filepath.Join(at.Place.Tmp, job.Nonce) // the go command makes its work directory there
	if err := os.MkdirAll(at.Place.Tmp, 0o755); err != nil {
		return nil, workspace.Error(err)
	}
	started := time.Now()
	o, err := at.Build(ctx, u, pace)
	if err != nil {
		return o, err
	}
	r, err := parcel.New(b.of.Tool, job, b.of.GoToolchain.Toolchain, started, o)
	if err != nil {
		return o, fmt.Errorf("%s: %w", u.ID(), err)
	}
	r.Confinement = b.of.Confinement()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cpu += o.Cost.CPU
	return o, b.part.Add(ctx, r, o)
}
