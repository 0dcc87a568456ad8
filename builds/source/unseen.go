package source

import (
	"bytes"
	"context"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/memo"
)

// Unseen is a file that git ignores and that a plain build in the user's tree
// reads all the same: no commit has it, and git calls the tree clean.
type Unseen struct {
	Name string // path from the top of the work tree
	By   string // who names it: a Go file that embeds it, or a key of the profile; "" for what the go command finds by itself
}

// Wanted is a pattern of files that a build reads, as [files.Match] understands it,
// or path.Match with Below.
type Wanted struct {
	By      string // who says so
	Dir     string // what the pattern is relative to, from the top
	Pattern string
	// Below says that a directory stands for the files in it, as in go:embed;
	// All, that those whose names begin with a dot or underscore are among them.
	Below, All bool
}

// compiled are the files that the go command takes from the directory of a
// package by their names (go/build.Context.Import).
var compiled = []string{
	"*.go", "*.s", "*.S", "*.sx", "*.c", "*.cc", "*.cpp", "*.cxx", "*.m", "*.h", "*.hh", "*.hpp", "*.hxx",
	"*.f", "*.F", "*.for", "*.f90", "*.swig", "*.swigcxx", "*.syso", "default.pgo",
}

// Unseen finds the files of the module and of the local modules that its go.mod
// names in the place of others, that exist, that git ignores, and that a build may
// read: what is compiled, what go:embed names, and what more names. Which of them
// a build reads, its plan says (plan.Planner.Reads). Other modules, and what no
// package is made of (testdata, node_modules, names with a dot or underscore in
// front) are left out, as are tests. Of vendored packages that git ignores, one
// file stands for all: vendor/modules.txt, which has the go command use them. They
// are sorted by name; a file has one for each that names it.
func (r *Repo) Unseen(ctx context.Context, more []Wanted) ([]Unseen, error) {
	roots := r.roots()
	names, err := r.ignored(ctx, append(compiledSpecs(roots), ":(glob)"+escape.Replace(r.modulesTxt())))
	if err != nil {
		return nil, err
	}
	var found []Unseen
	if slices.Contains(names, r.modulesTxt()) && !r.Vendored {
		found = append(found, Unseen{Name: r.modulesTxt()})
		if r.vendor, err = r.ignored(ctx, []string{":(glob)" + escape.Replace(path.Dir(r.modulesTxt())) + "/**"}); err != nil {
			return nil, err
		}
	}
	inside := r.inside(roots, names)
	packages := map[string]bool{} // directories with Go files
	var sources []string
	for _, name := range slices.Concat(r.names, names) {
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && inside(name) {
			packages[path.Dir(name)] = true
			sources = append(sources, name)
		}
	}
	for _, name := range names {
		module := path.Base(name) == "go.mod" && slices.Contains(roots, path.Dir(name))
		if module || path.Base(name) != "go.mod" && inside(name) && packages[path.Dir(name)] && !strings.HasSuffix(name, "_test.go") {
			found = append(found, Unseen{Name: name})
		}
	}
	embeds, err := r.embeds(ctx, sources)
	if err != nil {
		return nil, err
	}
	byName, err := r.ignoredOf(ctx, slices.Concat(embeds, more, []Wanted{{Dir: r.Dir, Pattern: "go.sum"}}))
	if err != nil {
		return nil, err
	}
	for _, f := range byName {
		if !slices.ContainsFunc(found, func(o Unseen) bool { return o.Name == f.Name && (o.By == "" || o.By == f.By) }) {
			found = append(found, f)
		}
	}
	slices.SortStableFunc(found, func(a, b Unseen) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

// modulesTxt is the file by which the go command builds the module with what is
// vendored, a path from the top.
func (r *Repo) modulesTxt() string { return path.Join(r.Dir, "vendor/modules.txt") }

// UsesVendor reports whether it is f that has a plain go build use what is vendored.
func (r *Repo) UsesVendor(f Unseen) bool { return f.Name == r.modulesTxt() }

// Include makes files that git ignores part of a snapshot: they are built with,
// and count as changed. To git, and so to the go command that stamps the binaries,
// the tree is as clean with them as without, unless it is the user's own
// configuration that ignores them, which the private checkout does not have.
func (r *Repo) Include(unseen []Unseen) {
	dirty := map[string]bool{}
	for _, name := range r.Dirty {
		dirty[name] = true
	}
	add := func(name string) {
		if !dirty[name] {
			dirty[name] = true
			r.Dirty, r.Included = append(r.Dirty, name), append(r.Included, name)
		}
	}
	for _, f := range unseen {
		add(f.Name)
		if r.UsesVendor(f) {
			for _, name := range r.vendor {
				add(name)
			}
		}
	}
	slices.Sort(r.Dirty)
	if dirty[r.modulesTxt()] { // the tree has it, or has it no more
		_, err := os.Lstat(r.file(r.modulesTxt()))
		r.Vendored = err == nil
	}
}

// Named are the module's files in the commit with that last element of their
// path, as paths in the module.
func (r *Repo) Named(base string) []string {
	inside := r.inside(r.roots()[:1], nil)
	var found []string
	for _, name := range r.names {
		if path.Base(name) == base && inside(name) {
			found = append(found, strings.TrimPrefix(strings.TrimPrefix(name, r.Dir), "/"))
		}
	}
	return found
}

// roots are the directories, from the top, of the module and of the local modules
// that it is built with; the top is ".".
func (r *Repo) roots() []string {
	roots := []string{path.Join(".", r.Dir)}
	for _, dir := range r.locals {
		if !slices.Contains(roots, dir) {
			roots = append(roots, dir)
		}
	}
	return roots
}

// inside reports whether a path from the top can be that of a file of one of the
// packages of the modules in roots. Another module begins with its go.mod, which
// is in the commit or among ignored.
func (r *Repo) inside(roots, ignored []string) func(name string) bool {
	module, begins := map[string]bool{}, map[string]bool{}
	for _, name := range slices.Concat(r.names, ignored) {
		if path.Base(name) == "go.mod" {
			begins[path.Dir(name)] = true
		}
	}
	for _, dir := range roots {
		module[dir] = true
	}
	vendor := ""
	if r.Vendored {
		vendor = path.Dir(r.modulesTxt())
	}
	return func(name string) bool {
		for dir := path.Dir(name); ; dir = path.Dir(dir) {
			base := path.Base(dir)
			switch {
			case module[dir]:
				return true
			case dir == ".", begins[dir], base == "vendor" && dir != vendor, base == "node_modules", base == "testdata", base[0] == '.', base[0] == '_':
				return false
			}
		}
	}
}

func compiledSpecs(roots []string) []string {
	var specs []string
	for _, dir := range roots {
		for _, p := range append([]string{"go.mod"}, compiled...) {
			specs = append(specs, ":(glob)"+path.Join(escape.Replace(dir), "**", p))
		}
	}
	return specs
}

// ignored are the files that git ignores and the pathspecs name.
func (r *Repo) ignored(ctx context.Context, specs []string) ([]string, error) {
	var names []string
	for batch := range slices.Chunk(specs, 200) { // a command line has an end
		out, err := r.git.InTree(ctx, append([]string{"ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--full-name", "--"}, batch...)...)
		if err != nil {
			return nil, err
		}
		for name := range bytes.SplitSeq(out, []byte{0}) {
			if len(name) > 0 {
				names = append(names, string(name))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// ignoredOf are the files that git ignores and somebody wants, once for each who does.
func (r *Repo) ignoredOf(ctx context.Context, wanted []Wanted) ([]Unseen, error) {
	var specs []string
	for _, w := range wanted {
		spec := ":(glob)" + path.Join(escape.Replace(w.Dir), w.Pattern)
		specs = append(specs, spec)
		if w.Below {
			specs = append(specs, spec+"/**")
		}
	}
	names, err := r.ignored(ctx, specs)
	if err != nil {
		return nil, err
	}
	var found []Unseen
	for _, name := range names {
		for _, w := range wanted {
			if w.match(name) {
				found = append(found, Unseen{name, w.By})
			}
		}
	}
	return found, nil
}

// match reports whether the pattern names the file, a path from the top.
func (w Wanted) match(name string) bool {
	rel := name
	if w.Dir != "" && w.Dir != "." {
		var ok bool
		if rel, ok = strings.CutPrefix(name, w.Dir+"/"); !ok {
			return false
		}
	}
	if !w.Below {
		return files.Match(w.Pattern, rel)
	}
	if ok, _ := path.Match(w.Pattern, rel); ok {
		return true
	}
	for i := len(rel) - 1; i > 0; i-- {
		if rel[i] != '/' {
			continue
		}
		// What lies in the directory, or deeper.
		if !w.All && (rel[i+1] == '.' || rel[i+1] == '_') {
			return false
		}
		if ok, _ := path.Match(w.Pattern, rel[:i]); ok {
			return true
		}
	}
	return false
}

// embeds are the patterns of all go:embed lines in Go files of the user's tree.
// Of a clean tree, they are those of the commit, and remembered.
func (r *Repo) embeds(ctx context.Context, sources []string) ([]Wanted, error) {
	key := memo.NewKey(append([]string{"go:embed 1", r.Tree, r.Dir}, sources...)...)
	var list []Wanted
	clean := len(r.Dirty) == 0 && r.Tree != ""
	if clean && r.cfg.Known.Get(key, &list) {
		return list, nil
	}
	for _, name := range sources {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		data, err := files.Read(r.file(name), maxGoFile)
		if err != nil {
			continue // deleted, or no file: nothing is compiled of it
		}
		for _, p := range embedPatterns(data) {
			w := Wanted{By: name, Dir: path.Dir(name), Below: true}
			w.Pattern, w.All = strings.CutPrefix(p, "all:")
			if _, err := path.Match(w.Pattern, ""); err == nil && w.Pattern != "" {
				list = append(list, w)
			}
		}
	}
	if clean && !slices.ContainsFunc(sources, func(name string) bool { _, in := slices.BinarySearch(r.names, name); return !in }) {
		r.cfg.Known.Put(key, list)
	}
	return list, nil
}

// maxGoFile is more bytes than a Go file with go:embed lines has.
const maxGoFile = 16 << 20

// embedPatterns are the patterns in the go:embed lines of a Go file
// (https://pkg.go.dev/embed#hdr-Directives): separated by spaces, some of them
// quoted. A line of a text that looks like one counts as well: what is found by
// it must exist, and be ignored.
func embedPatterns(data []byte) (patterns []string) {
	if !bytes.Contains(data, []byte("//go:embed")) {
		return nil
	}
	for line := range bytes.Lines(data) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "//go:embed")
		if !ok || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
			continue
		}
		for rest = strings.TrimLeft(rest, " \t"); rest != ""; rest = strings.TrimLeft(rest, " \t") {
			word := rest
			if q, err := strconv.QuotedPrefix(rest); err == nil && q[0] != '\'' {
				word, rest = q, rest[len(q):]
				if word, err = strconv.Unquote(q); err != nil {
					break
				}
			} else {
				if i := strings.IndexAny(rest, " \t"); i >= 0 {
					word = rest[:i]
				}
				rest = rest[len(word):]
			}
			patterns = append(patterns, word)
		}
	}
	return patterns
}
