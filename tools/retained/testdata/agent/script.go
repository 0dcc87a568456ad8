package main

import (
	"os"

	"github.com/robertkrimen/otto"
)

func evaluate(script string) (string, error) {
	vm := otto.New()
	if err := vm.Set("host", func(call otto.FunctionCall) otto.Value {
		name, _ := os.Hostname()
		v, _ := vm.ToValue(name)
		return v
	}); err != nil {
		return "", err
	}
	v, err := vm.Run(script)
	if err != nil {
		return "", err
	}
	return v.ToString()
}
