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
	"path/filepath"
	"regexp"
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
	// Programs are those that units need beside the toolchain, sorted: names, or absolute
	// paths. The worker answers which of them its builds would not find.
	Programs []string `json:"programs,omitempty"`
	Build    *Build   `json:"build,omitempty"` // nil: only who and what the worker is, and what it lacks
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
	Absent   []string    `json:"absent,omitempty"`  // programs that were asked for and are not there
	Error    *Error      `json:"error,omitempty"`   // why nothing was built
}

// Error is an error that happened elsewhere.
type Error struct {
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
	Code int    `json:"code"` // the exit code that it stands for
}

// NewError is an error on its way.
func NewError(err error) *Error {
	return &Error{Text: cut(err.Error()), Hint: cut(fault.Hint(err)), Code: fault.ExitCode(err)}
}

// Err is the error as it is said here. It is one, whatever its exit code says.
func (e *Error) Err() error {
	if e == nil {
		return nil
	}
	code := e.Code
	if code < fault.Failed || code > fault.Refused {
		code = fault.Failed
	}
	return &fault.Error{Err: errors.New(cut(e.Text)), Tip: cut(e.Hint), Code: code}
}

// cut bounds a text.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

// Names of the members of both tars.
const (
	requestName = "request.json"
	answerName  = "answer.json"
	inputDir    = "inputs/" // and the SHA-256
)

// Bounds of what is read.
const (
	maxRequest  = 64 << 20 // a plan of thousands of units, and thousands of modules
	maxAnswer   = 16 << 20
	maxInput    = 4 << 30
	maxInputs   = 100_000
	maxPrograms = 1000
	maxCPUs     = 1 << 12
	maxMemory   = 1 << 50
	maxText     = 64 << 10 // of an error
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
func (r *Request) check() error {
	if len(r.Inputs) > maxInputs {
		return fmt.Errorf("more than %d inputs", maxInputs)
	}
	has := map[string]bool{}
	for i, in := range r.Inputs {
		if !isSum(in.SHA256) || in.Size < 0 || in.Size > maxInput || i > 0 && r.Inputs[i-1].SHA256 >= in.SHA256 {
			return fmt.Errorf("input %d: no digest, no size, or not sorted", i)
		}
		has[in.SHA256] = true
	}
	if len(r.Programs) > maxPrograms {
		return fmt.Errorf("more than %d programs", maxPrograms)
	}
	for _, p := range r.Programs {
		if p == "" || strings.Contains(p, "\x00") {
			return fmt.Errorf("%.200q is no program", p)
		}
	}
	if r.Build == nil {
		return nil
	}
	return r.Build.check(has)
}

// isSum reports whether s is a SHA-256, as a file may be called.
func isSum(s string) bool { b, ok := exact.Hex(s); return ok && len(b) == 32 }

// check refuses a build that no request of ours asks for. has are the inputs.
func (b *Build) check(has map[string]bool) error {
	nonce, ok := exact.Hex(b.Nonce)
	run, ok2 := exact.Hex(b.Run)
	if !ok || len(nonce) != parcel.NonceSize || !ok2 || len(run) != parcel.NonceSize {
		return errors.New("no nonce, or no run")
	}
	if b.Build != First && b.Build != Second {
		return fmt.Errorf("a build is %s or %s, not %.40q", First, Second, b.Build)
	}
	if b.P < 0 || b.P > maxCPUs {
		return errors.New("p: so many actions at a time are nowhere")
	}
	if err := checkToolchain(b.Toolchain); err != nil {
		return err
	}
	want := []string{b.Zip}
	if b.Source.Archive != "" {
		want = append(want, b.Source.Archive)
	}
	names := map[string]bool{}
	for _, m := range b.Modules {
		folded := strings.ToLower(m.Name)
		if !local(m.Name) || names[folded] {
			return fmt.Errorf("%.200q is no file of a module proxy, or twice", m.Name)
		}
		names[folded] = true
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
	for _, p := range b.Fetch {
		if err := module.CheckImportPath(p); err != nil {
			return fmt.Errorf("fetch: %w", err)
		}
	}
	switch b.Source.Kind {
	case fact.SourceGit:
		if b.Source.Archive == "" || b.Source.Stamp == nil {
			return errors.New("a commit without files or stamp")
		}
	case fact.SourceModule:
		if b.Source.Archive != "" || b.Source.Stamp != nil || b.Source.Dir != "" {
			return errors.New("a module with the files, stamp or directory of a commit")
		}
		return module.Check(b.Source.Module, b.Source.Version)
	default:
		return fmt.Errorf("source of the kind %.40q", b.Source.Kind)
	}
	return nil
}

var (
	sumForm    = regexp.MustCompile(`^h1:[A-Za-z0-9+/]{43}=$`)
	systemForm = regexp.MustCompile(`^[a-z0-9]{1,40}/[a-z0-9]{1,40}$`)
)

// checkToolchain wants an exact release, and what all that is known of it follows from:
// directories are called by it.
func checkToolchain(t fact.Toolchain) error {
	exact, err := toolchain.Exact(t.Version)
	if err != nil || exact != t.Version || !sumForm.MatchString(t.Sum) || !systemForm.MatchString(t.Host) ||
		t.Module != toolchain.ModuleOf(t.Version, t.Host) {
		return fmt.Errorf("toolchain %.100q: no exact release with a hash", t.Version)
	}
	return nil
}

// local reports whether name is a slash-separated path that stays below where it is
// put, on every system.
func local(name string) bool {
	return name != "" && name != "." && path.Clean(name) == name && !path.IsAbs(name) && name != ".." && !strings.HasPrefix(name, "../") &&
		!strings.ContainsAny(name, "\\:\x00") && filepath.IsLocal(filepath.FromSlash(name))
}

// OtherVersionError is the error of two that are not the same mintmark.
type OtherVersionError struct {
	Asks, Works Peer
}

// Peer is one of the two, as it says.
type Peer struct {
	Schema   fact.Schema `json:"schema"`
	Protocol int         `json:"protocol"`
	Version  string      `json:"version"` // of mintmark
}

func (e *OtherVersionError) Error() string {
	return fmt.Sprintf("mintmark %.100q asks, and the worker is mintmark %.100q (versions %d and %d of the protocol)", e.Asks.Version, e.Works.Version, e.Asks.Protocol, e.Works.Protocol)
}

// Hint says what to do about it.
func (e *OtherVersionError) Hint() string {
	return "both sides have to be the same mintmark: install this one there"
}

// writeJSON writes a member.
func writeJSON(tw *tar.Writer, name string, v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	return writeMember(tw, name, int64(len(data)), bytes.NewReader(data))
}

// encode is the one form of a document.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return buf.Bytes(), err
}

func writeMember(tw *tar.Writer, name string, size int64, r io.Reader) error {
	err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Format: tar.FormatPAX})
	if err == nil {
		_, err = io.Copy(tw, r)
	}
	return err
}

