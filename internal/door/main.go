package door

import (
	"context"
	"fmt"

	"github.com/mintmark/mintmark/internal/release"
)

// Main is the command-line door: args are the words after the program's name.
func Main(ctx context.Context, args []string) int {
	d := Open()
	if len(args) == 0 {
		d.Term.Error(&usageError{"no verb", "mintmark -help lists them"})
		return release.ExitUsage
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		d.Term.Printf("%s", Usage())
		return 0
	case "-version", "--version", "version":
		d.Term.Printf("mintmark %s\n", Version())
		return 0
	}
	v, ok := Find(args[0])
	if !ok {
		d.Term.Error(&usageError{fmt.Sprintf("there is no verb %q", args[0]), "mintmark -help lists them"})
		return release.ExitUsage
	}
	f, arg, help, err := v.Parse(args[1:])
	if help {
		d.Term.Printf("%s", v.Help())
		return 0
	}
	if err != nil {
		d.Term.Error(err)
		return release.ExitUsage
	}
	return d.Run(ctx, v.Name, f, arg)
}
