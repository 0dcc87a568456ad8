// Package parcel carries outcomes from one machine to another: from a worker to who
// asked it, and from one job of a CI to the next.
//
// A parcel is a tar, since what travels between the jobs of a CI loses its modes
// otherwise. In it are, for each outcome and in this order, its receipt, a signature
// of that if there is one, the actions of its build, and its products. The receipt
// has the digests of all the others.
//
// # What a receipt is worth
//
// It is what the builder says. That the products are those of the unit follows from
// nothing but another execution with the same ones; that they were two, from nonces
// and hosts ([fact.Independent]). A signature says whose word it is.
//
// # Parts
//
// A part is a parcel with the outcomes of one shard of a plan in one place, behind a
// header ([Header]) that has the digest of each receipt: whatever changed on the way is
// found. Its receipts are not signed: the one key that whoever merges parts has at hand
// signs releases, and belongs on no machine that only builds.
//
// # Limits
//
// A parcel may come from anybody. What is larger than it says, in another order, of
// another name, twice, or not of the plan is refused, and nothing of it is then used.
package parcel

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// Names of the members of an outcome, below its number.
const (
	receiptName   = "receipt.json"
	signatureName = "receipt.json.sigstore.json"
	actionsName   = "actions.json"
	productName   = "product-" // and a number
)

// Bounds of what is read. A product is as large as its receipt says, which counts
// for nothing above maxProduct.
const (
	maxReceipt   = 4 << 20
	maxSignature = 1 << 20
	maxActions   = actions.MaxEncoded
	maxProduct   = 16 << 30
	maxOutcomes  = 100_000
)

// Sign signs the bytes of a receipt; a bundle.
type Sign func(ctx context.Context, receipt []byte) ([]byte, error)

// Writer writes a parcel.
type Writer struct {
	tw *tar.Writer
	n  int
}

// NewWriter begins a parcel in a tar, which whoever began it closes: nothing is
// complete before that.
func NewWriter(tw *tar.Writer) *Writer { return &Writer{tw: tw} }

// Add adds an outcome with its receipt, to which it adds the digest of the actions.
// sign may be nil.
func (w *Writer) Add(ctx context.Context, r *Receipt, o *execute.Outcome, sign Sign) error {
	if len(r.Products) != len(o.Products) {
		return fmt.Errorf("%s: the receipt has %d products, the outcome %d", r.Unit(), len(r.Products), len(o.Products))
	}
	graph, err := o.Actions.Encode()
	if err != nil {
		return err
	}
	r.Actions = files.DigestBytes(graph)
	data, err := r.Encode()
	if err != nil {
		return err
	}
	dir := strconv.Itoa(w.n) + "/"
	w.n++
	if err := w.member(dir+receiptName, int64(len(data)), bytes.NewReader(data)); err != nil {
		return err
	}
	if sign != nil {
		sig, err := sign(ctx, data)
		if err != nil {
			return fmt.Errorf("signing the receipt of %s: %w", r.Unit(), err)
		}
		if err := w.member(dir+signatureName, int64(len(sig)), bytes.NewReader(sig)); err != nil {
			return err
		}
	}
	if err := w.member(dir+actionsName, int64(len(graph)), bytes.NewReader(graph)); err != nil {
		return err
	}
	for i, p := range o.Products {
		if err := w.product(ctx, fmt.Sprintf("%s%s%d", dir, productName, i), p); err != nil {
			return fmt.Errorf("%s: %w", r.Unit(), err)
		}
	}
	return nil
}

func (w *Writer) product(ctx context.Context, name string, p execute.Product) error {
	f, err := files.Open(p.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if err := w.member(name, p.Size, io.TeeReader(io.LimitReader(files.Reader(ctx, f), p.Size), h)); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != p.SHA256 {
		return fmt.Errorf("%s changed since it was built", filepath.Base(p.Path))
	}
	return nil
}

func (w *Writer) member(name string, size int64, r io.Reader) error {
	err := w.tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, ModTime: time.Unix(0, 0), Format: tar.FormatPAX})
	if err == nil {
		_, err = io.Copy(w.tw, r)
	}
	return err
}

