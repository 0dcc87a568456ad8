package main

import "os"

func setting(name string) (string, error) { return os.Getenv("STORE_" + name), nil }
