package fact

import (
	"reflect"
	"testing"
)

// TestCompare: what differed, and what was the same, follows from what is known
// of the executions, and from nothing else.
func TestCompare(t *testing.T) {
	type list = []Circumstances
	for _, tt := range []struct {
		name  string
		units []list
		want  Compared
	}{
		{"nothing ran", nil, Compared{}},
		{"one execution", []list{{{Home: "/a"}}}, Compared{}},
		{"two", []list{{{Home: "/a", Kernel: "6", Umask: "", HostName: ""}, {Home: "/b", Kernel: "6", Umask: "027", HostName: ""}}},
			Compared{Varied: []string{"HOME"}, Attempted: []string{"umask"}, Shared: []string{"host name", "kernel"}}},
		{"not known of both", []list{{{GitClone: "/a", ModuleZip: "h1"}, {GitClone: "/b"}}}, Compared{Varied: []string{"git clone"}}},
		{"a variable that was not set", []list{{{User: ""}, {User: "x"}}}, Compared{Varied: []string{"USER"}}},
		{"the same in one of two units", []list{{{Home: "/a"}, {Home: "/b"}}, {{Home: "/a"}, {Home: "/a"}}, {{Home: "/a"}, {Home: "/b"}}}, Compared{Shared: []string{"HOME"}}},
		{"known of one unit only", []list{{{Home: "/a", CCompiler: "gcc"}, {Home: "/b", CCompiler: "gcc"}}, {{Home: "/c"}, {Home: "/d"}}},
			Compared{Varied: []string{"HOME"}, Shared: []string{"C compiler"}}},
		{"two of three are the same", []list{{{Home: "/a"}, {Home: "/b"}, {Home: "/a"}}}, Compared{Shared: []string{"HOME"}}},
	} {
		if got := Compare(tt.units); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
