// Package template evaluates templates that text/template/parse has parsed.
//
// Unlike text/template it calls no methods by names which it reads, so that a
// program with it keeps only those methods that it uses. It has a part of the
// language: fields, texts, conditions, whole numbers, parentheses and pipes, if,
// with, else, and functions, of which and, or, not, eq and ne are its own. What it
// evaluates has the value that text/template gives; all else is an error: variables,
// definitions, nil. Loops are over a [List], which only a program can make. So an
// evaluation always ends, and no text of it is longer than [MaxText].
package template

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// MaxText is the most bytes that a text of an evaluation may have.
const MaxText = 16 << 10

// ErrTooLong says that a text grew beyond MaxText.
var ErrTooLong = fmt.Errorf("the text is longer than %d bytes", MaxText)

var errNumber = errors.New("a function has the wrong number of arguments")

// Value is what an expression has: a string, a [Raw], a bool, an int64, a
// map[string]string, an [Absent], a [Func], a [Record] or a [List].
type Value any

// Raw is a text that has to be written in the way of the format around it. It cannot
// be written as it is, nor given to a function of texts: only a [Func] that knows that
// format makes a string of it. That one is forgotten is an error whatever the text.
type Raw string

// Record has fields of its own: it is the dot of range, and of with.
type Record map[string]Value

// List is what range goes through.
type List []Record

// Absent is a text that is not there. Whoever asks whether it is there, or
// compares it, gets the empty text; whoever writes it gets the error.
type Absent struct{ Err error }

// Func is a function, or a method of a field. A piped value is its last argument.
type Func func(args []Value) (Value, error)

// Texts is a function of n texts.
func Texts(n int, f func(args []string) (Value, error)) Func {
	return func(args []Value) (Value, error) {
		if len(args) != n {
			return nil, fmt.Errorf("%w: %d, want %d", errNumber, len(args), n)
		}
		texts := make([]string, n)
		for i, a := range args {
			switch a := a.(type) {
			case string:
				texts[i] = a
			case Absent:
				return nil, a.Err
			default:
				return nil, errors.New("a function of texts has an argument that is none")
			}
		}
		return f(texts)
	}
}

// Replace is text with all of old replaced, or ErrTooLong.
func Replace(text, old, with string) (Value, error) {
	if len(text)+strings.Count(text, old)*len(with) > MaxText {
		return nil, ErrTooLong
	}
	return strings.ReplaceAll(text, old, with), nil
}

// Language is what templates can see.
type Language struct {
	// Field is the value of a field by its names: Env and CC of .Env.CC.
	Field func(names []string) (Value, error)
	// Funcs are the functions beside those that every language has.
	Funcs map[string]Func
}

// Has reports whether there is a function of that name.
func (l Language) Has(function string) bool {
	return slices.Contains([]string{"and", "or", "not", "eq", "ne"}, function) || l.Funcs[function] != nil
}

// Text evaluates nodes of a template.
func (l Language) Text(nodes ...parse.Node) (string, error) {
	e := evaluator{Language: l}
	if err := e.nodes(nodes, root{}); err != nil {
		return "", err
	}
	return e.out.String(), nil
}

// True evaluates the condition of an if.
func (l Language) True(p *parse.PipeNode) (bool, error) {
	e := evaluator{Language: l}
	v, err := e.pipe(p, root{})
	if err != nil {
		return false, err
	}
	return isTrue(v)
}

// root is the dot outside of with: all fields.
type root struct{}

type evaluator struct {
	Language
	out strings.Builder
}

// size is how many entries it has.
func size(v Value) int {
	switch v := v.(type) {
	case Record:
		return len(v)
	case List:
		return len(v)
	}
	return 0
}

func isTrue(v Value) (bool, error) {
	switch v := v.(type) {
	case string:
		return v != "", nil
	case Raw:
		return v != "", nil
	case Record, List:
		return size(v) > 0, nil
	case Absent:
		return false, nil
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case map[string]string:
		return len(v) > 0, nil
	}
	return false, errors.New("it is neither true nor false")
}

func (e *evaluator) write(v Value) error {
	text := ""
	switch v := v.(type) {
	case string:
		text = v
	case Absent:
		return v.Err
	case bool:
		text = strconv.FormatBool(v)
	case int64:
		text = strconv.FormatInt(v, 10)
	case Raw:
		return errors.New("a text is written without a function for the format around it")
	default:
		return errors.New("it is no text")
	}
	if e.out.Len()+len(text) > MaxText {
		return ErrTooLong
	}
	e.out.WriteString(text)
	return nil
}

