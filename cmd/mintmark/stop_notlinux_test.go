//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// ended: without /proc there is no list of processes; the scripts that use it run on Linux only.
func ended(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("ended needs Linux") }
