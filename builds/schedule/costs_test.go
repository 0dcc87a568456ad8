package schedule

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// key is that of a unit of module m.
func key(unit string) CostKey { return CostKey{Module: "m", Task: ID{Unit: unit}} }

// TestCostKeys: the file has the keys that all versions have written, and builds
// that cost differently have different ones.
func TestCostKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "costs.json")
	file := `{"example.com/m release linux/amd64 · second build":{"cpu":5,"max_rss":7},"example.com/m release linux/amd64 · second build, seeded":{"cpu":1,"max_rss":2},"example.com/m release linux/amd64 · second build, at ssh://builder":{"cpu":3,"max_rss":4}}`
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	c := LoadCosts(path)
	whole := CostKey{Module: "example.com/m", Task: ID{Unit: "release linux/amd64", By: "second"}}
	seeded, first, other, there := whole, whole, whole, whole
	seeded.Seeded, first.Task.By, other.Module, there.Site = true, "first", "example.com/n", "ssh://builder"
	for k, want := range map[CostKey]Cost{whole: {CPU: 5, MaxRSS: 7}, seeded: {CPU: 1, MaxRSS: 2}, first: {}, other: {}, there: {CPU: 3, MaxRSS: 4}} {
		if got := c.Get(k); got != want {
			t.Errorf("%+v: %v, want %v", k, got, want)
		}
	}
}

func TestCosts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "costs.json")
	c := LoadCosts(path)
	if got := c.Get(key("x")); got != (Cost{}) {
		t.Errorf("unknown: %v", got)
	}
	c.Set(key("x"), Cost{CPU: 5 * time.Second, MaxRSS: 800})
	c.Set(key("x"), Cost{CPU: 4 * time.Second, MaxRSS: 0})
	if got := c.Get(key("x")); got != (Cost{CPU: 4 * time.Second, MaxRSS: 700}) {
		t.Errorf("memory went down at once, or never: %v", got)
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	if got := LoadCosts(path).Get(key("x")); got != c.Get(key("x")) {
		t.Errorf("read back %v", got)
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".costs-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if err := LoadCosts(filepath.Join(t.TempDir(), "missing", "costs.json")).Save(); err == nil {
		t.Error("saved into a directory that is not there")
	}
}

// A build from a warm cache says nothing of what the next cold one needs, also
// when there were many of them and they were the last; and it does not stand
// for ever.
func TestCostsWarm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "costs.json")
	c := LoadCosts(path)
	cold, warm := Cost{CPU: 20 * time.Second, MaxRSS: 800}, Cost{CPU: time.Second, MaxRSS: 100}
	c.Set(key("x"), cold)
	for range 50 {
		c.Set(key("x"), warm)
		if err := c.Save(); err != nil {
			t.Fatal(err)
		}
		c = LoadCosts(path)
	}
	if got := c.Get(key("x")); got != (Cost{CPU: time.Second, MaxRSS: 800}) {
		t.Errorf("after 50 warm runs: %v", got)
	}
	c.Set(key("x"), Cost{CPU: 18 * time.Second, MaxRSS: 640})
	if got := c.Get(key("x")); got != (Cost{CPU: 18 * time.Second, MaxRSS: 780}) {
		t.Errorf("after a cold run that needed less: %v", got)
	}
	c.Set(key("x"), Cost{CPU: time.Second, MaxRSS: 900})
	if got := c.Get(key("x")); got.MaxRSS != 900 {
		t.Errorf("after a run that needed more: %v", got)
	}
	c.Set(key("x"), Cost{CPU: 20 * time.Second, MaxRSS: 1000})
	for range 200 {
		c.Set(key("x"), warm)
	}
	if got := c.Get(key("x")); got.MaxRSS > 120 {
		t.Errorf("after 200 warm runs: %v", got)
	}
	// A file of a version that wrote no more than the cost.
	if err := os.WriteFile(path, []byte(`{"m x":{"cpu":20000000000,"max_rss":800}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	c = LoadCosts(path)
	c.Set(key("x"), warm)
	if got := c.Get(key("x")); got.MaxRSS != 800 {
		t.Errorf("from an old file: %v", got)
	}
}

func TestCostsDamaged(t *testing.T) {
	dir := t.TempDir()
	for i, data := range []string{"", "{", "null", "[]", `"x"`, `{"m x":{"cpu":"y"}}`, `{"m x":{"cpu":5,"max_rss":7},"y":`, "\x00\xff", `{"m x":{"cpu":-5,"max_rss":7}}`, `{"m x":{"cpu":5,"max_rss":-7}}`,
		`{"m x":{"cpu":5},"y":"` + strings.Repeat("y", maxCostsFile) + `"}`} {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		c := LoadCosts(path)
		if got := c.Get(key("x")); got != (Cost{}) {
			t.Errorf("%.40q: %v", data, got)
		}
		c.Set(key("z"), Cost{CPU: 1})
		if err := c.Save(); err != nil {
			t.Errorf("%.40q: %v", data, err)
		}
		if got := LoadCosts(path).Get(key("z")); got.CPU != 1 {
			t.Errorf("%.40q: not repaired", data)
		}
	}
	// A directory in its place, and many entries.
	if c := LoadCosts(dir); c.Get(key("x")) != (Cost{}) || c.Save() == nil {
		t.Error("a directory served as the file")
	}
	c := LoadCosts(filepath.Join(dir, "many"))
	for i := range maxCosts + 5 {
		c.Set(key(fmt.Sprint(i)), Cost{CPU: 1})
	}
	if len(c.m) > maxCosts {
		t.Errorf("%d entries", len(c.m))
	}
}
