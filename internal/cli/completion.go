package cli

import (
	"context"
	_ "embed"
	"reflect"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/release"
)

// completionFlags are what mintmark completion takes.
type completionFlags struct {
	commandOnly
	Shell string `arg:"shell" values:"bash zsh fish powershell" help:"bash, zsh, fish or powershell"`
}

// The scripts know no verb and no flag: they ask mintmark with completeRequest.
var (
	//go:embed completion/mintmark.bash
	bashScript string
	//go:embed completion/mintmark.zsh
	zshScript string
	//go:embed completion/mintmark.fish
	fishScript string
	//go:embed completion/mintmark.ps1
	powershellScript string
)

func (f *completionFlags) run(_ context.Context, d *app) error {
	scripts := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript, "powershell": powershellScript}
	_, err := d.stdout().Write([]byte(scripts[f.Shell]))
	return err
}

// completeRequest is the first word of the command line with which a script asks
// how another one can go on. The words after mintmark follow; the last one, which
// is not complete, has a = before it, since some shells drop an empty word.
//
// The answer is a line that says what else may stand there: a file, a dir, or
// nothing of the kind; and a line for each word that may, with a tab and what it
// means. After a word that ends in = or : more of it is expected.
const completeRequest = "__complete"

// complete is the answer to completeRequest.
func (d *app) complete(words []string) string {
	if len(words) == 0 {
		return ""
	}
	last := len(words) - 1
	c := completer{verbs: Verbs(), typed: strings.TrimPrefix(words[last], "=")}
	c.line(words[:last])
	kind := string(c.takes)
	if c.takes == takesProfile {
		kind = ""
		c.list(release.ProfileNames(c.dir, c.config))
	}
	var b strings.Builder
	b.WriteString(kind + "\n")
	for _, w := range c.found {
		b.WriteString(w.text + "\t" + w.means + "\n")
	}
	return b.String()
}

// completer finds how a command line can go on.
type completer struct {
	verbs []Verb
	typed string // of the word that is being typed, what is before the cursor

	takes       takes
	found       []completion
	dir, config string // -dir and -config of the line
}

// completion is a word that may stand there.
type completion struct{ text, means string }

// add takes a word if it begins with what was typed.
func (c *completer) add(text, means string) {
	if strings.HasPrefix(text, c.typed) {
		c.found = append(c.found, completion{text, means})
	}
}

// list completes the value that is being typed, of which what is before the last
// comma stays as it is.
func (c *completer) list(values []string) {
	before := ""
	if i := strings.LastIndexAny(c.typed, "=,"); i >= 0 {
		before = c.typed[:i+1]
	}
	for _, v := range values {
		c.add(before+v, "")
	}
}

// line looks at the complete words before the one that is being typed.
func (c *completer) line(words []string) {
	if len(words) == 0 || words[0] == "help" {
		for _, v := range c.verbs {
			c.add(v.Name, v.Summary())
		}
		return
	}
	at := slices.IndexFunc(c.verbs, func(v Verb) bool { return v.Name == words[0] })
	if at < 0 {
		return
	}
	v := c.verbs[at]
	given, args := map[string]bool{}, 0
	var value *Flag // the one whose value comes next
	for i, w := range words[1:] {
		switch {
		case value != nil:
			c.value(*value, w)
			value = nil
		case w == "--" || words[i] == "--" || !strings.HasPrefix(w, "-") || w == "-":
			if w != "--" {
				args++
			}
		default:
			name, text, has := strings.Cut(strings.TrimLeft(w, "-"), "=")
			f, ok := v.flag(name)
			given[name] = true
			if ok && has {
				c.value(f, text)
			} else if ok && f.Type() != "bool" {
				value = &f
			}
		}
	}
	name, _, has := strings.Cut(strings.TrimLeft(c.typed, "-"), "=")
	switch f, ok := v.flag(name); {
	case value != nil:
		c.flagValue(*value)
	case words[len(words)-1] == "--":
		c.arg(v, args)
	case strings.HasPrefix(c.typed, "-") && has && ok:
		c.flagValue(f)
	case strings.HasPrefix(c.typed, "-"):
		c.flags(v, given)
	case len(v.Args()) == 0:
		c.flags(v, given)
	default:
		c.arg(v, args)
	}
}

// value takes note of a flag that says where profiles are.
func (c *completer) value(f Flag, text string) {
	switch f.Name {
	case "dir":
		c.dir = text
	case "config":
		c.config = text
	}
}

// flags completes the name of a flag that was not given yet, or may be again.
func (c *completer) flags(v Verb, given map[string]bool) {
	dashes := "-"
	if strings.HasPrefix(c.typed, "--") {
		dashes = "--"
	}
	defaults := reflect.ValueOf(v.flags()).Elem()
	for _, f := range v.Flags() {
		if given[f.Name] && !f.adds {
			continue
		}
		switch text := dashes + f.Name; {
		case f.Type() != "bool":
			c.add(text+"=", f.Help())
		case defaults.FieldByIndex(f.field.Index).Bool():
			c.add(text+"=false", f.Help())
		default:
			c.add(text, f.Help())
		}
	}
}

// flagValue completes the value of a flag.
func (c *completer) flagValue(f Flag) {
	_, typed, has := strings.Cut(c.typed, "=")
	switch {
	case f.Type() == "bool":
		c.list([]string{"true", "false"})
	case len(f.values) > 0:
		c.list(f.values)
	case f.takes != "":
		c.takes = f.takes
	case f.reads != "", f.field.Type == reflect.TypeFor[publicKey](), f.field.Type == reflect.TypeFor[publicKeys](), f.field.Type == reflect.TypeFor[privateKey]():
		c.takes = takesFile
	}
	if has && c.takes == takesFile && strings.Contains(typed, "://") {
		c.takes = ""
	}
}

// arg completes the argument after n others.
func (c *completer) arg(v Verb, n int) {
	args := v.Args()
	if n >= len(args) && (len(args) == 0 || !args[len(args)-1].many) {
		return
	}
	a := args[min(n, len(args)-1)]
	if len(a.values) > 0 {
		c.list(a.values)
		return
	}
	c.takes = takesFile
}