func (e *evaluator) nodes(nodes []parse.Node, dot Value) error {
	for _, n := range nodes {
		var err error
		switch n := n.(type) {
		case *parse.TextNode:
			err = e.write(string(n.Text))
		case *parse.CommentNode:
		case *parse.ActionNode:
			var v Value
			if v, err = e.pipe(n.Pipe, dot); err == nil {
				err = e.write(v)
			}
		case *parse.IfNode:
			err = e.branch(&n.BranchNode, dot)
		case *parse.WithNode:
			err = e.branch(&n.BranchNode, dot)
		case *parse.RangeNode:
			err = e.loop(&n.BranchNode, dot)
		default:
			err = notSupported(n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// branch runs if, and with, which has a dot of its own.
func (e *evaluator) branch(n *parse.BranchNode, dot Value) error {
	v, err := e.pipe(n.Pipe, dot)
	if err != nil {
		return err
	}
	list, inner := n.List, dot
	switch ok, err := isTrue(v); {
	case err != nil:
		return err
	case !ok:
		list = n.ElseList
	case n.NodeType == parse.NodeWith:
		inner = v
	}
	if list == nil {
		return nil
	}
	return e.nodes(list.Nodes, inner)
}

// loop runs range.
func (e *evaluator) loop(n *parse.BranchNode, dot Value) error {
	v, err := e.pipe(n.Pipe, dot)
	if err != nil {
		return err
	}
	list, ok := v.(List)
	if !ok {
		return errors.New("range wants a list")
	}
	for _, r := range list {
		if err := e.nodes(n.List.Nodes, r); err != nil {
			return err
		}
	}
	if len(list) == 0 && n.ElseList != nil {
		return e.nodes(n.ElseList.Nodes, dot)
	}
	return nil
}

func (e *evaluator) pipe(p *parse.PipeNode, dot Value) (v Value, err error) {
	if len(p.Decl) > 0 || len(p.Cmds) == 0 {
		return nil, notSupported(p)
	}
	var piped []Value
	for _, cmd := range p.Cmds {
		if v, err = e.command(cmd, dot, piped); err != nil {
			return nil, err
		}
		piped = []Value{v}
	}
	return v, nil
}

func (e *evaluator) command(cmd *parse.CommandNode, dot Value, piped []Value) (v Value, err error) {
	var f Func
	if id, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		switch id.Ident {
		case "and", "or":
			return e.decide(id.Ident == "or", cmd.Args[1:], dot, piped)
		case "not":
			f = not
		case "eq":
			f = equal
		case "ne":
			f = unequal
		default:
			if f = e.Funcs[id.Ident]; f == nil {
				return nil, fmt.Errorf("unknown function %q", id.Ident)
			}
		}
	} else {
		if v, err = e.operand(cmd.Args[0], dot); err != nil {
			return nil, err
		}
		if f, ok = v.(Func); !ok {
			if len(cmd.Args) > 1 || len(piped) > 0 {
				return nil, fmt.Errorf("%s is not a function", cmd.Args[0])
			}
			return v, nil
		}
	}
	var args []Value
	for _, a := range cmd.Args[1:] {
		if v, err = e.operand(a, dot); err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	if v, err = f(append(args, piped...)); err != nil {
		return nil, err
	}
	if text, ok := v.(string); ok && len(text) > MaxText {
		return nil, ErrTooLong
	}
	return v, nil
}

// decide is and, and or: they stop at the first that decides.
func (e *evaluator) decide(or bool, nodes []parse.Node, dot Value, piped []Value) (v Value, err error) {
	if len(nodes)+len(piped) == 0 {
		return nil, errNumber
	}
	for _, n := range nodes {
		if v, err = e.operand(n, dot); err != nil {
			return nil, err
		}
		if ok, err := isTrue(v); err != nil || ok == or {
			return v, err
		}
	}
	if len(piped) > 0 {
		v = piped[0]
	}
	return v, nil
}

func not(args []Value) (Value, error) {
	if len(args) != 1 {
		return nil, errNumber
	}
	ok, err := isTrue(args[0])
	return !ok, err
}

// equal reports whether the first is like one of the others.
func equal(args []Value) (Value, error) {
	if len(args) < 2 {
		return nil, errNumber
	}
	for _, a := range args[1:] {
		switch same, err := alike(args[0], a); {
		case err != nil:
			return nil, err
		case same:
			return true, nil
		}
	}
	return false, nil
}

func unequal(args []Value) (Value, error) {
	if len(args) != 2 {
		return nil, errNumber
	}
	same, err := alike(args[0], args[1])
	return !same, err
}

func alike(a, b Value) (bool, error) {
	plain := func(v Value) Value {
		switch v := v.(type) {
		case Absent:
			return ""
		case Raw:
			return string(v)
		case string, bool, int64:
			return v
		}
		return nil
	}
	a, b = plain(a), plain(b)
	same := false
	switch a.(type) {
	case string:
		_, same = b.(string)
	case bool:
		_, same = b.(bool)
	case int64:
		_, same = b.(int64)
	}
	if !same {
		return false, errors.New("values of different kinds")
	}
	return a == b, nil
}

func (e *evaluator) operand(n parse.Node, dot Value) (Value, error) {
	switch n := n.(type) {
	case *parse.StringNode:
		return n.Text, nil
	case *parse.BoolNode:
		return n.True, nil
	case *parse.NumberNode:
		if n.IsInt && n.Text == strconv.FormatInt(n.Int64, 10) { // no letter in quotes, no exponent
			return n.Int64, nil
		}
	case *parse.DotNode:
		if _, ok := dot.(root); !ok {
			return dot, nil
		}
	case *parse.PipeNode:
		return e.pipe(n, dot)
	case *parse.FieldNode:
		switch dot := dot.(type) {
		case root:
			return e.Field(n.Ident)
		case Record:
			if v, ok := dot[n.Ident[0]]; ok && len(n.Ident) == 1 {
				return v, nil
			}
			return nil, fmt.Errorf("no field %s here", n)
		}
	case *parse.VariableNode:
		if n.Ident[0] == "$" && len(n.Ident) > 1 {
			return e.Field(n.Ident[1:])
		}
	}
	return nil, notSupported(n)
}

func notSupported(n parse.Node) error { return fmt.Errorf("%s is not supported", n) }
