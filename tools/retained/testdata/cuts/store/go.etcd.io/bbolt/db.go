package main

import "os"

type database struct{ dir string }

func open(name string) (*database, error) { return &database{name}, os.MkdirAll(name, 0o700) }

func (d *database) close() error { return nil }

func (d *database) put(name string, data []byte) error {
	return os.WriteFile(d.dir+"/"+name, data, 0o600)
}

func (d *database) get(name string) ([]byte, error) { return os.ReadFile(d.dir + "/" + name) }

func (d *database) names() (list []string, err error) {
	entries, err := os.ReadDir(d.dir)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list, err
}
