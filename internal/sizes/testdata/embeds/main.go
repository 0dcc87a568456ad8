// Command embeds has large data of every kind that a package can have, and
// numbers that look like addresses. The files are made by the test.
package main

import (
	"embed"

	"example.com/embeds/quiet"
	"example.com/embeds/store"
	"example.com/embeds/table"
)

//go:embed blob.bin
var blob []byte

//go:embed text.bin
var text string

//go:embed site
var site embed.FS

// Of these only the length is used.
var (
	//go:embed counted.bin
	counted []byte
	//go:embed said.bin
	said string
)

// config holds a large slice behind other fields.
var config = struct {
	name string
	n    int
	body []byte
}{"config", 7, []byte(literal)}

func main() {
	sum := len(counted) + len(said) + config.n + len(config.body)
	for _, c := range blob {
		sum += int(c)
	}
	for i := 0; i < len(text); i++ {
		sum += int(text[i])
	}
	for _, c := range config.body {
		sum += int(c)
	}
	if b, err := site.ReadFile("site/index.html"); err == nil {
		sum += len(b)
	}
	println(config.name, sum, store.Sum(sum%7), table.Sum(sum%7), quiet.Len(), more())
}
