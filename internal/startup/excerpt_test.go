package startup

import "testing"

// TestExcerpt: of a Go program that ends with a panic, the reason is said and
// not the end of the trace.
func TestExcerpt(t *testing.T) {
	trace := "\n\ngoroutine 1 [running]:\nmain.main()\n\t/tmp/x.go:3 +0x18\nexit status 2\n"
	for in, want := range map[string]string{
		"listening\npanic: no config\nfile" + trace:        "panic: no config file",
		"runtime: out of memory\nfatal error: oom" + trace: "runtime: out of memory fatal error: oom",
		"panic: a\n\tpanic: b" + trace:                     "panic: a panic: b",
		"usage: x\n  -a\n":                                 "usage: x -a",
		"":                                                 "",
	} {
		if got := excerpt([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
