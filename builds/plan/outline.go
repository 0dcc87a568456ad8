package plan

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/mod/modfile"
)

// maxSourceFile is more bytes than a Go file or a go.sum has.
const maxSourceFile = 256 << 20

// errNoOutline says that go list may read what an outline does not hold.
var errNoOutline = errors.New("go list reads more than the module's own files")

// outline is a hash of all that go list reads in the module in dir: two
// checkouts with the same outline get the same answer. go list reads Go files up
// to the end of their imports (go/build, readGoInfo), so a change of code in
// functions leaves it as it is.
//
// What is not known to be left alone is part of it: Go files that cannot be
// parsed, all bytes of all other files but Markdown, and all names. It fails for
// a module that leads out of its directory, by a symbolic link or a replacement.
func outline(ctx context.Context, dir string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" {
				return filepath.SkipDir
			}
			fmt.Fprintf(h, "dir %q\n", filepath.ToSlash(rel))
			return nil
		}
		if rel == ".git" {
			return nil // of a worktree
		}
		if !d.Type().IsRegular() {
			return errNoOutline
		}
		fmt.Fprintf(h, "file %q ", filepath.ToSlash(rel))
		if strings.HasSuffix(d.Name(), ".md") {
			io.WriteString(h, "\n")
			return nil
		}
		if rel != "go.mod" && !strings.HasSuffix(rel, ".go") {
			sum, _, err := files.Digest(ctx, path)
			fmt.Fprintf(h, "%s\n", sum)
			return err
		}
		data, err := files.Read(path, maxSourceFile)
		if err != nil {
			return err
		}
		if rel != "go.mod" {
			data = outlineGo(data)
		} else if err := staysInside(data); err != nil {
			return err
		}
		fmt.Fprintf(h, "%x\n", sha256.Sum256(data))
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// outlineGo is the part of a Go file that go list reads: up to the end of the
// imports, and what go:embed says if embed is among them.
func outlineGo(data []byte) []byte {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", data, parser.ImportsOnly|parser.SkipObjectResolution)
	if err != nil {
		return data
	}
	end, embeds := f.Name.End(), false
	for _, spec := range f.Imports {
		embeds = embeds || spec.Path.Value == `"embed"`
	}
	for _, decl := range f.Decls {
		end = max(end, decl.End())
	}
	out := bytes.Clone(data[:fset.File(f.Pos()).Offset(end)])
	if !embeds {
		return out
	}
	var sc scanner.Scanner
	file := fset.AddFile("", -1, len(data))
	sc.Init(file, data, nil, scanner.ScanComments)
	for {
		pos, tok, text := sc.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.COMMENT && strings.HasPrefix(text, "//go:embed") {
			// Before go1.26 it counted at the beginning of a line only.
			before := data[:file.Offset(pos)]
			before = before[bytes.LastIndexByte(before, '\n')+1:]
			out = fmt.Appendf(out, "\n%s // first in its line: %v", text, len(bytes.TrimSpace(before)) == 0)
		}
	}
	if sc.ErrorCount > 0 {
		return data
	}
	return out
}

// staysInside returns nil when a go.mod replaces nothing by a directory.
func staysInside(data []byte) error {
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return errNoOutline // a newer go may read more out of it
	}
	for _, r := range f.Replace {
		if r.New.Version == "" {
			return errNoOutline
		}
	}
	return nil
}
