package cli

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/checksums"
)

// Flag is one flag of a verb, as a field of the verb's struct declares it.
type Flag struct {
	Name     string
	meanings []meaning
	reads    string // the hint for a file that cannot be read; "" if it names no files to read
	dirs     bool   // a directory will do
	adds     bool   // given again it adds to what was given before
	values   []string
	takes    takes
	also     string // another spelling, which a Mage target cannot have; "" for none
	field    reflect.StructField
}

// takes says what a flag's text names, for a shell that completes it.
type takes string

const (
	takesFile    takes = "file"
	takesDir     takes = "dir"
	takesProfile takes = "profile"
)

// meaning is what a flag means beside one of some others; beside none of them it
// means nothing. with is nil of what it means by itself.
type meaning struct {
	with []string
	text string
}

// Arg is one argument of a verb, as a field of the verb's struct declares it.
type Arg struct {
	Name, Help string
	// Optional is true if it need not be given, since a flag takes the same. A Mage
	// target, whose arguments must all be given, has that flag alone.
	Optional bool
	unless   string // the flag beside which it need not be given
	many     bool   // the last one, which may be given several times
	values   []string
	field    reflect.StructField
}

// Flags are the verb's flags in the order of the help text.
func (v Verb) Flags() (flags []Flag) {
	for _, f := range v.fields() {
		name, ok := f.Tag.Lookup("flag")
		if !ok {
			continue
		}
		flag := Flag{Name: name, reads: f.Tag.Get("reads"), dirs: f.Tag.Get("dirs") != "", adds: f.Tag.Get("adds") != "",
			values: strings.Fields(f.Tag.Get("values")), takes: takes(f.Tag.Get("takes")), also: f.Tag.Get("also"), field: f}
		with := strings.Split(f.Tag.Get("with"), "|")
		for i, text := range strings.Split(f.Tag.Get("help"), "|") {
			flag.meanings = append(flag.meanings, meaning{strings.Fields(with[min(i, len(with)-1)]), text})
		}
		flags = append(flags, flag)
	}
	return flags
}

// Args are the verb's arguments in their order. The first one may be optional,
// and the last one.
func (v Verb) Args() (args []Arg) {
	for _, f := range v.fields() {
		if tag, ok := f.Tag.Lookup("arg"); ok {
			name, optional := strings.CutSuffix(tag, "?")
			args = append(args, Arg{name, f.Tag.Get("help"), optional, f.Tag.Get("unless"), f.Type.Kind() == reflect.Slice, strings.Fields(f.Tag.Get("values")), f})
		}
	}
	return args
}

func (v Verb) fields() []reflect.StructField {
	return reflect.VisibleFields(reflect.TypeOf(v.flags()).Elem())
}

// flag gives the flag of that name.
func (v Verb) flag(name string) (Flag, bool) {
	flags := v.Flags()
	if i := slices.IndexFunc(flags, func(f Flag) bool { return f.Name == name }); i >= 0 {
		return flags[i], true
	}
	return Flag{}, false
}

// Type is the type of its values: bool, int, or string for all others.
func (f Flag) Type() string {
	switch f.kind() {
	case reflect.Bool:
		return "bool"
	case reflect.Int:
		return "int"
	}
	return "string"
}

func (f Flag) kind() reflect.Kind {
	if f.field.Type.Kind() == reflect.Pointer {
		return f.field.Type.Elem().Kind()
	}
	return f.field.Type.Kind()
}

// Help is what the flag means.
func (f Flag) Help() string {
	var parts []string
	for _, m := range f.meanings {
		text := m.text
		if len(m.with) > 0 {
			text = "with -" + strings.Join(m.with, " or -") + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// partners are the flags beside one of which the flag means something; none if it
// does by itself.
func (f Flag) partners() (names []string) {
	for _, m := range f.meanings {
		if len(m.with) == 0 {
			return nil
		}
		names = append(names, m.with...)
	}
	return names
}

// set gives the flag's field of a verb's struct a value.
func (f Flag) set(flags reflect.Value, text string) error {
	field := flags.FieldByIndex(f.field.Index)
	switch f.kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("want true or false")
		}
		field.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("want a number")
		}
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.ValueOf(&n))
		} else {
			field.SetInt(int64(n))
		}
	case reflect.Slice:
		list := reflect.ValueOf(words(text)).Convert(field.Type())
		if f.adds {
			list = reflect.AppendSlice(field, list)
		}
		field.Set(list)
	default:
		field.SetString(text)
	}
	return nil
}

// words are the values of a flag that takes several, separated by commas.
func words(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ","), func(w string) bool { return w == "" })
}

// publicKey, publicKeys and privateKey name keys that a flag reads: a file,
// env://NAME or a KMS URI.
type (
	publicKey  string
	publicKeys []string
	privateKey string
)

func (k publicKey) ref(a *app) checksums.KeyRef  { return a.keyRef(string(k)) }
func (k privateKey) ref(a *app) checksums.KeyRef { return a.keyRef(string(k)) }
func (k publicKeys) refs(a *app) (refs []checksums.KeyRef) {
	for _, name := range k {
		refs = append(refs, a.keyRef(name))
	}
	return refs
}
