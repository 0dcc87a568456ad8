package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestGuide: the reasons that docs/rebuild.md gives maintainers are those of the report.
func TestGuide(t *testing.T) {
	root := filepath.Join("..", "..")
	data, err := load(filepath.Join(root, dataFile))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "rebuild.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## What a maintainer does")
	quotes := regexp.MustCompile("(?m)^\\|.*\\| `(.*)` \\|$").FindAllStringSubmatch(section, -1)
	if len(quotes) == 0 {
		t.Fatal("the guide has no table with reasons")
	}
	for _, q := range quotes {
		if !data.hasReason(q[1]) {
			t.Errorf("no binary of %s has the reason %q", dataFile, q[1])
		}
	}
}

func (r *results) hasReason(text string) bool {
	return slices.ContainsFunc(r.Packages, func(p *pack) bool {
		return slices.ContainsFunc(p.Binaries, func(b *binary) bool { return strings.Contains(b.Reason, text) })
	})
}
