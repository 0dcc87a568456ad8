package profiles

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// LoadMachines reads the file that says which machines a user builds on: on, the list that
// the flag of that name takes. It is of the machine, not of the product, and nothing of it
// reaches a plan. The error is a [Problems] with everything wrong in it.
func LoadMachines(path string, data []byte) (on []string, err error) {
	d := &decoder{src: newSource(path, nil), secret: map[int]bool{}, keys: map[*yaml.Node]bool{}}
	d.file = &File{Path: path, positions: map[string]Position{}}
	if len(data) > maxFile {
		d.errorAt(Position{File: path}, "", "the file has %d bytes, more than %d", len(data), maxFile)
		return nil, d.problems
	}
	d.src = newSource(path, data)
	d.leaked()
	if root := d.parse(data); root != nil {
		d.forget(root)
		on = d.machines(root)
	}
	if problems := d.finish(); len(problems) > 0 {
		return nil, problems
	}
	return on, nil
}

func (d *decoder) machines(root *yaml.Node) (on []string) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(tooLarge); !ok {
				panic(r)
			}
			d.problems = nil
			d.errorAt(d.pos(root), "", "the file has more than %d values after following its aliases", maxNodes)
		}
	}()
	const example = "write on: [here, ssh://HOST]"
	entries, ok := d.mapEntries(d.follow(root), "the file", example)
	if !ok {
		return nil
	}
	if !slices.ContainsFunc(entries, func(e entry) bool { return e.name == "on" }) {
		d.errorAt(d.pos(root), example, "the file names no machines")
	}
	for _, e := range entries {
		if e.name != "on" {
			d.unknownKey(e, "", []key{{name: "on"}}, nil)
			continue
		}
		list, nodes, ok := d.texts(e.value, "on", example)
		if ok && len(list) == 0 {
			d.errorAt(d.pos(e.value), example, "on names no machine")
		}
		for i, text := range list {
			if text == "" {
				d.errorAt(d.pos(nodes[i]), "", "an element of on is empty")
			}
		}
		on = list
	}
	return on
}
