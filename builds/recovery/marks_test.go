package recovery

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/gobin"
)

// TestMarks: who made a binary is named by what is in it.
func TestMarks(t *testing.T) {
	compiler := debug.BuildSetting{Key: "-compiler", Value: "gc"}
	type function struct{ name, file string }
	for _, tt := range []struct {
		name      string
		functions []function
		id        string
		bi        debug.BuildInfo
		module    string // errNoModule begins so
		vendor    string
		distro    string
	}{
		{"bazel", []function{{"runtime.main", "GOROOT/src/runtime/proc.go"}, {"main.main", "cmd/main.go"}, {"x.F", "bazel-out/k8-opt/bin/x.go"}}, "redacted", debug.BuildInfo{GoVersion: "go1.20.3"},
			`built by Bazel (rules_go), which records neither package nor module nor settings: it names a source file bazel-out/k8-opt/bin/x.go, and its build ID is "redacted"`, "", ""},
		{"bazel", []function{{"runtime.main", "GOROOT/src/runtime/proc.go"}}, "redacted", debug.BuildInfo{GoVersion: "go1.24.0"}, "built by Bazel", "", ""},
		{"no bazel", []function{{"runtime.main", "GOROOT/src/runtime/proc.go"}}, "", debug.BuildInfo{GoVersion: "go1.24.0"}, "its build information names neither package nor module", "", ""},
		{"GOPATH", []function{{"runtime.main", "runtime/proc.go"}}, "a/b/c/d", debug.BuildInfo{Path: "example.com/tool", Settings: []debug.BuildSetting{compiler}}, "built in GOPATH mode (GO111MODULE=off): its build information names the package example.com/tool and no module", "", ""},
		{"Go's own", []function{{"runtime.main", "runtime/proc.go"}}, "a/b/c/d", debug.BuildInfo{Path: "cmd/gofmt", Settings: []debug.BuildSetting{compiler}}, "a program of Go itself (cmd/gofmt)", "", ""},
		{"go tool link", []function{{"runtime.main", "runtime/proc.go"}}, "", debug.BuildInfo{GoVersion: "go1.24.0"}, "its build information names neither package nor module: what linked it was not the go command (go1.24.0)", "", ""},
		{"Microsoft's record", nil, "", debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "microsoft_toolset_version", Value: "go1.26.0-microsoft"}}}, "", "the Microsoft build of Go: its build information has microsoft_toolset_version=go1.26.0-microsoft", ""},
		{"Microsoft's crypto", []function{{"vendor/github.com/microsoft/go-crypto-openssl/openssl.Init", "x.go"}}, "", debug.BuildInfo{}, "", "the Microsoft build of Go: the standard library in it has the package vendor/github.com/microsoft/go-crypto-openssl/openssl,", ""},
		{"FIPS", []function{{"vendor/github.com/golang-fips/openssl/v2.(*hash).Sum", "x.go"}}, "", debug.BuildInfo{}, "", "a vendor's Go: the standard library in it has the package vendor/github.com/golang-fips/openssl/v2,", ""},
		{"a release", []function{{"vendor/golang.org/x/net/idna.init", "vendor/golang.org/x/net/idna/x.go"}, {"runtime.main", "/usr/local/go/src/runtime/proc.go"}}, "", debug.BuildInfo{}, "", "", ""},
		{"a module's vendor directory", []function{{"example.com/tool/vendor/github.com/x/y.F", "y.go"}}, "", debug.BuildInfo{}, "", "", ""},
		{"Debian", []function{{"runtime.main", "/usr/lib/go-1.19/src/runtime/proc.go"}}, "", debug.BuildInfo{}, "", "", "Debian's or Ubuntu's Go: its standard library lay in /usr/lib/go-1.19"},
		{"Fedora", []function{{"runtime.main", "/usr/lib/golang/src/runtime/proc.go"}}, "", debug.BuildInfo{}, "", "", "Fedora's or Red Hat's Go"},
		{"Nix", []function{{"runtime.main", "/nix/store/abc-go-1.22.1/share/go/src/runtime/proc.go"}}, "", debug.BuildInfo{}, "", "", "Nixpkgs' Go"},
		{"Homebrew", []function{{"runtime.main", "/opt/homebrew/Cellar/go/1.22.1/libexec/src/runtime/proc.go"}}, "", debug.BuildInfo{}, "", "", "Homebrew's Go"},
	} {
		var m marks
		for _, f := range tt.functions {
			m.note([]byte(f.name), f.file)
		}
		if tt.module != "" {
			if got := m.errNoModule(&gobin.File{BuildID: tt.id, BuildInfo: &tt.bi}).Error(); !strings.HasPrefix(got, tt.module) {
				t.Errorf("%s: %s", tt.name, got)
			}
		}
		if got := m.vendor(&tt.bi); !strings.HasPrefix(got, tt.vendor) || (got == "") != (tt.vendor == "") {
			t.Errorf("%s: vendor %q", tt.name, got)
		}
		if got := m.distribution(); !strings.HasPrefix(got, tt.distro) || (got == "") != (tt.distro == "") {
			t.Errorf("%s: distribution %q", tt.name, got)
		}
	}
}

