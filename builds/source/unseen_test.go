package source

import (
	"slices"
	"testing"
)

func TestEmbedPatterns(t *testing.T) {
	src := "package p\n\n//go:embed a.txt \"b c.txt\" `d e` all:web\n\t//go:embed dir/*\nvar x embed.FS // not //go:embed y\n//go:embedded z\n//go:embed\n//go:embed \"open\n"
	want := []string{"a.txt", "b c.txt", "d e", "all:web", "dir/*", "\"open"}
	if got := embedPatterns([]byte(src)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWantedMatch(t *testing.T) {
	for _, c := range []struct {
		w    Wanted
		name string
		want bool
	}{
		{Wanted{Dir: ".", Pattern: "web/dist", Below: true}, "web/dist/index.html", true},
		{Wanted{Dir: "", Pattern: "web/dist", Below: true}, "web/dist/a/b.js", true},
		{Wanted{Dir: "ui", Pattern: "dist", Below: true}, "ui/dist/index.html", true},
		{Wanted{Dir: "ui", Pattern: "dist", Below: true}, "dist/index.html", false},
		{Wanted{Dir: ".", Pattern: "dist", Below: true}, "dist/.hidden", false},
		{Wanted{Dir: ".", Pattern: "dist", Below: true}, "dist/_x/y", false},
		{Wanted{Dir: ".", Pattern: "dist", Below: true, All: true}, "dist/_x/y", true},
		{Wanted{Dir: ".", Pattern: "dist/*", Below: true}, "dist/.hidden", true}, // the pattern names it itself
		{Wanted{Dir: ".", Pattern: "*.txt"}, "a.txt", true},
		{Wanted{Dir: ".", Pattern: "man"}, "man/tool.1", false},
	} {
		if got := c.w.match(c.name); got != c.want {
			t.Errorf("%+v: %s: %v", c.w, c.name, got)
		}
	}
}

func FuzzEmbedPatterns(f *testing.F) {
	f.Add([]byte("//go:embed a \"b\" `c`\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, p := range embedPatterns(data) {
			w := Wanted{Dir: "d", Pattern: p, Below: true}
			w.match("d/x/y")
		}
	})
}
