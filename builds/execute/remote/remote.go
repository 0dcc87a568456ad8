package remote

import (
	"archive/tar"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/execute/parcel"
	"github.com/mintmark/mintmark/builds/execute/worker"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// Carrier brings a request to a worker and its answer back.
type Carrier interface {
	// String names the worker as whoever uses it does, such as ssh://build.example.com.
	String() string
	// Carry has a worker read the request and writes its answer. nonce is unlike that of
	// every other call; "" where nothing is built. When ctx ends, the worker ends.
	Carry(ctx context.Context, nonce string, request io.Reader, answer io.Writer) error
}

// Worker is a worker that was greeted.
type Worker struct {
	Carrier
	worker.Answer // to the greeting

	client *Client
	n      atomic.Int64
}

// Client asks workers for builds of one plan.
type Client struct {
	Version string // of this mintmark
	Plan    *plan.Plan
	PlanID  string
	Inputs  *Inputs
	// Source, Modules and Fetch are those of [worker.Build], the same for all.
	Source  worker.Source
	Modules []worker.ModuleFile
	Fetch   []string
	Dir     string // private, for what arrives
	// Programs are those beside the toolchain that builds need; see [worker.Request].
	Programs []string
	// Toolchain gives the toolchain for a system, and the input that is its zip.
	Toolchain func(ctx context.Context, system string) (fact.Toolchain, string, error)
	// Confined is told what held the builds.
	Confined *confine.Log
	// Signed looks at the signature of a receipt, which is nil if it has none; nil where
	// nobody's word is asked for.
	Signed func(receipt, bundle []byte) error

	run string
}

// NewNonce is random, as [parcel.Job] wants it.
func NewNonce() string {
	b := make([]byte, parcel.NonceSize)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// GoneError says that a worker gave no answer: it, or the way to it, broke off.
type GoneError struct {
	Worker string
	Err    error
}

func (e *GoneError) Error() string { return fmt.Sprintf("%s gave no answer: %v", e.Worker, e.Err) }

func (e *GoneError) Unwrap() error { return e.Err }

// Elsewhere names the machine that the error is of.
func (e *GoneError) Elsewhere() string { return e.Worker }

// AnswerError is an error that a worker answered with, or what is wrong with its answer.
type AnswerError struct {
	Worker string
	Err    error
}

func (e *AnswerError) Error() string { return e.Worker + ": " + e.Err.Error() }

func (e *AnswerError) Unwrap() error { return e.Err }

// Elsewhere names the machine that the error is of.
func (e *AnswerError) Elsewhere() string { return e.Worker }

// Greet finds out what a worker is. It must be the same mintmark.
func (c *Client) Greet(ctx context.Context, via Carrier) (*Worker, error) {
	w := &Worker{Carrier: via, client: c}
	a, _, err := w.ask(ctx, "", worker.NewRequest(c.Version), nil)
	if err != nil {
		return nil, err
	}
	w.Answer = *a
	return w, nil
}

// Send brings the worker the inputs that it lacks, and finds out which of the programs
// builds would not find there: Absent.
func (w *Worker) Send(ctx context.Context) error {
	sums, _, err := w.sums(ctx)
	if err != nil {
		return err
	}
	r := worker.NewRequest(w.client.Version)
	r.Inputs, r.Programs = w.client.Inputs.List(sums), w.client.Programs
	a, _, err := w.ask(ctx, "", r, nil)
	if err != nil {
		return err
	}
	for _, name := range w.client.Programs {
		if slices.Contains(a.Absent, name) {
			w.Absent = append(w.Absent, name)
		}
	}
	if len(a.Missing) == 0 {
		return nil
	}
	if a, _, err = w.ask(ctx, "", r, a.Missing); err != nil {
		return err
	}
	if len(a.Missing) > 0 {
		return w.keepsNothing(a, r)
	}
	return nil
}

// keepsNothing is the error of a worker that lacks what it was just sent.
func (w *Worker) keepsNothing(a *worker.Answer, r *worker.Request) error {
	return fmt.Errorf("%s: still has not got %d of the %d inputs that it was sent: it keeps nothing", w, len(a.Missing), len(r.Inputs))
}

// sums are the inputs that builds on the worker need, with the toolchain for it.
func (w *Worker) sums(ctx context.Context) ([]string, *worker.Build, error) {
	c := w.client
	tc, zip, err := c.Toolchain(ctx, w.Host.System)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", w, err)
	}
	b := &worker.Build{Toolchain: tc, Zip: zip, Source: c.Source, Modules: c.Modules, Fetch: c.Fetch}
	sums := []string{zip}
	if c.Source.Archive != "" {
		sums = append(sums, c.Source.Archive)
	}
	for _, m := range c.Modules {
		sums = append(sums, m.Input)
	}
	return sums, b, nil
}

// Build has the worker build a unit once: by the name of the build, which is
// [worker.First] or [worker.Second].
func (w *Worker) Build(ctx context.Context, name string, u *plan.Unit, pace execute.Pace) (*execute.Outcome, error) {
	c := w.client
	sums, b, err := w.sums(ctx)
	if err != nil {
		return nil, err
	}
	b.Job = parcel.Job{Plan: c.PlanID, Profile: u.Profile, Platform: u.Platform, Build: name, Nonce: NewNonce()}
	if b.Plans, err = c.Plan.Encode(); err != nil {
		return nil, err
	}
	b.Run, b.P = c.run, pace.P
	r := worker.NewRequest(c.Version)
	r.Inputs, r.Build = c.Inputs.List(sums), b
	a, entries, err := w.ask(ctx, b.Nonce, r, nil)
	if err != nil {
		return nil, err
	}
	if len(a.Missing) > 0 { // it was cleared meanwhile, or it is another one behind the same name
		b.Nonce = NewNonce()
		if a, entries, err = w.ask(ctx, b.Nonce, r, a.Missing); err != nil {
			return nil, err
		}
		if len(a.Missing) > 0 {
			return nil, w.keepsNothing(a, r)
		}
	}
	if len(entries) != 1 {
		return nil, fmt.Errorf("%s: %d outcomes of one build of %s", w, len(entries), u.ID())
	}
	return w.accept(entries[0], b, name)
}

// accept checks that an outcome is the one that was asked for.
func (w *Worker) accept(e *parcel.Entry, b *worker.Build, name string) (*execute.Outcome, error) {
	if err := e.Of(b.Job); err != nil {
		return nil, fmt.Errorf("%s: %w", w, err)
	}
	if e.Version != w.client.Version {
		return nil, fmt.Errorf("%s: %s: built by mintmark %.100q, not by %q", w, b.Job.Unit(), e.Version, w.client.Version)
	}
	if e.Toolchain != b.Toolchain {
		return nil, fmt.Errorf("%s: %s: built by the toolchain %s %s, not by %s", w, b.Job.Unit(), e.Toolchain.Version, e.Toolchain.Sum, b.Toolchain.Sum)
	}
	if w.client.Signed != nil {
		if err := w.client.Signed(e.Signed, e.Signature); err != nil {
			return nil, fmt.Errorf("%s: the signature of its receipt: %w", w, err)
		}
	}
	if e.Confinement != nil {
		w.client.Confined.Add(*e.Confinement)
	}
	return e.Outcome(name)
}

// ask carries a request, with these inputs, and reads the answer. After a build there
// is an outcome in it.
func (w *Worker) ask(ctx context.Context, nonce string, r *worker.Request, with []string) (*worker.Answer, []*parcel.Entry, error) {
	c := w.client
	if c.run == "" {
		return nil, nil, errors.New("the client was not begun")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, request := io.Pipe()
	answer, out := io.Pipe()
	go func() { request.CloseWithError(c.write(ctx, request, r, with)) }()
	carried := make(chan error, 1)
	go func() {
		err := w.Carry(ctx, nonce, in, out)
		in.CloseWithError(errors.New("the worker has ended"))
		// What is read has an end and no more: why it ended is not for who reads it.
		if err == nil {
			out.Close()
		} else {
			out.CloseWithError(io.ErrUnexpectedEOF)
		}
		carried <- err
	}()
	dir := filepath.Join(c.Dir, files.DigestBytes([]byte(w.String()))[:32], strconv.FormatInt(w.n.Add(1), 10))
	a, entries, err := c.read(ctx, answer, dir, r)
	answer.CloseWithError(errors.New("the answer was refused"))
	if err != nil {
		cancel()
	}
	sent := <-carried
	if ctx.Err() != nil && err != nil && context.Cause(ctx) != context.Canceled {
		return nil, nil, context.Cause(ctx)
	}
	if err == nil && sent == nil {
		return a, entries, nil
	}
	var refused *refusedError
	if errors.As(err, &refused) {
		return nil, nil, &AnswerError{w.String(), refused.error}
	}
	if sent != nil {
		err = sent
	} else if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, nil, &GoneError{w.String(), err}
}

// write writes a request with those of its inputs.
func (c *Client) write(ctx context.Context, w io.Writer, r *worker.Request, with []string) error {
	file := c.Inputs.files(with) // a worker may say that it lacks what nobody spoke of
	return worker.WriteRequest(ctx, w, r, file, slices.Sorted(maps.Keys(file)))
}

// refusedError is an error of an answer that arrived: asking again is of no use.
type refusedError struct{ error }

func (e *refusedError) Unwrap() error { return e.error }

// read reads an answer to a request.
func (c *Client) read(ctx context.Context, in io.Reader, dir string, r *worker.Request) (*worker.Answer, []*parcel.Entry, error) {
	tr := tar.NewReader(parcel.Whole(in))
	a, err := worker.ReadAnswer(tr, c.Version)
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, nil, err
		}
		return nil, nil, &refusedError{err}
	}
	if a.Error != nil {
		return nil, nil, &refusedError{a.Error.Err()}
	}
	if err := r.Lacks(a.Missing); err != nil {
		return nil, nil, &refusedError{err}
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, nil, err
	}
	most := 0
	if r.Build != nil && len(a.Missing) == 0 {
		most = 1
	}
	entries, err := parcel.ReadSome(ctx, tr, c.Plan, dir, most)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		err = &refusedError{err}
	}
	return a, entries, err
}

// Begin makes a run of its own of what is asked from now on.
func (c *Client) Begin() { c.run = NewNonce() }