// TestHeadline: what is said to differ is what was found to differ.
func TestHeadline(t *testing.T) {
	for _, tt := range []struct {
		name     string
		code     *bindiff.Code
		noID     bool
		sameMain bool
		want     string
	}{
		{"flags", &bindiff.Code{Same: true, Functions: 7}, false, true, "all that is compiled is the same; the linker's flags were not found"},
		{"nothing compared", nil, false, true, "package main was compiled from the same inputs; whether all else was is not known"},
		{"moved variable", &bindiff.Code{Program: []string{"main"}, Operands: []string{"main"}}, false, true, "package main was compiled from the same inputs; whether all else was is not known"},
		{"deeper", &bindiff.Code{Program: []string{"example.com/a", "main"}}, false, true, "package main was compiled from the same inputs, and what it imports differs: package example.com/a"},
		{"another source", &bindiff.Code{Program: []string{"example.com/a", "main"}}, false, false, "what is compiled differs: packages example.com/a, main"},
		{"another Go", &bindiff.Code{Standard: []string{"crypto/tls"}}, false, false, "functions of the standard library differ (crypto/tls) and none of the program's: made by another Go that calls itself go1.19.8, most likely"},
		{"another input", &bindiff.Code{Same: true, Functions: 7}, false, false, "the code of all 7 functions is the same, and the inputs of package main are not"},
		{"no ID", nil, true, false, "it has no build ID, so it is not known whether what is compiled differs"},
		{"no ID, same code", &bindiff.Code{Same: true, Functions: 7}, true, false, "it has no build ID, and the code of all 7 functions is the same"},
		{"no ID, operands", &bindiff.Code{Program: []string{"main"}, Operands: []string{"main"}}, true, false, "it has no build ID to tell by, and instructions differ"},
		{"unknown", nil, false, false, "what is compiled differs, by the build IDs"},
	} {
		// Nothing of cgo is in a file whose functions are not known, whatever it records.
		b := &subject{claim: &Claim{Go: "go1.19.8", Cgo: true}, noID: tt.noID, bin: &gobin.File{Format: gobin.Wasm}}
		if got := b.compiled(&bindiff.Diff{Code: tt.code}, tt.sameMain); !strings.HasPrefix(got, tt.want) || strings.Contains(got, "C code") {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	for code, want := range map[*bindiff.Code]bool{
		nil:          false,
		{Same: true}: false,
		{Program: []string{"main"}, Operands: []string{"main"}}:          false,
		{Program: []string{"main", "x.y/z"}, Operands: []string{"main"}}: true,
		{Standard: []string{"runtime/cgo"}}:                              false,
		{Standard: []string{"net/http"}}:                                 true,
	} {
		if got := compiledOtherwise(&bindiff.Diff{Code: code}); got != want {
			t.Errorf("%+v: %t", code, got)
		}
	}
}

// TestChangedFirst: nothing else is said first of a file that was changed.
func TestChangedFirst(t *testing.T) {
	b := &subject{claim: &Claim{Trimpath: true}, Result: &Result{}, id: [4]string{"a", "b", "c", "d"}, bin: &gobin.File{Format: gobin.Wasm},
		untouched: gobin.Untouched{State: gobin.UntouchedNo, Reason: "the build ID says x"}}
	b.explain(&bindiff.Diff{DifferentBytes: 3}, &attempt{id: [4]string{"e", "f", "g", "h"}})
	if !strings.HasPrefix(b.Reason, "the file was changed after it was linked (the build ID says x)") {
		t.Error(b.Reason)
	}
	b.giveUp("no source: x")
	if !strings.HasPrefix(b.Reason, "the file was changed after it was linked (the build ID says x)") || !strings.HasSuffix(b.Reason, "; no source: x") {
		t.Error(b.Reason)
	}
	b.untouched.Resigned = true // by whoever publishes it
	b.explain(&bindiff.Diff{DifferentBytes: 3}, &attempt{id: [4]string{"e", "f", "g", "h"}})
	if strings.Contains(b.Reason, "changed") {
		t.Error(b.Reason)
	}
}
