package parcel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/internal/exact"
	"github.com/mintmark/mintmark/internal/fact"
)

// Job says which execution of which unit is meant. Two executions have two nonces,
// and an execution without one proves nothing; see [fact.Independent].
type Job struct {
	Plan     string `json:"plan"` // ID
	Profile  string `json:"profile"`
	Platform string `json:"platform"`
	// Build tells the builds of a unit apart: "first", "second". It says which
	// circumstances it has.
	Build string `json:"build"`
	// Nonce is random. It reaches the environment of the go command and the path of its
	// work directory, so that an engine which runs equal work once and hands its result
	// out twice does not take two executions for one.
	Nonce string `json:"nonce"`
}

// Unit names the unit as output does.
func (j Job) Unit() string { return j.Profile + " " + j.Platform }

// NonceSize is the number of random bytes in a nonce, which is spelled in lower-case
// hex.
const NonceSize = 16

// In finds the job's unit in its plan.
func (j Job) In(p *plan.Plan) *plan.Unit {
	for _, u := range p.Units {
		if u.Profile == j.Profile && u.Platform == j.Platform {
			return u
		}
	}
	return nil
}

// Receipt is what a builder says of one execution.
type Receipt struct {
	Schema  fact.Schema `json:"schema"`
	Version string      `json:"version"` // of the mintmark that built
	Job
	Started time.Time `json:"started"` // UTC
	Host    fact.Host `json:"host"`
	// Circumstances are what was true of the execution.
	Circumstances fact.Circumstances `json:"circumstances"`
	// Confinement is what held the commands of the build; nil: nothing is known.
	Confinement *fact.Confinement `json:"confinement,omitempty"`
	Toolchain   fact.Toolchain    `json:"toolchain"`
	Products    []Product         `json:"products"` // in the order of [execute.Outcome]
	// Actions is the SHA-256 of the encoded action graph.
	Actions string        `json:"actions"`
	Cost    schedule.Cost `json:"cost"`
	Kept    bool          `json:"kept,omitempty"`
	Mended  []string      `json:"mended,omitempty"`
}

// Product is a file that was built.
type Product struct {
	Package string `json:"package"`
	Header  bool   `json:"header,omitempty"`
	SHA256  string `json:"sha256"`
	Size    int64  `json:"size"`
}

// New is the receipt for an outcome. Times are of whoever asks: nothing that is made
// of the products depends on them.
func New(version string, j Job, tc fact.Toolchain, started time.Time, o *execute.Outcome) (*Receipt, error) {
	r := &Receipt{
		Schema: fact.ReceiptSchema, Version: version, Job: j, Started: started.UTC().Truncate(time.Second), Host: o.Ran.Host,
		Circumstances: o.Circumstances, Toolchain: tc, Cost: o.Cost, Kept: o.Kept, Mended: o.Mended,
	}
	for _, p := range o.Products {
		r.Products = append(r.Products, Product{p.Main.Package, p.Header, p.SHA256, p.Size})
	}
	return r, r.check()
}

// Encode is the receipt's one form, which is what is signed.
func (r *Receipt) Encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(r)
	return buf.Bytes(), err
}

// Decode reads a receipt, in that one form and complete.
func Decode(data []byte) (*Receipt, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var r Receipt
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	if again, err := r.Encode(); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("receipt: not in canonical form")
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("receipt of %.200q: %w", r.Unit(), err)
	}
	return &r, nil
}

// check refuses a receipt that does not say all that it is for.
func (r *Receipt) check() error {
	sum := func(s string) bool { b, ok := exact.Hex(s); return ok && len(b) == 32 }
	nonce, ok := exact.Hex(r.Nonce)
	switch {
	case r.Schema != fact.ReceiptSchema:
		return fmt.Errorf("schema %.100q is not %q", r.Schema, fact.ReceiptSchema)
	case !ok || len(nonce) != NonceSize:
		return errors.New("no nonce")
	case !sum(r.Plan):
		return errors.New("no plan")
	case r.Profile == "" || r.Platform == "" || r.Build == "":
		return errors.New("it does not say what was built")
	case strings.Trim(r.Build, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return errors.New("build: a name has lower-case letters, digits and -")
	case r.Started.IsZero():
		return errors.New("it does not say when")
	case r.Cost.CPU < 0 || r.Cost.CPU > maxCPU || r.Cost.MaxRSS < 0 || r.Cost.MaxRSS > maxRSS:
		return errors.New("a cost that no build has")
	case r.Actions != "" && !sum(r.Actions):
		return errors.New("actions: no digest")
	}
	if err := CheckHost(r.Host); err != nil {
		return err
	}
	for _, p := range r.Products {
		if !sum(p.SHA256) || p.Size < 0 {
			return fmt.Errorf("product of %.200q: no digest or size", p.Package)
		}
	}
	return nil
}

// What an execution costs at most: estimates are made of it, and sums.
const (
	maxCPU = 100 * 24 * time.Hour
	maxRSS = 1 << 50
)

// maxHostText is the most bytes that a host says of one thing.
const maxHostText = 256

// CheckHost refuses what no system says of itself: it is shown, and names are compared.
func CheckHost(h fact.Host) error {
	for what, text := range map[string]string{"name": h.Name, "boot ID": h.Boot, "system": h.System, "kernel": h.Kernel} {
		if len(text) > maxHostText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("host: its %s is %.80q", what, text)
		}
	}
	return nil
}

// Of checks that the receipt is for this job.
func (r *Receipt) Of(j Job) error {
	switch {
	case r.Nonce != j.Nonce:
		return fmt.Errorf("%s: the receipt has the nonce %.40q of another execution, not %s", j.Unit(), r.Nonce, j.Nonce)
	case r.Job != j:
		return fmt.Errorf("%s, %s build of plan %.12s: the receipt is for %s, %s build of plan %.12s", j.Unit(), j.Build, j.Plan, r.Unit(), r.Build, r.Plan)
	}
	return nil
}
