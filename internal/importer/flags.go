package importer

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// errSplit says that a value is another one for each platform.
var errSplit = errors.New("it holds several flags, or none, as the platform is")

// environment sets cgo and env.
func (f filler) environment() {
	g := f.g
	f.each(func(t target) string {
		return strings.Join(texts(f.details(t).env.value), "\x00") + "\x01" + f.builds(t)[0].id
	}, func(targets []target) error {
		own := f.keys(targets, func(d details) field { return d.env })
		entries := slices.Clone(g.env)
		for _, kv := range texts(f.details(targets[0]).env.value) {
			name, text, _ := strings.Cut(kv, "=")
			entries = append(entries, envEntry{name, text, own})
		}
		cgo := ""
		var cgoKey any
		var err error
		for i, e := range entries {
			if e.name == "CGO_ENABLED" {
				cgo, cgoKey = e.text, e.key
				continue
			}
			if e := f.variable(e, i < len(g.env), targets); e != nil {
				err = e
			}
		}
		switch cgo {
		case "0":
			g.say(cgoKey, Default, "cgo is false")
		case "1":
			for _, t := range targets {
				f.set(t, "cgo", value{text: "true", from: []any{cgoKey}})
			}
			g.say(cgoKey, Kept, "cgo: true")
		case "":
			g.unwritten("CGO_ENABLED", Changed, "not set: GoReleaser builds the machine's own platform with C code where there is a compiler; cgo is false here")
		default:
			g.say(cgoKey, Cannot, "CGO_ENABLED=%s is no constant; cgo is true or false, in an override for some platforms", cgo)
		}
		if len(entries) == 0 {
			g.say(own, Default, "none")
		}
		return err
	})
}

// variable sets one variable of the environment.
func (f filler) variable(e envEntry, global bool, targets []target) error {
	g := f.g
	build := strings.HasPrefix(e.name, "CGO_") || strings.HasPrefix(e.name, "PKG_CONFIG") || slices.Contains([]string{"CC", "CXX", "AR", "FC", "GOEXPERIMENT", "GOFIPS140"}, e.name)
	switch {
	case e.name == "GO111MODULE":
		g.say(e.key, Default, "modules are always used")
		return nil
	case slices.Contains([]string{"GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOINSECURE", "GOAUTH", "GONOSUMCHECK"}, e.name):
		g.say(e.key, Changed, "%s: modules are fetched with the settings of your go command (go env -w)", e.name)
		return nil
	case e.name == "GOTOOLCHAIN":
		g.say(e.key, Changed, "the toolchain is the key go of the file, else go.mod's")
		return nil
	case strings.HasPrefix(e.name, "GO") && !build:
		g.say(e.key, Cannot, "%s is set by mintmark, or by a key of its own", e.name)
		return nil
	case global && !build:
		g.say(e.key, Changed, "%s: no build of Go reads it; where a template names it, its value is written out", e.name)
		return nil
	case strings.Contains(e.text, "$"):
		g.say(e.key, Cannot, "%s takes a value out of the environment of whoever builds", e.name)
		return nil
	}
	tr, err := g.translate(e.text, targets, g.scope())
	if err != nil {
		if len(targets) == 1 {
			g.say(e.key, Cannot, "%s: %v", e.name, err)
		}
		return err
	}
	for _, t := range targets {
		f.set(t, "env/"+e.name, value{text: quote(tr.text), from: []any{e.key}})
	}
	g.keep(e.key, tr.changes, "env")
	return nil
}

// flags are those of go build.
func (f filler) flags() {
	g := f.g
	raw := func(t target) string {
		d, parts := f.details(t), []string{}
		for _, x := range []field{d.flags, d.tags, d.gcflags, d.asmflags, d.buildmode} {
			parts = append(parts, strings.Join(texts(x.value), "\x00"))
		}
		return strings.Join(parts, "\x01")
	}
	f.each(raw, func(targets []target) error {
		d := f.details(targets[0])
		r := flagReader{filler: f, targets: targets}
		var errs []error
		words := func(of func(d details) field, read func(key any, text string)) {
			x, key := of(d), f.keys(targets, of)
			for _, src := range texts(x.value) {
				tr, err := g.translate(src, targets, g.scope())
				if err == nil && strings.HasPrefix(tr.text, "{{if ") && len(targets) > 1 {
					err = errSplit
				}
				if err != nil {
					if errs = append(errs, err); len(targets) == 1 {
						g.say(key, Cannot, "%v", err)
					}
					continue
				}
				for _, c := range tr.changes {
					g.say(key, Changed, "%s", c)
				}
				if tr.text == "" {
					g.say(key, Default, "%s is empty", quote(src))
					continue
				}
				read(key, tr.text)
			}
			if x.there() && len(texts(x.value)) == 0 {
				g.say(key, Default, "none")
			}
		}
		words(func(d details) field { return d.flags }, r.word)
		words(func(d details) field { return d.tags }, r.tag)
		words(func(d details) field { return d.gcflags }, func(key any, text string) { r.compiler("gcflags", key, text) })
		words(func(d details) field { return d.asmflags }, func(key any, text string) { r.compiler("asmflags", key, text) })
		words(func(d details) field { return d.buildmode }, r.mode)
		r.end()
		if !r.trimpath {
			g.unwritten("builds.flags", Changed, "-trimpath is not there: names of directories are kept out of programs all the same (trimpath: false keeps them in)")
		}
		return errors.Join(errs...)
	})
}

// flagReader reads flags of go build.
type flagReader struct {
	filler
	targets  []target
	trimpath bool
	pending  string // a flag that waits for its value
	tags     []string
	tagKeys  []any
	lists    map[string][]string
}

