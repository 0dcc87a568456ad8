package worker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/execute/parcel"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/stamp"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/exact"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/mod/module"
)

// Protocol is the version of what this package says. A worker of another one is refused.
const Protocol = 1

// Request is what a worker is asked.
type Request struct {
	Schema   fact.Schema `json:"schema"`
	Protocol int         `json:"protocol"`
	Version  string      `json:"version"` // of the mintmark that asks
	// Inputs are all inputs of what is asked, sorted. A worker that has not got one of
	// them answers which, and builds nothing.
	Inputs []Input `json:"inputs,omitempty"`
	Build  *Build  `json:"build,omitempty"` // nil: only who and what the worker is, and what it lacks
}

// Input is a file that a worker needs.
type Input struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Build asks for one execution of one unit.
type Build struct {
	parcel.Job
	// Run is shared by the builds of one run: they share what they compile, if they
	// are builds of the same name on the same worker.
	Run       string          `json:"run"`
	Plans     json.RawMessage `json:"plan_json"` // the canonical plan
	P         int             `json:"p"`         // actions at a time; 0: as many as the worker has processors
	Toolchain fact.Toolchain  `json:"toolchain"` // for the worker's system
	Zip       string          `json:"zip"`       // input: the toolchain's module zip
	Source    Source          `json:"source"`
	// Modules are files of a module proxy: what the source needs of others.
	Modules []ModuleFile `json:"modules,omitempty"`
	Fetch   []string     `json:"fetch,omitempty"` // paths of the modules that are unpacked from there
}

// Source is the source to build.
type Source struct {
	Kind fact.SourceKind `json:"kind"`
	// Archive is an input: a tar of the files of a commit and of those that were
	// generated. "" for a module, which is among Modules.
	Archive string `json:"archive,omitempty"`
	// Stamp is what the go command finds about the commit; nil for a module.
	Stamp   *stamp.Claim `json:"stamp,omitempty"`
	Dir     string       `json:"dir,omitempty"` // the module's, in the archive
	Module  string       `json:"module"`
	Version string       `json:"version"`
	Sum     string       `json:"sum,omitempty"`
}

// ModuleFile is a file of a module proxy.
type ModuleFile struct {
	Name  string `json:"name"`  // below the proxy's address
	Input string `json:"input"` // its SHA-256
}

// Answer is what a worker says.
type Answer struct {
	Schema   fact.Schema `json:"schema"`
	Protocol int         `json:"protocol"`
	Version  string      `json:"version"` // of the worker's mintmark
	Host     fact.Host   `json:"host"`
	CPUs     int         `json:"cpus"`
	Memory   int64       `json:"memory"`            // bytes that builds may take
	Missing  []string    `json:"missing,omitempty"` // inputs that it was not sent and has not got
	Error    *Error      `json:"error,omitempty"`   // why nothing was built
}

// Error is an error that happened elsewhere.
type Error struct {
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
	Code int    `json:"code"` // the exit code that it stands for
}

// Err is the error as it is said here.
func (e *Error) Err() error {
	if e == nil {
		return nil
	}
	return &fault.Error{Err: errors.New(e.Text), Tip: e.Hint, Code: e.Code}
}

// Names of the members of both tars.
const (
	requestName = "request.json"
	answerName  = "answer.json"
	inputDir    = "inputs/" // and the SHA-256
)

// Bounds of what is read.
const (
	maxRequest = 64 << 20 // a plan of thousands of units, and thousands of modules
	maxInput   = 4 << 30
	maxInputs  = 100_000
)

// NewRequest begins a request of this version.
func NewRequest(version string) *Request {
	return &Request{Schema: fact.WorkerSchema, Protocol: Protocol, Version: version}
}

// Unit is the unit of the build in its plan, and the plan.
func (b *Build) Unit() (*plan.Plan, *plan.Unit, error) {
	p, err := plan.Decode(append(bytes.Clone(b.Plans), '\n'))
	if err != nil {
		return nil, nil, err
	}
	if err := p.Check(); err != nil {
		return nil, nil, err
	}
	if id, err := p.ID(); err != nil || id != b.Plan {
		return nil, nil, fmt.Errorf("the plan has the ID %.12s, not %.12s", id, b.Plan)
	}
	u := b.In(p)
	if u == nil {
		return nil, nil, fmt.Errorf("the plan has no unit %.200q", b.Job.Unit())
	}
	return p, u, nil
}

