// Command small is as little as a Go program can be, and still the runtime.
package main

func main() {}
