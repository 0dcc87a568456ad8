package measure

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/release"
)

// Inspection is what a binary says of itself. All of it is the binary's claim,
// but the digest and Untouched.
type Inspection struct {
	Schema          fact.Schema          `json:"schema"`
	File            string               `json:"file"`
	SHA256          string               `json:"sha256"`
	Size            int64                `json:"size"`
	Format          string               `json:"format"`
	Arch            string               `json:"arch"`
	Packed          string               `json:"packed,omitempty"` // "UPX 3.94"
	Toolchain       string               `json:"toolchain,omitempty"`
	Package         string               `json:"package,omitempty"` // of main
	Module          string               `json:"module,omitempty"`
	Version         string               `json:"version,omitempty"`
	Sum             string               `json:"sum,omitempty"`
	Settings        []string             `json:"settings,omitempty"` // KEY=VALUE as in the build information
	Dependencies    int                  `json:"dependencies"`
	Stripped        string               `json:"stripped"` // what is not there: "symbols, DWARF"
	Signature       string               `json:"signature,omitempty"`
	BuildIDParts    []string             `json:"build_id_parts,omitempty"` // names
	BuildID         []string             `json:"build_id,omitempty"`       // values, in the order of the names
	Untouched       gobin.UntouchedState `json:"untouched"`                // since the Go linker wrote it: "yes", "no", "cannot tell"
	UntouchedReason string               `json:"untouched_reason"`
	Needs           *gobin.Needs         `json:"needs,omitempty"`        // of the system; nil where the file does not tell, see Notes
	Slice           string               `json:"slice,omitempty"`        // of a universal file, the one that Needs and Cgo are of
	Cgo             string               `json:"cgo"`                    // CgoYes, …: what is in the program, whatever the setting was
	CgoPackages     []string             `json:"cgo_packages,omitempty"` // that call C functions
	Notes           []string             `json:"notes,omitempty"`
}

// Whether a program has cgo in it.
const (
	CgoYes     = "yes"
	CgoNo      = "no"
	CgoUnknown = "not known"
)

// Inspect reads one binary.
func Inspect(ctx context.Context, path string) (*Inspection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, static, err := release.OpenAny(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.Usagef("name a Go binary", "%w", err)
		}
		hint := fault.Hint(err)
		if hint == "" {
			hint = "name a Go binary: ELF, Mach-O, PE, wasm or XCOFF"
		}
		return nil, fault.Usagef(hint, "%w", err)
	}
	defer f.Close()
	in := &Inspection{Schema: fact.InspectReport, File: path, Format: string(f.Format), Arch: f.Arch, Packed: f.Packed}
	if in.SHA256, in.Size, err = files.Digest(ctx, path); err != nil {
		return nil, err
	}
	if static {
		in.Notes = append(in.Notes, "a static library: what is said, but for its size and digest, is said of the Go program in it")
	}
	if bi := f.BuildInfo; bi != nil {
		in.Toolchain, in.Package = bi.GoVersion, bi.Path
		in.Module, in.Version, in.Sum = bi.Main.Path, bi.Main.Version, bi.Main.Sum
		in.Dependencies = len(bi.Deps)
		for _, s := range bi.Settings {
			in.Settings = append(in.Settings, s.Key+"="+s.Value)
		}
		if f.BuildInfoFrom != gobin.FromSection {
			in.Notes = append(in.Notes, "the build information has no section of its own and was found by searching: "+f.BuildInfoFrom+" (a linker that was changed, or packed and unpacked)")
		}
	} else {
		in.Notes = append(in.Notes, "no build information")
	}
	in.needs(f)
	symbols, err := f.HasSymbols()
	if err != nil {
		in.Notes = append(in.Notes, fmt.Sprintf("symbol table: %v", err))
	}
	dwarf := f.HasDWARF()
	if _, err := f.PCLNTab(); err != nil && !errors.Is(err, gobin.ErrNoPCLNTab) {
		in.Notes = append(in.Notes, fmt.Sprintf("function table: %v", err))
	} else if unknown, ok := errors.AsType[*gobin.UnknownTableError](err); ok {
		in.Notes = append(in.Notes, unknown.Error())
	}
	switch {
	case symbols && dwarf:
		in.Stripped = "nothing"
	case symbols:
		in.Stripped = "DWARF"
	case dwarf:
		in.Stripped = "symbols"
	default:
		in.Stripped = "symbols, DWARF"
	}
	if sig, err := f.Signature(); err != nil {
		in.Notes = append(in.Notes, fmt.Sprintf("signature: %v", err))
	} else if sig.Kind != gobin.SignatureNone {
		in.Signature = sig.String()
	}
	if f.BuildID != "" {
		parts := f.BuildIDParts()
		for i, name := range gobin.BuildIDPartNames() {
			if parts[i] != "" {
				in.BuildIDParts, in.BuildID = append(in.BuildIDParts, name), append(in.BuildID, parts[i])
			}
		}
	}
	if static { // cmd/go hashes the archive, not the object that holds the hash
		in.Untouched, in.UntouchedReason = gobin.UntouchedCannotTell, "the build ID is in one file of an archive"
		return in, nil
	}
	u, err := f.Untouched()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	in.Untouched, in.UntouchedReason = u.State, u.Reason
	return in, nil
}

// needs says what the program asks of the system, and whether cgo is in it.
func (in *Inspection) needs(f *gobin.File) {
	in.Cgo = CgoUnknown
	if f.Packed != "" {
		in.Notes = append(in.Notes, "what it needs of the system is not known: the headers are those of the packer")
		return
	}
	if len(f.Slices) > 0 {
		f = f.Slices[0]
		in.Slice = f.Arch
	}
	switch n, err := f.Needs(); {
	case err != nil:
		in.Notes = append(in.Notes, fmt.Sprintf("what it needs of the system: %v", err))
	case n.Linkage != "":
		in.Needs = n
	}
	c, err := f.Cgo()
	switch {
	case err != nil:
		in.Notes = append(in.Notes, fmt.Sprintf("whether cgo is in it: %v", err))
	case c.Linked || len(c.Packages) > 0:
		in.Cgo, in.CgoPackages = CgoYes, c.Packages
	default:
		in.Cgo = CgoNo
	}
}
