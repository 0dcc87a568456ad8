package profiles

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
	"time"
	"unicode"

	"github.com/mintmark/mintmark/internal/fault"
)

// expandText evaluates one template. Text without {{ is returned as it is.
// vars.Env decides which variables there are; with a nil Env, .Env is refused.
func expandText(text string, vars *Vars) (string, error) {
	scope := templateScope{fields: artifactFields}
	if vars.Env != nil {
		scope.env = func(name string) bool { _, ok := vars.Env[name]; return ok }
	}
	tree, faults := parseTemplate(text, scope)
	if len(faults) > 0 {
		return "", &faults[0]
	}
	if tree == nil {
		return text, nil
	}
	e := evaluator{vars: vars}
	if err := e.list(tree.Root, templateValue{}); err != nil {
		return "", err
	}
	return e.out.String(), nil
}

// evaluator runs a checked template.
type evaluator struct {
	vars *Vars
	out  strings.Builder
}

// templateValue is a text or a condition.
type templateValue struct {
	text   string
	cond   bool
	isCond bool
	absent string // the field, if it is one that this source does not have
}

func (v templateValue) true() bool {
	if v.isCond {
		return v.cond
	}
	return v.text != ""
}

// use returns the text where a field that the source does not have is not acceptable.
func (v templateValue) use() (string, error) {
	switch {
	case v.absent == "Tag":
		return "", fault.Errorf(`tag the commit, or write {{with .Tag}}…{{end}} or {{default "none" .Tag}}`, "%v", errNoTag)
	case slices.Contains(versionFields, v.absent):
		return "", fault.Errorf("write .Version", ".%s is not known: the version is not of the form MAJOR.MINOR.PATCH", v.absent)
	case v.absent == "Binary":
		return "", fault.Errorf("write a name of its own instead, or build each program in a profile of its own", ".Binary is no one name here: several programs share the artifact")
	case v.absent != "":
		return "", fault.Errorf(fmt.Sprintf("build a checkout (-dir=DIR), or write {{with .%s}}…{{end}} or {{default \"none\" .%[1]s}}", v.absent),
			".%s is not known: the module proxy does not say which commit this module was made from", v.absent)
	case v.isCond:
		return fmt.Sprint(v.cond), nil
	}
	return v.text, nil
}

func (e *evaluator) write(s string) error {
	if e.out.Len()+len(s) > maxExpansion {
		return errTooLong
	}
	e.out.WriteString(s)
	return nil
}

