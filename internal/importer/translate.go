package importer

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/mintmark/mintmark/profiles"
)

// translation is a template of mintmark's, and what is different in it.
type translation struct {
	text    string
	changes []string // with reasons; none if it means the same always
}

var (
	clockName = regexp.MustCompile(`\.Date\b|\.Now\b|\.Timestamp\b|\btime\b`)
	dirtyName = regexp.MustCompile(`\.IsGitDirty\b|\.IsGitClean\b|\.GitTreeState\b`)
	modeName  = regexp.MustCompile(`\.IsSnapshot\b|\.IsNightly\b|\.IsSingleTarget\b|\.IsDraft\b`)
	envName   = regexp.MustCompile(`\.Env\.(\w+)|(?:envOrDefault|isEnvSet|index\s+\.Env)\s+"(\w+)"`)
)

// translate writes a template of GoReleaser as one of mintmark's. It is the same
// text on all targets, for every commit; the error says why there is none.
func (im *importer) translate(text string, targets []target, sc scope) (tr translation, err error) {
	if !strings.Contains(text, "{{") {
		return translation{text: text}, nil
	}
	const most = 4 << 10
	if len(text) > most {
		return tr, fmt.Errorf("a template of %d bytes, more than %d", len(text), most)
	}
	tree := parse.New("t")
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(text, "", "", trees); err != nil {
		_, why, ok := strings.Cut(err.Error(), "template: t:")
		if !ok {
			why = err.Error()
		}
		return tr, fmt.Errorf("bad template: %s", why)
	}
	if delete(trees, "t"); len(trees) > 0 {
		return tr, errUnsupported
	}
	if err := supported(tree.Root); err != nil {
		return tr, err
	}
	for _, n := range tree.Root.Nodes {
		piece, err := im.node(n, targets, sc)
		if err != nil {
			return tr, err
		}
		tr.text += piece
	}
	for _, action := range regexp.MustCompile(`{{.*?}}`).FindAllString(text, -1) {
		tr.changes = append(tr.changes, im.changes(action)...)
	}
	slices.Sort(tr.changes)
	tr.changes = slices.Compact(tr.changes)
	return tr, nil
}

// changes are what one action means here that it does not mean in the source.
func (im *importer) changes(action string) (list []string) {
	if m := clockName.FindString(action); m != "" {
		list = append(list, m+" is the time of the build; here it is the time of the commit, which is the same for whoever builds it again")
	}
	if m := dirtyName.FindString(action); m != "" {
		list = append(list, m+": no release is made of a tree with changes, so it has one value")
	}
	if m := modeName.FindString(action); m != "" {
		list = append(list, m+" is false here: a release and a snapshot are built alike")
	}
	for _, m := range envName.FindAllStringSubmatch(action, -1) {
		name := cmp.Or(m[1], m[2])
		if _, ok := im.values["Env."+name]; !ok {
			list = append(list, name+" of the environment of whoever builds counts as not set")
		}
	}
	return list
}

// node translates one node: as it is written if that has the same value, else by
// the values that it has.
func (im *importer) node(n parse.Node, targets []target, sc scope) (string, error) {
	if n, ok := n.(*parse.TextNode); ok {
		return string(n.Text), nil
	}
	if _, ok := n.(*parse.CommentNode); ok {
		return "", nil
	}
	var values [][]string // by target, by sample
	empty, fixed := true, true
	for _, t := range targets {
		var of []string
		for _, s := range samples() {
			v, err := im.original(n.String(), t, s, sc)
			if err != nil {
				return "", im.because(n, err)
			}
			empty = empty && v == ""
			fixed = fixed && (len(of) == 0 || v == of[0])
			of = append(of, v)
		}
		values = append(values, of)
	}
	if empty {
		return "", nil
	}
	w := rewriter{im: im, sc: sc, targets: targets}
	text, werr := w.node(n)
	if werr == nil && im.same(text, values, targets, sc) {
		return text, nil
	}
	if fixed {
		if chain, ok := chain(values, targets, sc); ok && im.same(chain, values, targets, sc) {
			return chain, nil
		}
	}
	if b, ok := n.(*parse.IfNode); ok {
		if list, ok := im.branch(b, targets, sc); ok {
			out := ""
			for _, n := range list {
				piece, err := im.node(n, targets, sc)
				if err != nil {
					return "", err
				}
				out += piece
			}
			return out, nil
		}
	}
	return "", cmp.Or(werr, fmt.Errorf("no template of a profile has the same value as %s", n))
}

