package gobin

import (
	"bytes"
	"maps"
	"slices"
)

// Linkage says what a program needs beside the system's kernel.
type Linkage string

// Kinds of linkage.
const (
	Static  Linkage = "static"  // it names neither a dynamic linker nor a library
	Dynamic Linkage = "dynamic" // a dynamic linker loads it, or libraries with it
)

// Relro says what of a program's tables of pointers is read-only once it runs.
type Relro string

// Kinds of RELRO, of ELF only.
const (
	NoRelro      Relro = "none"
	PartialRelro Relro = "partial" // all but the table of functions that are found when they are called
	FullRelro    Relro = "full"    // everything is found at the start
)

// Needs is what a file asks of the system that starts it, by its own headers. A field
// that its format does not have is zero.
type Needs struct {
	Linkage     Linkage  `json:"linkage,omitempty"` // "" for formats of which it is not known
	Interpreter string   `json:"interpreter,omitempty"`
	Libraries   []string `json:"libraries,omitempty"` // in the order of the file
	RPATH       []string `json:"rpath,omitempty"`
	RUNPATH     []string `json:"runpath,omitempty"`
	PIE         *bool    `json:"pie,omitempty"` // it can be loaded at any address; of ELF, as a program
	RELRO       Relro    `json:"relro,omitempty"`
	Platform    string   `json:"platform,omitempty"`   // that MinimumOS is a version of
	MinimumOS   string   `json:"minimum_os,omitempty"` // least version of the system that starts it
}

// Needs reads what the file asks of the system: of ELF, Mach-O and PE. A universal
// file has needs for each of its slices, see [File.Slices].
func (f *File) Needs() (*Needs, error) {
	l := &linkReader{f: f}
	var err error
	n := &l.needs
	switch f.Format {
	case ELF:
		n.RELRO = NoRelro
		err = l.elf()
	case PE:
		err = l.pe()
	case MachO:
		err = l.macho()
	default:
		return n, nil
	}
	if err != nil {
		return nil, f.typed(err)
	}
	if n.Linkage = Static; n.Interpreter != "" || len(n.Libraries) > 0 {
		n.Linkage = Dynamic
	}
	return n, nil
}

// Cgo says whether a program has what cgo needs and makes, by the names in its function
// table.
type Cgo struct {
	Linked   bool     // package runtime/cgo is in the program
	Packages []string // whose calls of C functions are in it, sorted
}

// Cgo reads the function table. A program that was built with cgo and has nothing
// of it, as when its packages have no C code for the platform, does not use it.
// [ErrNoPCLNTab] is a file without a function table.
func (f *File) Cgo() (Cgo, error) {
	var c Cgo
	t, err := f.Functions()
	if err != nil {
		return c, err
	}
	packages := map[string]bool{}
	for i := range t.Len() {
		fn, err := t.Func(i)
		if err != nil {
			return c, err
		}
		if bytes.HasPrefix(fn.Name, []byte("runtime/cgo.")) || string(fn.Name) == "crosscall2" {
			c.Linked = true
		}
		for _, call := range []string{"._Cfunc_", "._C2func_"} {
			if pkg, _, ok := bytes.Cut(fn.Name, []byte(call)); ok && len(pkg) > 0 {
				packages[string(pkg)] = true
			}
		}
	}
	c.Packages = slices.Sorted(maps.Keys(packages))
	return c, nil
}
