package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/execute/parcel"
	"github.com/mintmark/mintmark/builds/execute/worker"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
)

// broken is a way to a worker that breaks off after so many bytes of the answer.
type broken struct {
	Carrier
	after int // -1: it does not
	size  int // of the answer, had it not
	err   error
}

func (b *broken) Carry(ctx context.Context, nonce string, request io.Reader, answer io.Writer) error {
	var all bytes.Buffer
	if err := b.Carrier.Carry(ctx, nonce, request, &all); err != nil {
		return err
	}
	b.size = all.Len()
	if b.after < 0 {
		_, err := answer.Write(all.Bytes())
		return err
	}
	if _, err := answer.Write(all.Bytes()[:b.after]); err != nil {
		return err
	}
	return b.err
}

// TestGone: wherever an answer breaks off, the worker is gone, and neither is the answer
// refused nor is anything of it used.
func TestGone(t *testing.T) {
	dir := t.TempDir()
	file, zip := filepath.Join(dir, "p"), filepath.Join(dir, "go.zip")
	if err := errors.Join(os.WriteFile(file, []byte("program"), 0o755), os.WriteFile(zip, []byte("zip"), 0o644)); err != nil {
		t.Fatal(err)
	}
	u := &plan.Unit{Profile: "release", Platform: "linux/amd64", Mains: []fact.Main{{Package: "example.com/p", Binary: "p"}}}
	p := &plan.Plan{Schema: fact.PlanSchema, Project: "p", Version: "1.2.3", Go: "go1.26.8", Env: plan.CommonEnv(), Units: []*plan.Unit{u}}
	id, err := p.ID()
	if err != nil {
		t.Fatal(err)
	}
	tc := fact.Toolchain{Version: "go1.26.8", Host: "linux/amd64", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}
	inputs := &Inputs{}
	c := &Client{Version: "test", Plan: p, PlanID: id, Inputs: inputs, Confined: &confine.Log{}, Dir: filepath.Join(dir, "arrived")}
	c.Toolchain = func(ctx context.Context, _ string) (fact.Toolchain, string, error) {
		sum, err := inputs.Add(ctx, zip)
		return tc, sum, err
	}
	c.Begin()
	honest := &liar{t: t, tc: tc, file: file, receipts: func(j parcel.Job) []parcel.Job { return []parcel.Job{j} }}
	way := &broken{Carrier: honest, after: -1}
	w := &Worker{Carrier: way, client: c}
	build := func(ctx context.Context) error {
		_, err := w.Build(ctx, worker.First, u, execute.Pace{P: 1})
		return err
	}
	if err := build(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, way.err = range []error{errors.New("ssh: exit status 255"), nil} {
		step := 97
		for at := 0; at < way.size; at += step {
			if way.err == nil && at > 512 {
				break // a tar may end after any of its members: what is in it is looked at
			}
			way.after = at
			err := build(t.Context())
			gone, ok := errors.AsType[*GoneError](err)
			if !ok || gone.Elsewhere() != "fake://liar" {
				t.Fatalf("%v after %d of %d bytes: %v", way.err, at, way.size, err)
			}
			if way.err != nil && !strings.HasSuffix(err.Error(), way.err.Error()) {
				t.Fatalf("it does not say why: %v", err)
			}
		}
	}
	// A carrier that failed in the end has failed.
	way.after, way.err = way.size, errors.New("ssh: exit status 255")
	if _, ok := errors.AsType[*GoneError](build(t.Context())); !ok {
		t.Error("the carrier failed, and its answer counts")
	}
	// Who gives up says why; the worker is not to blame.
	stop := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	w.Carrier = waiting{cancel: func() { cancel(stop) }}
	if err := build(ctx); !errors.Is(err, stop) {
		t.Errorf("given up: %v", err)
	}
}

// waiting is a worker that does not answer before whoever asked gives up.
type waiting struct{ cancel func() }

func (waiting) String() string { return "fake://waiting" }

func (w waiting) Carry(ctx context.Context, _ string, _ io.Reader, _ io.Writer) error {
	w.cancel()
	<-ctx.Done()
	return errors.New("ssh: signal: killed")
}
