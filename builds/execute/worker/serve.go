package worker

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"time"

	"github.com/mintmark/mintmark/builds/execute/parcel"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/childenv"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/host"
	"github.com/mintmark/mintmark/internal/memo"
)

// Builds that a worker knows: which circumstances they have ([execute.First],
// [execute.Second]).
const (
	First  = "first"
	Second = "second"
)

// Worker answers requests, each by one call of [Worker.Serve].
type Worker struct {
	Dir     string // of its own, absolute; outlives a request
	Version string // of this mintmark
	// Inputs are further directories with inputs, which a carrier has brought.
	Inputs []string
	Known  *memo.Store // remembers which toolchains were verified; may be nil
	Sign   parcel.Sign // signs receipts; may be nil
	Now    func() time.Time
}

// Serve reads a request and writes the answer. An error is returned where no answer
// could be written; that something else was wrong is in the answer, and false.
func (w *Worker) Serve(ctx context.Context, in io.Reader, out io.Writer) (ok bool, err error) {
	tw := tar.NewWriter(out)
	answer := &Answer{
		Schema: fact.WorkerSchema, Protocol: Protocol, Version: w.Version, Host: host.Identify(),
		CPUs: runtime.NumCPU(), Memory: bounded(schedule.Budget{CPUs: 1}.Room()),
	}
	done, err := w.serve(ctx, tar.NewReader(parcel.Whole(files.Reader(ctx, in))), answer)
	if err != nil {
		answer.Error = NewError(err)
		done = nil
	}
	if done != nil {
		defer done.close()
	}
	if werr := writeJSON(tw, answerName, answer); werr != nil {
		return false, werr
	}
	if done != nil {
		if werr := parcel.NewWriter(tw).Add(ctx, done.receipt, done.outcome, w.Sign); werr != nil {
			return false, werr
		}
	}
	return err == nil, tw.Close()
}

// serve does what is asked; nil for a request that asks for no build, or whose inputs
// are missing.
func (w *Worker) serve(ctx context.Context, tr *tar.Reader, answer *Answer) (*execution, error) {
	r, err := readRequest(tr, w.Version)
	if err != nil {
		return nil, err
	}
	shelf := &shelf{dir: w.Dir, now: w.Now}
	if err := shelf.sweep(ctx); err != nil {
		return nil, err
	}
	store := &Store{Dir: filepath.Join(w.Dir, inputsName), Further: w.Inputs, shelf: shelf}
	if err := store.take(ctx, tr, r.Inputs); err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	answer.Missing, answer.Absent = store.Missing(r.Inputs), absent(r.Programs)
	if r.Build == nil || len(answer.Missing) > 0 {
		return nil, nil
	}
	s := &site{Worker: w, store: store, shelf: shelf, inputs: map[string]Input{}, build: r.Build}
	for _, in := range r.Inputs {
		s.inputs[in.SHA256] = in
	}
	x, err := s.execute(ctx)
	if err != nil && ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return x, err
}

// absent are those of the programs that builds do not find here.
func absent(programs []string) (list []string) {
	for _, name := range programs {
		where, base := childenv.Path(), name
		if filepath.IsAbs(name) {
			where, base = filepath.Dir(name), filepath.Base(name)
		}
		if _, err := toolchain.LookPath(base, where); err != nil {
			list = append(list, name)
		}
	}
	return list
}

// bounded is an amount of memory as answers have it: a system that does not say how much
// it has says that there is no bound, and that is 0 there.
func bounded(memory int64) int64 {
	if memory > maxMemory {
		return 0
	}
	return memory
}
