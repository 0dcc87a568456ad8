package parcel

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/exact"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// headerName is the first member of a part.
const headerName = "part.json"

// maxHeader bounds a header: it has a digest of each of [maxOutcomes] receipts.
const maxHeader = 16 << 20

// Header says what a part is: the builds of one shard of a plan in one place.
type Header struct {
	Schema  fact.Schema   `json:"schema"`
	Version string        `json:"version"` // of the mintmark that built
	Plan    string        `json:"plan"`    // ID
	Source  fact.SourceID `json:"source"`
	// Generated is the digest of the files that commands made before anything was
	// compiled; "" for none. The plan has the commands alone.
	Generated string `json:"generated,omitempty"`
	Shard     int    `json:"shard"`  // from 1 to Shards
	Shards    int    `json:"shards"` // that the plan is split into
	Build     string `json:"build"`  // as in [Job]
	// Toolchain is the one that built, for the system of the machine.
	Toolchain fact.Toolchain `json:"toolchain"`
	// Receipts are the SHA-256 of the receipts that follow, in their order.
	Receipts []string `json:"receipts"`
}

// Of is the shard of the plan.
func (h *Header) Of() plan.Shard { return plan.Shard{Number: h.Shard, Of: h.Shards} }

// Encode is the header's one form.
func (h *Header) Encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(h)
	return buf.Bytes(), err
}

// decodeHeader reads a header, in that one form.
func decodeHeader(data []byte) (*Header, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var h Header
	if err := dec.Decode(&h); err != nil {
		return nil, err
	}
	if again, err := h.Encode(); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("not in canonical form")
	}
	if _, err := plan.ParseShard(h.Of().String()); err != nil {
		return nil, err
	}
	for _, s := range append(slices.Clone(h.Receipts), h.Plan) {
		if b, ok := exact.Hex(s); !ok || len(b) != 32 {
			return nil, fmt.Errorf("%.100q is no digest", s)
		}
	}
	return &h, nil
}

// PartWriter writes a part: its header has to know all that follows, so what follows
// is written into a file first.
type PartWriter struct {
	Header
	spool  io.ReadWriteSeeker
	tar    *tar.Writer
	parcel *Writer
}

// NewPartWriter begins a part; the header's receipts are those that are added. spool
// is an empty file.
func NewPartWriter(h Header, spool io.ReadWriteSeeker) *PartWriter {
	h.Schema, h.Receipts = fact.ParcelSchema, []string{}
	tw := tar.NewWriter(spool)
	return &PartWriter{Header: h, spool: spool, tar: tw, parcel: NewWriter(tw)}
}

// Add adds an outcome, as [Writer.Add] does.
func (w *PartWriter) Add(ctx context.Context, r *Receipt, o *execute.Outcome) error {
	if err := w.parcel.Add(ctx, r, o, nil); err != nil {
		return err
	}
	data, err := r.Encode()
	w.Receipts = append(w.Receipts, files.DigestBytes(data))
	return err
}

// Write writes the whole part. Nothing can be added afterwards.
func (w *PartWriter) Write(ctx context.Context, out io.Writer) error {
	if err := w.tar.Close(); err != nil {
		return err
	}
	data, err := w.Encode()
	if err != nil {
		return err
	}
	head := &Writer{tw: tar.NewWriter(out)}
	if err := head.member(headerName, int64(len(data)), bytes.NewReader(data)); err != nil {
		return err
	}
	if err := head.tw.Flush(); err != nil { // and not closed: the members behind it are of the same tar
		return err
	}
	if _, err := w.spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(out, files.Reader(ctx, w.spool))
	return err
}

// Part is a part that is being read.
type Part struct {
	Header
	in io.Reader
	tr *tar.Reader
}

// OtherVersionError is the error of a part that another mintmark made.
type OtherVersionError struct {
	Made, Reads string // versions of mintmark
}

func (e *OtherVersionError) Error() string {
	return fmt.Sprintf("made by mintmark %.100q, and this is mintmark %.100q", e.Made, e.Reads)
}

// Hint says what to do about it.
func (e *OtherVersionError) Hint() string {
	return "build all parts and merge them with one version of mintmark"
}

// ErrNoPart is the error of a file that does not begin as a part does.
var ErrNoPart = errors.New("not a part of a release")

// OpenPart reads the header of a part, which must be made by that version of mintmark.
// What the header says is not checked.
func OpenPart(in io.Reader, version string) (*Part, error) {
	tr := tar.NewReader(in)
	h, err := tr.Next()
	if err != nil || h.Name != headerName || !Plain(h) {
		return nil, ErrNoPart
	}
	data, err := files.ReadAll(tr, maxHeader)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", headerName, err)
	}
	var begin struct { // of any version
		Schema  fact.Schema `json:"schema"`
		Version string      `json:"version"`
	}
	if err := json.Unmarshal(data, &begin); err != nil || !strings.HasPrefix(string(begin.Schema), fact.SchemaRoot) {
		return nil, ErrNoPart
	}
	if begin.Version != version || begin.Schema != fact.ParcelSchema {
		return nil, &OtherVersionError{Made: begin.Version, Reads: version}
	}
	head, err := decodeHeader(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", headerName, err)
	}
	return &Part{Header: *head, in: in, tr: tr}, nil
}

// Read takes the rest of the part apart into dir, as [Read] does. It has exactly the
// outcomes of its shard, by the toolchain and in the place of its header: everything in
// the file is what was written, or it is an error.
func (p *Part) Read(ctx context.Context, of *plan.Plan, dir string) ([]*Entry, error) {
	list, err := Read(ctx, p.tr, of, dir)
	if err != nil {
		return nil, err
	}
	// What follows the end of a tar, no reader of tars has seen.
	if n, err := io.Copy(io.Discard, files.Reader(ctx, p.in)); err != nil || n > 0 {
		return nil, errors.Join(err, fmt.Errorf("%d bytes follow its end", n))
	}
	var errs []error
	wrong := func(e *Entry, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", e.Unit(), fmt.Sprintf(format, args...)))
	}
	missing := map[*plan.Unit]bool{}
	for _, u := range p.Of().Units(of) {
		missing[u] = true
	}
	for i, e := range list {
		if i >= len(p.Receipts) || files.DigestBytes(e.Signed) != p.Receipts[i] {
			wrong(e, "its receipt is not the one that %s names", headerName)
			continue
		}
		switch {
		case e.Version != p.Version:
			wrong(e, "built by mintmark %.100q, not by %q", e.Version, p.Version)
		case e.Build != p.Build:
			wrong(e, "its receipt is for the %s build, and the part has %s builds", e.Build, p.Build)
		case e.Toolchain != p.Toolchain:
			wrong(e, "built by the toolchain %.100q %.100q, not by %q", e.Toolchain.Version, e.Toolchain.Sum, p.Toolchain.Sum)
		case e.Host.System != p.Toolchain.Host:
			wrong(e, "built on %.100q by a toolchain for %q", e.Host.System, p.Toolchain.Host)
		case !missing[e.unit]:
			wrong(e, "it is not of shard %s, or there twice", p.Of())
		}
		delete(missing, e.unit)
	}
	for _, u := range of.Units {
		if missing[u] {
			errs = append(errs, fmt.Errorf("%s: it ends before the outcome of this unit", u.ID()))
		}
	}
	if len(list) < len(p.Receipts) && len(missing) == 0 {
		errs = append(errs, fmt.Errorf("%d outcomes of %d", len(list), len(p.Receipts)))
	}
	return list, errors.Join(errs...)
}

// PlanUnit is the unit of the plan that was built.
func (e *Entry) PlanUnit() *plan.Unit { return e.unit }
