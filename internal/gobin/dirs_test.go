package gobin

import (
	"runtime/debug"
	"testing"
)

func TestAbsolute(t *testing.T) {
	for p, want := range map[string]bool{"/a": true, `C:\a`: true, "c:/a": true, `\\server\a`: true, "a/b": false, "./a": false, "1:/a": false, "": false} {
		if Absolute(p) != want {
			t.Errorf("Absolute(%q) = %v", p, !want)
		}
	}
}

func TestFindDirs(t *testing.T) {
	bi := &debug.BuildInfo{
		Main: debug.Module{Path: "example.com/tool", Version: "v1.2.0"},
		Deps: []*debug.Module{
			{Path: "example.com/unused", Version: "v1.0.0"},
			{Path: "example.com/old", Version: "v1.0.0", Replace: &debug.Module{Path: "github.com/BurntSushi/toml", Version: "v1.0.0-RC1"}},
			{Path: "example.com/beside", Version: "v1.0.0", Replace: &debug.Module{Path: "../beside"}},
		},
	}
	for _, tt := range []struct {
		names            []string
		goroot, modCache string
	}{
		{nil, "", ""},
		{[]string{"runtime/proc.go", "github.com/!burnt!sushi/toml@v1.0.0-!r!c1/a.go", "example.com/tool/main.go"}, "", ""}, // -trimpath
		{[]string{"/go/src/runtime/proc.go", "/m/github.com/!burnt!sushi/toml@v1.0.0-!r!c1/a.go"}, "/go", "/m"},
		{[]string{"C:/Go/src/runtime/proc.go", "c:/m/github.com/!burnt!sushi/toml@v1.0.0-!r!c1/a.go"}, "C:/Go", "c:/m"},
		{[]string{`C:\Go\src\runtime\proc.go`}, "C:/Go", ""},
		{[]string{"/w/main.go", "/m/example.com/tool@v1.2.0/main.go"}, "", "/m"}, // go install PATH@VERSION
		{[]string{"/w/vendor/github.com/BurntSushi/toml/a.go", "/src/runtime/proc.go"}, "", ""},
	} {
		if goroot, modCache := FindGoroot(tt.names), FindModCache(tt.names, bi); goroot != tt.goroot || modCache != tt.modCache {
			t.Errorf("%q: %q, %q", tt.names, goroot, modCache)
		}
	}
	if FindModCache([]string{"/m/example.com/tool@v1.2.0/main.go"}, nil) != "" {
		t.Error("a module without build information")
	}
}
