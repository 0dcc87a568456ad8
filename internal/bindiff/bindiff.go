// Package bindiff compares two binaries and says where and why they differ.
//
// # Contract
//
// [Compare] first compares byte by byte; everything else only explains a
// difference. It then compares section by section (sections are matched by
// name, so a section that merely moved does not count), the parts of the build
// ID, and the build information, and lets named passes ([Causes]) turn what it
// saw into findings. The function tables of both files are compared function by
// function, and the texts of their data as sets. A pass sees both files and what
// differs, never the findings of another pass, so the order of passes means nothing and a new one
// cannot break an old one.
//
// A finding is [fact.Certain] only if it is a difference that the files themselves
// record (another toolchain, another tag) or that was proven (after swapping
// the path, the names are equal). What fits the evidence but could have another
// cause is [fact.Likely] or [fact.Possible].
//
// # Honest exceptions
//
//   - [fact.Finding.Bytes] counts only the bytes the evidence itself covers. What a
//     cause moves elsewhere is left out of [Diff.UnexplainedBytes] only where that
//     is sure: hashes and records, and, when all functions are the same but for
//     addresses or those that are not are named, everything else that is not data.
//     It is an upper bound, and a loose one where another toolchain or setting has
//     changed all code: nothing proves then which bytes are its doing.
//   - Code is compared apart from addresses on 386, amd64 and arm64. On other
//     architectures only sizes and line tables of functions are. A use of other
//     data in the same section does not count as other code anywhere.
//   - When the files record settings that change the code of every package
//     (another toolchain, tags, GOAMD64 …), no pass looks for differences of the
//     source: what they contribute cannot be told apart.
//   - Fat Mach-O files with the same architectures in the same order are compared
//     slice by slice; [Diff.BuildIDParts] and [Diff.BuildInfo] are then those of
//     the first slice that differs. Other fat files are compared by sections, with
//     the build ID and build information of the first slice.
//   - A file that is no Go binary is compared by bytes only; [Diff.Notes] says so.
package bindiff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Diff is the comparison of the files A and B.
type Diff struct {
	Equal bool  `json:"equal"`
	SizeA int64 `json:"size_a"`
	SizeB int64 `json:"size_b"`

	// DifferentBytes counts the offsets at which the files differ, those that
	// only the longer one has included.
	DifferentBytes int64 `json:"different_bytes"`
	FirstOffset    int64 `json:"first_offset"` // of the first difference; -1 when equal

	// Sections are those that differ, in the order of A, then those that only B has.
	Sections     []SectionDiff  `json:"sections,omitempty"`
	BuildIDParts []string       `json:"build_id_parts,omitempty"` // that differ, by their names in gobin.BuildIDPartNames
	BuildInfo    []KeyDiff      `json:"build_info,omitempty"`
	Findings     []fact.Finding `json:"findings,omitempty"` // strongest first

	// UnexplainedBytes are the bytes of the sections that differ and that no
	// finding other than fact.CauseUnknown explains. It is an upper bound.
	UnexplainedBytes int64    `json:"unexplained_bytes"`
	Notes            []string `json:"notes,omitempty"` // what could not be looked at

	// Code is what the function tables told; nil where no pass compared them.
	Code *Code `json:"-"`
	// Values are the variables that -X has set to another value or in one file only, by
	// the symbols that the linker makes for them: certain. Nil where a file has no symbols.
	Values []Value `json:"-"`
	// OnlyA and OnlyB are texts that a variable of Go holds in one file only; nil where
	// no pass compared them, or there are too many to list.
	OnlyA, OnlyB []string `json:"-"`
}

// Code says which functions of two files differ.
type Code struct {
	Same      bool // the code and the lines of all functions
	Functions int  // that were compared, of one name in both
	// Program and Standard are the packages whose functions differ, sorted: those of the
	// program and its modules, and those of the standard library.
	Program, Standard []string
	// Operands are those of Program of which no function has another size or other lines:
	// where the linker puts a variable elsewhere, as it does when -X gives it a value, the
	// code that mentions it differs in the same way.
	Operands []string
}

