package gobin

import "errors"

// Packer is what packed the file, "" when nothing did. Unlike [File.Packed] it
// also recognises a packed file in which a sign of Go is left: UPX keeps what it
// cannot make smaller, and build ID and build information can be in that. A file with a pclntab is
// not packed, whatever marks it holds, nor is one with build information in
// its section.
func (f *File) Packer() (string, error) {
	if f.Packed != "" || f.BuildInfoFrom == FromSection || f.Format != ELF && f.Format != MachO && f.Format != PE {
		return f.Packed, nil
	}
	if _, err := f.PCLNTab(); err == nil || !errors.Is(err, ErrNoPCLNTab) {
		return "", f.typed(err)
	}
	g := *f
	if err := g.findPacker(); err != nil {
		return "", f.typed(err)
	}
	return g.Packed, nil
}
