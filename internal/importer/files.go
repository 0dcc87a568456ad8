package importer

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
	"go.yaml.in/yaml/v4"
)

// defaultFiles are what GoReleaser puts into an archive that says nothing of files.
func defaultFiles() []string {
	return []string{"license*", "LICENSE*", "readme*", "README*", "changelog*", "CHANGELOG*"}
}

// files sets the further files of an archive.
func (f filler) files() {
	g, a := f.g, f.unit.archive
	if f.unit.bare {
		if a.files.there() {
			g.sayAll(a.files, Default, "there is no archive")
		}
		return
	}
	list := elements(a.files.value)
	v := value{list: []string{}, from: []any{a.files.key}}
	if len(list) == 0 {
		for _, pattern := range defaultFiles() {
			switch found := g.match(pattern); {
			case len(found) > 0 && g.dir != "":
				g.unwritten("archives.files", Cannot, "%s is not in the module in %s; put a copy there", strings.Join(found, ", "), g.dir)
			case len(found) > 0:
				v.list = append(v.list, quote(pattern))
			}
		}
		g.say(a.files.key, Default, "none is named, so GoReleaser's default")
	}
	for _, e := range list {
		if e.Kind == yaml.MappingNode {
			f.placed(&v, g.importer.fields(e))
			continue
		}
		f.globbed(&v, a.files.key, text(e))
	}
	if len(v.list) == 0 {
		return
	}
	for _, t := range f.profile.targets {
		f.set(t, "files", v)
	}
}

// constant is a template of a path that has one value for all platforms and
// commits; ok is false, and said, for another.
func (f filler) constant(key any, src string) (text string, ok bool) {
	tr, err := f.g.translate(src, f.profile.targets, f.g.scope())
	if err == nil && strings.Contains(tr.text, "{{") {
		err = fmt.Errorf("%s is a template, and which files of the commit are taken does not depend on the platform", quote(src))
	}
	if err != nil {
		f.g.say(key, Cannot, "%v", err)
		return "", false
	}
	return tr.text, true
}

// globbed adds a pattern of files that keep their paths.
func (f filler) globbed(v *value, key any, src string) {
	g := f.g
	pattern, ok := f.constant(key, src)
	if !ok {
		return
	}
	want := g.match(pattern)
	switch {
	case outside(pattern):
		g.say(key, Cannot, "%s lies outside of the module; what is released is in its commit", quote(pattern))
		return
	case len(want) == 0 && strings.HasPrefix(path.Base(pattern), "non") && strings.HasSuffix(pattern, "*"):
		g.say(key, Default, "%s matches nothing: an archive has no further files of itself", quote(pattern))
		return
	case len(want) == 0:
		g.say(key, Cannot, "%s matches no file; if a step before the build makes it, commit what it makes or name that step in generate", quote(pattern))
		return
	}
	list, exact := g.patterns(pattern, want)
	for _, p := range list {
		if p, ok = g.inModule(p); !ok {
			g.say(key, Cannot, "%s is not in the module in %s; put a copy there", quote(pattern), g.dir)
			continue
		}
		if p = quote(p); !slices.Contains(v.list, p) {
			v.list = append(v.list, p)
		}
	}
	if exact {
		g.say(key, Kept, "files")
	} else {
		g.say(key, Changed, "%s: the files that it matches now are named one by one", quote(pattern))
	}
}

