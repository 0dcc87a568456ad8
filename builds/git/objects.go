package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

const (
	// maxAlternates is how many directories of objects one repository may have.
	maxAlternates = 32
	// maxSmall bounds files of a git directory that are read whole.
	maxSmall = 8 << 20
)

// objectDirs are the directory of a repository's objects and those that its
// objects/info/alternates name.
func objectDirs(first string) ([]string, error) {
	dirs := []string{first}
	for i := 0; i < len(dirs); i++ {
		data, err := readSmall(filepath.Join(dirs[i], "info", "alternates"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(data)) {
			name := strings.TrimRight(line, "\r\n")
			if name == "" || name[0] == '#' {
				continue
			}
			if name[0] == '"' {
				if name, err = unquote(name); err != nil {
					return nil, fmt.Errorf("%s: %w", filepath.Join(dirs[i], "info", "alternates"), err)
				}
			}
			if name = absolute(dirs[i], name); !slices.Contains(dirs, name) {
				dirs = append(dirs, name)
			}
			if len(dirs) > maxAlternates {
				return nil, fmt.Errorf("%s: more than %d alternates", first, maxAlternates)
			}
		}
	}
	return dirs, nil
}

// unquote is the reverse of [quote]; git itself also writes octal escapes.
func unquote(s string) (string, error) {
	bad := fmt.Errorf("%s is not quoted as git does", s)
	inner, ok := strings.CutSuffix(s[1:], `"`)
	if !ok {
		return "", bad
	}
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			b.WriteByte(inner[i])
			continue
		}
		if i++; i == len(inner) {
			return "", bad
		}
		if at := strings.IndexByte(`abfnrtv"\`, inner[i]); at >= 0 {
			b.WriteByte("\a\b\f\n\r\t\v\"\\"[at])
			continue
		}
		if i+3 > len(inner) {
			return "", bad
		}
		n := 0
		for _, c := range []byte(inner[i : i+3]) {
			if c < '0' || c > '7' {
				return "", bad
			}
			n = n*8 + int(c-'0')
		}
		if n > 255 {
			return "", bad
		}
		b.WriteByte(byte(n))
		i += 2
	}
	return b.String(), nil
}

var (
	fanOut    = regexp.MustCompile(`^[0-9a-f]{2}$`)
	looseFile = regexp.MustCompile(`^[0-9a-f]{38}([0-9a-f]{24})?$`)
	packFile  = regexp.MustCompile(`^pack-[0-9a-f]{40}([0-9a-f]{24})?\.(pack|idx|rev)$`)
)

// linkObjects makes links in to, a directory of objects, to the object files in
// from. It follows no link that lies there, and takes no file that is not named
// like an object or a pack.
func linkObjects(ctx context.Context, from, to string) error {
	dirs, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, d := range dirs {
		pattern := looseFile
		if d.Name() == "pack" {
			pattern = packFile
		} else if !fanOut.MatchString(d.Name()) {
			continue
		}
		if !d.IsDir() {
			return fmt.Errorf("%s: not a directory of objects", filepath.Join(from, d.Name()))
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := linkFiles(ctx, filepath.Join(from, d.Name()), filepath.Join(to, d.Name()), pattern); err != nil {
			return err
		}
	}
	return nil
}

func linkFiles(ctx context.Context, from, to string, pattern *regexp.Regexp) error {
	found, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, f := range found {
		if !pattern.MatchString(f.Name()) {
			continue
		}
		source, target := filepath.Join(from, f.Name()), filepath.Join(to, f.Name())
		if !f.Type().IsRegular() {
			return fmt.Errorf("%s: not a regular file", source)
		}
		err := os.Link(source, target)
		switch {
		case err == nil || errors.Is(err, os.ErrExist): // the same object, from an alternate
		case errors.Is(err, os.ErrNotExist):
			// Git has packed it meanwhile, into a pack that may be missed here:
			// then the checkout says that an object is missing.
		default: // another file system, or one without links
			if err := copyFile(ctx, source, target); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyFile copies a regular file that is there, with its permissions.
func copyFile(ctx context.Context, from, to string) error {
	fi, err := os.Stat(from)
	if err != nil {
		return err
	}
	_, _, err = files.Copy(ctx, from, to, fi.Mode().Perm())
	return err
}

// copyData copies a file if it is there, is regular, and is no link to somewhere.
func copyData(ctx context.Context, from, to string) error {
	fi, err := os.Lstat(from)
	if err != nil || !fi.Mode().IsRegular() {
		return nil
	}
	return copyFile(ctx, from, to)
}

func isRegular(name string) bool {
	fi, err := os.Stat(name)
	return err == nil && fi.Mode().IsRegular()
}

// readSmall reads a regular file that is not large.
func readSmall(name string) ([]byte, error) { return files.Read(name, maxSmall) }

// globQuote makes a path a pattern that matches only itself.
func globQuote(path string) string {
	if filepath.Separator == '\\' {
		return path // where patterns have no escape, paths have no * or ?
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
