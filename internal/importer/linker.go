package importer

import (
	"slices"
	"strings"
)

// defaultLDFlags are GoReleaser's where a build has none.
const defaultLDFlags = "-s -w -X main.version={{.Version}} -X main.commit={{.Commit}} -X main.date={{.Date}} -X main.builtBy=goreleaser"

// ldflags are those of the linker.
func (f filler) ldflags() {
	g := f.g
	f.each(func(t target) string {
		return strings.Join(texts(f.details(t).ldflags.value), "\x00") + "\x01" + f.builds(t)[0].main[0] + "\x01" + f.builds(t)[0].dir
	}, func(targets []target) error {
		key := f.keys(targets, func(d details) field { return d.ldflags })
		list := texts(f.details(targets[0]).ldflags.value)
		own := len(list) > 0
		if len(list) == 0 {
			list = []string{defaultLDFlags}
			g.unwritten("builds.ldflags", Kept, "GoReleaser's default: %s, of the variables that are there", defaultLDFlags)
			g.say(key, Default, "none is named, so GoReleaser's default")
		}
		l := linkReader{filler: f, targets: targets, key: key, own: own}
		for _, src := range list {
			tr, err := g.translate(src, targets, g.scope())
			if err != nil {
				if len(targets) > 1 {
					return err
				}
				l.parts(src)
				continue
			}
			for _, c := range tr.changes {
				g.say(key, Changed, "%s", c)
			}
			l.words = append(l.words, splitFlags(tr.text)...)
		}
		return l.read()
	})
}

// linkReader reads flags of the linker.
type linkReader struct {
	filler
	targets []target
	key     keys // of the source
	own     bool // not GoReleaser's default
	words   []string
}

// parts takes over of a text, of which not all can be, the flags that can.
func (l *linkReader) parts(src string) {
	for _, w := range splitFlags(src) {
		tr, err := l.g.translate(w, l.targets, l.g.scope())
		if err != nil {
			l.g.say(l.key, Cannot, "%v", err)
			if n := len(l.words); n > 0 && l.words[n-1] == "-X" {
				l.words = l.words[:n-1]
			}
			continue
		}
		for _, c := range tr.changes {
			l.g.say(l.key, Changed, "%s", c)
		}
		l.words = append(l.words, splitFlags(tr.text)...)
	}
}

func (l *linkReader) put(key string, v value) {
	for _, t := range l.targets {
		l.set(t, key, v)
	}
}

func (l *linkReader) read() error {
	symbols, debug := false, false
	var extra []string
	for i := 0; i < len(l.words); i++ {
		w := l.words[i]
		if strings.HasPrefix(w, "{{if ") || strings.HasPrefix(w, "{{with ") {
			if len(l.targets) > 1 {
				return errSplit
			}
			l.g.say(l.key, Cannot, "%s is no flag", w)
			continue
		}
		name, v, has := strings.Cut(w, "=")
		name = "-" + strings.TrimLeft(name, "-")
		switch {
		case name == "-s" && v != "false" && v != "0":
			symbols = true
		case name == "-w" && v != "false" && v != "0":
			debug = true
		case name == "-X":
			if !has {
				if i++; i >= len(l.words) {
					break
				}
				v = l.words[i]
			}
			l.variable(v) // with what quotes are in it: the go command takes off those around the whole word
		case w == name && slices.Contains([]string{"-extldflags", "-linkmode", "-H", "-B", "-buildid", "-T", "-E", "-I", "-k", "-r", "-R", "-extld"}, name) && i+1 < len(l.words):
			i++
			extra = append(extra, name+"="+l.words[i])
		case strings.HasPrefix(w, "-"):
			extra = append(extra, name+strings.TrimPrefix(w, strings.SplitN(w, "=", 2)[0]))
		default:
			l.g.say(l.key, Cannot, "%s is no flag", w)
		}
	}
	if len(l.words) > 0 {
		l.strip(symbols, debug)
	}
	if len(extra) > 0 {
		l.put("ldflags.extra", value{list: quoted(extra), from: []any{l.key}})
	}
	l.g.say(l.key, Kept, "ldflags")
	return nil
}

// strip is what of names and debug information is left out.
func (l *linkReader) strip(symbols, debug bool) {
	switch {
	case symbols && debug:
	case symbols:
		l.g.say(l.key, Changed, "-s leaves the debug information out too: ldflags.strip is all, -s -w")
	case debug:
		l.put("ldflags.strip", value{text: "debug", from: []any{l.key}})
	default:
		l.put("ldflags.strip", value{text: "none", from: []any{l.key}})
	}
}

// variable sets one with -X, if it is there: the go command passes over one that is
// not, and check refuses it.
func (l *linkReader) variable(text string) {
	name, v, ok := strings.Cut(text, "=")
	dot := strings.LastIndex(name, ".")
	if !ok || dot < 0 {
		l.g.say(l.key, Cannot, "-X %s is not NAME=VALUE", text)
		return
	}
	pkg, ident := name[:dot], name[dot+1:]
	b := l.builds(l.targets[0])
	there, embeds := false, ""
	for _, b := range b {
		there = there || l.g.declares(pkg, ident, b.dir, b.main[0])
		embeds = first(embeds, l.g.embeds(pkg, ident, b.dir, b.main[0]))
	}
	switch {
	case !there && !l.own:
		return
	case !there:
		l.g.say(l.key, Changed, "%s is no variable of that package with a text, so that -X did nothing; it is left out", name)
		return
	case ident == "builtBy" && v == "goreleaser":
		v = "mintmark"
		l.g.say(l.key, Changed, "%s: mintmark", name)
	}
	if embeds != "" {
		l.g.say(l.key, Changed, "%s", replaces(name, embeds))
	}
	l.put("ldflags.set/"+name, value{text: quote(v), from: []any{l.key}})
}

// replaces says what -X does to a variable that is embedded.
func replaces(name, embeds string) string {
	return name + " is embedded from " + embeds + ", and -X puts another text in its place; without the key in ldflags.set the program has what is in that file"
}
