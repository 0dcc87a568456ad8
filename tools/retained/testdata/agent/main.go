// Command agent is a small device agent: a command line, a script engine, a log,
// and counters over HTTP.
package main

import (
	"expvar"
	"fmt"
	"net/http"
	"os"
	"time"
)

var (
	started = expvar.NewInt("started")
	ran     = expvar.NewInt("scripts")
)

// options are what the command line says.
type options struct {
	listen  string
	script  string
	every   time.Duration
	verbose bool
}

func main() {
	if err := execute(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(o *options) error {
	log, err := newLogger(o.verbose)
	if err != nil {
		return err
	}
	started.Add(1)
	log.info("listening", "address", o.listen)
	go func() {
		for range time.Tick(o.every) {
			v, err := evaluate(o.script)
			if err != nil {
				log.error("script", err)
				continue
			}
			ran.Add(1)
			log.info("script", "value", v)
		}
	}()
	return http.ListenAndServe(o.listen, nil)
}