// check refuses what no request of ours says.
func (r *Request) check(version string) error {
	if r.Schema != fact.WorkerSchema || r.Protocol != Protocol || r.Version != version {
		return &OtherVersionError{Asks: r.Version, Works: version, Protocol: r.Protocol}
	}
	if len(r.Inputs) > maxInputs {
		return fmt.Errorf("more than %d inputs", maxInputs)
	}
	sum := func(s string) bool { b, ok := exact.Hex(s); return ok && len(b) == 32 }
	has := map[string]bool{}
	for i, in := range r.Inputs {
		if !sum(in.SHA256) || in.Size < 0 || in.Size > maxInput || i > 0 && r.Inputs[i-1].SHA256 >= in.SHA256 {
			return fmt.Errorf("input %d: no digest, no size, or not sorted", i)
		}
		has[in.SHA256] = true
	}
	b := r.Build
	if b == nil {
		return nil
	}
	nonce, ok := exact.Hex(b.Nonce)
	run, ok2 := exact.Hex(b.Run)
	if !ok || len(nonce) != parcel.NonceSize || !ok2 || len(run) != parcel.NonceSize {
		return errors.New("no nonce, or no run")
	}
	if b.Build != First && b.Build != Second {
		return fmt.Errorf("a build is %s or %s, not %.40q", First, Second, b.Build)
	}
	if b.P < 0 || b.P > 1<<12 {
		return errors.New("p: so many actions at a time are nowhere")
	}
	if exact, err := toolchain.Exact(b.Toolchain.Version); err != nil || exact != b.Toolchain.Version || !strings.HasPrefix(b.Toolchain.Sum, "h1:") {
		return fmt.Errorf("toolchain %.100q: no exact release with a hash", b.Toolchain.Version)
	}
	want := []string{b.Zip}
	if b.Source.Archive != "" {
		want = append(want, b.Source.Archive)
	}
	for _, m := range b.Modules {
		if !local(m.Name) {
			return fmt.Errorf("%.200q is no file of a module proxy", m.Name)
		}
		want = append(want, m.Input)
	}
	if b.Source.Dir != "" && !local(b.Source.Dir) {
		return fmt.Errorf("%.200q is no directory of a source", b.Source.Dir)
	}
	for _, s := range want {
		if !has[s] {
			return fmt.Errorf("%.80q is not among the inputs", s)
		}
	}
	if slices.ContainsFunc(b.Fetch, func(p string) bool { return p == "" || strings.HasPrefix(p, "-") }) {
		return errors.New("fetch: not a module path")
	}
	switch b.Source.Kind {
	case fact.SourceGit:
		if b.Source.Archive == "" || b.Source.Stamp == nil {
			return errors.New("a commit without files or stamp")
		}
	case fact.SourceModule:
		if err := module.Check(b.Source.Module, b.Source.Version); err != nil {
			return err
		}
	default:
		return fmt.Errorf("source of the kind %.40q", b.Source.Kind)
	}
	return nil
}

// local reports whether name is a slash-separated path that stays below where it is
// put, on every system.
func local(name string) bool {
	return name != "" && path.Clean(name) == name && !path.IsAbs(name) && name != ".." && !strings.HasPrefix(name, "../") &&
		!strings.ContainsAny(name, "\\:\x00")
}

// OtherVersionError is the error of two that are not the same mintmark.
type OtherVersionError struct {
	Asks, Works string // versions of mintmark
	Protocol    int    // the other's
}

func (e *OtherVersionError) Error() string {
	return fmt.Sprintf("mintmark %.100q asks, and the worker is mintmark %.100q (versions %d and %d of the protocol)", e.Asks, e.Works, Protocol, e.Protocol)
}

// Hint says what to do about it.
func (e *OtherVersionError) Hint() string {
	return "both sides have to be the same mintmark: install this one there"
}

// writeJSON writes a member.
func writeJSON(tw *tar.Writer, name string, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	return writeMember(tw, name, int64(buf.Len()), &buf)
}

func writeMember(tw *tar.Writer, name string, size int64, r io.Reader) error {
	err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Format: tar.FormatPAX})
	if err == nil {
		_, err = io.Copy(tw, r)
	}
	return err
}

// readJSON reads the next member, which has this name.
func readJSON(tr *tar.Reader, name string, v any) error {
	h, err := tr.Next()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if h.Name != name || h.Typeflag != tar.TypeReg {
		return fmt.Errorf("%.200q in the place of %s", h.Name, name)
	}
	data, err := files.ReadAll(tr, maxRequest)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// WriteRequest writes a request with those inputs whose digests are in with; file has
// their files.
func WriteRequest(ctx context.Context, w io.Writer, r *Request, file map[string]string, with []string) error {
	tw := tar.NewWriter(w)
	if err := writeJSON(tw, requestName, r); err != nil {
		return err
	}
	for _, sum := range with {
		f, err := files.Open(file[sum])
		if err != nil {
			return err
		}
		fi, err := f.Stat()
		if err == nil {
			err = writeMember(tw, inputDir+sum, fi.Size(), files.Reader(ctx, f))
		}
		f.Close()
		if err != nil {
			return err
		}
	}
	return tw.Close()
}

// ReadAnswer reads the answer that a tar begins with, which must be that of a worker of
// this version of mintmark.
func ReadAnswer(tr *tar.Reader, version string) (*Answer, error) {
	var a Answer
	if err := readJSON(tr, answerName, &a); err != nil {
		return nil, err
	}
	if a.Schema != fact.WorkerSchema || a.Protocol != Protocol || a.Version != version {
		return nil, &OtherVersionError{Works: a.Version, Asks: version, Protocol: a.Protocol}
	}
	if a.CPUs < 1 || a.Memory < 0 {
		return nil, errors.New("the worker has no processors")
	}
	return &a, nil
}
