package importer

import (
	"regexp"
	"slices"
	"strings"
)

var (
	makeRule   = regexp.MustCompile(`^([^\s#:=][^#:=]*?)\s*::?([^=]*)$`)
	makeOwn    = regexp.MustCompile(`^([^\s#:=][^#:=]*?)\s*:\s*([A-Za-z_][A-Za-z0-9_.-]*\s*(?::?:?=|\?=|\+=|!=).*)$`)
	makeDefine = regexp.MustCompile(`^\s*define\s+([A-Za-z_][A-Za-z0-9_.-]*)`)
	makeCall   = regexp.MustCompile(`\$[({](?:call\s+)?([A-Za-z0-9_.-]+)`)
	makeWords  = regexp.MustCompile(`\$\((filter|filter-out|patsubst|strip)\s([^$()]*)\)`)
	namesTags  = regexp.MustCompile(`(?i)tags$`)
	makeUse    = regexp.MustCompile(`\$[({]([A-Za-z0-9_.-]+)`)
	makeCalled = regexp.MustCompile(`(?:\$[({]MAKE[)}]|\bmake)((?:\s+[^\s;&|]+)+)`)
	developing = regexp.MustCompile(`(?i)dbg|debug|(?:^|[-_./])(?:race|dev(?:el(?:op)?)?|tests?|testing)(?:_?(?:flags|args|opts|vars?))?(?:$|[-_./])`)
)

// rule is a target of a Makefile, with what it needs and runs.
type rule struct {
	needs  []string
	recipe []makeLine
}

// rules are the targets of a Makefile, and which a release is made with.
type rules struct {
	of     map[string]*rule
	order  []string        // targets as they are written
	reach  map[string]bool // what the roots need, and they
	usedBy map[string][]string
	own    []ownValue // variables of single targets
	other  []ownValue // values that a condition decides on, in the place of others
}

// ownValue is a value of a variable that not every target has.
type ownValue struct {
	targets []string
	assign  makeLine
}

// block is the name of a rule with the lines that a define holds.
func block(name string) string { return "define " + name }

// read parts the lines of a Makefile into variables and rules. It returns the lines
// with variables.
func (m *makefile) read(lines []makeLine) (assigns []makeLine) {
	m.rules = rules{of: map[string]*rule{}, reach: map[string]bool{}, usedBy: map[string][]string{}}
	var current []*rule
	var defined *rule
	depth := 0
	for _, l := range lines {
		text := strings.TrimSpace(l.text)
		word, _, _ := strings.Cut(strings.ReplaceAll(text, "(", " "), " ")
		switch {
		case word == "endef":
			defined, current = nil, nil
			continue
		case defined != nil:
			defined.recipe = append(defined.recipe, makeLine{"\t" + text, l.line})
			continue
		case slices.Contains([]string{"ifeq", "ifneq", "ifdef", "ifndef"}, word):
			depth++
			continue
		case word == "endif":
			depth = max(depth-1, 0)
			continue
		case word == "else":
			continue
		}
		if d := makeDefine.FindStringSubmatch(l.text); d != nil {
			defined = m.rules.add(block(d[1]))
			continue
		}
		if strings.HasPrefix(l.text, "\t") && current != nil {
			for _, r := range current {
				r.recipe = append(r.recipe, l)
			}
			continue
		}
		// Make ends a rule at a variable; what is indented after it is no recipe.
		if a := makeAssign.FindStringSubmatch(l.text); a != nil {
			current = nil
			m.assign(a, l.line, depth > 0)
			assigns = append(assigns, l)
			continue
		}
		if own := makeOwn.FindStringSubmatch(text); own != nil {
			current = nil
			m.rules.own = append(m.rules.own, ownValue{strings.Fields(m.expand(own[1], 0)), makeLine{own[2], l.line}})
			continue
		}
		text, _, _ = strings.Cut(text, " #")
		head, first, inline := strings.Cut(text, ";")
		if a := makeRule.FindStringSubmatch(strings.TrimSpace(head)); a != nil {
			current = nil
			for _, name := range strings.Fields(m.expand(a[1], 0)) {
				r := m.rules.add(name)
				r.needs = append(r.needs, strings.Fields(m.expand(a[2], 0))...)
				if inline {
					r.recipe = append(r.recipe, makeLine{"\t" + first, l.line})
				}
				current = append(current, r)
			}
		} else if strings.HasPrefix(text, "$") { // $(eval $(call …))
			top := m.rules.add(".")
			top.recipe = append(top.recipe, makeLine{"\t" + text, l.line})
		}
	}
	m.roots()
	for _, own := range m.rules.own {
		if a := makeAssign.FindStringSubmatch(own.assign.text); a != nil && slices.ContainsFunc(own.targets, func(t string) bool { return m.rules.reach[t] }) {
			m.assign(a, own.assign.line, false)
			assigns = append(assigns, own.assign)
		}
	}
	for _, name := range m.rules.order {
		for _, l := range m.rules.of[name].recipe {
			m.uses(l.text, name, 0)
		}
	}
	return assigns
}

