package recovery

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/compare"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/files"
)

// Bounds of what a comparison is made use of for.
const (
	maxSet      = 5      // variables whose orders are all tried
	maxTexts    = 4      // texts that are given to variables
	maxNames    = 12     // variables of the source that may hold them
	maxRewrites = 3000   // expansions of one template that known values are put into
	maxFed      = 60_000 // spellings made of one comparison
	maxGoFiles  = 3000   // of the source, that are read for variables
)

// fromSource is where candidates are from that no configuration suggests.
const fromSource = "variables of the source, with texts that only the binary has"

// learned is what comparing the binary with a link of it told of the values that -X has
// set in the binary. All of it makes candidates, which the action ID or the bytes confirm.
type learned struct {
	set   map[string]string // by variable: certain, from the symbols that the linker makes
	texts []string          // that a variable of the binary holds and none of the link
	gone  []string          // that a variable of the link holds and none of the binary
}

// compare compares an attempt with the binary, once.
func (b *subject) compare(ctx context.Context, a *attempt) (*bindiff.Diff, error) {
	if a.diff != nil {
		return a.diff, nil
	}
	b.step("compare")
	// What the file says of its source and toolchain is a claim, not known.
	v, err := compare.Files(ctx, []string{b.file, a.file}, bindiff.Known{})
	if err == nil && v.Diff == nil {
		err = errors.New("a file changed while it was compared")
	}
	if err != nil {
		return nil, err
	}
	a.diff = v.Diff
	return a.diff, nil
}

// learn reads a comparison for values of -X.
func learn(d *bindiff.Diff) learned {
	l := learned{set: map[string]string{}}
	for _, v := range d.Values {
		if v.InA && len(v.A) < 512 { // longer ones are cut
			// Symbols have dots of an import path's last element escaped (cmd/internal/objabi.PathToPrefix).
			l.set[strings.ReplaceAll(v.Name, "%2e", ".")] = v.A
		}
	}
	if len(d.Values) == 0 && len(d.OnlyA) <= maxTexts {
		l.texts, l.gone = d.OnlyA, d.OnlyB
	}
	return l
}

func (l learned) empty() bool { return len(l.set) == 0 && len(l.texts) == 0 }

// candidates are the spellings of the linker's flags that what was learned suggests.
func (l learned) candidates(strips [][]string, templates []template, v *Values, vars []variable) iter.Seq[candidate] {
	return func(yield func(candidate) bool) {
		seen := map[string]bool{}
		n := 0
		give := func(flags []string, from string) bool {
			key := strings.Join(flags, "\x00")
			if seen[key] {
				return true
			}
			seen[key] = true
			n++
			return n <= maxFed && yield(candidate{Flags: slices.Clone(flags), From: from})
		}
		around := func(flags []string, from string) bool {
			for _, s := range strips {
				if !give(slices.Concat(s, flags), from) || !give(slices.Concat(flags, s), from) {
					return false
				}
			}
			return true
		}
		if len(l.set) > 0 {
			for _, t := range templates {
				n := 0
				for flags := range t.expand(v, true) {
					if n++; n > maxRewrites {
						break
					}
					flags, known := l.rewrite(flags)
					if known && (!around(withoutStrip(flags), t.From+", with values that the binary has") || !give(flags, t.From+", with values that the binary has")) {
						return
					}
				}
			}
			for names := range orders(l.names(templates)) {
				if !spellSet(names, func(name string) string { return l.set[name] }, func(flags []string) bool {
					return around(flags, "the symbols of -X in the binary")
				}) {
					return
				}
			}
			return
		}
		if len(l.texts) == 0 {
			return
		}
		names := likely(vars, l.gone)
		// The commonest spelling of each first: without a build ID only a few are linked.
		for chosen := range selections(names, len(l.texts)) {
			for texts := range orders(l.texts) {
				var flags []string
				for i, name := range chosen {
					flags = append(flags, "-X", name+"="+texts[i])
				}
				if !give(slices.Concat(strips[0], flags), fromSource) {
					return
				}
			}
		}
		more := *v
		more.extra = l.texts
		for _, t := range templates {
			n := 0
			for flags := range t.expand(&more, true) {
				if n++; n > maxRewrites {
					break
				}
				if !give(flags, t.From+", with texts that only the binary has") || !around(withoutStrip(flags), t.From+", with texts that only the binary has") {
					return
				}
			}
		}
		for chosen := range selections(names, len(l.texts)) {
			for texts := range orders(l.texts) {
				if !spellSet(chosen, func(name string) string { return texts[slices.Index(chosen, name)] }, func(flags []string) bool {
					return around(flags, fromSource)
				}) {
					return
				}
			}
		}
	}
}

// rewrite puts known values into flags; known is false if there is no place for any.
func (l learned) rewrite(flags []string) (out []string, known bool) {
	out = slices.Clone(flags)
	for i, f := range out {
		prefix := ""
		if rest, ok := strings.CutPrefix(f, "-X="); ok {
			prefix, f = "-X=", rest
		} else if i == 0 || out[i-1] != "-X" {
			continue
		}
		name, _, _ := strings.Cut(f, "=")
		if value, ok := l.set[name]; ok {
			out[i], known = prefix+name+"="+value, true
		}
	}
	return out, known
}

