package goflags

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Tool is a program that the go command hands flags to.
type Tool string

// The tools, by the names of their packages in cmd.
const (
	Compiler  Tool = "compile" // -gcflags
	Assembler Tool = "asm"     // -asmflags
	Linker    Tool = "link"    // -ldflags
)

// kind is how a flag takes its value.
type kind int

const (
	boolean kind = iota // -name, or -name=true
	count               // -name, which counts, or -name=3
	text                // -name=value, or the next word, whatever it begins with
)

// row is what is known of a tool's flag that anybody may set.
type row struct {
	kind  kind
	check func(value string) error // of a text; nil: anything
}

// Arg is a flag as a tool reads it.
type Arg struct {
	Name  string // without "-"
	Value string
	// How it was written, which the go command hashes: -name, -name=value, or
	// -name and value in a word of its own.
	Form Form
}

// Form is how a flag and its value are written.
type Form int

// The forms.
const (
	Bare   Form = iota // -name
	Joined             // -name=value
	Apart              // -name value
)

// words are the argument as it is written.
func (a Arg) words() []string {
	switch a.Form {
	case Joined:
		return []string{"-" + a.Name + "=" + a.Value}
	case Apart:
		return []string{"-" + a.Name, a.Value}
	}
	return []string{"-" + a.Name}
}

// Parse reads words as the tool does (package flag, after cmd/internal/objabi
// has put the lines of a file in the place of every word that begins with "@").
// Its error is the first word that is no flag, or none of those in the table
// that anybody may set.
func (t Tool) Parse(words []string) ([]Arg, error) {
	var args []Arg
	for i := 0; i < len(words); i++ {
		word := words[i]
		name, ok := strings.CutPrefix(word, "-")
		if !ok || name == "" || name[0] == '-' || name[0] == '=' {
			return nil, fmt.Errorf("%q is no flag of %s", word, t)
		}
		a := Arg{Name: name}
		if n, value, ok := strings.Cut(name, "="); ok {
			a = Arg{n, value, Joined}
		}
		row, ok := t.table()[a.Name]
		if !ok {
			return nil, fmt.Errorf("%s -%s is none of the flags known to name no program and no file", t, a.Name)
		}
		if row.kind == text && a.Form == Bare {
			if i++; i == len(words) {
				return nil, fmt.Errorf("%s -%s lacks its value", t, a.Name)
			}
			if strings.HasPrefix(words[i], "@") {
				return nil, fmt.Errorf("%q stands for the lines of a file", words[i])
			}
			a.Value, a.Form = words[i], Apart
		}
		if err := row.refuse(a); err != nil {
			return nil, fmt.Errorf("%s -%s=%s: %w", t, a.Name, a.Value, err)
		}
		args = append(args, a)
	}
	return args, nil
}

func (r row) refuse(a Arg) error {
	switch {
	case r.kind == text && r.check != nil:
		return r.check(a.Value)
	case r.kind == text || a.Form == Bare:
		return nil
	case r.kind == count && a.Value != "true" && a.Value != "false":
		if n, err := strconv.Atoi(a.Value); err != nil || n < -99 || n > 99 {
			return errors.New("not a small number")
		}
	case r.kind == boolean:
		if _, err := strconv.ParseBool(a.Value); err != nil {
			return errors.New("neither true nor false")
		}
	}
	return nil
}
