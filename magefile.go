//go:build mage

// The magefile of mintmark itself: the targets it offers to everybody, used on
// its own repository, and three for its developers.
package main

import (
	"errors"
	"runtime"

	"github.com/magefile/mage/sh"

	//mage:import
	_ "github.com/mintmark/mintmark/targets"
)

// Test runs all tests, the slow ones too, and lists those that were skipped. Lint vets
// them, and nobody debugs the programs of tests, so neither is done here.
func Test() error {
	return sh.RunV("go", "run", "gotest.tools/gotestsum@v1.13.0", "--format=pkgname", "--", "-timeout=80m", "-vet=off", "-ldflags=-w", "./...")
}

// Lint runs gofmt, go vet and staticcheck, and the analyzers of go vet for the other two
// systems that mintmark runs on.
func Lint() error {
	var errs []error
	unformatted, err := sh.Output("gofmt", "-l", "builds", "checksums", "cmd", "internal", "profiles", "targets", "tools", "magefile.go", "deps_test.go", "docs_test.go")
	if err == nil && unformatted != "" {
		err = errors.New("not gofmt-ed:\n" + unformatted)
	}
	errs = append(errs, err, sh.RunV("go", "vet", "./..."), vetOthers())
	errs = append(errs, sh.RunV("go", "run", "honnef.co/go/tools/cmd/staticcheck@v0.8.2", "./..."))
	return errors.Join(errs...)
}

// vetOthers runs tools/vet for the systems that are not this one.
func vetOthers() error {
	var errs []error
	for _, goos := range []string{"linux", "darwin", "windows"} {
		if goos != runtime.GOOS {
			errs = append(errs, sh.RunV("go", "run", "./tools/vet", goos, "./..."))
		}
	}
	return errors.Join(errs...)
}

// Benchmark measures docs/reports/benchmarks.md anew and rewrites its tables: more than an hour.
func Benchmark() error {
	return sh.RunV("go", "run", "./tools/benchmark", "-update")
}
