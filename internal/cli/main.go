package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/ui"
)

// Main is the command-line door: args are the words after the program's name.
func Main(ctx context.Context, args []string) int { return Open().Main(ctx, args) }

// Main is the command line of this door.
func (d *Door) Main(ctx context.Context, args []string) int {
	if len(args) == 0 {
		return d.fail(fault.Usagef("mintmark -help lists them", "no verb"), false)
	}
	// Also a command line that cannot be read has a result for machines.
	asJSON := slices.ContainsFunc(args, func(a string) bool {
		return slices.Contains([]string{"-json", "--json", "-json=true", "--json=true"}, a)
	})
	switch args[0] {
	case "-h", "-help", "--help", "help":
		return d.help(args[1:], asJSON)
	case "-version", "--version", "version":
		return d.print("mintmark " + Version() + "\n")
	}
	v, ok := Find(args[0])
	if !ok {
		return d.fail(noVerb(args[0]), asJSON)
	}
	f, words, help, err := v.Parse(args[1:])
	if help {
		return d.print(v.Help())
	}
	if err != nil {
		return d.fail(err, asJSON)
	}
	return d.Run(ctx, v.Name, f, words...)
}

func (d *Door) print(text string) int {
	d.printf("%s", ui.Block(text))
	if d.outErr != nil {
		return d.fail(d.outErr, false)
	}
	return 0
}

// help is the text about everything, or about the verbs that are named.
func (d *Door) help(args []string, asJSON bool) int {
	text := ""
	for _, name := range args {
		if strings.HasPrefix(name, "-") {
			continue // -json: there is no such document
		}
		v, ok := Find(name)
		if !ok {
			return d.fail(noVerb(name), asJSON)
		}
		text += v.Help()
	}
	if text == "" {
		text = Usage()
	}
	return d.print(text)
}
