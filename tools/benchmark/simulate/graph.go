package simulate

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
)

// ReadGraph reads the actions of a build from a file that go build wrote for
// -debug-actiongraph, in the order in which the go command prefers them. Their
// CPU is user+sys of the tools that ran, so that the build must have begun with
// an empty cache if the actions are to be those of a cold one.
func ReadGraph(name string) ([]Action, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var nodes []struct {
		ID, Priority    int
		Deps            []int
		CmdUser, CmdSys time.Duration
	}
	if err := json.Unmarshal(data, &nodes); err != nil {
		return nil, fmt.Errorf("action graph %s: %w", name, err)
	}
	order := make([]int, len(nodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return nodes[a].Priority - nodes[b].Priority })
	at := map[int]int{} // ID → index in the result
	for i, n := range order {
		at[nodes[n].ID] = i
	}
	actions := make([]Action, len(nodes))
	for i, n := range order {
		actions[i].CPU = nodes[n].CmdUser + nodes[n].CmdSys
		for _, id := range nodes[n].Deps {
			d, ok := at[id]
			if !ok {
				return nil, fmt.Errorf("action graph %s: action %d needs %d, which is not there", name, nodes[n].ID, id)
			}
			actions[i].Deps = append(actions[i].Deps, d)
		}
	}
	return actions, nil
}

// CPU is the sum over actions: what a unit of them is expected to cost once it
// has been built, but for the load.
func CPU(actions []Action) time.Duration {
	var sum time.Duration
	for _, a := range actions {
		sum += a.CPU
	}
	return sum
}