// Value is a variable that -X sets, with its value in each file.
type Value struct {
	Name     string
	A, B     string
	InA, InB bool
}

// SectionDiff is a section whose content differs.
type SectionDiff struct {
	Name   string     `json:"name"`
	Kind   gobin.Kind `json:"kind"`
	Bytes  int64      `json:"bytes"` // that differ at the same offset in the section, the longer one's rest included
	SizeA  int64      `json:"size_a"`
	SizeB  int64      `json:"size_b"`
	OnlyIn string     `json:"only_in,omitempty"` // "a" or "b" when the other has no such section

	gap bool // what lies between sections, or after all
}

// KeyDiff is an entry of the build information that differs. Keys are "go",
// "path", "mod", "dep PATH", "replace PATH" and the names of settings; an absent
// entry has the value "".
type KeyDiff struct {
	Key string `json:"key"`
	A   string `json:"a"`
	B   string `json:"b"`
}

// finding is what a pass found.
type finding struct {
	fact.Finding
	recorded bool // the files say so themselves, so that it holds against what is known
}

// Compare compares two files of builds of which known is known. Its error is about reading them; files that are
// no Go binaries, or damaged ones, are compared as far as possible.
func Compare(ctx context.Context, aPath, bPath string, known Known) (*Diff, error) {
	a, err := openSide(aPath)
	if err != nil {
		return nil, err
	}
	defer a.close()
	b, err := openSide(bPath)
	if err != nil {
		return nil, err
	}
	defer b.close()

	d, err := compare(ctx, a, b, known)
	if err != nil {
		return nil, fmt.Errorf("compare %s with %s: %w", aPath, bPath, err)
	}
	return d, nil
}

func compare(ctx context.Context, a, b *side, known Known) (*Diff, error) {
	d := &Diff{SizeA: a.size, SizeB: b.size, FirstOffset: -1}
	common := min(a.size, b.size)
	err := differences(ctx, a.r, b.r, 0, 0, common, func(off, n int64) {
		if d.FirstOffset < 0 {
			d.FirstOffset = off
		}
		d.DifferentBytes += n
	})
	if err != nil {
		return nil, err
	}
	if a.size != b.size {
		d.DifferentBytes += max(a.size, b.size) - common
		if d.FirstOffset < 0 {
			d.FirstOffset = common
		}
	}
	if d.DifferentBytes == 0 {
		d.Equal = true
		return d, nil
	}
	return d, explain(ctx, d, a, b, known)
}

func explain(ctx context.Context, d *Diff, a, b *side, known Known) error {
	if err := errors.Join(a.parse(), b.parse()); err == nil && sameSlices(a.file, b.file) {
		return explainSlices(ctx, d, a, b, known)
	}
	for _, s := range []*side{a, b} {
		if err := s.parse(); err != nil {
			d.Notes = append(d.Notes, err.Error())
		} else if s.file.BuildInfo == nil && s.file.Packed == "" {
			d.Notes = append(d.Notes, s.path+": no build information")
		}
	}
	var code func() *codeDiff
	p := &pair{ctx: ctx, a: a, b: b, diff: d, known: known}
	if a.file != nil && b.file != nil {
		var err error
		if d.Sections, err = compareSections(ctx, a, b); err != nil {
			return err
		}
		d.BuildIDParts = compareBuildIDs(a.file, b.file)
		d.BuildInfo = compareBuildInfo(a.file.BuildInfo, b.file.BuildInfo)
		d.Findings = p.findings()
		d.Notes = append(d.Notes, p.notes...)
		code = p.code
		p.summarise()
	}
	d.UnexplainedBytes = unexplained(d, code)
	if len(d.Findings) == 0 {
		d.Findings = []fact.Finding{unknown(p)}
	}
	sortFindings(d.Findings)
	return nil
}

// findings runs all passes. What is known of the builds is no finding.
func (p *pair) findings() (out []fact.Finding) {
	for _, x := range passes() {
		excluded := p.known.excludes(x.blames)
		for _, f := range x.run(p) {
			if excluded && !f.recorded {
				continue
			}
			f.Cause = x.cause
			f.Evidence = bounded(f.Evidence)
			out = append(out, f.Finding)
		}
	}
	return out
}

