package profiles

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/mintmark/mintmark/internal/fault"
)

// Templates have the syntax of text/template and a small part of its language:
// fields of [Vars], text constants, parentheses and pipes, if, with, else, and
// the functions of templateFuncs. There are no loops, definitions or
// variables, so a template always ends, and every text is limited to
// maxExpansion bytes. The tree is checked when the file is loaded and
// evaluated by [evaluator], not by text/template, whose functions know no
// limits.
const (
	maxTemplate  = 4 << 10
	maxExpansion = 16 << 10
)

// templateFunc is a function's type: its parameters are texts, and so is its
// result unless bool is set.
type templateFunc struct {
	min, max int // parameters
	bool     bool
	usage    string
}

// templateFuncs are the functions of templates. As in text/template, a piped
// value is the last argument. and, or and not take texts (true if not empty)
// or conditions.
func templateFuncs() map[string]templateFunc {
	return map[string]templateFunc{
		"lower":      {1, 1, false, "lower TEXT"},
		"upper":      {1, 1, false, "upper TEXT"},
		"replace":    {3, 3, false, "replace OLD NEW TEXT"},
		"trimprefix": {2, 2, false, "trimprefix PREFIX TEXT"},
		"trimsuffix": {2, 2, false, "trimsuffix SUFFIX TEXT"},
		"default":    {2, 2, false, "default VALUE TEXT"},
		"title":      {1, 1, false, "title TEXT"},
		"date":       {2, 2, false, "date LAYOUT TIME"},
		"eq":         {2, 2, true, "eq TEXT TEXT"},
		"ne":         {2, 2, true, "ne TEXT TEXT"},
		"and":        {1, 16, false, "and VALUE..."},
		"or":         {1, 16, false, "or VALUE..."},
		"not":        {1, 1, true, "not VALUE"},
	}
}

// templateFault is one thing wrong with a template.
type templateFault struct {
	offset    int // in bytes
	msg, hint string
}

func (f *templateFault) Error() string { return f.msg }
func (f *templateFault) Hint() string  { return f.hint }

// templateScope is what a template can see beside the fields that all have.
type templateScope struct {
	env    func(name string) bool // which variables .Env has; nil: there is no .Env
	fields []string               // of those that only some keys have
}

// scope is that of the values of k. Variables have no variables.
func (k key) scope(env func(name string) bool) templateScope {
	if k.name == "env" {
		env = nil
	}
	return templateScope{env, k.fields}
}

// parseTemplate parses and checks text. The tree is nil if there are faults or
// if text is no template at all.
func parseTemplate(text string, scope templateScope) (*parse.Tree, []templateFault) {
	if !strings.Contains(text, "{{") {
		return nil, nil
	}
	if len(text) > maxTemplate {
		return nil, []templateFault{{0, fmt.Sprintf("template of %d bytes, more than %d", len(text), maxTemplate), ""}}
	}
	tree, extra, err := parseTree(text)
	if err != nil {
		msg := err.Error()
		if _, rest, ok := strings.Cut(msg, "template: t:"); ok {
			if _, rest, ok := strings.Cut(rest, ": "); ok {
				msg = rest
			}
		}
		hint := "a template looks like {{.Version}}"
		if msg == "unexpected EOF" {
			msg, hint = "it ends inside if or with", "add {{end}}"
		}
		return nil, []templateFault{{syntaxOffset(text), "bad template: " + msg, hint}}
	}
	if extra {
		at := max(0, strings.Index(text, "{{"))
		for _, word := range []string{"define", "block"} {
			if i := strings.Index(text, word); i >= 0 {
				at = i
				break
			}
		}
		return nil, []templateFault{{at, "define and block are not supported", ""}}
	}
	c := templateChecker{text: text, scope: scope}
	c.list(tree.Root, typeRoot)
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	return tree, nil
}

// parseTree parses without looking at functions; extra reports definitions.
func parseTree(text string) (tree *parse.Tree, extra bool, err error) {
	t := parse.New("t")
	t.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if tree, err = t.Parse(text, "", "", trees); err != nil {
		return nil, false, err
	}
	delete(trees, "t")
	return tree, len(trees) > 0, nil
}

