package importer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// rewriter writes nodes of GoReleaser's templates in mintmark's words. What it
// writes is a proposal: whether it has the same value is seen by evaluation.
type rewriter struct {
	im      *importer
	sc      scope
	targets []target
	dot     string // what a dot stands for inside with
	inside  string // the condition of the if around it
}

func (w rewriter) node(n parse.Node) (string, error) {
	switch n := n.(type) {
	case *parse.TextNode:
		return string(n.Text), nil
	case *parse.CommentNode:
		return "", nil
	case *parse.ActionNode:
		return w.print(n.Pipe)
	case *parse.IfNode:
		return w.ifelse(n.Pipe, n.List, n.ElseList, w)
	case *parse.WithNode:
		inner := w
		if len(n.Pipe.Cmds) == 1 && len(n.Pipe.Cmds[0].Args) == 1 {
			var err error
			if inner.dot, err = w.value(n.Pipe.Cmds[0].Args[0]); err != nil {
				return "", err
			}
		}
		return w.ifelse(n.Pipe, n.List, n.ElseList, inner)
	}
	return "", errUnsupported
}

func (w rewriter) list(l *parse.ListNode) (out string, err error) {
	if l == nil {
		return "", nil
	}
	for _, n := range l.Nodes {
		piece, err := w.node(n)
		if err != nil {
			return "", err
		}
		out += piece
	}
	return out, nil
}

func (w rewriter) ifelse(p *parse.PipeNode, yes, no *parse.ListNode, inner rewriter) (string, error) {
	cond, err := w.pipe(p, true)
	if err != nil {
		return "", err
	}
	inner.inside = cond
	body, err := inner.list(yes)
	if err != nil {
		return "", err
	}
	rest, err := w.list(no)
	if err != nil {
		return "", err
	}
	cond = strings.TrimSuffix(strings.TrimPrefix(cond, "("), ")")
	switch {
	case rest == "":
		return "{{if " + cond + "}}" + body + "{{end}}", nil
	case strings.HasPrefix(rest, "{{if ") && strings.HasSuffix(rest, "{{end}}") && no != nil && len(no.Nodes) == 1:
		return "{{if " + cond + "}}" + body + "{{else if " + strings.TrimPrefix(rest, "{{if "), nil
	}
	return "{{if " + cond + "}}" + body + "{{else}}" + rest + "{{end}}", nil
}

// print writes an action.
func (w rewriter) print(p *parse.PipeNode) (string, error) {
	if len(p.Cmds) == 1 && len(p.Cmds[0].Args) == 1 {
		if text, ok := w.literal(p.Cmds[0].Args[0]); ok {
			return text, nil
		}
	}
	text, err := w.pipe(p, false)
	if err != nil {
		return "", err
	}
	if archs, ok := strings.CutPrefix(text, "@"); ok {
		if archs == w.inside {
			return "{{.Variant}}", nil
		}
		return "{{if " + strings.TrimSuffix(strings.TrimPrefix(archs, "("), ")") + "}}{{.Variant}}{{end}}", nil
	}
	if inner, ok := strings.CutPrefix(text, "("); ok && strings.HasSuffix(inner, ")") {
		text = strings.TrimSuffix(inner, ")")
	}
	return "{{" + text + "}}", nil
}

// literal is a text that a field stands for: the source's own variables, and the
// name of the program.
func (w rewriter) literal(n parse.Node) (string, bool) {
	ident := fieldNames(n)
	switch {
	case len(ident) == 0:
		return "", false
	case ident[0] == "Binary" && w.sc.binary != "":
		return w.sc.binary, true
	case ident[0] == "ModulePath":
		return w.im.Module, true
	case ident[0] == "RawVersion" && w.im.format.field("Major"):
		return "{{.Major}}.{{.Minor}}.{{.Patch}}", true
	case len(ident) == 2:
		text, ok := w.im.values[ident[0]+"."+ident[1]]
		return text, ok
	}
	return "", false
}

// fieldNames are the names of a field, as in .Env.X or $.Version.
func fieldNames(n parse.Node) []string {
	switch n := n.(type) {
	case *parse.FieldNode:
		return n.Ident
	case *parse.VariableNode:
		if n.Ident[0] == "$" {
			return n.Ident[1:]
		}
	}
	return nil
}

// pipe writes a pipeline as one expression, in parentheses if it has several words.
func (w rewriter) pipe(p *parse.PipeNode, cond bool) (string, error) {
	piped := ""
	for i, c := range p.Cmds {
		var err error
		if piped, err = w.command(c, piped, cond && i == len(p.Cmds)-1); err != nil {
			return "", err
		}
	}
	return piped, nil
}

