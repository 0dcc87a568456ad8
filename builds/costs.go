package builds

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
)

// Costs remembers what builds took, for the order and the estimates of the
// next run. A lost or damaged file costs nothing but a worse guess.
type Costs struct {
	mu   sync.Mutex
	path string
	m    map[string]Cost
}

// Bounds of the file: entries and bytes.
const (
	maxCosts     = 10_000
	maxCostsFile = 8 << 20
)

// LoadCosts reads the file, or begins an empty one.
func LoadCosts(path string) *Costs {
	c := &Costs{path: path, m: map[string]Cost{}}
	if fi, err := os.Stat(path); err != nil || !fi.Mode().IsRegular() || fi.Size() > maxCostsFile {
		return c
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return c
	}
	if json.Unmarshal(data, &c.m) != nil || c.m == nil || len(c.m) > maxCosts {
		c.m = map[string]Cost{}
	}
	for key, cost := range c.m {
		if cost.CPU < 0 || cost.MaxRSS < 0 {
			delete(c.m, key)
		}
	}
	return c
}

// Get is the cost of key's last run; zero if there was none.
func (c *Costs) Get(key string) Cost {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m[key]
}

// Set records a run. CPU is kept as it is; memory never goes down at once,
// because a run from a warm cache needs less than the next cold one.
func (c *Costs) Set(key string, cost Cost) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.m[key]; cost.MaxRSS < old.MaxRSS {
		cost.MaxRSS = old.MaxRSS - (old.MaxRSS-cost.MaxRSS)/8
	}
	if len(c.m) >= maxCosts {
		c.m = map[string]Cost{}
	}
	c.m[key] = cost
}

// Save writes the file, all or nothing.
func (c *Costs) Save() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, err := json.Marshal(c.m)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(c.path), ".costs-")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), c.path)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}