// syntaxOffset finds the action that does not parse: the last one before which
// all is well but for missing ends.
func syntaxOffset(text string) int {
	good := 0
	for i := 0; ; {
		j := strings.Index(text[i:], "{{")
		if j < 0 {
			return good
		}
		i += j
		if _, _, err := parseTree(text[:i]); err != nil && !strings.Contains(err.Error(), "unexpected EOF") {
			return good
		}
		good = i
		i += 2
	}
}

// templateType is the type of a value in a template.
type templateType int

const (
	typeText templateType = iota
	typeBool
	typeRoot // all variables
	typeBad  // already reported
)

type templateChecker struct {
	text   string
	scope  templateScope
	faults []templateFault
}

func (c *templateChecker) fault(pos parse.Pos, hint, format string, args ...any) templateType {
	if len(c.faults) < 20 {
		c.faults = append(c.faults, templateFault{int(pos), fmt.Sprintf(format, args...), hint})
	}
	return typeBad
}

// back moves pos to the last word before or at it, since the parser's positions
// are sometimes behind.
func (c *templateChecker) back(pos parse.Pos, word string) parse.Pos {
	if i := strings.LastIndex(c.text[:min(int(pos)+len(word), len(c.text))], word); i >= 0 {
		return parse.Pos(i)
	}
	return pos
}

func (c *templateChecker) list(l *parse.ListNode, dot templateType) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.TextNode, *parse.CommentNode:
		case *parse.ActionNode:
			c.pipe(n.Pipe, dot)
		case *parse.IfNode:
			c.pipe(n.Pipe, dot)
			c.list(n.List, dot)
			c.list(n.ElseList, dot)
		case *parse.WithNode:
			c.list(n.List, c.pipe(n.Pipe, dot))
			c.list(n.ElseList, dot)
		case *parse.RangeNode:
			c.fault(c.back(n.Pos, "range"), "", "range is not supported")
		case *parse.TemplateNode:
			c.fault(c.back(n.Pos, "template"), "", "template is not supported")
		default:
			c.fault(n.Position(), "", "%s is not supported", n)
		}
	}
}

func (c *templateChecker) pipe(p *parse.PipeNode, dot templateType) templateType {
	if len(p.Decl) > 0 {
		return c.fault(p.Decl[0].Pos, "", "variables are not supported")
	}
	piped := []templateType(nil)
	for _, cmd := range p.Cmds {
		piped = []templateType{c.command(cmd, dot, piped)}
	}
	if len(piped) == 0 {
		return c.fault(p.Pos, "", "empty pipe")
	}
	return piped[0]
}

func (c *templateChecker) command(cmd *parse.CommandNode, dot templateType, piped []templateType) templateType {
	id, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok {
		if len(cmd.Args) > 1 || len(piped) > 0 {
			return c.fault(cmd.Args[0].Position(), "", "%s is not a function", cmd.Args[0])
		}
		return c.operand(cmd.Args[0], dot)
	}
	var args []templateType
	for _, a := range cmd.Args[1:] {
		args = append(args, c.operand(a, dot))
	}
	args = append(args, piped...)
	f, ok := templateFuncs()[id.Ident]
	if !ok {
		return c.fault(id.Pos, hintForFunc(id.Ident), "unknown function %q", id.Ident)
	}
	if len(args) < f.min || len(args) > f.max {
		return c.fault(id.Pos, "write "+f.usage, "%s has %d arguments", id.Ident, len(args))
	}
	if slices.Contains(args, typeBad) {
		return typeBad
	}
	if layout, ok := cmd.Args[min(1, len(cmd.Args)-1)].(*parse.StringNode); ok && id.Ident == "date" {
		if err := checkLayout(layout.Text); err != nil {
			return c.fault(layout.Pos, fault.Hint(err), "%v", err)
		}
	}
	switch id.Ident {
	case "not":
	case "and", "or":
		if slices.Min(args) != slices.Max(args) {
			return c.fault(id.Pos, "", "%s mixes texts and conditions", id.Ident)
		}
		return args[0]
	default:
		if slices.Contains(args, typeBool) {
			return c.fault(id.Pos, "write "+f.usage, "%s wants a text, not a condition", id.Ident)
		}
	}
	if f.bool {
		return typeBool
	}
	return typeText
}