// placed adds an element of files that says where they go.
func (f filler) placed(v *value, in []field) {
	g := f.g
	src, dst, strip := fieldOf(in, "src"), text(fieldOf(in, "dst").value), truth(fieldOf(in, "strip_parent").value)
	pattern, ok := f.constant(src.key, text(src.value))
	if !ok {
		for _, x := range in {
			g.sayAll(x, Cannot, "as src in line %d", src.key.Line)
		}
		return
	}
	mode := f.info(in)
	want := g.match(pattern)
	switch {
	case outside(pattern):
		for _, x := range in {
			g.sayAll(x, Cannot, "%s lies outside of the module; what is released is in its commit", quote(pattern))
		}
		return
	case len(want) == 0:
		for _, x := range in {
			g.sayAll(x, Cannot, "%s matches no file; if a step before the build makes it, commit what it makes or name that step in generate", quote(pattern))
		}
		return
	}
	prefix := path.Clean(pattern)
	if strings.ContainsAny(pattern, `*?[{`) {
		prefix = path.Dir(longestPrefix(want))
	}
	dstKey := fieldOf(in, "dst").key
	tr, err := g.translate(dst, f.profile.targets, g.scope())
	if err != nil {
		g.say(dstKey, Cannot, "%v", err)
		return
	}
	placed, fits := map[string]string{}, dst != ""
	for _, name := range want {
		to := name
		switch {
		case strip:
			to = path.Join(tr.text, path.Base(name))
		case tr.text != "":
			rel := strings.TrimPrefix(strings.TrimPrefix(name, prefix), "/")
			if prefix == "." {
				rel = name
			}
			to = path.Join(tr.text, rel)
		}
		placed[name] = to
		fits = fits && to == path.Join(tr.text, strings.TrimPrefix(strings.TrimPrefix(name, staticDir(pattern)), "/"))
	}
	// A pattern of the profile puts files where they lie below the directory that it
	// begins with; where that is another place, each file is named.
	if list, exact := g.patterns(pattern, want); fits && exact && len(list) == 1 && len(want) > 1 && strings.ContainsAny(list[0], "*?[") {
		placed = map[string]string{list[0]: first(tr.text, ".")}
	} else {
		fits = len(want) == 1
	}
	for _, name := range slices.Sorted(maps.Keys(placed)) {
		src, ok := g.inModule(name)
		if !ok {
			g.say(dstKey, Cannot, "%s is not in the module in %s; put a copy there", quote(name), g.dir)
			continue
		}
		if placed[name] == src && mode == "" {
			v.list = append(v.list, quote(src))
			continue
		}
		item := "{src: " + quote(src) + ", dst: " + quote(placed[name])
		if mode != "" {
			item += ", mode: " + mode
		}
		v.list = append(v.list, item+"}")
	}
	v.from = append(v.from, src.key, dstKey, fieldOf(in, "strip_parent").key)
	for _, x := range in {
		switch x.name {
		case "src":
			if !fits {
				g.say(x.key, Changed, "the files that it matches now are named one by one")
			} else {
				g.say(x.key, Kept, "files")
			}
		case "dst", "strip_parent":
			g.say(x.key, Kept, "files: dst")
		case "default":
			g.say(x.key, Default, "about a warning")
		}
	}
}

// info reads owner, time and mode of a file; the mode as a profile writes it.
func (f filler) info(in []field) (mode string) {
	g := f.g
	x := fieldOf(in, "info")
	for _, y := range g.importer.fields(x.value) {
		switch v := text(y.value); {
		case y.name == "mode":
			digits := strings.TrimLeft(strings.TrimPrefix(v, "0o"), "0")
			switch octal := digits != v; {
			case octal && (digits == "644" || digits == "755"):
				mode = `"0` + digits + `"`
				g.say(y.key, Kept, "files: mode")
			case digits == "":
				g.say(y.key, Default, "0644, or 0755 if the file is executable in the commit")
			default: // also 644: without a zero it is a decimal number, 01204
				g.say(y.key, Changed, "0644, or 0755 if the file is executable in the commit")
			}
		case y.name == "mtime":
			g.commitTime(y)
		case y.name == "owner" || y.name == "group":
			g.say(y.key, Default, "files belong to 0")
		}
	}
	if x.there() && len(g.importer.fields(x.value)) == 0 {
		g.say(x.key, Default, "none")
	}
	return mode
}

// inModule is a path of the file's directory, seen from the module that is released.
func (g *goreleaser) inModule(name string) (string, bool) {
	if g.dir == "" {
		return name, true
	}
	return strings.CutPrefix(name, g.dir+"/")
}

// staticDir is the directory that a pattern begins with.
func staticDir(pattern string) string {
	var dirs []string
	for _, e := range strings.Split(path.Clean(pattern), "/") {
		if strings.ContainsAny(e, `*?[{`) {
			break
		}
		dirs = append(dirs, e)
	}
	return path.Join(dirs...)
}