// summarise keeps what the passes have found out in words that others can use.
func (p *pair) summarise() {
	if p.a.r != nil && p.linkOnly() && p.diff.Values == nil && !p.sameBuildID() && p.a.file.Format == p.b.file.Format && p.a.file.Packed == "" && p.b.file.Packed == "" {
		p.texts()
	}
	if t := p.textDiff; t != nil && !t.more {
		p.diff.OnlyA, p.diff.OnlyB = t.onlyA, t.onlyB
	}
	c := p.codeDiff
	if c == nil {
		return
	}
	code := &Code{Same: c.same(), Functions: c.functions}
	for _, x := range c.packages {
		switch {
		case x.name == noPackage || x.name == typesPackage:
		case standard(x.name, p):
			code.Standard = append(code.Standard, x.name)
		default:
			code.Program = append(code.Program, x.name)
			if x.funcs[funcAdded]+x.funcs[funcRemoved]+x.funcs[funcSize]+x.funcs[funcLines] == 0 && x.moved == 0 {
				code.Operands = append(code.Operands, x.name)
			}
		}
	}
	p.diff.Code = code
}

// sortFindings puts the strongest first; of equal ones, that which covers more.
func sortFindings(list []fact.Finding) {
	slices.SortStableFunc(list, func(x, y fact.Finding) int {
		return cmp.Or(cmp.Compare(x.Confidence.Rank(), y.Confidence.Rank()), cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(x.Cause, y.Cause))
	})
}

// side is one of the two files.
type side struct {
	path string
	r    io.ReaderAt
	size int64
	file *gobin.File // nil when it is no Go binary

	files    []string // of the pclntab
	filesErr error
	haveTab  bool
}

func openSide(path string) (*side, error) {
	fd, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := fd.Stat()
	if err != nil {
		return nil, errors.Join(err, fd.Close())
	}
	return &side{path: path, r: fd, size: st.Size()}, nil
}

func (s *side) close() {
	if c, ok := s.r.(io.Closer); ok {
		_ = c.Close() // was only read
	}
}

func (s *side) parse() (err error) {
	if s.file != nil {
		return nil
	}
	if s.file, err = gobin.Parse(s.r, s.size); err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	return nil
}

// sourceFiles returns the file names of the pclntab; nil when there is none.
func (s *side) sourceFiles() ([]string, error) {
	if !s.haveTab {
		s.haveTab = true
		f := s.file
		if len(f.Slices) > 0 {
			f = f.Slices[0]
		}
		tab, err := f.PCLNTab()
		if err == nil {
			s.files, err = tab.Files()
		}
		if err != nil && !errors.Is(err, gobin.ErrNoPCLNTab) {
			s.filesErr = fmt.Errorf("%s: %w", s.path, err)
		}
	}
	return s.files, s.filesErr
}

const block = 256 << 10

// differences calls found for every run of differing bytes in n bytes of a from
// offA and of b from offB, with offsets from the start of the ranges. A run can
// be reported in pieces. It streams.
func differences(ctx context.Context, a, b io.ReaderAt, offA, offB, n int64, found func(off, n int64)) error {
	bufA, bufB := make([]byte, min(block, n)), make([]byte, min(block, n))
	for done := int64(0); done < n; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c := min(int64(len(bufA)), n-done)
		x, y := bufA[:c], bufB[:c]
		if err := readFull(a, x, offA+done); err != nil {
			return err
		}
		if err := readFull(b, y, offB+done); err != nil {
			return err
		}
		if string(x) != string(y) {
			for i := 0; i < len(x); {
				if x[i] == y[i] {
					i++
					continue
				}
				start := i
				for i < len(x) && x[i] != y[i] {
					i++
				}
				found(done+int64(start), int64(i-start))
			}
		}
		done += c
	}
	return nil
}

// readFull is ReadAt for a range that was there when the file was opened.
func readFull(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return errors.New("file became shorter while it was read")
	}
	return err
}