func (r *flagReader) put(key string, v value) {
	for _, t := range r.targets {
		r.set(t, key, v)
	}
}

// word reads an element of flags: a flag, its value, or several in one text.
func (r *flagReader) word(key any, text string) {
	for _, w := range splitFlags(text) {
		r.flag(key, w)
	}
}

func (r *flagReader) flag(key any, w string) {
	g := r.g
	if r.pending != "" {
		w, r.pending = r.pending+"="+w, ""
	}
	name, v, has := strings.Cut(w, "=")
	name = "-" + strings.TrimLeft(name, "-")
	if !has && slices.Contains([]string{"-tags", "-mod", "-buildmode", "-pgo", "-gcflags", "-asmflags", "-ldflags", "-p", "-o", "-compiler", "-overlay", "-modfile", "-installsuffix", "-pkgdir", "-toolexec"}, name) {
		r.pending = name
		return
	}
	switch name {
	case "-trimpath":
		if r.trimpath = true; off(v) {
			r.put("trimpath", value{text: "false", from: []any{key}})
			g.say(key, Kept, "trimpath: false")
		} else {
			g.say(key, Default, "-trimpath")
		}
	case "-tags":
		r.tag(key, v)
	case "-mod":
		switch v {
		case "readonly":
			g.say(key, Default, "-mod=readonly")
		case "vendor":
			r.put("mod", value{text: "vendor", from: []any{key}})
			g.say(key, Kept, "mod: vendor")
		default:
			g.say(key, Cannot, "-mod=%s changes go.mod while it builds; run go mod tidy and commit it", v)
		}
	case "-buildmode":
		r.mode(key, v)
	case "-buildvcs":
		if off(v) {
			r.put("buildvcs", value{text: "false", from: []any{key}})
			g.say(key, Kept, "buildvcs: false")
		} else {
			g.say(key, Default, "-buildvcs")
		}
	case "-pgo":
		if v == "auto" {
			g.say(key, Default, "-pgo=auto")
			return
		}
		r.put("pgo", value{text: quote(strings.TrimPrefix(v, "./")), from: []any{key}})
		g.say(key, Kept, "pgo")
	case "-gcflags", "-asmflags":
		r.compiler(name[1:], key, v)
	case "-ldflags":
		g.say(key, Cannot, "-ldflags among flags is overruled by ldflags in GoReleaser; put them there, and run init again")
	case "-v", "-x", "-a", "-p", "-n", "-work":
		g.say(key, Changed, "%s decides nothing of what is built", name)
	default:
		g.say(key, Cannot, "%s is no key of a profile", w)
	}
}

// tag reads tags, which commas or spaces part.
func (r *flagReader) tag(key any, text string) {
	for _, t := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' }) {
		if t = strings.Trim(t, `"'`); t != "" && !slices.Contains(r.tags, t) {
			r.tags = append(r.tags, t)
		}
	}
	r.tagKeys = append(r.tagKeys, key)
	r.g.say(key, Kept, "tags")
}

func (r *flagReader) mode(key any, v string) {
	if v == "" || v == "default" {
		r.g.say(key, Default, "the platform's own build mode")
		return
	}
	r.put("buildmode", value{text: quote(v), from: []any{key}})
	r.g.say(key, Kept, "buildmode")
}

// off reports whether a flag that is true or false is false.
func off(v string) bool {
	b, err := strconv.ParseBool(v)
	return err == nil && !b
}

// compiler reads flags of the compiler or the assembler. Each text is a flag of
// go build by itself, of which the last that is for a package is the one for it.
func (r *flagReader) compiler(name string, key any, text string) {
	if r.lists == nil {
		r.lists = map[string][]string{}
	}
	words, before := splitFlags(text), r.lists[name]
	if len(words) > 0 && strings.HasPrefix(words[0], "-") && len(before) > 0 {
		if slices.ContainsFunc(before, func(w string) bool { return !strings.HasPrefix(w, "-") }) {
			r.g.say(key, Cannot, "%s: for the packages of main it counts in the place of what stands before it; write it in front of what has a pattern, and run init again", quote(text))
			return
		}
		r.g.say(key, Changed, "%s is not there: of several without a pattern the go command takes the last", strings.Join(before, " "))
		before = nil
	}
	r.lists[name] = append(slices.Clone(before), words...)
	r.put(name, value{list: quoted(r.lists[name]), from: []any{key}})
	r.g.say(key, Kept, "%s", name)
}

func (r *flagReader) end() {
	if len(r.tags) > 0 {
		slices.Sort(r.tags)
		r.put("tags", value{list: quoted(r.tags), from: r.tagKeys})
	}
}

// splitFlags parts a text as the go command parts flags: at white space, but not in
// a field that begins with a quote, nor in a template.
func splitFlags(s string) (fields []string) {
	space := func(c byte) bool { return strings.IndexByte(" \t\n\r", c) >= 0 }
	for i := 0; i < len(s); {
		if space(s[i]) {
			i++
			continue
		}
		if s[i] == '"' || s[i] == '\'' {
			if end := strings.IndexByte(s[i+1:], s[i]); end >= 0 {
				fields = append(fields, s[i+1:i+1+end])
				i += end + 2
				continue
			}
		}
		start, depth := i, 0
		for i < len(s) && (depth > 0 || !space(s[i])) {
			if strings.HasPrefix(s[i:], "{{") {
				if end := strings.Index(s[i:], "}}"); end >= 0 {
					action := strings.Trim(s[i+2:i+end], " -")
					switch {
					case strings.HasPrefix(action, "if ") || strings.HasPrefix(action, "with "):
						depth++
					case action == "end":
						depth--
					}
					i += end + 2
					continue
				}
			}
			i++
		}
		fields = append(fields, s[start:i])
	}
	return fields
}