func outside(pattern string) bool {
	p := path.Clean(pattern)
	return p == ".." || strings.HasPrefix(p, "../") || strings.HasPrefix(p, "/")
}

// longestPrefix is what all names begin with.
func longestPrefix(names []string) string {
	prefix := names[0]
	for _, n := range names[1:] {
		for !strings.HasPrefix(n, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix
}

const maxListed = 20_000

// listed are the files of the tree that a commit can have.
func (im *importer) listed() []string {
	if im.names != nil {
		return im.names
	}
	im.names = []string{}
	fs.WalkDir(im.Tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // what cannot be read is in no archive
		case d.IsDir() && (d.Name() == ".git" || name == "dist" || name == "vendor" || name == "node_modules"):
			return fs.SkipDir
		case len(im.names) >= maxListed:
			return fs.SkipAll
		case d.Type().IsRegular():
			im.names = append(im.names, name)
		}
		return nil
	})
	return im.names
}

// match finds what a pattern of GoReleaser's matches: of a directory, all that is
// in it. https://github.com/goreleaser/fileglob
func (im *importer) match(pattern string) (found []string) {
	re, err := globRegexp(path.Clean(pattern))
	if err != nil || outside(pattern) {
		return nil
	}
	for _, name := range im.listed() {
		for at := name; at != "."; at = path.Dir(at) {
			if re.MatchString(at) {
				found = append(found, name)
				break
			}
		}
	}
	return found
}

// globRegexp writes a pattern of github.com/gobwas/glob as a regular expression.
func globRegexp(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '{':
			depth++
			b.WriteString("(?:")
		case c == '}' && depth > 0:
			depth--
			b.WriteString(")")
		case c == ',' && depth > 0:
			b.WriteString("|")
		case c == '[' && strings.IndexByte(pattern[i:], ']') > 1:
			end := i + strings.IndexByte(pattern[i:], ']')
			class := pattern[i+1 : end]
			if class[0] == '!' {
				class = "^" + class[1:]
			}
			b.WriteString("[" + strings.ReplaceAll(class, `\`, `\\`) + "]")
			i = end
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	return regexp.Compile("^(?:" + b.String() + ")$")
}

// patterns are those of a profile that match the same files; exact is false if
// there are none and each file is named.
func (im *importer) patterns(pattern string, want []string) (list []string, exact bool) {
	clean := path.Clean(pattern)
	all := alternatives(clean)
	deep := []string{}
	for _, p := range all {
		deep = append(deep, p, p+"/**")
	}
	under := []string{}
	for _, p := range all {
		under = append(under, p+"/**")
	}
	shallow := []string{}
	for _, p := range all {
		shallow = append(shallow, strings.ReplaceAll(p, "**/*", "*/**"))
	}
	for _, list := range [][]string{all, under, deep, shallow} {
		var got []string
		for _, name := range im.listed() {
			if slices.ContainsFunc(list, func(p string) bool { return files.Match(p, name) }) {
				got = append(got, name)
			}
		}
		if slices.Equal(got, want) {
			return list, true
		}
	}
	return want, false
}

// maxAlternatives is how many patterns one with braces is written out as.
const maxAlternatives = 100

// alternatives writes out {a,b}; of a pattern that stands for too many it is that
// pattern, in which braces are characters.
func alternatives(pattern string) []string {
	list := []string{""}
	for rest := pattern; ; {
		open := strings.IndexByte(rest, '{')
		end := strings.IndexByte(rest[max(open, 0):], '}') + max(open, 0)
		if open < 0 || end < open {
			return appendEach(list, rest)
		}
		alts := strings.Split(rest[open+1:end], ",")
		if len(list)*len(alts) > maxAlternatives {
			return []string{pattern}
		}
		for i, alt := range alts {
			alts[i] = rest[:open] + alt
		}
		list, rest = appendEach(list, alts...), rest[end+1:]
	}
}

// appendEach has each text with each of the ends.
func appendEach(list []string, ends ...string) (out []string) {
	for _, s := range list {
		for _, end := range ends {
			out = append(out, s+end)
		}
	}
	return out
}
