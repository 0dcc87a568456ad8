package cli

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"unicode/utf8"
)

// manFlags are what mintmark man takes.
type manFlags struct {
	commandOnly
}

func (f *manFlags) run(_ context.Context, d *app) error {
	day := ""
	if bi, ok := debug.ReadBuildInfo(); ok {
		for _, s := range bi.Settings {
			if s.Key == "vcs.time" {
				day, _, _ = strings.Cut(s.Value, "T")
			}
		}
	}
	_, err := d.stdout().Write([]byte(manPage(Verbs(), version(), day)))
	return err
}

// manPage is the manual page in the man(7) macros. day is the date of what it
// describes, "" if that is not known.
func manPage(verbs []Verb, version, day string) string {
	var b strings.Builder
	p := func(format string, args ...any) {
		for i, a := range args {
			args[i] = roff(fmt.Sprint(a))
		}
		fmt.Fprintf(&b, format+"\n", args...)
	}
	p(`.TH MINTMARK 1 "%s" "mintmark %s" "User Commands"`, day, version)
	p(".SH NAME\nmintmark \\- %s", about)
	p(".SH SYNOPSIS\n.B mintmark\n.I verb\n.RI [ \\-name=value ]...\n.RI [ argument ]...")
	p(".SH DESCRIPTION\nFlags stand before or after the arguments, as \\-name=value or \\-name value.")
	p(".SH VERBS")
	for _, v := range verbs {
		p(".SS %s", v.Name+v.synopsis())
		p("%s", strings.ToUpper(v.Summary()[:1])+strings.TrimRight(v.Summary()[1:], ".")+".")
		for _, a := range v.Args() {
			if a.Help != "" {
				p(".TP\n.I %s\n%s.", strings.ToUpper(a.Name), a.Help)
			}
		}
		for _, f := range v.Flags() {
			p(".TP\n.B %s\n%s.", f.shown(), f.Help())
		}
	}
	p(".SH EXIT STATUS")
	for _, e := range exitCodes() {
		p(".TP\n.B %s\n%s.", e.code, e.means)
	}
	return b.String()
}

// roff writes a text so that it is shown as it is: a minus is one, and not the end
// of a line that may be broken, and nothing is an order to the formatter.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	var b strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		}
	}
	return b.String()
}
