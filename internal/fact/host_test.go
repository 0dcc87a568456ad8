package fact

import (
	"slices"
	"strings"
	"testing"
)

func TestIndependent(t *testing.T) {
	at := func(name, boot, nonce string) Execution {
		return Execution{Host: Host{Name: name, Boot: boot}, Nonce: nonce}
	}
	here := func(name, boot string) Execution { return Execution{Host: Host{Name: name, Boot: boot}, Here: true} }
	other := []Execution{at("z", "9", "used"), here("a", "1")}
	for _, tt := range []struct {
		what    string
		list    []Execution
		want    Independence
		missing string // a word of it
	}{
		{"none", nil, "", ""},
		{"one", []Execution{here("a", "1")}, "", ""},
		{"two here", []Execution{here("a", "1"), here("a", "1")}, OneMachine, ""},
		{"two here, where the system does not say which start it is", []Execution{here("a", ""), here("a", "")}, OneMachine, ""},
		{"here and on another machine", []Execution{here("a", "1"), at("b", "2", "n")}, TwoMachines, ""},
		{"here and in a container", []Execution{here("a", "1"), at("c0ffee", "1", "n")}, OneMachine, ""},
		{"one machine, started twice", []Execution{at("a", "1", "n"), at("a", "2", "m")}, OneMachine, ""},
		{"no nonce", []Execution{here("a", "1"), at("b", "2", "")}, Unproven, "no nonce"},
		{"one nonce for two", []Execution{at("a", "1", "n"), at("b", "2", "n")}, Unproven, "one nonce"},
		{"a nonce of another unit", []Execution{here("a", "1"), at("b", "2", "used")}, Unproven, "another unit"},
		{"a machine that does not say", []Execution{here("a", "1"), at("b", "", "n")}, Unproven, "does not say which"},
		{"three, two of which are machines apart", []Execution{here("a", "1"), here("a", "1"), at("b", "2", "n")}, TwoMachines, ""},
		{"three, one unknown", []Execution{here("a", "1"), at("b", "2", "n"), at("c", "", "m")}, TwoMachines, ""},
	} {
		got, missing := Independent(tt.list, other...)
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
		if (missing == "") != (tt.missing == "") || !strings.Contains(missing, tt.missing) {
			t.Errorf("%s: %q is missing, want %q", tt.what, missing, tt.missing)
		}
		for _, e := range tt.list {
			if len(e.Host.Name) > 1 && strings.Contains(missing, e.Host.Name) {
				t.Errorf("%s: %q names a machine", tt.what, missing)
			}
		}
	}
}

func TestSystems(t *testing.T) {
	on := func(systems ...string) (list []Execution) {
		for _, s := range systems {
			list = append(list, Execution{Host: Host{System: s}})
		}
		return list
	}
	for _, tt := range []struct{ in, want []Execution }{
		{nil, nil},
		{on("linux/amd64", "linux/amd64"), nil},
		{on("linux/amd64", ""), nil},
		{on("windows/amd64", "linux/amd64", "windows/amd64"), on("linux/amd64", "windows/amd64")},
	} {
		var want []string
		for _, e := range tt.want {
			want = append(want, e.Host.System)
		}
		if got := Systems(tt.in); !slices.Equal(got, want) {
			t.Errorf("%v: %q, want %q", tt.in, got, want)
		}
	}
}
