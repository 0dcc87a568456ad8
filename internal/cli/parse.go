package cli

import (
	"flag"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/ui"
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
		for _, name := range []string{f.Name, f.also} {
			switch {
			case name == "":
			case f.Type() == "bool":
				set.BoolFunc(name, "", take)
			default:
				set.Func(name, "", take)
			}
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
		if _, instead := c.given[a.unless]; !a.Optional && !instead {
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
		} else if i < len(c.words) {
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

// helpColumns is how wide help is at most, wherever it is read.
const helpColumns = 80

// synopsis is the arguments as help has them behind the verb's name.
func (v Verb) synopsis() string {
	var b strings.Builder
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
	return b.String()
}

// shown is the flag as help has it.
func (f Flag) shown() string {
	if f.Type() == "bool" {
		return "-" + f.Name
	}
	return "-" + f.Name + "="
}

// help is the text of mintmark VERB -help.
func (v Verb) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mintmark %s [-name=value]...%s\n\n%s", v.Name, v.synopsis(), ui.Fold(v.Summary(), helpColumns, 0))
	b.WriteString("\n")
	line := func(name, text string) {
		b.WriteString(ui.Fold(fmt.Sprintf("  %-12s %s", name, text), helpColumns, 15))
	}
	for _, a := range v.Args() {
		if a.Help != "" {
			line(strings.ToUpper(a.Name), a.Help)
		}
	}
	for _, f := range v.Flags() {
		line(f.shown(), f.Help())
	}
	return b.String()
}

// about is what mintmark is, in one line.
const about = "makes release builds of Go programs that anybody can reproduce"

// exitCode is what an exit code means.
type exitCode struct {
	code  int
	means string
}

func exitCodes() []exitCode {
	return []exitCode{
		{0, "fine"}, {fault.Failed, "error"}, {fault.Usage, "usage or profile file"},
		{fault.NotReproducible, "not reproducible, or over budget"}, {fault.Refused, "refused signature or checksum"},
	}
}

// usage is the text of mintmark without a verb.
func usage() string {
	var b strings.Builder
	b.WriteString("mintmark " + about + ".\n\nusage: mintmark VERB [-name=value]...\n\n")
	width := 0
	for _, v := range Verbs() {
		width = max(width, len(v.Name))
	}
	for _, v := range Verbs() {
		b.WriteString(ui.Fold(fmt.Sprintf("  %-*s %s", width, v.Name, v.Summary()), helpColumns, width+3))
	}
	var codes []string
	for _, e := range exitCodes() {
		codes = append(codes, fmt.Sprintf("%d %s", e.code, e.means))
	}
	b.WriteString("\nmintmark VERB -help lists a verb's flags.\n" + ui.Fold("Exit codes: "+strings.Join(codes, "; ")+".", helpColumns, 0))
	return b.String()
}
