// Command vet finds what go vet finds, with the same analyzers, without compiling what
// the packages import: types are taken from source. For a system that nothing is
// compiled for otherwise, go vet compiles the standard library and all modules first,
// which takes ten times as long.
//
//	go run ./tools/vet GOOS PACKAGES…
package main

import (
	"fmt"
	"os"

	"golang.org/x/tools/go/analysis/multichecker"
	"golang.org/x/tools/go/analysis/suite/vet"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: go run ./tools/vet GOOS PACKAGES…")
		os.Exit(2)
	}
	// The go command, which lists and parses for it, goes by this.
	if err := os.Setenv("GOOS", os.Args[1]); err != nil {
		panic(err)
	}
	os.Args = append(os.Args[:1], os.Args[2:]...)
	multichecker.Main(vet.Suite...)
}
