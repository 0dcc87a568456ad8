package actions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// encoded is an action on its way to another machine.
type encoded struct {
	Package  string        `json:"package"`
	Link     bool          `json:"link,omitempty"`
	ID       string        `json:"id"`
	Output   string        `json:"output,omitempty"`
	Executed bool          `json:"executed,omitempty"`
	CPU      time.Duration `json:"cpu,omitempty"`
	Deps     []string      `json:"deps,omitempty"`
	Imports  []string      `json:"imports,omitempty"`
}

// Encode writes the graph as JSON, sorted: equal graphs give equal bytes.
func (g Graph) Encode() ([]byte, error) {
	list := []encoded{}
	for _, a := range g {
		list = append(list, encoded{a.Package, a.Link, a.ID, a.Output, a.Executed, a.CPU, a.deps, a.imports})
	}
	slices.SortFunc(list, func(a, b encoded) int { return Key{a.Package, a.Link}.compare(Key{b.Package, b.Link}) })
	return json.Marshal(list)
}

// Decode reads what Encode wrote, and nothing else: whoever sends a graph must not
// be able to say one thing in two ways.
func Decode(data []byte) (Graph, error) {
	if len(data) > maxGraph {
		return nil, errors.New("action graph: too large")
	}
	var list []encoded
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("action graph: %w", err)
	}
	g := Graph{}
	for _, e := range list {
		a := &Action{Package: e.Package, Link: e.Link, ID: e.ID, Output: e.Output, Executed: e.Executed, CPU: e.CPU, deps: e.Deps, imports: e.Imports}
		if a.Package == "" || a.ID == "" || a.CPU < 0 {
			return nil, fmt.Errorf("action graph: %s: not an action", a.Key())
		}
		g[a.Key()] = a
	}
	if again, err := g.Encode(); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("action graph: not in canonical form")
	}
	return g, nil
}
