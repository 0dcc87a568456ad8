//go:build mage

// The magefile of mintmark itself: the targets it offers to everybody, used on
// its own repository, and three for its developers.
package main

import (
	"errors"
	"runtime"
	"sync"

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
	unformatted, err := sh.Output("gofmt", "-l", "builds", "checksums", "cmd", "internal", "profiles", "targets", "tools", "magefile.go", "deps_test.go", "docs_test.go")
	if err == nil && unformatted != "" {
		err = errors.New("not gofmt-ed:\n" + unformatted)
	}
	return errors.Join(err, sh.RunV("go", "vet", "./..."), others())
}

// others runs staticcheck, and tools/vet for the systems that are not this one, beside
// each other: each is busy with one file after the other for much of its time.
func others() error {
	checks := [][]string{{"run", "honnef.co/go/tools/cmd/staticcheck@v0.8.2", "./..."}}
	for _, goos := range []string{"linux", "darwin", "windows"} {
		if goos != runtime.GOOS {
			checks = append(checks, []string{"run", "./tools/vet", goos, "./..."})
		}
	}
	errs := make([]error, len(checks))
	var wait sync.WaitGroup
	for i, args := range checks {
		wait.Go(func() { errs[i] = sh.RunV("go", args...) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// Benchmark measures docs/reports/benchmarks.md anew and rewrites its tables: more than an hour.
func Benchmark() error {
	return sh.RunV("go", "run", "./tools/benchmark", "-update")
}
