package source

import (
	"bytes"
	"context"
	"go/scanner"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

// EmbedIgnored is a pattern in a .gitignore of the commit by which git ignores files that
// a go:embed line would take, if they were there.
type EmbedIgnored struct {
	File    string // the .gitignore, a path from the top
	Line    int    // of the pattern in it, 1 is the first
	Pattern string // as it is written there
	By      string // the Go file that embeds
	Name    string // a path from the top that both match: what is made there could be called so
	// Aimed says that the pattern is for what is embedded: it names the directory, or
	// stands in it. Others are for any directory.
	Aimed bool
}

// Limits on how many paths git is asked about: what is beyond is not looked at.
const (
	maxIgnoreDirs  = 20     // directories of one go:embed pattern
	maxIgnoreNames = 20_000 // paths
)

// EmbedIgnores finds the patterns of .gitignore that can match files of what the
// module's packages embed. Git reads no pattern backwards, so paths are made of the
// patterns, and git says which pattern ignores them; a pattern for which no path could
// be made is not found. The user's own patterns (core.excludesFile, .git/info/exclude)
// do not count: they say nothing of the project. Nor does the name of a committed file.
func (r *Repo) EmbedIgnores(ctx context.Context) ([]EmbedIgnored, error) {
	patterns := r.ignorePatterns()
	if len(patterns) == 0 {
		return nil, nil
	}
	inside := r.inside(r.roots(), nil)
	var sources []string
	for _, name := range r.names {
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && inside(name) {
			sources = append(sources, name)
		}
	}
	wanted, err := r.embeds(ctx, sources)
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	var names []string
	by := map[string][]Wanted{}
	links := map[string]bool{}
	for _, w := range wanted {
		dirs := r.embedDirs(w)
		for _, p := range patterns {
			for _, name := range p.paths(dirs) {
				_, committed := slices.BinarySearch(r.names, name)
				if len(names) < maxIgnoreNames && !committed && w.match(name) && !r.beyondLink(name, links) {
					names = append(names, name)
					by[name] = append(by[name], w)
				}
			}
		}
	}
	slices.Sort(names)
	ignored, err := r.git.Ignored(ctx, slices.Compact(names))
	if err != nil {
		return nil, err
	}
	var found []EmbedIgnored
	for _, i := range ignored {
		if _, committed := slices.BinarySearch(r.names, i.Source); !committed || path.Base(i.Source) != ".gitignore" {
			continue
		}
		at := ignorePatternAt(i.Source, i.Pattern)
		for _, w := range by[i.Name] {
			e := EmbedIgnored{i.Source, i.Line, i.Pattern, w.By, i.Name, at.fixed != path.Join(".", r.Dir) && r.holds(w, at.fixed)}
			same := func(o EmbedIgnored) bool {
				return o.File == e.File && o.Line == e.Line && o.By == e.By && path.Dir(o.Name) == path.Dir(e.Name)
			}
			if !slices.ContainsFunc(found, same) {
				found = append(found, e)
			}
		}
	}
	return found, nil
}

// ignorePatternParts is a pattern of a .gitignore, taken apart.
type ignorePatternParts struct {
	base     string   // directory of the .gitignore, from the top
	parts    []string // between slashes
	anchored bool     // it is relative to base; others are for any directory below it
	dir      bool     // it is for directories alone
	fixed    string   // the directory that it names, as far as it has no wildcards
}

// ignorePatterns are those of all .gitignore in the commit, as the user's tree has
// them, without those that have git see something again.
func (r *Repo) ignorePatterns() (list []ignorePatternParts) {
	for _, name := range r.names {
		if path.Base(name) != ".gitignore" {
			continue
		}
		if fi, err := os.Lstat(r.file(name)); err != nil || !fi.Mode().IsRegular() { // git follows no link there
			continue
		}
		data, err := files.Read(r.file(name), 1<<20)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			line = strings.TrimRight(line, "\r\n")
			if line != "" && line[0] != '#' && line[0] != '!' {
				list = append(list, ignorePatternAt(name, line))
			}
		}
	}
	return list
}

