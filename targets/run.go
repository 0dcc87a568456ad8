// Package targets are mintmark's Mage targets. A magefile imports it:
//
//	//go:build mage
//
//	package main
//
//	import (
//		//mage:import
//		_ "github.com/mintmark/mintmark/targets"
//	)
//
// Flags are written -name=value after the target's name. Each target is the
// verb of the same name of cmd/mintmark; neither does anything itself.
//
// A target must call run, not another target: Mage cannot pass flags between
// targets.
package targets

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/magefile/mage/mg"
	"github.com/mintmark/mintmark/internal/cli"
)

//go:generate go run ../tools/maketargets targets.go

// flags are what Mage read for a target: a pointer for each flag, nil if it was
// not given.
type flags map[string]any

// run calls the verb and hands its exit code to Mage. What went wrong has been
// printed by then; Mage prints the code only.
func run(ctx context.Context, verb string, given flags, args ...string) error {
	ctx, stop := cli.WithParent(ctx)
	defer stop()
	if code := cli.Main(ctx, commandLine(verb, given, args)); code != 0 {
		return mg.Fatalf(code, "%s failed with exit code %d", verb, code)
	}
	return nil
}

// commandLine is what one writes after mintmark for the same.
func commandLine(verb string, given flags, args []string) []string {
	words := []string{verb}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if v := reflect.ValueOf(given[name]); !v.IsNil() {
			words = append(words, fmt.Sprintf("-%s=%v", name, v.Elem()))
		}
	}
	for _, a := range args {
		words = append(words, "--", a) // even if it begins as a flag does
	}
	return words
}
