package cli

import (
	"flag"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// invocation is a verb with what was given to it.
type invocation struct {
	verb  Verb
	flags runner            // what run reads
	given map[string]string // flag → the text it was given, for those that were
	words []string          // the arguments, without what stands for a flag
}

// parse reads a verb's command line: -name=value or -name value, before or
// after the argument. help is true if help was asked for.
func (v Verb) parse(args []string) (inv *invocation, help bool, err error) {
	inv = &invocation{verb: v, flags: v.flags(), given: map[string]string{}}
	set := flag.NewFlagSet(v.Name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, f := range v.Flags() {
		take := func(text string) error { return inv.set(f, text) }
		if f.Type() == "bool" {
			set.BoolFunc(f.Name, "", take)
		} else {
			set.Func(f.Name, "", take)
		}
	}
	for len(args) > 0 {
		if err := set.Parse(args); err == flag.ErrHelp {
			return inv, true, nil
		} else if err != nil {
			return nil, false, fault.Usagef(v.flagHint(err), "%s", v.Name+": "+err.Error())
		}
		args = set.Args()
		if len(args) > 0 {
			inv.words, args = append(inv.words, args[0]), args[1:]
		}
	}
	return inv, false, inv.place()
}

// set gives a flag a value.
func (c *invocation) set(f Flag, text string) error {
	if err := f.set(reflect.ValueOf(c.flags).Elem(), text); err != nil {
		return err
	}
	if before, again := c.given[f.Name]; again && f.adds {
		text = before + "," + text
	}
	c.given[f.Name] = text
	return nil
}

// place puts the arguments where the verb's struct has them.
func (c *invocation) place() error {
	args := c.verb.Args()
	least, most := 0, len(args)
	for _, a := range args {
		if !a.Optional {
			least++
		}
	}
	if most > 0 && args[0].Optional && !args[0].many { // it stands for a flag
		name := args[0].Name
		if _, ok := c.given[name]; ok {
			most--
		} else if f, ok := c.verb.flag(name); ok && len(c.words) == most {
			if err := c.set(f, c.words[0]); err != nil {
				return err
			}
			c.words = c.words[1:]
		}
		args = args[1:]
	}
	many := len(args) > 0 && args[len(args)-1].many
	switch n := len(c.words); {
	case n > most && !many:
		return fault.Usagef(c.verb.helpHint(), "%s: unexpected argument %q", c.verb.Name, c.words[most])
	case n < least:
		return fault.Usagef(c.verb.helpHint(), "%s: missing argument: %s", c.verb.Name, args[n].Name)
	}
	flags := reflect.ValueOf(c.flags).Elem()
	for i, a := range args {
		field := flags.FieldByIndex(a.field.Index)
		if a.many {
			field.Set(reflect.ValueOf(c.words[i:]))
		} else {
			field.SetString(c.words[i])
		}
	}
	return nil
}

// flagHint is the hint for a command line that cannot be read: the flag that
// may be meant, or where all are listed.
func (v Verb) flagHint(err error) string {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		name, _, _ = strings.Cut(name, "=")
		var names []string
		for _, f := range v.Flags() {
			names = append(names, f.Name)
		}
		return meant(name, names, "-%s", v.helpHint())
	}
	return v.helpHint()
}

func (v Verb) helpHint() string { return fmt.Sprintf("mintmark %s -help lists its flags", v.Name) }

// help is the text of mintmark VERB -help.
func (v Verb) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mintmark %s [-name=value]...", v.Name)
	for _, a := range v.Args() {
		name := strings.ToUpper(a.Name)
		if a.Optional {
			name = "[" + name + "]"
		}
		switch {
		case a.many && a.Optional:
			name += "..."
		case a.many:
			name += "…"
		}
		b.WriteString(" " + name)
	}
	fmt.Fprintf(&b, "\n\n%s\n\n", v.Summary())
	for _, f := range v.Flags() {
		shown := "-" + f.Name
		if f.Type() != "bool" {
			shown += "="
		}
		fmt.Fprintf(&b, "  %-12s %s\n", shown, f.Help())
	}
	return b.String()
}

// usage is the text of mintmark without a verb.
func usage() string {
	var b strings.Builder
	b.WriteString("mintmark makes release builds of Go programs that anybody can reproduce.\n\nusage: mintmark VERB [-name=value]...\n\n")
	for _, v := range Verbs() {
		fmt.Fprintf(&b, "  %-8s %s\n", v.Name, v.Summary())
	}
	b.WriteString("\nmintmark VERB -help lists a verb's flags.\nExit codes: 0 fine, 1 error, 2 usage or profile file, 3 not reproducible, 4 refused signature or checksum.\n")
	return b.String()
}