// add returns the rule of a target.
func (r *rules) add(name string) *rule {
	if r.of[name] == nil {
		r.of[name] = &rule{}
		r.order = append(r.order, name)
	}
	return r.of[name]
}

// assign gives a variable its value. One that a condition decides on holds only where
// nothing else gives the variable a value.
func (m *makefile) assign(a []string, line int, conditional bool) {
	v, text := m.vars[a[1]], a[3]
	if strings.HasSuffix(a[2], ":=") { // at once, with what the variable was before
		text = strings.NewReplacer("$("+a[1]+")", v.text, "${"+a[1]+"}", v.text).Replace(text)
		if len(text) > maxExpanded {
			text = a[3]
		}
	}
	switch {
	case a[2] == "!=":
		text = "$(shell " + text + ")"
	case a[2] == "+=":
		text = v.text + " " + text
	case a[2] == "?=" && v.text != "":
		return
	case conditional && v.sure != "" && a[2] != "+=":
		m.rules.other = append(m.rules.other, ownValue{assign: makeLine{a[0], line}})
		return
	case conditional && v.text != "" && a[2] != "+=":
		m.rules.other = append(m.rules.other, ownValue{assign: makeLine{a[1] + " = " + v.text, v.line}})
	}
	v.text, v.line = text, line
	if !conditional && a[2] == "+=" {
		v.sure += " " + a[3]
	} else if !conditional {
		v.sure = text
	}
	m.vars[a[1]] = v
}

// roots follows the targets that a release is made with: the first, and those of
// usual names. If none of them builds, all count that are not for developing.
func (m *makefile) roots() {
	r := &m.rules
	roots := []string{"build", "install", "release", "all"}
	if goal := strings.TrimSpace(m.vars[".DEFAULT_GOAL"].text); goal != "" {
		roots = append(roots, goal)
	} else if i := slices.IndexFunc(r.order, func(s string) bool { return s[0] != '.' && !strings.ContainsAny(s, "% ") }); i >= 0 {
		roots = append(roots, r.order[i])
	}
	for _, name := range append(roots, ".") {
		m.follow(name)
	}
	if !slices.ContainsFunc(r.order, func(s string) bool { return r.reach[s] && m.builds(r.of[s]) }) {
		for _, name := range r.order {
			m.follow(name)
		}
	}
}

// follow marks a target, and those that it needs or calls.
func (m *makefile) follow(name string) {
	r := m.rules.of[name]
	if r == nil {
		for _, pattern := range m.rules.order {
			if _, ok := stem(pattern, name); ok {
				r, name = m.rules.of[pattern], pattern
				break
			}
		}
	}
	if r == nil || m.rules.reach[name] || developing.MatchString(name) {
		return
	}
	m.rules.reach[name] = true
	for _, n := range r.needs {
		m.follow(n)
	}
	for _, l := range r.recipe {
		for _, call := range makeCall.FindAllStringSubmatch(l.text, -1) {
			m.follow(block(call[1]))
		}
		for _, call := range makeCalled.FindAllStringSubmatch(l.text, -1) {
			for _, n := range strings.Fields(call[1]) {
				m.follow(n)
			}
		}
	}
}

// builds reports whether a recipe has a go build.
func (m *makefile) builds(r *rule) bool {
	return slices.ContainsFunc(r.recipe, func(l makeLine) bool { return goBuild.MatchString(m.expand(l.text, 0)) })
}

// uses records that a target uses the variables of a text.
func (m *makefile) uses(text, target string, depth int) {
	for _, ref := range makeUse.FindAllStringSubmatch(text, -1) {
		v, ok := m.vars[ref[1]]
		if by := m.rules.usedBy[ref[1]]; ok && depth < 16 && !slices.Contains(by, target) {
			m.rules.usedBy[ref[1]] = append(by, target)
			m.uses(v.text, target, depth+1)
		}
	}
}

// unused says why the flags of a variable are not taken over; "" if they are.
func (m *makefile) unused(name string) string {
	by := m.rules.usedBy[name]
	switch {
	case len(by) > 0 && !slices.ContainsFunc(by, func(t string) bool { return m.rules.reach[t] }):
		return onlyOf(by...)
	case developing.MatchString(name):
		return name + " is for developing"
	}
	return ""
}

func onlyOf(targets ...string) string { return "only of target " + strings.Join(targets, ", ") }

