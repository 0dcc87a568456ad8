package profiles

import (
	"errors"
	"strings"
	"text/template/parse"

	"github.com/mintmark/mintmark/internal/fact"
)

// Names are what a unit's programs and what is published of them are called. They
// are known when the programs are.
type Names struct {
	// Name is that of the artifact without extension; "" where each program is
	// published by itself under a name of its own.
	Name     string
	Wrap     string // the directory that the files of an archive lie in; "" for none
	Programs []ProgramNames
}

// ProgramNames are those of one program, without extension.
type ProgramNames struct {
	Path string // in an archive, slash-separated
	Name string // of what is published of it; "" where it is [Names.Name]
}

// forNames is v for names and paths of files.
func (v Vars) forNames(env map[string]string) Vars {
	if v.Env = env; v.Env == nil {
		v.Env = map[string]string{}
	}
	v.Variant = strings.ReplaceAll(v.Variant, ",", "_")
	return v
}

// Names expands what s, which was expanded ([Settings.Expand]), says of names.
// binaries are what go build calls the programs, one or more, without extension.
// All errors are reported, each an [expandError].
func (s Settings) Names(v Vars, binaries []string) (Names, error) {
	var n Names
	var errs []error
	v = v.forNames(s.Env)
	expand := func(key, text string, binary string, check func(string) error) string {
		v.Binary = binary
		value, err := expandText(text, &v)
		if err == nil {
			err = check(value)
		}
		if err != nil {
			errs = append(errs, &expandError{key, err})
		}
		return value
	}
	only := ""
	if len(binaries) == 1 {
		only = binaries[0]
	}
	bare := len(s.Archive) == 1 && s.Archive[0] == fact.NoArchive
	each := bare && only == "" && uses(s.Name, "Binary")
	if !each {
		n.Name = expand("name", s.Name, only, CheckName)
	}
	for _, b := range binaries {
		p := ProgramNames{Path: expand("binary", s.Binary, b, func(s string) error { return CheckPath("binary", s) })}
		if each {
			p.Name = expand("name", s.Name, b, CheckName)
		}
		n.Programs = append(n.Programs, p)
	}
	if s.Wrap != "" && !bare {
		v.Name = n.Name
		n.Wrap = expand("wrap", s.Wrap, only, func(s string) error {
			if s == "" {
				return nil
			}
			return CheckPath("wrap", s)
		})
	}
	return n, errors.Join(errs...)
}

// Names is [Settings.Names] of p on pl; the error is [Problems].
func (p *Profile) Names(pl Platform, v Vars, s Settings, binaries []string) (Names, error) {
	n, err := s.Names(p.vars(pl, v), binaries)
	if err != nil {
		return Names{}, p.located(pl, err)
	}
	return n, nil
}

// vars are v with what the profile and the platform say.
func (p *Profile) vars(pl Platform, v Vars) Vars {
	v.Project, v.Profile = p.file.Project, p.Name
	v.OS, v.Arch, v.Variant = pl.OS, pl.Arch, pl.Variant
	return v
}

// Uses reports whether some template of the file has the field, such as Summary.
func (f *File) Uses(field string) bool {
	used := func(l layer) bool {
		for _, v := range l {
			if uses(v.text, field) {
				return true
			}
			for _, s := range v.list {
				if uses(s, field) {
					return true
				}
			}
			for _, x := range v.files {
				if uses(x.Dst, field) {
					return true
				}
			}
		}
		return false
	}
	for _, p := range f.Profiles {
		if used(p.own) {
			return true
		}
		for _, o := range p.overrides {
			if used(o.layer) {
				return true
			}
		}
	}
	return used(f.common)
}

// uses reports whether a template has a field.
func uses(text, field string) bool {
	if !strings.Contains(text, field) {
		return false
	}
	tree, _ := parseTemplate(text, templateScope{env: func(string) bool { return true }, fields: artifactFields})
	return tree != nil && nodeUses(tree.Root, field)
}

func nodeUses(n parse.Node, field string) bool {
	var below []parse.Node
	switch n := n.(type) {
	case *parse.FieldNode:
		return n.Ident[0] == field
	case *parse.VariableNode:
		return len(n.Ident) > 1 && n.Ident[1] == field
	case *parse.ListNode:
		if n != nil {
			below = n.Nodes
		}
	case *parse.ActionNode:
		below = []parse.Node{n.Pipe}
	case *parse.IfNode:
		below = []parse.Node{n.Pipe, n.List, n.ElseList}
	case *parse.WithNode:
		below = []parse.Node{n.Pipe, n.List, n.ElseList}
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			below = append(below, c.Args...)
		}
	}
	for _, b := range below {
		if nodeUses(b, field) {
			return true
		}
	}
	return false
}
