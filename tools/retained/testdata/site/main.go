// Command site serves a directory of Markdown as pages.
package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// config is what site.yaml says.
type config struct {
	Listen string            `yaml:"listen"`
	Root   string            `yaml:"root"`
	Style  string            `yaml:"style"`
	Titles map[string]string `yaml:"titles"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	data, err := os.ReadFile("site.yaml")
	if err != nil {
		return err
	}
	c, err := parse(data)
	if err != nil {
		return err
	}
	logf("listening", c.Listen)
	return http.ListenAndServe(c.Listen, routes(c))
}

// page serves one page.
func page(c *config, w http.ResponseWriter, name string) {
	data, err := os.ReadFile(filepath.Join(c.Root, filepath.Base(name)+".md"))
	if err != nil {
		http.Error(w, "no such page", http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, "<title>%s</title>\n", c.Titles[name])
	if err := render(w, data, c.Style); err != nil {
		logf("render", err.Error())
	}
}
