package main

import "os"

func evaluate(script string) (string, error) { return os.Hostname() }
