package schedule

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCosts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "costs.json")
	c := LoadCosts(path)
	if got := c.Get("x"); got != (Cost{}) {
		t.Errorf("unknown: %v", got)
	}
	c.Set("x", Cost{CPU: 5 * time.Second, MaxRSS: 800})
	c.Set("x", Cost{CPU: 4 * time.Second, MaxRSS: 0})
	if got := c.Get("x"); got != (Cost{CPU: 4 * time.Second, MaxRSS: 700}) {
		t.Errorf("memory went down at once, or never: %v", got)
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	if got := LoadCosts(path).Get("x"); got != c.Get("x") {
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
	c.Set("x", cold)
	for range 50 {
		c.Set("x", warm)
		if err := c.Save(); err != nil {
			t.Fatal(err)
		}
		c = LoadCosts(path)
	}
	if got := c.Get("x"); got != (Cost{CPU: time.Second, MaxRSS: 800}) {
		t.Errorf("after 50 warm runs: %v", got)
	}
	c.Set("x", Cost{CPU: 18 * time.Second, MaxRSS: 640})
	if got := c.Get("x"); got != (Cost{CPU: 18 * time.Second, MaxRSS: 780}) {
		t.Errorf("after a cold run that needed less: %v", got)
	}
	c.Set("x", Cost{CPU: time.Second, MaxRSS: 900})
	if got := c.Get("x"); got.MaxRSS != 900 {
		t.Errorf("after a run that needed more: %v", got)
	}
	c.Set("x", Cost{CPU: 20 * time.Second, MaxRSS: 1000})
	for range 200 {
		c.Set("x", warm)
	}
	if got := c.Get("x"); got.MaxRSS > 120 {
		t.Errorf("after 200 warm runs: %v", got)
	}
	// A file of a version that wrote no more than the cost.
	if err := os.WriteFile(path, []byte(`{"x":{"cpu":20000000000,"max_rss":800}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	c = LoadCosts(path)
	c.Set("x", warm)
	if got := c.Get("x"); got.MaxRSS != 800 {
		t.Errorf("from an old file: %v", got)
	}
}

func TestCostsDamaged(t *testing.T) {
	dir := t.TempDir()
	for i, data := range []string{"", "{", "null", "[]", `"x"`, `{"x":{"cpu":"y"}}`, `{"x":{"cpu":5,"max_rss":7},"y":`, "\x00\xff", `{"x":{"cpu":-5,"max_rss":7}}`, `{"x":{"cpu":5,"max_rss":-7}}`,
		`{"x":{"cpu":5},"y":"` + strings.Repeat("y", maxCostsFile) + `"}`} {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		c := LoadCosts(path)
		if got := c.Get("x"); got != (Cost{}) {
			t.Errorf("%.40q: %v", data, got)
		}
		c.Set("z", Cost{CPU: 1})
		if err := c.Save(); err != nil {
			t.Errorf("%.40q: %v", data, err)
		}
		if got := LoadCosts(path).Get("z"); got.CPU != 1 {
			t.Errorf("%.40q: not repaired", data)
		}
	}
	// A directory in its place, and many entries.
	if c := LoadCosts(dir); c.Get("x") != (Cost{}) || c.Save() == nil {
		t.Error("a directory served as the file")
	}
	c := LoadCosts(filepath.Join(dir, "many"))
	for i := range maxCosts + 5 {
		c.Set(fmt.Sprint(i), Cost{CPU: 1})
	}
	if len(c.m) > maxCosts {
		t.Errorf("%d entries", len(c.m))
	}
}