// names are the variables in the order in which a configuration mentions them first; the
// others follow by name.
func (l learned) names(templates []template) []string {
	names := slices.Sorted(maps.Keys(l.set))
	for _, t := range templates {
		var text strings.Builder
		for _, p := range t.parts {
			text.WriteString(p.text)
		}
		at := map[string]int{}
		for _, name := range names {
			if at[name] = strings.Index(text.String(), name+"="); at[name] < 0 {
				at[name] = text.Len()
			}
		}
		if slices.ContainsFunc(names, func(n string) bool { return at[n] < text.Len() }) {
			slices.SortStableFunc(names, func(x, y string) int { return at[x] - at[y] })
			break
		}
	}
	return names
}

// spellSet gives the two ways in which variables are set in that order.
func spellSet(names []string, value func(string) string, give func([]string) bool) bool {
	var apart, joined []string
	for _, name := range names {
		apart = append(apart, "-X", name+"="+value(name))
		joined = append(joined, "-X="+name+"="+value(name))
	}
	return give(apart) && give(joined)
}

// orders are all orders of a short list, the given one first; of a longer one that alone.
func orders(list []string) iter.Seq[[]string] {
	if len(list) > maxSet {
		return func(yield func([]string) bool) { yield(list) }
	}
	return selections(list, len(list))
}

// selections are all orders of n of the list, those in the order of the list first.
func selections(list []string, n int) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		var pick func(chosen []string) bool
		pick = func(chosen []string) bool {
			if len(chosen) == n {
				return yield(chosen)
			}
			for _, s := range list {
				if !slices.Contains(chosen, s) && !pick(append(slices.Clip(chosen), s)) {
					return false
				}
			}
			return true
		}
		pick(nil)
	}
}

func withoutStrip(flags []string) []string {
	return slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return f == "-s" || f == "-w" })
}

// variable is one of the source that -X can set.
type variable struct {
	name  string // as -X names it
	value string // that the source gives it; "" for none
}

// settable finds the variables of a module's packages that -X can set: those of type string
// without a value or with a literal one (cmd/link, -X).
func settable(dir, modPath string) (vars []variable) {
	n := 0
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch base := filepath.Base(name); {
		case err != nil:
			return nil // what cannot be read has no variable for us
		case d.IsDir() && name != dir && (base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_'):
			return fs.SkipDir
		case d.IsDir() || !d.Type().IsRegular() || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go"):
			return nil
		}
		if n++; n > maxGoFiles {
			return fs.SkipAll
		}
		rel, err := filepath.Rel(dir, filepath.Dir(name))
		if err != nil {
			return nil
		}
		data, err := files.Read(name, maxConfigFile)
		if err != nil {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, data, parser.SkipObjectResolution)
		if err != nil {
			return nil
		}
		pkg := path.Join(modPath, filepath.ToSlash(rel))
		if f.Name.Name == "main" {
			pkg = "main"
		}
		for _, decl := range f.Decls {
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, spec := range g.Specs {
					vars = append(vars, stringsOf(pkg, spec.(*ast.ValueSpec))...)
				}
			}
		}
		return nil
	})
	return vars
}

// stringsOf are the variables of one specification that -X can set.
func stringsOf(pkg string, s *ast.ValueSpec) (vars []variable) {
	typ, isString := s.Type.(*ast.Ident)
	isString = isString && typ.Name == "string"
	if s.Type != nil && !isString {
		return nil
	}
	for i, name := range s.Names {
		v := variable{name: pkg + "." + name.Name}
		if i < len(s.Values) {
			lit, ok := s.Values[i].(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				continue
			}
			v.value, _ = strconv.Unquote(lit.Value)
		} else if len(s.Values) > 0 || !isString {
			continue
		}
		if name.Name != "_" && !slices.Contains(vars, v) {
			vars = append(vars, v)
		}
	}
	return vars
}

// stamped is what variables are called that are set when a program is released.
var stamped = regexp.MustCompile(`(?i)version|commit|date|build|rev|tag|branch|sha|hash|channel|release|stage|env|time|arch|platform`)

// likely are the names of variables that may hold what only the binary has: those whose
// value of the source is missing in it, then those that are called so. (What the compiler
// has put into a program is mostly not told apart from what is around it.)
func likely(vars []variable, gone []string) (names []string) {
	add := func(match func(variable) bool) {
		for _, v := range vars {
			if match(v) && !slices.Contains(names, v.name) && len(names) < maxNames {
				names = append(names, v.name)
			}
		}
	}
	called := func(v variable) bool { return stamped.MatchString(v.name[strings.LastIndex(v.name, ".")+1:]) }
	add(func(v variable) bool { return v.value != "" && slices.Contains(gone, v.value) })
	add(func(v variable) bool { return v.value == "" && called(v) })
	add(called)
	return names
}
