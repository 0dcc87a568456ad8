package remote

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/execute/parcel"
	"github.com/mintmark/mintmark/builds/execute/worker"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// carrier is a worker behind a carrier, by a function of its own: it is given what it is
// asked, and what was sent with it.
type carrier struct {
	answer func(ctx context.Context, r *worker.Request, sent []string, out io.Writer) error
	sent   [][]string // inputs, of each request
	mu     sync.Mutex
}

func (c *carrier) String() string { return "fake://" + strings.Repeat("worker", 22) }

func (c *carrier) Carry(ctx context.Context, _ string, request io.Reader, out io.Writer) error {
	tr := tar.NewReader(request)
	var r worker.Request
	var sent []string
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			return err
		}
		if h.Name == "request.json" {
			if err := json.Unmarshal(data, &r); err != nil {
				return err
			}
			continue
		}
		sent = append(sent, strings.TrimPrefix(h.Name, "inputs/"))
	}
	c.mu.Lock()
	c.sent = append(c.sent, sent)
	c.mu.Unlock()
	return c.answer(ctx, &r, sent, out)
}

// fixture is a client of a plan with one unit.
type fixture struct {
	t    *testing.T
	dir  string
	c    *Client
	u    *plan.Unit
	tc   fact.Toolchain
	file string // the product
	sums []string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: t.TempDir(), tc: fact.Toolchain{Version: "go1.26.8", Host: "linux/amd64", Sum: "h1:x"}}
	write := func(name, text string) string {
		name = filepath.Join(f.dir, name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	f.file = write("program", "a program")
	f.u = &plan.Unit{Profile: "release", Platform: "linux/amd64", Mains: []fact.Main{{Package: "example.com/p", Binary: "p"}}}
	p := &plan.Plan{Schema: fact.PlanSchema, Units: []*plan.Unit{f.u}}
	id, err := p.ID()
	if err != nil {
		t.Fatal(err)
	}
	in := &Inputs{}
	f.c = &Client{Version: "v1", Plan: p, PlanID: id, Inputs: in, Dir: filepath.Join(f.dir, "arrived"), Confined: &confine.Log{}}
	for _, text := range []string{"zip", "source"} {
		sum, err := in.Add(t.Context(), write(text, text))
		if err != nil {
			t.Fatal(err)
		}
		f.sums = append(f.sums, sum)
	}
	f.c.Source.Archive = f.sums[1]
	if _, err := in.Add(t.Context(), write("private", "of another system")); err != nil {
		t.Fatal(err)
	}
	f.c.Toolchain = func(context.Context, string) (fact.Toolchain, string, error) { return f.tc, f.sums[0], nil }
	f.c.Begin()
	return f
}

// answered is what a worker says by default.
func answered() *worker.Answer {
	return &worker.Answer{Schema: fact.WorkerSchema, Protocol: worker.Protocol, Version: "v1", Host: fact.Host{Name: "w", Boot: "1", System: "linux/amd64"}, CPUs: 2}
}

// write writes an answer with outcomes for these receipts.
func (f *fixture) write(out io.Writer, a *worker.Answer, n int, change func(*parcel.Receipt), job parcel.Job, end bool) error {
	tw := tar.NewWriter(out)
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := tw.WriteHeader(&tar.Header{Name: "answer.json", Mode: 0o644, Size: int64(len(data))}); err != nil {
		return err
	}
	if _, err := tw.Write(data); err != nil {
		return err
	}
	w := parcel.NewWriter(tw)
	for range n {
		content, err := os.ReadFile(f.file)
		if err != nil {
			return err
		}
		o := &execute.Outcome{Ran: fact.Execution{Host: a.Host}, Products: []execute.Product{{
			Main: f.u.Mains[0], Path: f.file, SHA256: files.DigestBytes(content), Size: int64(len(content)),
		}}}
		r, err := parcel.New("v1", job, f.tc, time.Unix(1e9, 0), o)
		if err != nil {
			return err
		}
		if change != nil {
			change(r)
		}
		if err := w.Add(context.Background(), r, o, nil); err != nil {
			return err
		}
	}
	if !end {
		return tw.Flush()
	}
	return tw.Close()
}

func (f *fixture) build(c *carrier) (*execute.Outcome, error) {
	f.t.Helper()
	w := &Worker{Carrier: c, client: f.c, Answer: *answered()}
	return w.Build(f.t.Context(), worker.First, f.u, execute.Pace{P: 1})
}

// good is a carrier whose worker builds.
func (f *fixture) good() *carrier {
	return &carrier{answer: func(_ context.Context, r *worker.Request, _ []string, out io.Writer) error {
		return f.write(out, answered(), 1, nil, r.Build.Job, true)
	}}
}

// TestBuild: what was built arrives.
func TestBuild(t *testing.T) {
	f := newFixture(t)
	o, err := f.build(f.good())
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(o.Products[0].Path); err != nil || string(data) != "a program" || o.Ran.Here || o.Ran.Host.Name != "w" {
		t.Errorf("%q, %v, %+v", data, err, o.Ran)
	}
}

// TestLiars: an answer that is not one to the request is refused, with what is wrong of
// it, and it is not asked again.
func TestLiars(t *testing.T) {
	f := newFixture(t)
	var before parcel.Job
	receipt := func(change func(*parcel.Receipt)) func(*worker.Request, io.Writer) error {
		return func(r *worker.Request, out io.Writer) error {
			return f.write(out, answered(), 1, change, r.Build.Job, true)
		}
	}
	says := func(change func(*worker.Answer)) func(*worker.Request, io.Writer) error {
		return func(r *worker.Request, out io.Writer) error {
			a := answered()
			change(a)
			return f.write(out, a, 0, nil, r.Build.Job, true)
		}
	}
	if _, err := f.build(&carrier{answer: func(_ context.Context, r *worker.Request, _ []string, out io.Writer) error {
		before = r.Build.Job
		return f.write(out, answered(), 1, nil, before, true)
	}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what, want string
		answer     func(*worker.Request, io.Writer) error
	}{
		{"the answer before once more", "of another execution", func(r *worker.Request, out io.Writer) error { return f.write(out, answered(), 1, nil, before, true) }},
		{"another nonce", "of another execution", receipt(func(r *parcel.Receipt) { r.Nonce = NewNonce() })},
		{"another build", "the receipt is for", receipt(func(r *parcel.Receipt) { r.Build = worker.Second })},
		{"another plan", "built by plan", receipt(func(r *parcel.Receipt) { r.Plan = strings.Repeat("0", 64) })},
		{"another toolchain", "built by the toolchain", receipt(func(r *parcel.Receipt) { r.Toolchain.Sum = "h1:y" })},
		{"another mintmark", "built by mintmark", receipt(func(r *parcel.Receipt) { r.Version = "v2" })},
		{"two outcomes", "no more than 1 outcome", func(r *worker.Request, out io.Writer) error {
			return f.write(out, answered(), 2, nil, r.Build.Job, true)
		}},
		{"no outcome", "0 outcomes of one build", says(func(*worker.Answer) {})},
		{"an error", "it does not compile", says(func(a *worker.Answer) { a.Error = &worker.Error{Text: "it does not compile"} })},
		{"no processors", "0 processors", says(func(a *worker.Answer) { a.CPUs = 0 })},
		{"a billion processors", "1000000000 processors", says(func(a *worker.Answer) { a.CPUs = 1e9 })},
		{"another version", `the worker is mintmark "v9"`, says(func(a *worker.Answer) { a.Version = "v9" })},
		{"lacks what nobody named", "it lacks", says(func(a *worker.Answer) { a.Missing = []string{strings.Repeat("0", 64)} })},
		{"lacks an input of others", "it lacks", says(func(a *worker.Answer) { a.Missing = []string{files.DigestBytes([]byte("of another system"))} })},
		{"lacks one twice", "it lacks", says(func(a *worker.Answer) { a.Missing = []string{f.sums[0], f.sums[0]} })},
		{"lacks it for ever", "it keeps nothing", says(func(a *worker.Answer) { a.Missing = f.sums[:1] })},
		{"lacks something, and built", "no more than 0 outcomes", func(r *worker.Request, out io.Writer) error {
			a := answered()
			a.Missing = f.sums[:1]
			return f.write(out, a, 1, nil, r.Build.Job, true)
		}},
		{"no answer in it", "answer.json", func(_ *worker.Request, out io.Writer) error {
			tw := tar.NewWriter(out)
			return errors.Join(tw.WriteHeader(&tar.Header{Name: "x"}), tw.Close())
		}},
		{"no tar", "answer.json", func(_ *worker.Request, out io.Writer) error {
			_, err := out.Write(bytes.Repeat([]byte("Welcome! "), 1000))
			return err
		}},
	} {
		c := &carrier{answer: func(_ context.Context, r *worker.Request, _ []string, out io.Writer) error { return tt.answer(r, out) }}
		o, err := f.build(c)
		if err == nil || !strings.Contains(err.Error(), tt.want) || o != nil {
			t.Errorf("%s: %v, %v; want %q", tt.what, o, err, tt.want)
		}
		if _, gone := errors.AsType[*GoneError](err); gone {
			t.Errorf("%s: it would be asked again: %v", tt.what, err)
		}
		for _, sent := range c.sent {
			if slices.Contains(sent, files.DigestBytes([]byte("of another system"))) {
				t.Errorf("%s: it was sent what is not of the request", tt.what)
			}
		}
	}
}

// TestMissing: what a worker lacks it is sent, with another nonce, and no more.
func TestMissing(t *testing.T) {
	f := newFixture(t)
	var jobs []parcel.Job
	c := &carrier{answer: func(_ context.Context, r *worker.Request, sent []string, out io.Writer) error {
		jobs = append(jobs, r.Build.Job)
		a := answered()
		if len(sent) == 0 {
			a.Missing = f.sums[:1]
			return f.write(out, a, 0, nil, r.Build.Job, true)
		}
		return f.write(out, a, 1, nil, r.Build.Job, true)
	}}
	if _, err := f.build(c); err != nil {
		t.Fatal(err)
	}
	if len(c.sent) != 2 || !slices.Equal(c.sent[1], f.sums[:1]) || jobs[0].Nonce == jobs[1].Nonce {
		t.Errorf("sent %q, %v", c.sent, jobs)
	}
}

// TestBrokenStream: an answer that ends anywhere but at its end is none, and the worker
// is gone: it may be asked again.
func TestBrokenStream(t *testing.T) {
	f := newFixture(t)
	var whole bytes.Buffer
	var job parcel.Job
	c := &carrier{answer: func(_ context.Context, r *worker.Request, _ []string, out io.Writer) error {
		job = r.Build.Job
		whole.Reset()
		return f.write(io.MultiWriter(out, &whole), answered(), 1, nil, job, true)
	}}
	if _, err := f.build(c); err != nil {
		t.Fatal(err)
	}
	size := whole.Len()
	for n := 0; n <= size-1024; n += 256 {
		for what, carried := range map[string]error{"without a word": nil, "with an error": errors.New("connection reset")} {
			c := &carrier{answer: func(_ context.Context, r *worker.Request, _ []string, out io.Writer) error {
				var buf bytes.Buffer
				if err := f.write(&buf, answered(), 1, nil, r.Build.Job, true); err != nil {
					return err
				}
				if _, err := out.Write(buf.Bytes()[:n]); err != nil {
					return err
				}
				return carried
			}}
			_, err := f.build(c)
			if _, gone := errors.AsType[*GoneError](err); !gone || carried != nil && !errors.Is(err, carried) {
				t.Errorf("%d bytes of %d, %s: %v", n, size, what, err)
			}
		}
	}
	failed := &carrier{answer: func(_ context.Context, r *worker.Request, _ []string, out io.Writer) error {
		return errors.Join(f.write(out, answered(), 1, nil, r.Build.Job, true), errors.New("exit status 1"))
	}}
	if _, err := f.build(failed); err == nil {
		t.Error("a carrier that failed: taken")
	}
}

// TestEndless: an answer that does not end is given up with the context, and one that is
// larger than it may be is not read to its end.
func TestEndless(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("stopped by the user")
	stalled := &carrier{answer: func(ctx context.Context, r *worker.Request, _ []string, out io.Writer) error {
		if err := f.write(out, answered(), 1, nil, r.Build.Job, false); err != nil {
			return err
		}
		cancel(reason)
		<-ctx.Done()
		return ctx.Err()
	}}
	w := &Worker{Carrier: stalled, client: f.c, Answer: *answered()}
	if _, err := w.Build(ctx, worker.First, f.u, execute.Pace{}); !errors.Is(err, reason) {
		t.Errorf("%v, want %v", err, reason)
	}
	for what, name := range map[string]string{"its answer": "answer.json", "a receipt": "0/receipt.json"} {
		written := 0
		large := &carrier{answer: func(_ context.Context, r *worker.Request, _ []string, out io.Writer) error {
			tw := tar.NewWriter(out)
			if name != "answer.json" {
				data, err := json.Marshal(answered())
				if err == nil {
					err = tw.WriteHeader(&tar.Header{Name: "answer.json", Size: int64(len(data))})
				}
				if err == nil {
					_, err = tw.Write(data)
				}
				if err != nil {
					return err
				}
			}
			if err := tw.WriteHeader(&tar.Header{Name: name, Size: 1 << 40, Format: tar.FormatPAX}); err != nil {
				return err
			}
			for chunk := make([]byte, 1<<20); ; {
				n, err := tw.Write(chunk)
				if written += n; err != nil {
					return err
				}
			}
		}}
		if _, err := f.build(large); err == nil || !strings.Contains(err.Error(), name) || written > 80<<20 {
			t.Errorf("%s: %v, after %d bytes", what, err, written)
		}
	}
}

// TestSigned: where somebody's word is asked for, a receipt without it counts for nothing.
func TestSigned(t *testing.T) {
	f := newFixture(t)
	refusal := errors.New("not by a key that is trusted")
	for _, tt := range []struct {
		says error
		ok   bool
	}{{nil, true}, {refusal, false}} {
		asked := 0
		f.c.Signed = func(receipt, bundle []byte) error {
			asked++
			if _, err := parcel.Decode(receipt); err != nil || bundle != nil {
				t.Errorf("%q, %q", receipt, bundle)
			}
			return tt.says
		}
		if _, err := f.build(f.good()); (err == nil) != tt.ok || !tt.ok && !errors.Is(err, refusal) || asked != 1 {
			t.Errorf("%v, asked %d times", err, asked)
		}
	}
}

// TestInputsAtOnce: workers of several systems are asked at the same time, each for its
// own toolchain.
func TestInputsAtOnce(t *testing.T) {
	f := newFixture(t)
	f.c.Toolchain = func(ctx context.Context, _ string) (fact.Toolchain, string, error) {
		sum, err := f.c.Inputs.Add(ctx, f.file)
		return f.tc, sum, err
	}
	var wg sync.WaitGroup
	errs := make([]error, 4*runtime.GOMAXPROCS(0))
	for i := range errs {
		wg.Go(func() {
			for range 5 {
				w := &Worker{Carrier: f.good(), client: f.c, Answer: *answered()}
				w.n.Store(int64(1000 * i))
				_, err := w.Build(t.Context(), worker.First, f.u, execute.Pace{})
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(fmt.Errorf("at once: %w", err))
	}
}
