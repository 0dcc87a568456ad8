package main

import "os"

func logf(what, value string) { os.Stderr.WriteString(what + ": " + value + "\n") }
