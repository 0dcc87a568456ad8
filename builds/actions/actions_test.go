package actions

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func graph(as ...*Action) Graph {
	g := Graph{}
	for _, a := range as {
		g[a.Key()] = a
	}
	return g
}

func TestCompare(t *testing.T) {
	act := func(pkg, id, out string, deps ...string) *Action {
		return &Action{Package: pkg, ID: id, Output: out, deps: deps}
	}
	link := func(pkg, id, out string, deps ...string) *Action {
		return &Action{Package: pkg, Link: true, ID: id, Output: out, deps: deps}
	}
	base := graph(act("a", "1", "x"), act("b", "2", "y", "a"), act("m", "3", "z", "b"), link("m", "4", "w", "a", "b", "m"))
	for _, c := range []struct {
		name    string
		other   Graph
		want    []string
		follows int
	}{
		{"equal", base, nil, 0},
		{"nondeterministic compiler", graph(act("a", "1", "X"), act("b", "2x", "Y", "a"), act("m", "3x", "Z", "b"), link("m", "4x", "W", "a", "b", "m")), []string{"nondeterministic package a"}, 3},
		{"other inputs", graph(act("a", "1", "x"), act("b", "2x", "Y", "a"), act("m", "3x", "Z", "b"), link("m", "4x", "W", "a", "b", "m")), []string{"inputs package b"}, 2},
		{"other inputs, same output", graph(act("a", "1", "x"), act("b", "2", "y", "a"), act("m", "3x", "z", "b"), link("m", "4", "w", "a", "b", "m")), []string{"inputs package m"}, 0},
		{"link flags", graph(act("a", "1", "x"), act("b", "2", "y", "a"), act("m", "3", "z", "b"), link("m", "4x", "W", "a", "b", "m")), []string{"inputs the link of m"}, 0},
		{"nondeterministic linker", graph(act("a", "1", "x"), act("b", "2", "y", "a"), act("m", "3", "z", "b"), link("m", "4", "W", "a", "b", "m")), []string{"nondeterministic the link of m"}, 0},
		{"two causes", graph(act("a", "1", "X"), act("b", "2x", "Y", "a"), act("m", "3", "z", "b"), link("m", "4", "V", "m"), act("n", "9", "9")), []string{"nondeterministic package a", "missing package n", "nondeterministic the link of m"}, 1},
	} {
		var got []string
		follows := 0
		for _, d := range Compare(base, c.other) {
			got = append(got, fmt.Sprint(d.Kind, " ", d.Action))
			follows = d.Follows
		}
		if !slices.Equal(got, c.want) || follows != c.follows {
			t.Errorf("%s: %q, %d follow; want %q, %d", c.name, got, follows, c.want, c.follows)
		}
	}
}

// TestGoCommand reads what the real go command writes: the graph of two builds
// that differ in one package, and the input that differs.
func TestGoCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.com/m\n\ngo 1.24.0\n")
	write("main.go", "package main\n\nimport \"example.com/m/lib\"\n\nfunc main() { println(lib.X()) }\n")
	write("lib/lib.go", "package lib\n\nfunc X() int { return 1 }\n")
	build := func(name string) (Graph, []byte) {
		t.Helper()
		out := filepath.Join(t.TempDir(), name)
		cmd := exec.Command("go", "build", "-trimpath", "-debug-actiongraph="+out+".json", "-o", out, ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GODEBUG=gocachehash=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s", err, stderr.Bytes()[max(0, stderr.Len()-2000):])
		}
		g, err := Load(out + ".json")
		if err != nil {
			t.Fatal(err)
		}
		return g, stderr.Bytes()
	}
	a, hashA := build("a")
	again, _ := build("again")
	if d := Compare(a, again); len(d) != 0 {
		t.Errorf("two equal builds: %+v", d)
	}
	for _, key := range []Key{{Package: "runtime"}, {Package: "example.com/m/lib"}, {Package: "example.com/m"}, {Package: "example.com/m", Link: true}} {
		if a[key] == nil || a[key].Output == "" {
			t.Errorf("no action %s, or no output: %+v", key, a[key])
		}
	}
	// No cache has seen this before, whoever ran this test already.
	write("lib/lib.go", "package lib\n\nfunc X() string { return \""+filepath.Base(dir)+time.Now().String()+"\" }\n")
	b, hashB := build("b")
	d := Compare(a, b)
	lib := Key{Package: "example.com/m/lib"}
	if len(d) != 1 || d[0].Kind != Inputs || d[0].Action != lib || d[0].Follows != 2 {
		t.Fatalf("%+v", d)
	}
	if runtime := (Key{Package: "runtime"}); !b[lib].Executed || b[runtime].Executed {
		t.Errorf("executed: lib %v, runtime %v", b[lib].Executed, b[runtime].Executed)
	}
	keys := []Key{lib}
	changed := ChangedInputs(HashInputs(hashA, keys)[keys[0]], HashInputs(hashB, keys)[keys[0]])
	if len(changed) != 2 || !strings.HasPrefix(changed[0], "A: file lib.go ") || !strings.HasPrefix(changed[1], "B: file lib.go ") {
		t.Errorf("changed inputs: %q", changed)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`[{"ID":0,"Mode":"link","Package":"m","Deps":[1],"ActionID":"a","BuildID":"a/b/c/d"},{"ID":1,"Mode":"build","Package":"m","ActionID":"b","BuildID":"b/c","Cmd":["x"]}]`))
	f.Add([]byte(`[{"ID":0,"Deps":[0,1]},{"ID":1,"Deps":[0],"Mode":"build","Package":"p","ActionID":"x","BuildID":"x"},null]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		if d := Compare(g, g); len(d) != 0 {
			t.Errorf("a graph differs from itself: %+v", d)
		}
	})
}

func FuzzHashInputs(f *testing.F) {
	f.Add([]byte("HASH[build p]\nHASH[build p]: \"x\\n\"\nHASH[build p]: 00\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		HashInputs(data, []Key{{Package: "p"}, {Package: "p", Link: true}})
	})
}
