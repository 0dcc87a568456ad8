package execute

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/goflags"
)

// A function that calls reflect.Value.Method, MethodByName or the same of
// reflect.Type gets a mark in its object file (cmd/compile, usemethod). The linker
// that reaches a marked function keeps every exported method of every type that
// becomes an interface (cmd/link/internal/ld/deadcode.go, reflectSeen). What the
// marks cost is measured by the linker itself: the program is linked from the objects
// that the build cache has, once as they are, and once from copies of which the marks
// are taken off. Such a program may not work; it is only weighed.
//
// The place of the mark in an object file belongs to a Go version. That it was the
// right one shows in the second link: it reports no marked function any more.

// Unmarked is a program linked twice from the same objects: with the marks of
// functions that look up methods by reflection, and without.
type Unmarked struct {
	With, Without             *LinkEdges
	WithBinary, WithoutBinary string // paths
}

// LinkUnmarked links the program of a main package of a unit with the marks and
// without. The unit has to be built in this place before, so that the objects are
// there. The error says why it cannot be done.
func (l *Local) LinkUnmarked(ctx context.Context, u *plan.Unit, main fact.Main, p int) (*Unmarked, error) {
	switch {
	case l.Kind == fact.SourceModule:
		return nil, errors.New("the source is a module of the module proxy, of which the go command lists no objects")
	case u.Mode().Library():
		return nil, errors.New("it is a library")
	}
	dir := l.output(u) + "-unmarked"
	if err := files.RemoveTree(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	objects, err := l.objects(ctx, u, main, p)
	if err != nil {
		return nil, err
	}
	var with, without strings.Builder
	var mains [2]string
	marks := 0
	for i, o := range objects {
		bare := o.file
		data, err := files.Read(o.file, 1<<30)
		if err != nil {
			return nil, err
		}
		if n := unmark(data); n > 0 {
			marks += n
			bare = filepath.Join(dir, fmt.Sprintf("%d.a", i))
			if err := files.Write(bare, data, 0o644); err != nil {
				return nil, err
			}
		}
		if o.main {
			mains = [2]string{o.file, bare}
			continue
		}
		fmt.Fprintf(&with, "packagefile %s=%s\n", o.path, o.file)
		fmt.Fprintf(&without, "packagefile %s=%s\n", o.path, bare)
	}
	if mains[0] == "" {
		return nil, fmt.Errorf("the go command has no object of package %s", main.Package)
	}
	if marks == 0 {
		return nil, fmt.Errorf("no mark was found in the object files, whose format is that of %s", l.Goroot.Toolchain.Version)
	}
	x := &Unmarked{WithBinary: filepath.Join(dir, "with"), WithoutBinary: filepath.Join(dir, "without")}
	if x.With, err = l.link(ctx, u, dir, with.String(), mains[0], x.WithBinary); err != nil {
		return nil, err
	}
	if x.Without, err = l.link(ctx, u, dir, without.String(), mains[1], x.WithoutBinary); err != nil {
		return nil, err
	}
	if err := l.likeBuilt(ctx, u, main, x.WithBinary); err != nil {
		return nil, err
	}
	if len(x.Without.Marked) > 0 {
		return nil, fmt.Errorf("%s is still marked: the object files of %s are not as expected", x.Without.Marked[0], l.Goroot.Toolchain.Version)
	}
	return x, nil
}

// likeBuilt refuses a link that is not what the go command made of the same objects:
// what it says of sizes would be of another program. The build information, some
// hundred bytes, is not in it.
func (l *Local) likeBuilt(ctx context.Context, u *plan.Unit, main fact.Main, linked string) error {
	made, err := l.products(ctx, u, main)
	if err != nil {
		return err
	}
	st, err := os.Stat(linked)
	if err != nil {
		return err
	}
	if diff := made[0].Size - st.Size(); max(diff, -diff) > made[0].Size/100 {
		return fmt.Errorf("linked from the objects of the build cache it has %d bytes, by go build %d", st.Size(), made[0].Size)
	}
	return nil
}

// object is a compiled package in the build cache.
type object struct {
	path, file string
	main       bool
}

// objects are those of the program of a main package, as the unit compiles them.
func (l *Local) objects(ctx context.Context, u *plan.Unit, main fact.Main, p int) ([]object, error) {
	c := l.command(u, Pace{P: p})
	c.Args = []string{"list", "-export", "-deps", "-json=ImportPath,Export,Name,DepOnly", fmt.Sprintf("-p=%d", p)}
	c.Args = append(c.Args, u.Flags...)
	c.Args = append(c.Args, "--", main.Package)
	res, err := toolchain.Run(ctx, c)
	if err != nil {
		return nil, err
	}
	var list []object
	dec := json.NewDecoder(bytes.NewReader(res.Stdout))
	for {
		var o struct {
			ImportPath, Export, Name string
			DepOnly                  bool
		}
		if err := dec.Decode(&o); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if o.Export == "" {
			continue // unsafe
		}
		// With a profile of the optimiser it is "PACKAGE [PROGRAM]".
		path, _, _ := strings.Cut(o.ImportPath, " ")
		list = append(list, object{path, o.Export, o.Name == "main" && !o.DepOnly})
	}
}

// link runs the linker as the go command does for the unit, and returns what it says.
func (l *Local) link(ctx context.Context, u *plan.Unit, dir, importcfg, main, out string) (*LinkEdges, error) {
	cfg := out + ".importcfg"
	if err := files.Write(cfg, []byte(importcfg), 0o644); err != nil {
		return nil, err
	}
	c := l.command(u, Pace{P: 1})
	c.Args = []string{"tool", "link", "-o", out, "-importcfg", cfg, "-dumpdep", "-buildmode=" + linkMode(u)}
	for _, f := range u.Flags {
		text, ok := strings.CutPrefix(f, "-ldflags=")
		if !ok {
			continue
		}
		words, err := goflags.Split(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		c.Args = append(c.Args, words...)
	}
	for _, kv := range u.Env {
		if cc, ok := strings.CutPrefix(kv, "CC="); ok && cc != "" {
			c.Args = append(c.Args, "-extld="+cc)
		}
	}
	c.Args = append(c.Args, main)
	c.Limit = maxEdges
	res, err := toolchain.Run(ctx, c)
	if err != nil {
		return nil, err
	}
	// It prints to standard output; the go command hands that on as its own errors.
	return parseEdges(string(res.Stdout) + string(res.Stderr)), nil
}

// linkMode is the build mode that the go command gives the linker for a program
// (cmd/go/internal/work/init.go, internal/platform.DefaultPIE).
func linkMode(u *plan.Unit) string {
	if m := u.Mode(); m != "" {
		return string(m)
	}
	if slices.Contains([]string{"windows", "darwin", "android", "ios"}, u.GOOS()) {
		return "pie"
	}
	return "exe"
}

// Of object files since Go 1.20 (cmd/internal/goobj/objfile.go).
const (
	objectMagic     = "\x00go120ld"
	firstSymbols    = 3  // the block of symbols that are defined
	afterSymbols    = 7  // the block after the last of such
	symbolSize      = 21 // of a symbol's record
	symbolFlag      = 11 // where its flags are
	markReflect     = 1 << 5
	offsetsOfBlocks = 8 + 8 + 4 // behind the magic, the fingerprint, the flags
)

// unmark takes the marks off all functions in an archive with object files, in
// place, and counts them. Anything else in it stays as it is.
func unmark(archive []byte) (n int) {
	for {
		// A header that ends so stands in front (cmd/internal/objfile, cmd/compile/internal/gc).
		i := bytes.Index(archive, []byte("!\n"+objectMagic)) + len("!\n")
		if i < len("!\n") || len(archive)-i < offsetsOfBlocks+4*(afterSymbols+1) {
			return n
		}
		obj := archive[i:]
		block := func(k int) int64 {
			return int64(binary.LittleEndian.Uint32(obj[offsetsOfBlocks+4*k:]))
		}
		from, to := block(firstSymbols), block(afterSymbols)
		if from >= offsetsOfBlocks && to <= int64(len(obj)) && from <= to && (to-from)%symbolSize == 0 {
			for at := from; at < to; at += symbolSize {
				if flag := &obj[at+symbolFlag]; *flag&markReflect != 0 {
					*flag &^= markReflect
					n++
				}
			}
		}
		archive = obj[len(objectMagic):]
	}
}
