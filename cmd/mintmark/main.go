// Command mintmark makes release builds of Go programs that anybody can
// reproduce: every binary is built twice with nothing shared, compared bit for
// bit, archived, checksummed and signed, with a record for a third build.
//
// It is the same as the Mage targets of package targets, for people without a
// magefile. `mintmark -help` lists the verbs.
package main

import (
	"context"
	"os"

	"github.com/mintmark/mintmark/internal/cli"
)

func main() { os.Exit(cli.Main(context.Background(), os.Args[1:])) }
