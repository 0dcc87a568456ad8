package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// Installed is what a package for a Linux distribution puts into the file system.
type Installed struct {
	Entry      // its name has no slash before it; of what is no file there is no digest
	Type  Type // a file, a directory or a symbolic link
	Link  string
}

// ListPackage reads what a package of size bytes installs, in its order. Like [List] it
// refuses what no package of ours has: other types, modes that are more than rights,
// names that lead out, bytes that are in no member. Scripts and what is said about the
// package are not listed; its own lists of its files are not compared.
func ListPackage(ctx context.Context, r io.ReaderAt, size int64, format string) ([]Installed, error) {
	return WalkPackage(ctx, r, size, format, nil)
}

// WalkPackage is [ListPackage], and visit gets the content of each file, if it is not nil.
func WalkPackage(ctx context.Context, r io.ReaderAt, size int64, format string, visit func(name string, r io.Reader) error) (list []Installed, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("package: %w", err)
		}
	}()
	walk, odd := WalkReader, func(l []Loose) []Loose { return l }
	about := func(name string) bool { return false } // a member that says something of the package
	var loose []Loose
	switch format {
	case fact.Deb:
		var data ArMember
		if data, loose, err = debData(r, size); err != nil {
			return nil, err
		}
		r, size = io.NewSectionReader(r, data.Offset, data.Size), data.Size
	case fact.RPM:
		p, err := ReadRPM(r, size)
		if err != nil {
			return nil, err
		}
		r, size, walk = io.NewSectionReader(r, p.Payload, size-p.Payload), size-p.Payload, WalkCPIO
	case fact.APK, fact.ArchLinux:
		about = func(name string) bool { return strings.HasPrefix(name, ".") && !strings.Contains(name, "/") }
		if format == fact.APK {
			odd = APKLoose
		}
	default:
		return nil, fmt.Errorf("unknown format %q", format)
	}
	v := Visitor{}
	if visit != nil {
		v.Member = func(h Header, r io.Reader) error {
			if name := installedName(h.Name); r != nil && !about(name) {
				return visit(name, r)
			}
			return nil
		}
	}
	sum, err := walk(ctx, r, size, v)
	if _, ok := errors.AsType[*NotArchiveError](err); ok {
		err = tar.ErrHeader
	}
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, l := range append(loose, odd(sum.Loose)...) {
		errs = append(errs, errors.New(l.String()))
	}
	seen := map[string]bool{}
	for _, h := range sum.Members {
		name := installedName(h.Name)
		if about(name) || name == "." {
			continue
		}
		switch {
		case h.Type != TypeFile && h.Type != TypeDirectory && h.Type != TypeSymlink:
			errs = append(errs, fmt.Errorf("%q: %s", h.Name, h.Type))
		case h.Mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0:
			errs = append(errs, fmt.Errorf("%q: its mode %s is more than rights", h.Name, h.Mode))
		case seen[name] || name == ".." || strings.HasPrefix(name, "../") || path.IsAbs(name):
			errs = append(errs, fmt.Errorf("%q: is there twice, or leads out", h.Name))
		}
		seen[name] = true
		list = append(list, Installed{Entry{Name: name, Size: h.Size, SHA256: h.SHA256, Mode: h.Mode & fs.ModePerm}, h.Type, h.Link})
	}
	return list, errors.Join(errs...)
}

// installedName is how a member's name is written here.
func installedName(name string) string { return path.Clean(strings.TrimPrefix(name, "./")) }

// debData finds what a Debian package installs.
func debData(r io.ReaderAt, size int64) (data ArMember, loose []Loose, err error) {
	var head [len(ArMagic)]byte
	if _, err := r.ReadAt(head[:], 0); err != nil || string(head[:]) != ArMagic {
		return data, nil, errors.New("no ar archive")
	}
	members, loose, err := ReadAr(r, size)
	if err != nil {
		return data, nil, err
	}
	found := 0
	for _, m := range members {
		if strings.HasPrefix(m.Name, "data.tar") {
			data = m
			found++
		}
	}
	if found != 1 {
		return data, nil, fmt.Errorf("an ar archive with %d members data.tar", found)
	}
	return data, loose, nil
}

// CheckInstalled holds what a package installs against the files that it was made of and
// what the plan says of it: no other files, links and directories, but those that files
// lie in.
func CheckInstalled(list []Installed, files []Entry, p *fact.Packages) error {
	var errs []error
	want := map[string]Entry{}
	dirs := map[string]bool{}
	links := map[string]string{}
	above := func(name string) {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			dirs[dir] = true
		}
	}
	for _, e := range files {
		want[e.Name] = e
		above(e.Name)
	}
	for _, c := range p.Contents {
		name := strings.TrimPrefix(c.Dst, "/")
		switch c.Type {
		case fact.ContentDir:
			dirs[name] = true
		case fact.ContentSymlink:
			links[name] = c.Src
		}
		above(name)
	}
	for _, in := range list {
		switch in.Type {
		case TypeDirectory:
			if !dirs[in.Name] {
				errs = append(errs, fmt.Errorf("the directory %s is in no list of it", in.Name))
			}
		case TypeSymlink:
			if to, ok := links[in.Name]; !ok || to != in.Link {
				errs = append(errs, fmt.Errorf("the link %s to %q is not the plan's", in.Name, in.Link))
			}
			delete(links, in.Name)
		default:
			if e, ok := want[in.Name]; !ok || e != in.Entry {
				errs = append(errs, fmt.Errorf("member %s is not the one the manifest lists", in.Name))
			}
			delete(want, in.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		errs = append(errs, fmt.Errorf("lacks the member %s", name))
	}
	for _, name := range slices.Sorted(maps.Keys(links)) {
		errs = append(errs, fmt.Errorf("lacks the link %s", name))
	}
	if n := len(errs); n > maxInstalled { // another package altogether
		errs = append(errs[:maxInstalled], fmt.Errorf("and %d more", n-maxInstalled))
	}
	return errors.Join(errs...)
}

// maxInstalled is how much of what is wrong with a package is told.
const maxInstalled = 10

// APKLoose are the oddities of an Alpine package: that it has up to three streams is none.
func APKLoose(list []Loose) (odd []Loose) {
	streams := 0
	for _, l := range list {
		if l.What == LooseStream {
			if streams++; streams <= 2 {
				continue
			}
		}
		odd = append(odd, l)
	}
	return odd
}