func (c *templateChecker) operand(n parse.Node, dot templateType) templateType {
	switch n := n.(type) {
	case *parse.StringNode:
		return typeText
	case *parse.BoolNode:
		return typeBool
	case *parse.FieldNode:
		if dot != typeRoot {
			if dot == typeBad {
				return typeBad
			}
			return c.fault(n.Pos, fmt.Sprintf("inside with, the dot is its value; write $%s", n), "no field %s here", n)
		}
		return c.field(n.Pos, n.Ident)
	case *parse.VariableNode:
		if n.Ident[0] != "$" {
			return c.fault(n.Pos, "", "variables are not supported")
		}
		if len(n.Ident) == 1 {
			return c.fault(n.Pos, "name one, such as $.Version", "$ stands for all variables")
		}
		return c.field(n.Pos, n.Ident[1:])
	case *parse.DotNode:
		if dot == typeRoot {
			return c.fault(n.Pos, "name one, such as .Version", "the dot stands for all variables here")
		}
		return dot
	case *parse.PipeNode:
		return c.pipe(n, dot)
	case *parse.IdentifierNode:
		f, ok := templateFuncs()[n.Ident]
		if !ok {
			return c.fault(n.Pos, hintForFunc(n.Ident), "unknown function %q", n.Ident)
		}
		return c.fault(n.Pos, fmt.Sprintf("put it in parentheses: (%s)", f.usage), "%s is a function", n.Ident)
	case *parse.NumberNode:
		return c.fault(n.Pos, fmt.Sprintf("write it as a text: %q", n.Text), "numbers are not supported")
	}
	return c.fault(n.Position(), "", "%s is not supported", n)
}

func (c *templateChecker) field(pos parse.Pos, ident []string) templateType {
	name := ident[0]
	switch {
	case name == "Env" && c.scope.env == nil:
		return c.fault(c.back(pos, ".Env"), "write the value itself", ".Env cannot be used inside env")
	case name == "Env" && len(ident) == 1:
		return c.fault(pos, "name one variable, such as .Env.CC", ".Env stands for all variables of the profile's env")
	case name == "Env" && len(ident) == 2:
		if !c.scope.env(ident[1]) {
			return c.fault(pos, "only variables that the profile names can be used: env: {"+ident[1]+": …}", "the profile's env has no %s", ident[1])
		}
		return typeText
	case slices.Contains(artifactFields, name) && !slices.Contains(c.scope.fields, name):
		return c.fault(pos, "write .Project, or a text of its own", ".%s is known in %s only", name, orList(keysWith(name)))
	case !slices.Contains(varNames, name):
		return c.fault(pos, hintForField(name), "unknown field .%s", name)
	case len(ident) > 1:
		return c.fault(pos, "", ".%s is a text and has no field .%s", name, ident[1])
	}
	return typeText
}

func hintForFunc(name string) string {
	switch strings.ToLower(name) {
	case "time", "now", "timestamp":
		return "there is no clock: a build of tomorrow would differ; did you mean .CommitDate?"
	case "env", "getenv", "envordefault", "isenvset":
		return "the process environment cannot be seen; name the variable in env and write .Env.NAME"
	case "hostname", "exec", "shell", "readfile", "mustreadfile":
		return "there is nothing of the machine: a stranger's rebuild would differ"
	}
	if slices.Contains(append([]string{"Env"}, varNames...), name) {
		return "fields begin with a dot: ." + name
	}
	return didYouMean(name, slices.Sorted(maps.Keys(templateFuncs())), map[string]string{
		"tolower": "lower", "toupper": "upper", "replaceall": "replace", "trim": "trimprefix or trimsuffix", "capitalize": "title", "strftime": "date", "format": "date",
	})
}

// errTooLong says that a template grew beyond maxExpansion.
var errTooLong = fmt.Errorf("the text is longer than %d bytes", maxExpansion)

// errNoTag says that a template needs a tag that the commit does not have.
var errNoTag = errors.New(".Tag is empty: the commit has no version tag")