func (e *evaluator) list(l *parse.ListNode, dot templateValue) error {
	if l == nil {
		return nil
	}
	for _, n := range l.Nodes {
		var err error
		switch n := n.(type) {
		case *parse.TextNode:
			err = e.write(string(n.Text))
		case *parse.ActionNode:
			var v templateValue
			if v, err = e.pipe(n.Pipe, dot); err == nil {
				var s string
				if s, err = v.use(); err == nil {
					err = e.write(s)
				}
			}
		case *parse.IfNode:
			err = e.branch(&n.BranchNode, dot, dot)
		case *parse.WithNode:
			err = e.branch(&n.BranchNode, dot, templateValue{})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// branch runs if and with. inner is the dot of an if; with has its own.
func (e *evaluator) branch(n *parse.BranchNode, dot, inner templateValue) error {
	v, err := e.pipe(n.Pipe, dot)
	if err != nil {
		return err
	}
	if n.NodeType == parse.NodeWith {
		inner = v
	}
	if v.true() {
		return e.list(n.List, inner)
	}
	return e.list(n.ElseList, dot)
}

func (e *evaluator) pipe(p *parse.PipeNode, dot templateValue) (templateValue, error) {
	var piped []templateValue
	for _, cmd := range p.Cmds {
		v, err := e.command(cmd, dot, piped)
		if err != nil {
			return templateValue{}, err
		}
		piped = []templateValue{v}
	}
	return piped[0], nil
}

func (e *evaluator) command(cmd *parse.CommandNode, dot templateValue, piped []templateValue) (templateValue, error) {
	id, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok {
		return e.operand(cmd.Args[0], dot)
	}
	if id.Ident == "and" || id.Ident == "or" { // these stop at the first that decides
		var v templateValue
		var err error
		for _, a := range cmd.Args[1:] {
			if v, err = e.operand(a, dot); err != nil || v.true() == (id.Ident == "or") {
				return v, err
			}
		}
		if len(piped) > 0 {
			v = piped[0]
		}
		return v, nil
	}
	var args []templateValue
	for _, a := range cmd.Args[1:] {
		v, err := e.operand(a, dot)
		if err != nil {
			return templateValue{}, err
		}
		args = append(args, v)
	}
	return call(id.Ident, append(args, piped...))
}

// call runs a function whose arguments the checker has counted.
func call(name string, args []templateValue) (templateValue, error) {
	cond := func(b bool) (templateValue, error) { return templateValue{cond: b, isCond: true}, nil }
	switch name {
	case "eq":
		return cond(args[0].text == args[1].text)
	case "ne":
		return cond(args[0].text != args[1].text)
	case "not":
		return cond(!args[0].true())
	case "default":
		if args[1].text != "" {
			return args[1], nil
		}
		return args[0], nil
	}
	texts := make([]string, len(args))
	for i, a := range args {
		var err error
		if texts[i], err = a.use(); err != nil {
			return templateValue{}, err
		}
	}
	s := texts[len(texts)-1]
	switch name {
	case "date":
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return templateValue{}, fault.Errorf("write {{.CommitDate | date \"2006-01-02\"}}", "date wants a time such as .CommitDate, not %q", clip(s))
		}
		if err := checkLayout(texts[0]); err != nil {
			return templateValue{}, err
		}
		s = t.UTC().Format(texts[0])
	case "title":
		s = title(s)
	case "lower":
		s = strings.ToLower(s)
	case "upper":
		s = strings.ToUpper(s)
	case "trimprefix":
		s = strings.TrimPrefix(s, texts[0])
	case "trimsuffix":
		s = strings.TrimSuffix(s, texts[0])
	case "replace":
		if len(s)+strings.Count(s, texts[0])*len(texts[1]) > maxExpansion {
			return templateValue{}, errTooLong
		}
		s = strings.ReplaceAll(s, texts[0], texts[1])
	default:
		return templateValue{}, fmt.Errorf("unknown function %q", name)
	}
	if len(s) > maxExpansion {
		return templateValue{}, errTooLong
	}
	return templateValue{text: s}, nil
}

func (e *evaluator) operand(n parse.Node, dot templateValue) (templateValue, error) {
	switch n := n.(type) {
	case *parse.StringNode:
		return templateValue{text: n.Text}, nil
	case *parse.BoolNode:
		return templateValue{cond: n.True, isCond: true}, nil
	case *parse.DotNode:
		return dot, nil
	case *parse.PipeNode:
		return e.pipe(n, dot)
	case *parse.FieldNode:
		return e.field(n.Ident), nil
	case *parse.VariableNode:
		return e.field(n.Ident[1:]), nil
	}
	return templateValue{}, fmt.Errorf("%s is not supported", n)
}

func (e *evaluator) field(ident []string) templateValue {
	if ident[0] == "Env" {
		return templateValue{text: e.vars.Env[ident[1]]}
	}
	s := e.vars.field(ident[0])
	v := templateValue{text: s}
	if s == "" && slices.Contains(absentFields, ident[0]) {
		v.absent = ident[0]
	}
	return v
}

// title is the text with the first letter of each word in upper case and the
// others in lower case. Letters, digits, underscores, apostrophes and dots inside
// of it are one word.
func title(s string) string {
	var b strings.Builder
	inside := false
	for _, r := range s {
		if inside {
			b.WriteRune(unicode.ToLower(r))
		} else {
			b.WriteRune(unicode.ToTitle(r))
		}
		inside = unicode.IsLetter(r) || unicode.IsDigit(r) || inside && strings.ContainsRune("_'’.", r)
	}
	return b.String()
}

// checkLayout refuses a layout that says the same of all times, such as one of
// another language.
func checkLayout(layout string) error {
	if a, b := time.Unix(0, 0).UTC(), time.Date(2037, 11, 22, 13, 44, 55, 0, time.UTC); a.Format(layout) == b.Format(layout) {
		return fault.Errorf("it is how Go writes the time Mon Jan 2 15:04:05 2006: \"2006-01-02\", \"20060102150405\"", "the layout %q says nothing of a time", clip(layout))
	}
	return nil
}
