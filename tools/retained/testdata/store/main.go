// Command store keeps files, compressed, in one database file.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	home, err := setting("file")
	if err != nil {
		return err
	}
	db, err := open(home)
	if err != nil {
		return err
	}
	defer db.close()
	for _, name := range args {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		small, err := compress(data)
		if err != nil {
			return err
		}
		if err := db.put(name, small); err != nil {
			return err
		}
	}
	names, err := db.names()
	if err != nil {
		return err
	}
	name, err := choose(names)
	if err != nil || name == "" {
		return err
	}
	small, err := db.get(name)
	if err != nil {
		return err
	}
	data, err := decompress(small)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(data)
	return err
}