// because explains why a node has no value.
func (im *importer) because(n parse.Node, err error) error {
	for _, m := range envName.FindAllStringSubmatch(n.String(), -1) {
		if name := cmp.Or(m[1], m[2]); im.values["Env."+name] == "" {
			return fmt.Errorf("%s takes %s out of the environment of whoever builds; write its value into the file", n, name)
		}
	}
	msg := err.Error()
	if i := strings.LastIndex(msg, ">: "); i >= 0 {
		msg = msg[i+3:]
	}
	if strings.Contains(msg, "map has no entry for key") {
		return fmt.Errorf("%s has no value that follows from the commit, the profile and the platform", n)
	}
	if strings.Contains(msg, "function") && strings.Contains(msg, "not defined") {
		_, msg, _ = strings.Cut(msg, "function")
		return fmt.Errorf("%s: no template of a profile has the function%s", n, msg)
	}
	return fmt.Errorf("%s: %s", n, msg)
}

// branch is that of an if which all targets take.
func (im *importer) branch(n *parse.IfNode, targets []target, sc scope) (list []parse.Node, ok bool) {
	taken := ""
	for _, t := range targets {
		for _, s := range samples() {
			v, err := im.original("{{if "+n.Pipe.String()+"}}1{{else}}0{{end}}", t, s, sc)
			if err != nil || taken != "" && v != taken {
				return nil, false
			}
			taken = v
		}
	}
	switch {
	case taken == "1" && n.List != nil:
		return n.List.Nodes, true
	case taken == "0" && n.ElseList != nil:
		return n.ElseList.Nodes, true
	}
	return nil, taken != ""
}

// same reports whether a template of mintmark's has these values.
func (im *importer) same(text string, values [][]string, targets []target, sc scope) bool {
	for i, t := range targets {
		for j, s := range samples() {
			v, err := profiles.ExpandText(text, im.vars(t, s, sc))
			if err != nil || v != values[i][j] {
				return false
			}
		}
	}
	return true
}

// chain writes values that depend on the platform alone as if and else if.
func chain(values [][]string, targets []target, sc scope) (string, bool) {
	if len(targets) == 0 {
		return "", false
	}
	for _, by := range []func(t target) (cond, field, own string){
		func(target) (string, string, string) { return "", "", "" },
		func(t target) (string, string, string) { return fmt.Sprintf("eq .OS %q", t.os), "{{.OS}}", t.os },
		func(t target) (string, string, string) {
			return fmt.Sprintf("eq .Arch %q", t.arch), "{{.Arch}}", t.arch
		},
		func(t target) (string, string, string) {
			return fmt.Sprintf("and (eq .OS %q) (eq .Arch %q)", t.os, t.arch), "", ""
		},
		func(t target) (string, string, string) {
			return fmt.Sprintf("and (eq .OS %q) (eq .Arch %q) (eq .Variant %q)", t.os, t.arch, t.variant), "", ""
		},
	} {
		var conds []string
		of := map[string]string{}
		counts, ownField, ok := map[string]int{}, "", true
		for i, t := range targets {
			cond, field, own := by(t)
			v := values[i][0]
			if strings.Contains(v, "{{") {
				return "", false
			}
			if own != "" && v == own {
				v, ownField = field, field
			}
			if before, there := of[cond]; there {
				ok = ok && before == v
				continue
			}
			conds, of[cond] = append(conds, cond), v
			counts[v]++
		}
		if !ok {
			continue
		}
		rest := ownField
		if rest == "" {
			for _, c := range conds {
				if counts[of[c]] > counts[rest] || rest == "" && counts[""] == 0 {
					rest = of[c]
				}
			}
		}
		out, n := "", 0
		for _, c := range conds {
			if of[c] == rest {
				continue
			}
			if n++; n == 1 {
				out += "{{if " + c + "}}" + of[c]
			} else {
				out += "{{else if " + c + "}}" + of[c]
			}
		}
		switch {
		case n == 0:
			return rest, true
		case rest == "":
			return out + "{{end}}", true
		}
		return out + "{{else}}" + rest + "{{end}}", true
	}
	return "", false
}
