package main

import "os"

type logger struct{}

func newLogger(verbose bool) (*logger, error) { return &logger{}, nil }

func (l *logger) info(what string, kv ...any) { os.Stderr.WriteString(what + "\n") }
func (l *logger) error(what string, err error) {
	os.Stderr.WriteString(what + ": " + err.Error() + "\n")
}
