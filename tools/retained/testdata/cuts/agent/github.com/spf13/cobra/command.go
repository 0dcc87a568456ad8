package main

import (
	"fmt"
	"os"
	"time"
)

func execute(args []string) error {
	var o options
	o.listen, o.every = ":8080", time.Minute
	if len(args) < 2 {
		return fmt.Errorf("usage: agent run SCRIPT | agent eval SCRIPT")
	}
	switch args[0] {
	case "run":
		o.script = args[1]
		return serve(&o)
	case "eval":
		v, err := evaluate(args[1])
		if err == nil {
			fmt.Fprintln(os.Stdout, v)
		}
		return err
	}
	return fmt.Errorf("unknown command %q", args[0])
}