// Entry is an outcome that has arrived.
type Entry struct {
	*Receipt
	Signed []byte // the bytes of the receipt
	// Signature is a bundle that nobody has looked at; nil if there is none.
	Signature []byte

	unit *plan.Unit
	dir  string
}

// Read takes a parcel with builds of a plan apart, up to the end of the tar, into dir,
// which it makes. On an error nothing of it may be used.
func Read(ctx context.Context, tr *tar.Reader, p *plan.Plan, dir string) ([]*Entry, error) {
	return ReadSome(ctx, tr, p, dir, maxOutcomes)
}

// ReadSome is [Read] for a parcel of at most n outcomes: of what is more, nothing is
// written.
func ReadSome(ctx context.Context, tr *tar.Reader, p *plan.Plan, dir string, n int) ([]*Entry, error) {
	id, err := p.ID()
	if err != nil {
		return nil, err
	}
	in := &reader{tr: tr, plan: p, id: id, dir: dir}
	for {
		if len(in.list) == n {
			h, err := tr.Next()
			switch {
			case errors.Is(err, io.EOF):
				return in.list, nil
			case err != nil:
				return nil, err
			}
			return nil, fmt.Errorf("%.200q follows, and there are to be no more than %s", h.Name, fact.Count(n, "outcome"))
		}
		e, err := in.next(ctx)
		if errors.Is(err, errEnd) {
			return in.list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("outcome %d: %w", len(in.list)+1, err)
		}
		in.list = append(in.list, e)
	}
}

// Whole reads a tar that is over only where it says so: without its end, as of a
// connection that broke between two members, it is [io.ErrUnexpectedEOF].
func Whole(r io.Reader) io.Reader { return whole{r} }

type whole struct{ io.Reader }

// Read implements [io.Reader]. Whoever reads a tar has no need of what follows its end.
func (w whole) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Plain reports whether a member of a tar is a file whose bytes are all there: of a
// sparse one, a few bytes stand for as many zeros as they like.
func Plain(h *tar.Header) bool { return h.Typeflag == tar.TypeReg && !sparse(h) }

// sparse reports whether a member is a sparse file, in either of the two ways to say so.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// reader reads a parcel.
type reader struct {
	tr    *tar.Reader
	plan  *plan.Plan
	id    string
	dir   string
	list  []*Entry
	ahead *tar.Header // was read and not used
}

// next reads the next outcome; errEnd after the last one.
func (in *reader) next(ctx context.Context) (*Entry, error) {
	n := strconv.Itoa(len(in.list)) + "/"
	data, err := in.small(n+receiptName, maxReceipt)
	if err != nil {
		return nil, err
	}
	e := &Entry{Signed: data, dir: filepath.Join(in.dir, strconv.Itoa(len(in.list)))}
	if e.Receipt, err = Decode(data); err != nil {
		return nil, err
	}
	if e.Plan != in.id {
		return nil, fmt.Errorf("%s: built by plan %.12s, not by %.12s", e.Unit(), e.Plan, in.id)
	}
	if e.unit = e.In(in.plan); e.unit == nil {
		return nil, fmt.Errorf("the plan has no unit %.200q", e.Unit())
	}
	if err := e.complete(); err != nil {
		return nil, fmt.Errorf("%s: %w", e.Unit(), err)
	}
	if e.Signature, err = in.small(n+signatureName, maxSignature); err != nil && !errors.Is(err, errOther) {
		return nil, err
	}
	if err := in.file(ctx, n+actionsName, e.actions(), -1, e.Actions); err != nil {
		return nil, fmt.Errorf("%s: %w", e.Unit(), err)
	}
	for i, p := range e.Products {
		if err := in.file(ctx, fmt.Sprintf("%s%s%d", n, productName, i), e.product(i), p.Size, p.SHA256); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Unit(), err)
		}
	}
	return e, nil
}

// errOther says that the next member is another one than was looked for, errEnd that
// there is none. io.EOF is as well what an empty document gives.
var (
	errOther = errors.New("another member")
	errEnd   = errors.New("the end")
)

