package schedule

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/mintmark/mintmark/internal/files"
)

// Cost is what a build took.
type Cost struct {
	CPU    time.Duration `json:"cpu"`
	MaxRSS int64         `json:"max_rss"` // of its largest process, bytes
}

// Costs remembers what builds took, for the order and the estimates of the
// next run. A lost or damaged file costs nothing but a worse guess.
type Costs struct {
	mu   sync.Mutex
	path string
	m    map[string]pastCost // by [CostKey.text]: this is what the file holds
}

// CostKey says which builds cost about the same.
type CostKey struct {
	Module string // import path of the module that is built
	Task   ID
	Site   string // the name of a [Site]
	Seeded bool   // what others have compiled is there, so that it costs a fraction of a whole build
}

// text is how the file spells a key. It is never read back.
func (k CostKey) text() string {
	text := k.Module + " " + k.Task.String()
	if k.Site != "" {
		text += ", at " + k.Site
	}
	if k.Seeded {
		text += ", seeded"
	}
	return text
}

// pastCost is what is kept of the runs of one build.
type pastCost struct {
	Cost
	// Full is the CPU of a run that needed as much memory as MaxRSS says: by it
	// a run from a warm cache is known, which says nothing about a cold one.
	Full time.Duration `json:"full"`
}

// Bounds of the file: entries and bytes.
const (
	maxCosts     = 10_000
	maxCostsFile = 8 << 20
)

// LoadCosts reads the file, or begins an empty one.
func LoadCosts(path string) *Costs {
	c := &Costs{path: path, m: map[string]pastCost{}}
	data, err := files.ReadOwn(path, maxCostsFile)
	if err != nil {
		return c
	}
	if json.Unmarshal(data, &c.m) != nil || c.m == nil || len(c.m) > maxCosts {
		c.m = map[string]pastCost{}
	}
	for key, cost := range c.m {
		if cost.CPU < 0 || cost.MaxRSS < 0 || cost.Full < 0 {
			delete(c.m, key)
		} else if cost.Full == 0 {
			cost.Full = cost.CPU // written by a version that did not know it
			c.m[key] = cost
		}
	}
	return c
}

// Get is the cost of key's last run; zero if there was none.
func (c *Costs) Get(key CostKey) Cost {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m[key.text()].Cost
}

// Set records a run. CPU is kept as it is. Memory goes up at once, and down
// slowly: only after runs that did at least half the work of the one that needed
// most, since a warm run compiles little and the next cold one must not be taken
// for as small. That work is forgotten by and by as well: a build that has
// become smaller for good is believed after some dozens of runs.
func (c *Costs) Set(key CostKey, cost Cost) {
	c.mu.Lock()
	defer c.mu.Unlock()
	past := pastCost{Cost: cost, Full: cost.CPU}
	name := key.text()
	if old := c.m[name]; cost.MaxRSS < old.MaxRSS {
		past.MaxRSS, past.Full = old.MaxRSS, old.Full
		if cost.CPU >= old.Full/2 {
			past.MaxRSS -= (old.MaxRSS - cost.MaxRSS) / 8
		} else {
			past.Full -= old.Full / 32
		}
	}
	if len(c.m) >= maxCosts {
		c.m = map[string]pastCost{}
	}
	c.m[name] = past
}

// Save writes the file, all or nothing.
func (c *Costs) Save() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, err := json.Marshal(c.m)
	if err != nil {
		return err
	}
	return files.Write(c.path, data, 0o600)
}
