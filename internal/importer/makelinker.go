package importer

import (
	"slices"
	"strings"
)

// linker reads flags of the linker. Of a text that may be something else besides, such
// as the value of a variable, sure is false: there only flags count that nothing else has.
func (m *makefile) linker(line int, text string, sure bool) {
	text = strings.Trim(m.expand(text, 0), `"'`)
	words := shellWords(text)
	for i := 0; i < len(words); i++ {
		w := words[i]
		name, v, has := strings.Cut(w, "=")
		if strings.HasPrefix(name, "--") {
			name = name[1:]
		}
		switch {
		case w == "-ldflags" && i+1 < len(words) && !sure:
			i++
			m.linker(line, words[i], true)
		case w == "-ldflags" || strings.HasPrefix(w, "-ldflags="):
			m.linker(line, strings.TrimPrefix(strings.TrimPrefix(w, "-ldflags"), "="), true)
		case w == "-s" || w == "-w":
			m.tell(line, w, Default, "ldflags.strip is all")
		case w == "-X" && i+1 < len(words), strings.HasPrefix(w, "-X="):
			if w == "-X" {
				i++
				w = words[i]
			}
			m.variable(line, strings.TrimPrefix(w, "-X="))
		case strings.HasPrefix(name, "-") && (sure || slices.Contains(linkOutside(), name)):
			if !has && slices.Contains(linkValues(), name) && i+1 < len(words) {
				i++
				v = words[i]
			}
			m.dropped = append(m.dropped, droppedFlag{line, name, v})
		case strings.HasPrefix(w, "$"), strings.HasPrefix(w, "`"):
			set := linkerFlag.FindAllStringSubmatch(w, -1)
			for _, x := range set {
				if !m.told("-X " + x[1]) {
					m.tell(line, "-X "+x[1], Cannot, "a function of make decides on it; write it into ldflags.set, if a release needs it")
				}
			}
			if len(set) == 0 && sure {
				m.unknown(line, w)
			}
		}
	}
}

// unknown says of what make or the shell computes that it may hold flags of the linker.
func (m *makefile) unknown(line int, ref string) {
	why := "whoever runs make says which flags of the linker these are"
	if name := makeRef.FindStringSubmatch(ref); name == nil || name[0] != ref {
		why = "what it gives is not known without running it"
	} else if v, ok := m.vars[name[1]+name[2]]; ok {
		why = quote(strings.Join(strings.Fields(v.text), " ")) + " is not run, and which flags of the linker it gives is not known"
	}
	m.tell(line, "-ldflags "+ref, Cannot, "%s; write them into ldflags.set and ldflags.extra, if a release needs them", why)
}

// linkOutside are flags by which another linker than Go's is used, or is told something.
func linkOutside() []string { return []string{"-extldflags", "-linkmode", "-extld", "-extar"} }

// linkValues are flags of the linker whose value may be the next word.
func linkValues() []string {
	return append(linkOutside(), "-H", "-B", "-buildid", "-T", "-E", "-I", "-L", "-R", "-k", "-r", "-o", "-installsuffix", "-buildmode", "-compressdwarf")
}

// droppedFlag is a flag of the linker that no key of a profile is for.
type droppedFlag struct {
	line        int
	name, value string
}

// extra says what became of flags of the linker that no key is for. None of them is
// kept: a Makefile builds for one platform, and what a linker takes depends on it.
func (m *makefile) extra() {
	cgo := m.of["cgo"].text == "true" || m.Plain.Part.CGO != ""
	for _, f := range m.dropped {
		flag, key := f.name, f.name
		if f.value != "" {
			flag, key = f.name+"="+f.value, f.name+" "+f.value
		}
		instead := "ldflags.extra: [" + quote(flag) + "]"
		switch {
		case strings.Contains(f.value, "$"):
			m.tell(f.line, key, Cannot, "its value is not in the Makefile; write it into ldflags.extra, if a release needs it")
		case slices.Contains(linkOutside(), f.name) && !cgo:
			m.tell(f.line, key, Changed, "it is about the linker of a C compiler, and a build without cgo, as the file has it, is linked by Go's own; with cgo: true write %s", instead)
		default:
			m.tell(f.line, key, Cannot, "which platforms it is for is not in the Makefile; write %s into the profile, or into overrides of these platforms", instead)
		}
	}
}

// variable sets one of the linker's variables, if its value follows from the commit.
func (m *makefile) variable(line int, text string) {
	name, v, ok := strings.Cut(strings.Trim(text, `"'`), "=")
	name, flag := strings.Trim(name, `"'`), "-X "+name
	v = strings.Trim(v, `"'`)
	if _, done := m.of["ldflags.set/"+name]; done {
		return
	}
	dot := strings.LastIndex(name, ".")
	if !ok || dot < 0 || strings.Contains(name, "$") {
		m.tell(line, "-X "+text, Cannot, "which variable it is follows from no constant; write it into ldflags.set")
		return
	}
	main := "./"
	if len(m.main) > 0 {
		main = m.main[0]
	}
	if pkg := name[:dot]; pkg != "main" && !m.declares(pkg, name[dot+1:], "", main) {
		m.tell(line, flag, Changed, "there is no such variable with a text, so that it did nothing")
		return
	}
	out, note := m.follows(v, name[dot+1:], 0)
	if note != "" && out == "" {
		m.tell(line, flag, Cannot, "%s", note)
		return
	}
	if e := m.embeds(name[:dot], name[dot+1:], "", main); e != "" {
		note = strings.TrimPrefix(note+"; "+replaces(name, e), "; ")
	}
	var said *statement
	if note != "" {
		said = m.tell(line, flag, Changed, "ldflags.set: %s; %s", out, note)
	} else {
		said = m.tell(line, flag, Kept, "ldflags.set: %s", out)
	}
	m.of["ldflags.set/"+name] = value{text: quote(out), from: []any{said}}
}