// header is that of the next member, which must have this name.
func (in *reader) header(name string) (*tar.Header, error) {
	h := in.ahead
	if in.ahead = nil; h == nil {
		var err error
		if h, err = in.tr.Next(); err != nil {
			switch {
			case !errors.Is(err, io.EOF):
			case filepath.Base(name) == receiptName:
				err = errEnd
			default:
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	if h.Name == name && sparse(h) {
		return nil, fmt.Errorf("%s is a sparse file", name)
	}
	if h.Name != name || h.Typeflag != tar.TypeReg {
		in.ahead = h
		return nil, fmt.Errorf("%.200q in the place of %s: %w", h.Name, name, errOther)
	}
	return h, nil
}

func (in *reader) small(name string, limit int64) ([]byte, error) {
	if _, err := in.header(name); err != nil {
		return nil, err
	}
	data, err := files.ReadAll(in.tr, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// file writes the next member into a file; size is -1 where it is only bounded.
func (in *reader) file(ctx context.Context, name, to string, size int64, sum string) error {
	h, err := in.header(name)
	if err != nil {
		return err
	}
	if size >= 0 && h.Size != size || size < 0 && h.Size > maxActions {
		return fmt.Errorf("%s has %d bytes, which is not what its receipt says", name, h.Size)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	hash := sha256.New()
	if err := files.WriteFrom(to, io.TeeReader(in.tr, hash), 0o755); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
		return fmt.Errorf("%s has the sha256 %s, and its receipt says %s", name, got, sum)
	}
	return nil
}

// complete checks that the receipt has a product for each main package of the unit,
// and for each header of a library, and no others.
func (e *Entry) complete() error {
	var want []Product
	for _, m := range e.unit.Mains {
		want = append(want, Product{Package: m.Package})
		if e.unit.Mode().Library() {
			want = append(want, Product{Package: m.Package, Header: true})
		}
	}
	if len(want) != len(e.Products) {
		return fmt.Errorf("%d products, and the unit has %d", len(e.Products), len(want))
	}
	for i, w := range want {
		switch p := e.Products[i]; {
		case p.Package != w.Package || p.Header != w.Header:
			return fmt.Errorf("product %d is of %.200q, not of %s", i, p.Package, w.Package)
		case p.Size > maxProduct:
			return fmt.Errorf("product %d has %d bytes", i, p.Size)
		}
	}
	if e.Actions == "" {
		return errors.New("no actions")
	}
	return nil
}

func (e *Entry) actions() string { return filepath.Join(e.dir, actionsName) }

// product is the file of a product: named as it was linked, since that name is what
// is looked at later.
func (e *Entry) product(i int) string {
	m := e.main(i)
	if e.Products[i].Header {
		return filepath.Join(e.dir, strconv.Itoa(i), e.unit.Header(m))
	}
	return filepath.Join(e.dir, strconv.Itoa(i), e.unit.File(m))
}

func (e *Entry) main(i int) fact.Main {
	for _, m := range e.unit.Mains {
		if m.Package == e.Products[i].Package {
			return m
		}
	}
	return fact.Main{}
}

// Outcome is what the execution gave, by the name of who asked for it. The actions
// are read now: all of a plan would take too much memory at a time.
func (e *Entry) Outcome(by string) (*execute.Outcome, error) {
	data, err := files.Read(e.actions(), maxActions)
	if err != nil {
		return nil, err
	}
	if files.DigestBytes(data) != e.Actions {
		return nil, fmt.Errorf("%s: %s changed since it was read", e.Unit(), actionsName)
	}
	graph, err := actions.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Unit(), err)
	}
	o := &execute.Outcome{
		By: by, Actions: graph, Cost: e.Cost, Kept: e.Kept, Circumstances: e.Circumstances, Mended: e.Mended,
		Ran: fact.Execution{Host: e.Host, Nonce: e.Nonce},
	}
	for i, p := range e.Products {
		o.Products = append(o.Products, execute.Product{Main: e.main(i), Header: p.Header, Path: e.product(i), SHA256: p.SHA256, Size: p.Size})
	}
	return o, nil
}
