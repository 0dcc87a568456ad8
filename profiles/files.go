package profiles

import (
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"go.yaml.in/yaml/v4"
)

// filesSetting decodes the list of further files for archives: each is a glob, or
// a map with one. What is wrong with an element is reported once, and of the element
// nothing is kept; the others are looked at like those of any other list.
func (d *decoder) filesSetting(k key, n *yaml.Node, v *value) bool {
	if n.Kind != yaml.SequenceNode {
		_, _, ok := d.texts(n, k.name, "")
		return ok
	}
	if !d.plainTag(n, "!!seq") {
		return false
	}
	if len(n.Content) > maxEntries {
		d.errorAt(v.pos, "", "%s has more than %d elements", k.name, maxEntries)
		return false
	}
	var dsts []*yaml.Node // nil where there is none
	v.at = func(item, offset int) Position {
		if item >= 0 && dsts[item] != nil {
			return d.inside(dsts[item], offset)
		}
		return v.pos
	}
	for _, item := range n.Content {
		item = d.follow(item)
		f, src, dst := FileRule{}, item, (*yaml.Node)(nil)
		good := false
		if item.Kind == yaml.MappingNode {
			f, src, dst, good = d.fileRule(k, item)
		} else if f.Src, good = d.text(item, "an element of "+k.name); !good {
			src = nil
		}
		pos := d.pos(item)
		if src != nil {
			pos = d.pos(src)
			if err := checkGlob("files", f.Src); err != nil {
				d.err(pos, err)
				good = false
			}
		}
		at := pos
		if dst != nil {
			at = d.pos(dst)
			if err := checkDst(f.Dst); err != nil && !strings.Contains(f.Dst, "{{") {
				d.err(at, err)
				good = false
			}
		}
		if !good {
			continue
		}
		if slices.Contains(v.files, f) {
			d.warnAt(pos, "", "%s has %q twice", k.name, f.Src)
		}
		v.files, v.list, dsts = append(v.files, f), append(v.list, f.Src), append(dsts, dst)
		v.items, v.dsts = append(v.items, pos), append(v.dsts, at)
		if strings.Contains(f.Dst, "{{") {
			d.checkTemplate(find(k.sub, "files.dst"), v, len(dsts)-1, f.Dst)
		}
	}
	return true
}

// fileRule decodes an element that is a map.
func (d *decoder) fileRule(k key, n *yaml.Node) (f FileRule, src, dst *yaml.Node, ok bool) {
	entries, ok := d.mapEntries(n, "an element of "+k.name, "")
	if !ok {
		return f, nil, nil, false
	}
	wrong := false
	for _, e := range entries {
		i := slices.IndexFunc(k.sub, func(s key) bool { return s.last() == e.name })
		if i < 0 {
			wrong = d.unknownKey(e, k.name, k.sub, nil) == "src" || wrong
			ok = false
			continue
		}
		sub := k.sub[i]
		text, good := d.text(e.value, sub.name)
		switch {
		case !good || sub.enum != nil && !d.enum(d.pos(e.value), sub.name, text, sub.enum):
			ok = false
			if sub.last() == "src" {
				wrong = true // and not missing
			}
		case sub.last() == "src":
			f.Src, src = text, e.value
		case sub.last() == "dst":
			f.Dst, dst = text, e.value
		case sub.last() == "mode":
			f.Mode = text
		}
	}
	if src == nil && !wrong {
		d.errorAt(d.pos(n), `write {src: "docs/*", dst: manual}`, "an element of %s has no src", k.name)
		ok = false
	}
	return f, src, dst, ok
}

// checkDst checks where files go in an archive: a path, a directory with a slash at
// its end, or the top, which is "." or "./".
func checkDst(s string) error {
	if s == "." || s == "./" {
		return nil
	}
	return CheckPath("dst", strings.TrimSuffix(s, "/"))
}

// Place is the path in the archive of a file of the commit that f.Src matches; Dst
// must have been expanded.
func (f FileRule) Place(name string) string {
	src := path.Clean(f.Src)
	switch {
	case f.Dst == "":
		return name
	case !f.Pattern() && !strings.HasSuffix(f.Dst, "/") && f.Dst != ".":
		return f.Dst
	case !f.Pattern():
		return path.Join(f.Dst, path.Base(name))
	}
	below := "" // the directory that the pattern begins with
	for _, e := range strings.Split(src, "/") {
		if strings.ContainsAny(e, patternChars) {
			break
		}
		below += e + "/"
	}
	return path.Join(f.Dst, strings.TrimPrefix(name, below))
}

// checkArchive wants formats, or none alone.
func (d *decoder) checkArchive(k key, v *value) {
	if len(v.list) == 0 {
		d.errorAt(v.pos, map[string]string{"archive": "write none for bare binaries", "packages.formats": "write none for no packages"}[k.name], "%s is empty", k.name)
	}
	seen := map[string]bool{}
	for i, s := range v.list {
		if d.enum(v.items[i], k.name, s, k.enum) && seen[s] {
			d.warnAt(v.items[i], "", "%s has %q twice", k.name, s)
		}
		seen[s] = true
	}
	if seen[fact.NoArchive] && len(seen) > 1 {
		what, hint := "archive has none beside formats: a profile publishes its programs in archives or as they are", "write none alone, or give the bare binaries a profile of their own"
		if k.name != "archive" {
			what, hint = k.name+" has none beside formats", "write none alone, or leave it out"
		}
		d.errorAt(v.items[slices.Index(v.list, fact.NoArchive)], hint, "%s", what)
	}
}

// filesYAML writes the list as it would stand in a file.
func filesYAML(files []FileRule) string {
	var items []string
	for _, f := range files {
		item := quoteYAML(f.Src)
		if f.Dst != "" || f.Mode != "" {
			item = "{src: " + item
			if f.Dst != "" {
				item += ", dst: " + quoteYAML(f.Dst)
			}
			if f.Mode != "" {
				item += `, mode: "` + f.Mode + `"`
			}
			item += "}"
		}
		items = append(items, item)
	}
	return "[" + strings.Join(items, ", ") + "]"
}
