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

// Bounds of what Decode reads: 20 times what a program with 2000 packages has.
const (
	MaxEncoded = 32 << 20 // bytes
	maxActions = 100_000
)

// Encode writes the graph as JSON, sorted: equal graphs give equal bytes.
func (g Graph) Encode() ([]byte, error) {
	list := []encoded{}
	for _, a := range g {
		list = append(list, encoded{a.Package, a.Link, a.ID, a.Output, a.Executed, a.CPU, a.deps, a.imports})
	}
	slices.SortFunc(list, func(a, b encoded) int { return Key{a.Package, a.Link}.compare(Key{b.Package, b.Link}) })
	data, err := json.Marshal(list)
	if err == nil && (len(data) > MaxEncoded || len(list) > maxActions) {
		err = fmt.Errorf("action graph: %d actions in %d bytes are more than is read", len(list), len(data))
	}
	return data, err
}

// Decode reads what Encode wrote, and nothing else: whoever sends a graph must not
// be able to say one thing in two ways.
func Decode(data []byte) (Graph, error) {
	if len(data) > MaxEncoded {
		return nil, errors.New("action graph: too large")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.New("action graph: not in canonical form")
	}
	g := Graph{}
	for dec.More() { // one at a time: what says nothing takes little of data, and much memory
		var e encoded
		if err := dec.Decode(&e); err != nil {
			return nil, fmt.Errorf("action graph: %w", err)
		}
		a := &Action{Package: e.Package, Link: e.Link, ID: e.ID, Output: e.Output, Executed: e.Executed, CPU: e.CPU, deps: e.Deps, imports: e.Imports}
		if a.Package == "" || a.ID == "" || a.CPU < 0 || g[a.Key()] != nil {
			return nil, fmt.Errorf("action graph: %.200q: not an action, or twice", a.Key().String())
		}
		if len(g) == maxActions {
			return nil, fmt.Errorf("action graph: more than %d actions", maxActions)
		}
		g[a.Key()] = a
	}
	if again, err := g.Encode(); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("action graph: not in canonical form")
	}
	return g, nil
}