func (w rewriter) command(c *parse.CommandNode, piped string, cond bool) (string, error) {
	id, ok := c.Args[0].(*parse.IdentifierNode)
	if !ok {
		if names := fieldNames(c.Args[0]); len(names) == 2 && names[0] == "Now" && names[1] == "Format" && len(c.Args) == 2 {
			return w.date(c.Args[1])
		}
		if piped != "" || len(c.Args) != 1 {
			return "", fmt.Errorf("%s is no expression of a profile's template", c)
		}
		if cond {
			return w.condition(c.Args[0])
		}
		return w.value(c.Args[0])
	}
	var args []string
	for _, a := range c.Args[1:] {
		write := w.value
		if slices.Contains([]string{"and", "or", "not"}, id.Ident) {
			write = w.condition
		}
		text, err := write(a)
		if err != nil {
			return "", err
		}
		args = append(args, text)
	}
	if piped != "" {
		args = append(args, piped)
	}
	n := len(args)
	switch {
	case id.Ident == "time" && n == 1:
		return w.date(c.Args[1])
	case id.Ident == "eq" && n > 2:
		var parts []string
		for _, a := range args[1:] {
			parts = append(parts, w.compare("eq", args[0], a))
		}
		return "(or " + strings.Join(parts, " ") + ")", nil
	case (id.Ident == "eq" || id.Ident == "ne") && n == 2:
		return w.compare(id.Ident, args[0], args[1]), nil
	case slices.Contains([]string{"and", "or", "not"}, id.Ident) && n > 0:
		return "(" + id.Ident + " " + strings.Join(args, " ") + ")", nil
	case id.Ident == "replace" && n == 3: // GoReleaser has the text first
		return "(replace " + args[1] + " " + args[2] + " " + args[0] + ")", nil
	case (id.Ident == "trimprefix" || id.Ident == "trimsuffix") && n == 2:
		return "(" + id.Ident + " " + args[1] + " " + args[0] + ")", nil
	case id.Ident == "tolower" && n == 1:
		return "(lower " + args[0] + ")", nil
	case id.Ident == "toupper" && n == 1:
		return "(upper " + args[0] + ")", nil
	case id.Ident == "title" && n == 1 && w.im.format.function("title"):
		return "(title " + args[0] + ")", nil
	}
	return "", fmt.Errorf("no template of a profile has the function %s", id.Ident)
}

// compare writes a comparison; that of a variant says of which architectures it is.
func (w rewriter) compare(op, a, b string) string {
	for _, p := range [][2]string{{a, b}, {b, a}} {
		if archs, ok := strings.CutPrefix(p[0], "@"); ok {
			if op == "ne" {
				return "(not (and " + archs + " (eq .Variant " + p[1] + ")))"
			}
			return "(and " + archs + " (eq .Variant " + p[1] + "))"
		}
	}
	return "(" + op + " " + a + " " + b + ")"
}

// date writes the commit's time in a layout.
func (w rewriter) date(layout parse.Node) (string, error) {
	s, ok := layout.(*parse.StringNode)
	if !ok || !w.im.format.function("date") {
		return "", errors.New("no template of a profile writes times in another layout than RFC 3339")
	}
	return "(.CommitDate | date " + strconv.Quote(s.Text) + ")", nil
}

// condition writes what is true or false. A variant is there on its architectures.
func (w rewriter) condition(n parse.Node) (string, error) {
	if p, ok := n.(*parse.PipeNode); ok {
		return w.pipe(p, true)
	}
	text, err := w.value(n)
	return strings.TrimPrefix(text, "@"), err
}

// value writes a text. What begins with @ is the variant of the architectures for
// which the rest is true.
func (w rewriter) value(n parse.Node) (string, error) {
	switch n := n.(type) {
	case *parse.StringNode:
		return strconv.Quote(n.Text), nil
	case *parse.NumberNode:
		return strconv.Quote(n.Text), nil
	case *parse.PipeNode:
		return w.pipe(n, false)
	case *parse.DotNode:
		if w.dot != "" {
			return w.dot, nil
		}
	}
	ident := fieldNames(n)
	if len(ident) == 0 {
		return "", fmt.Errorf("%s is no expression of a profile's template", n)
	}
	if text, ok := w.literal(n); ok {
		if strings.Contains(text, "{{") {
			if inner, ok := strings.CutPrefix(text, "{{"); ok && strings.Count(text, "{{") == 1 && strings.HasSuffix(inner, "}}") {
				return "(" + strings.TrimSuffix(inner, "}}") + ")", nil
			}
			return "", fmt.Errorf("%s is a template of several parts", n)
		}
		return strconv.Quote(text), nil
	}
	if len(ident) > 1 {
		return "", fmt.Errorf("no template of a profile knows .%s", strings.Join(ident, "."))
	}
	if archs := w.archs(ident[0]); archs != "" {
		return "@" + archs, nil
	}
	name := map[string]string{
		"ProjectName": "Project", "FullCommit": "Commit", "Date": "CommitDate", "Timestamp": "CommitTimestamp", "Os": "OS",
	}[ident[0]]
	if name == "" {
		name = ident[0]
	}
	if !w.im.format.field(name) || name == "Profile" || name == "Name" || name == "Binary" || name == "Variant" {
		return "", fmt.Errorf("no template of a profile knows .%s", ident[0])
	}
	return "." + name, nil
}

// archs is the condition of the architectures, among the targets, that have the
// variant of that name; "" for no variant.
func (w rewriter) archs(field string) string {
	var conds []string
	known := false
	for _, t := range w.targets {
		v := variants()[t.arch]
		if c := fmt.Sprintf("(eq .Arch %q)", t.arch); v.field == field && !slices.Contains(conds, c) {
			conds = append(conds, c)
		}
	}
	for _, v := range variants() {
		known = known || v.field == field
	}
	switch {
	case !known:
		return ""
	case len(conds) == 0:
		return `(eq .Arch "")`
	case len(conds) == 1:
		return conds[0]
	}
	return "(or " + strings.Join(conds, " ") + ")"
}
