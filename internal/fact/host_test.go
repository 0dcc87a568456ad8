package fact

import "testing"

func TestIndependent(t *testing.T) {
	at := func(name, boot, nonce string) Execution {
		return Execution{Host: Host{Name: name, Boot: boot}, Nonce: nonce}
	}
	here := func(name, boot string) Execution { return Execution{Host: Host{Name: name, Boot: boot}, Here: true} }
	for _, tt := range []struct {
		what string
		list []Execution
		want Independence
	}{
		{"none", nil, ""},
		{"one", []Execution{here("a", "1")}, ""},
		{"two here", []Execution{here("a", "1"), here("a", "1")}, OneMachine},
		{"two here, where the system does not say which start it is", []Execution{here("a", ""), here("a", "")}, OneMachine},
		{"here and on another machine", []Execution{here("a", "1"), at("b", "2", "n")}, TwoMachines},
		{"here and in a container", []Execution{here("a", "1"), at("c0ffee", "1", "n")}, OneMachine},
		{"one machine, started twice", []Execution{at("a", "1", "n"), at("a", "2", "m")}, OneMachine},
		{"no nonce", []Execution{here("a", "1"), at("b", "2", "")}, Unproven},
		{"one nonce for two", []Execution{at("a", "1", "n"), at("b", "2", "n")}, Unproven},
		{"a machine that does not say", []Execution{here("a", "1"), at("b", "", "n")}, Unproven},
		{"three, two of which are machines apart", []Execution{here("a", "1"), here("a", "1"), at("b", "2", "n")}, TwoMachines},
		{"three, one unknown", []Execution{here("a", "1"), at("b", "2", "n"), at("c", "", "m")}, TwoMachines},
	} {
		if got := Independent(tt.list); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
	}
}