// rest says what became of flags that no build taken over has: a flag is never
// dropped without a word.
func (m *makefile) rest(assigns []makeLine) {
	for _, name := range m.rules.order {
		if m.rules.reach[name] {
			continue
		}
		for _, l := range m.rules.of[name].recipe {
			text := m.expand(l.text, 0)
			if !goBuild.MatchString(text) {
				continue
			}
			o, why := Cannot, onlyOf(name)+"; write it into the file by hand, if a release needs it"
			if developing.MatchString(name) {
				o, why = Changed, onlyOf(name)
			}
			m.flags(l.line, text, o, why)
			m.skipped(l.line, text, onlyOf(name))
		}
	}
	for _, own := range m.rules.own {
		if a := makeAssign.FindStringSubmatch(own.assign.text); a != nil && !slices.ContainsFunc(own.targets, func(t string) bool { return m.rules.reach[t] }) {
			why := onlyOf(own.targets...)
			m.skipped(own.assign.line, a[3], why)
			m.flags(own.assign.line, tagsOf(a), Cannot, why+"; write it into the file by hand, if a release needs it")
		}
	}
	for _, other := range m.rules.other {
		a := makeAssign.FindStringSubmatch(other.assign.text)
		if a == nil {
			continue
		}
		why := "a condition of the Makefile decides on it"
		m.skipped(other.assign.line, a[3], why)
		m.flags(other.assign.line, tagsOf(a), Cannot, why+"; write it into the file by hand, if a release needs it")
	}
	for _, l := range assigns {
		a := makeAssign.FindStringSubmatch(l.text)
		o, why := Cannot, "no build that is taken over has it as it is written; write it into the file by hand, if a release needs it"
		if note := m.unused(a[1]); note != "" && developing.MatchString(a[1]) {
			o, why = Changed, note
		}
		m.flags(l.line, m.expand(a[3], 0), o, why)
	}
}

// flags says of tags, the build mode and other linkers in a text, of which nothing was
// said, what became of them.
func (m *makefile) flags(line int, text string, o Outcome, why string) {
	words := shellWords(text)
	for i, w := range words {
		name, v, has := strings.Cut(strings.Trim(w, `"'`), "=")
		if name = "-" + strings.TrimLeft(name, "-"); !strings.HasPrefix(strings.TrimLeft(w, `"'`), "-") {
			continue
		}
		if !has && i+1 < len(words) {
			v = words[i+1]
		}
		switch {
		case name == "-ldflags":
			m.flags(line, v, o, why)
			continue
		case slices.Contains(linkOutside(), name):
			if key := name + " " + v; !m.told(key) {
				m.tell(line, key, o, "%s", why)
			}
			continue
		case name != "-tags" && name != "-buildmode":
			continue
		}
		keys := []string{"-buildmode " + v}
		if name == "-tags" {
			keys = nil
			for _, t := range splitTags(v) {
				keys = append(keys, "-tags "+t)
			}
		}
		for _, key := range keys {
			if !m.told(key) {
				m.tell(line, key, o, "%s", why)
			}
		}
	}
}

// skipped says of variables of the linker in a text that they are not taken over.
func (m *makefile) skipped(line int, text, why string) {
	for _, x := range linkerFlag.FindAllStringSubmatch(text, -1) {
		if key := "-X " + x[1]; !m.told(key) {
			m.tell(line, key, Changed, "%s", why)
		}
	}
}

// told reports whether something was said of a flag.
func (m *makefile) told(key string) bool {
	return slices.ContainsFunc(m.order, func(s *statement) bool { return s.Key == key })
}

// tagsOf is the text of a variable, as the flag if it holds names of tags alone.
func tagsOf(assign []string) string {
	if namesTags.MatchString(assign[1]) && !strings.HasPrefix(strings.TrimLeft(assign[3], `"'`), "-") {
		return "-tags '" + strings.Trim(assign[3], `"'`) + "'"
	}
	return assign[3]
}

// splitTags parts a list of tags as go build does. What make computes is one.
func splitTags(s string) []string {
	depth := 0
	return strings.FieldsFunc(s, func(r rune) bool {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		return depth <= 0 && (r == ',' || r == ' ')
	})
}

// wordFunctions computes the functions of make that choose words of a constant list.
func wordFunctions(s string) string {
	for range 32 {
		at := makeWords.FindStringSubmatchIndex(s)
		if at == nil {
			break
		}
		args := strings.SplitN(s[at[4]:at[5]], ",", 3)
		list := strings.Fields(args[len(args)-1])
		switch name := s[at[2]:at[3]]; {
		case name == "strip" && len(args) == 1:
		case strings.HasPrefix(name, "filter") && len(args) == 2:
			patterns := strings.Fields(args[0])
			list = slices.DeleteFunc(list, func(w string) bool {
				matches := slices.ContainsFunc(patterns, func(p string) bool { _, ok := stem(p, w); return ok })
				return matches == (name == "filter-out")
			})
		case name == "patsubst" && len(args) == 3:
			for i, w := range list {
				if part, ok := stem(strings.TrimSpace(args[0]), w); ok {
					list[i] = strings.Replace(strings.TrimSpace(args[1]), "%", part, 1)
				}
			}
		default:
			return s
		}
		s = s[:at[0]] + strings.Join(list, " ") + s[at[1]:]
	}
	return s
}

// stem is what % stands for in a pattern that matches a word.
func stem(pattern, word string) (part string, ok bool) {
	before, after, wild := strings.Cut(pattern, "%")
	if !wild {
		return "", pattern == word
	}
	if len(word) < len(before)+len(after) || !strings.HasPrefix(word, before) || !strings.HasSuffix(word, after) {
		return "", false
	}
	return word[len(before) : len(word)-len(after)], true
}