// ignorePatternAt takes a pattern of a .gitignore apart.
// https://git-scm.com/docs/gitignore#_pattern_format
func ignorePatternAt(file, text string) ignorePatternParts {
	p := ignorePatternParts{base: path.Dir(file)}
	for strings.HasSuffix(text, " ") && !strings.HasSuffix(text, `\ `) {
		text = text[:len(text)-1]
	}
	text, p.dir = strings.CutSuffix(text, "/")
	p.anchored = strings.Contains(text, "/")
	p.parts = strings.Split(strings.TrimPrefix(text, "/"), "/")
	if p.parts[0] == "**" {
		p.anchored = false
		p.parts = p.parts[1:]
	}
	p.fixed = p.base
	if p.anchored {
		for _, part := range p.parts[:len(p.parts)-1] {
			if strings.ContainsAny(part, `*?[\`) {
				break
			}
			p.fixed = path.Join(p.fixed, part)
		}
	}
	return p
}

// paths are some that the pattern may match, from the top: in the directories that it
// names, and where it has wildcards for them, in dirs.
func (p ignorePatternParts) paths(dirs []string) (names []string) {
	var parts []string
	for i, part := range p.parts {
		switch last := i == len(p.parts)-1; {
		case part == "**" && !last: // of no directory
		default:
			parts = append(parts, sampleOf(part))
		}
	}
	if p.dir {
		parts = append(parts, "x")
	}
	if len(parts) == 0 {
		return nil
	}
	if p.anchored {
		names = append(names, path.Join(append([]string{p.base}, parts...)...))
		if p.fixed == path.Join(p.base, path.Join(p.parts[:len(p.parts)-1]...)) {
			return names
		}
		parts = parts[len(parts)-1:]
	}
	for _, dir := range dirs {
		if p.base == "." || dir == p.base || strings.HasPrefix(dir, p.base+"/") {
			names = append(names, path.Join(append([]string{dir}, parts...)...))
		}
	}
	return names
}

// sampleOf is a name that an element of a pattern matches, in most cases; git says
// whether.
func sampleOf(part string) string {
	var b strings.Builder
	for i := 0; i < len(part); i++ {
		switch c := part[i]; c {
		case '*':
			if !strings.HasSuffix(b.String(), "x") {
				b.WriteByte('x')
			}
		case '?':
			b.WriteByte('x')
		case '[':
			end := strings.IndexByte(part[i+1:], ']')
			if end < 1 {
				return b.String()
			}
			first := part[i+1]
			if first == '!' || first == '^' || first == '[' {
				first = 'x'
			}
			b.WriteByte(first)
			i += end + 1
		case '\\':
			if i++; i < len(part) {
				b.WriteByte(part[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// embedDirs are directories, from the top, in which a go:embed pattern takes files:
// the one that it names, and those of committed files that it takes.
func (r *Repo) embedDirs(w Wanted) []string {
	var dirs []string
	add := func(dir string) {
		if len(dirs) < maxIgnoreDirs && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	if at := path.Join(w.Dir, w.Pattern); !strings.ContainsAny(w.Pattern, `*?[\`) && r.isDir(at) {
		add(at)
	}
	prefix := path.Join(".", w.Dir) + "/"
	if prefix == "./" {
		prefix = ""
	}
	from, _ := slices.BinarySearch(r.names, prefix)
	for _, name := range r.names[from:] {
		if !strings.HasPrefix(name, prefix) {
			break
		}
		if w.match(name) {
			add(path.Dir(name))
		}
	}
	return dirs
}

// isDir reports whether a path from the top is that of a directory of the commit.
func (r *Repo) isDir(name string) bool {
	i, _ := slices.BinarySearch(r.names, name+"/")
	return i < len(r.names) && strings.HasPrefix(r.names[i], name+"/")
}

// holds reports whether a go:embed pattern takes files of the directory dir.
func (r *Repo) holds(w Wanted, dir string) bool {
	return w.match(path.Join(dir, "x")) || slices.Contains(r.embedDirs(w), dir)
}

// beyondLink reports whether a directory of the path is none in the user's tree but a
// link or a file; known has what was found out before.
func (r *Repo) beyondLink(name string, known map[string]bool) bool {
	dir := path.Dir(name)
	if dir == "." {
		return false
	}
	link, ok := known[dir]
	if !ok {
		fi, err := os.Lstat(r.file(dir))
		link = err == nil && !fi.IsDir() || r.beyondLink(dir, known)
		known[dir] = link
	}
	return link
}

// ending is what a text of Go code has to have in it to name an ending: the ending,
// at its end or in front of what is no part of a name.
func ending(ext string) *regexp.Regexp {
	return regexp.MustCompile(regexp.QuoteMeta(ext) + `(?:[^\pL\pN_]|$)`)
}

// NamesEnding reports whether the module's Go code has a text that names files of that
// ending, such as ".hdr": what makes or reads them. Code that no build has counts too,
// as that of go:generate is; tests do not.
func (r *Repo) NamesEnding(ctx context.Context, ext string) (bool, error) {
	inside, form := r.inside(r.roots(), nil), ending(ext)
	for _, name := range r.names {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || !inside(name) {
			continue
		}
		data, err := files.Read(r.file(name), maxGoFile)
		if err != nil || !bytes.Contains(data, []byte(ext)) {
			continue
		}
		var s scanner.Scanner
		s.Init(token.NewFileSet().AddFile(name, -1, len(data)), data, nil, 0)
		for {
			_, tok, lit := s.Scan()
			if tok == token.EOF {
				break
			}
			if tok != token.STRING {
				continue
			}
			if text, err := strconv.Unquote(lit); err == nil && form.MatchString(text) {
				return true, nil
			}
		}
	}
	return false, nil
}