// readMember reads the next member, which has this name.
func readMember(tr *tar.Reader, name string, limit int64) ([]byte, error) {
	h, err := tr.Next()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if h.Name != name || !parcel.Plain(h) {
		return nil, fmt.Errorf("%.200q in the place of %s", h.Name, name)
	}
	data, err := files.ReadAll(tr, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// peer reads who has written a document: of any version, so that it can be named.
func peer(name string, data []byte) (Peer, error) {
	var p Peer
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// here is this mintmark.
func here(version string) Peer { return Peer{fact.WorkerSchema, Protocol, version} }

// readRequest reads the request that a tar begins with. It has one form, and all in it
// is understood.
func readRequest(tr *tar.Reader, version string) (*Request, error) {
	data, err := readMember(tr, requestName, maxRequest)
	if err != nil {
		return nil, err
	}
	asks, err := peer(requestName, data)
	if err != nil {
		return nil, err
	}
	if asks != here(version) {
		return nil, &OtherVersionError{Asks: asks, Works: here(version)}
	}
	var r Request
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", requestName, err)
	}
	if again, err := encode(&r); err != nil || !bytes.Equal(again, data) {
		return nil, fmt.Errorf("%s: not in canonical form", requestName)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	return &r, nil
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
// this version of mintmark. Of what it says is missing, see [Request.Lacks].
func ReadAnswer(tr *tar.Reader, version string) (*Answer, error) {
	data, err := readMember(tr, answerName, maxAnswer)
	if err != nil {
		return nil, err
	}
	works, err := peer(answerName, data)
	if err != nil {
		return nil, err
	}
	if works != here(version) {
		return nil, &OtherVersionError{Asks: here(version), Works: works}
	}
	var a Answer
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, fmt.Errorf("%s: %w", answerName, err)
	}
	switch {
	case a.CPUs < 1 || a.CPUs > maxCPUs:
		return nil, fmt.Errorf("the worker has %d processors", a.CPUs)
	case a.Memory < 0 || a.Memory > maxMemory:
		return nil, fmt.Errorf("the worker has %d bytes of memory", a.Memory)
	case !systemForm.MatchString(a.Host.System):
		return nil, fmt.Errorf("the worker runs on %.80q", a.Host.System)
	}
	return &a, parcel.CheckHost(a.Host)
}

// Lacks checks that what a worker has not got is among the inputs of the request, each
// once and sorted.
func (r *Request) Lacks(missing []string) error {
	has := map[string]bool{}
	for _, in := range r.Inputs {
		has[in.SHA256] = true
	}
	for i, s := range missing {
		if !has[s] || i > 0 && missing[i-1] >= s {
			return fmt.Errorf("it lacks %.80q, which it was not told of, or told it already", s)
		}
	}
	return nil
}
