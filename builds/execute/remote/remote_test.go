package remote

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
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

// liar is a worker that builds nothing: it hands a file out, with the receipts that it
// is told to give for a job.
type liar struct {
	t        *testing.T
	tc       fact.Toolchain
	file     string
	receipts func(parcel.Job) []parcel.Job
	asked    []parcel.Job
}

func (l *liar) String() string { return "fake://liar" }

func (l *liar) Carry(ctx context.Context, nonce string, request io.Reader, answer io.Writer) error {
	in := tar.NewReader(request)
	if _, err := in.Next(); err != nil {
		return err
	}
	var r worker.Request
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, request); err != nil {
		return err
	}
	if r.Build.Nonce != nonce {
		l.t.Errorf("the carrier was given the nonce %q, the worker %q", nonce, r.Build.Nonce)
	}
	l.asked = append(l.asked, r.Build.Job)
	host := fact.Host{Name: "liar", Boot: "1", System: "linux/amd64"}
	data, err := json.Marshal(worker.Answer{Schema: fact.WorkerSchema, Protocol: worker.Protocol, Version: "test", Host: host, CPUs: 1})
	if err != nil {
		return err
	}
	tw := tar.NewWriter(answer)
	if err := tw.WriteHeader(&tar.Header{Name: "answer.json", Mode: 0o644, Size: int64(len(data))}); err != nil {
		return err
	}
	if _, err := tw.Write(data); err != nil {
		return err
	}
	w := parcel.NewWriter(tw)
	for _, job := range l.receipts(r.Build.Job) {
		content, err := os.ReadFile(l.file)
		if err != nil {
			return err
		}
		o := &execute.Outcome{Ran: fact.Execution{Host: host}, Products: []execute.Product{{
			Main: fact.Main{Package: "example.com/p", Binary: "p"}, Path: l.file, SHA256: files.DigestBytes(content), Size: int64(len(content)),
		}}}
		good := job
		if good.Nonce == "" {
			good.Nonce = NewNonce() // a receipt without one cannot be made, only sent
		}
		receipt, err := parcel.New("test", good, l.tc, time.Unix(1, 0), o)
		if err != nil {
			return err
		}
		receipt.Job = job
		if err := w.Add(ctx, receipt, o, nil); err != nil {
			return err
		}
	}
	return tw.Close()
}

// TestReceipts: of an answer counts what has the receipt of that one execution: with its
// nonce, for its unit and its build, once. Another nonce is asked for each time.
func TestReceipts(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "p")
	zip := filepath.Join(dir, "go.zip")
	if err := errors.Join(os.WriteFile(file, []byte("program"), 0o755), os.WriteFile(zip, []byte("zip"), 0o644)); err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{Schema: fact.PlanSchema, Project: "p", Version: "1.2.3", Go: "go1.26.8", Env: plan.CommonEnv()}
	for _, arch := range []string{"amd64", "arm64"} {
		p.Units = append(p.Units, &plan.Unit{Profile: "release", Platform: "linux/" + arch, Mains: []fact.Main{{Package: "example.com/p", Binary: "p"}}})
	}
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
	var before parcel.Job
	change := func(f func(*parcel.Job)) func(parcel.Job) []parcel.Job {
		return func(j parcel.Job) []parcel.Job { f(&j); return []parcel.Job{j} }
	}
	nonces := map[string]bool{}
	for _, tt := range []struct {
		name, want string // "" is accepted
		receipts   func(parcel.Job) []parcel.Job
	}{
		{"its own", "", func(j parcel.Job) []parcel.Job { before = j; return []parcel.Job{j} }},
		{"that of the execution before", "of another execution", func(parcel.Job) []parcel.Job { return []parcel.Job{before} }},
		{"a nonce of nobody", "of another execution", change(func(j *parcel.Job) { j.Nonce = NewNonce() })},
		{"no nonce", "no nonce", change(func(j *parcel.Job) { j.Nonce = "" })},
		{"of another unit", "the receipt is for release linux/arm64", change(func(j *parcel.Job) { j.Platform = "linux/arm64" })},
		{"of the other build", "the receipt is for", change(func(j *parcel.Job) { j.Build = worker.Second })},
		{"of another plan", "built by plan", change(func(j *parcel.Job) { j.Plan = strings.Repeat("0", 64) })},
		{"twice", "no more than 1 outcome", func(j parcel.Job) []parcel.Job { return []parcel.Job{j, j} }},
		{"none", "0 outcomes of one build", func(parcel.Job) []parcel.Job { return nil }},
	} {
		l := &liar{t: t, tc: tc, file: file, receipts: tt.receipts}
		w := &Worker{Carrier: l, client: c}
		w.Host.System = "linux/amd64"
		w.n.Store(int64(100 * len(nonces))) // what arrives of each has a directory of its own
		o, err := w.Build(t.Context(), worker.First, p.Units[0], execute.Pace{P: 1})
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if _, gone := errors.AsType[*GoneError](err); gone {
			t.Errorf("%s: it would be asked again: %v", tt.name, err)
		}
		for _, j := range l.asked {
			if nonces[j.Nonce] {
				t.Errorf("%s: the nonce %s was given before", tt.name, j.Nonce)
			}
			nonces[j.Nonce] = true
		}
		if err != nil {
			continue
		}
		if content, err := os.ReadFile(o.Products[0].Path); err != nil || !bytes.Equal(content, []byte("program")) {
			t.Errorf("%s: %q, %v", tt.name, content, err)
		}
		if o.Ran.Here || o.Ran.Nonce != l.asked[0].Nonce || o.Ran.Host.Name != "liar" {
			t.Errorf("%s: ran %+v", tt.name, o.Ran)
		}
	}
}
