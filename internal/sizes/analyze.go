package sizes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Options of [Analyze]. The zero value analyses the file by itself.
type Options struct {
	// Twin is the path of an unstripped link of the same program, whose symbol
	// table gives exact names to variables; "" when there is none.
	Twin string
	// Unpack writes the unpacked form of a file packed by UPX. Without it such a
	// file is refused.
	Unpack func(ctx context.Context, packed, unpacked string) error
}

// MaxSize is the largest file that is analysed: it is held in memory.
const MaxSize = 2 << 30

// Analyze says what every byte of a Go binary is for. It holds the file in
// memory, and some five times the size of its function table.
func Analyze(ctx context.Context, file string, opts Options) (*Breakdown, error) {
	b, err := read(file)
	if err != nil {
		return nil, err
	}
	l, err := analyze(ctx, file, b, opts)
	if packed := new(packedError); errors.As(err, packed) {
		l, err = unpacked(ctx, file, packed.by, int64(len(b)), opts)
	}
	return l, err
}

func read(file string) ([]byte, error) {
	fd, err := files.Open(file)
	if err != nil {
		return nil, err
	}
	defer fd.Close()
	st, err := fd.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > MaxSize {
		return nil, fault.Errorf("name a Go binary", "%s: %d bytes; at most %d are analysed", file, st.Size(), int64(MaxSize))
	}
	b := make([]byte, st.Size())
	if _, err := io.ReadFull(fd, b); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return b, nil
}

// packedError says that a file is packed.
type packedError struct{ by string }

func (e packedError) Error() string { return "packed by " + e.by }

// unpacked analyses what a packed file unpacks to.
func unpacked(ctx context.Context, file, by string, size int64, opts Options) (*Breakdown, error) {
	if opts.Unpack == nil {
		return nil, fault.Errorf("unpack it first (upx -d), or name the file before packing", "%s: packed by %s", file, by)
	}
	dir, err := os.MkdirTemp("", "mintmark-size-")
	if err != nil {
		return nil, err
	}
	defer files.RemoveTree(dir)
	to := filepath.Join(dir, "unpacked")
	if err := opts.Unpack(ctx, file, to); err != nil {
		return nil, err
	}
	b, err := read(to)
	if err != nil {
		return nil, err
	}
	l, err := analyze(ctx, file, b, opts)
	if err != nil {
		return nil, err
	}
	l.Packed, l.PackedSize = by, size
	return l, nil
}

func analyze(ctx context.Context, file string, b []byte, opts Options) (*Breakdown, error) {
	f, err := gobin.Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		var not *gobin.NotGoError
		var bad *gobin.FormatError
		if errors.As(err, &not) {
			not.Path = file
		} else if errors.As(err, &bad) {
			bad.Path = file
		} else {
			err = fmt.Errorf("%s: %w", file, err)
		}
		return nil, err
	}
	if by, err := f.Packer(); err != nil {
		return nil, err
	} else if by != "" {
		return nil, packedError{by}
	}
	if f.Format == gobin.FatMachO {
		return analyzeFat(ctx, file, b, f, opts)
	}
	l := &Breakdown{File: file, Size: int64(len(b)), Format: string(f.Format), Arch: f.Arch, SymbolsFrom: SymbolsNone, Modules: modulesOf(f.BuildInfo)}
	m := newImage(f, b)
	l.GoVersion, l.GoVersionFrom = m.version()
	m.claimSections()
	m.claimBuildID()
	if err := m.analyzeGo(ctx, l, opts); err != nil {
		return nil, err
	}
	if !l.Modules.Known && !l.BySection {
		l.Notes = append(l.Notes, "no build information: which module a package is of is guessed from its path")
	}
	l.Ranges = m.ranges(b)
	for _, r := range l.Ranges {
		l.Totals.add(r.Confidence, r.Size)
	}
	l.Notes = append(l.Notes, m.notes...)
	return l, l.Check()
}

// analyzeGo claims what the Go linker wrote.
func (m *image) analyzeGo(ctx context.Context, l *Breakdown, opts Options) error {
	switch m.Format {
	case gobin.Wasm:
		m.analyzeWasm()
		return nil
	case gobin.XCOFF, gobin.Plan9:
		l.BySection = true
		m.note("only sections are told apart in this format")
		return nil
	}
	m.relocate()
	if err := m.readFunctions(); err != nil {
		l.BySection = true
		if unknown, ok := errors.AsType[*gobin.UnknownTableError](err); ok {
			m.note(unknown.Error() + "; by section only")
		} else {
			m.note("the function table could not be read: " + err.Error() + "; by section only")
		}
		return nil
	}
	m.findForeign()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := m.symbols(l, opts); err != nil {
		return err
	}
	m.claimModuledata()
	m.readRefs()
	l.Lookups = m.lookedUp()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.readTypes()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.inferData()
	m.bss(l)
	return nil
}

// symbols claims variables by the symbol table of the twin or of the file.
func (m *image) symbols(l *Breakdown, opts Options) (err error) {
	if opts.Twin != "" {
		twin, err := gobin.Open(opts.Twin)
		if err != nil {
			return err
		}
		defer twin.Close()
		if err := m.sameProgram(twin); err != nil {
			return fault.Errorf("link it from the same source with the same toolchain and flags, but without -s -w",
				"%s: not an unstripped link of the same program: %w", opts.Twin, err)
		}
		l.SymbolsFrom = SymbolsTwin
		l.BSS, _, err = m.claimSymbols(twin)
		return err
	}
	bss, names, err := m.claimSymbols(m.File)
	if err != nil {
		m.note("the symbol table could not be read: " + err.Error())
		return nil
	}
	if l.BSS = bss; names > 0 {
		l.SymbolsFrom = SymbolsOwn
	}
	return nil
}

// bss lists the memory without bytes in the file: what symbols name, and the rest.
func (m *image) bss(l *Breakdown) {
	d := m.mod
	if d == nil {
		return
	}
	named := int64(0)
	for _, r := range l.BSS {
		named += r.Size
	}
	total := int64(0)
	for i := 0; i < 4; i += 2 {
		if d.bss[i+1] > d.bss[i] && d.bss[i+1]-d.bss[i] < 1<<46 {
			total += int64(d.bss[i+1] - d.bss[i])
		}
	}
	if total > named {
		l.BSS = append(l.BSS, Range{Offset: int64(d.bss[0]), Size: total - named, Symbol: "(not named)", Kind: Data, Confidence: Shared})
	}
}
