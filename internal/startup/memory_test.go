package startup

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

const mib = 1 << 20

// TestMemory: a program that writes to 64 MiB has at least those for itself, one
// that does not has far less, however large the process that starts it is.
func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is measured on Linux")
	}
	ballast := make([]byte, 256*mib) // what wait4's ru_maxrss would report
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1
	}
	small, large := build(t, "small"), build(t, "large", "touch=64")
	for _, c := range []struct{ ready, args string }{{"exit", ""}, {"first-byte", "print=x sleep=60s"}, {"stdout:x", "print=x sleep=60s"}} {
		get := func(path string) Memory {
			l := start(t, path, c.ready, strings.Fields(c.args)...)
			l.capture = false
			m, err := l.memory(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", c.ready, err)
			}
			return m
		}
		s, l := get(small), get(large)
		at := map[bool]string{true: "exit", false: "ready"}[c.ready == "exit"]
		if s.At != at || l.At != at {
			t.Errorf("%s: looked at %s and %s", c.ready, s.At, l.At)
		}
		if s.PrivateDirty <= 0 || s.PrivateDirty > 32*mib || s.PeakRSS > 32*mib || s.PeakVSZ < s.PeakRSS || s.PSS <= 0 || s.File <= 0 {
			t.Errorf("%s: small: %+v", c.ready, s)
		}
		if l.PrivateDirty < 64*mib || l.PeakRSS < 64*mib || l.Anon < 64*mib || l.PSS < 64*mib || l.PrivateDirty > 128*mib {
			t.Errorf("%s: large: %+v", c.ready, l)
		}
	}
	runtime.KeepAlive(ballast)
}

func TestMemoryFailures(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is measured on Linux")
	}
	path := build(t, "fixture")
	l := start(t, path, "exit", "exit=3")
	l.capture = false
	_, err := l.memory(t.Context())
	wantError(t, err, "exit status 3, want exit status 0")
	l = start(t, path, "exit", "sleep=60s")
	l.capture, l.timeout = false, 100*time.Millisecond
	_, err = l.memory(t.Context())
	wantError(t, err, "killed by SIGKILL")
	l = start(t, path+"-missing", "exit")
	if _, err := l.memory(t.Context()); err == nil {
		t.Error("a missing program has memory")
	}
	// A child that lives longer is no part of it and no reason to wait.
	l = start(t, path, "exit", "leave=60s")
	l.capture = false
	if m, err := l.memory(t.Context()); err != nil || m.PeakRSS <= 0 {
		t.Errorf("left a child: %+v, %v", m, err)
	}
}

func TestParseKB(t *testing.T) {
	const text = "Name:\tx\nVmHWM:\t    2044 kB\nRssAnon:\t 572 kB\nRss:                 12 kB\nBad: -1 kB\nHuge: 9999999999999999999 kB\nMiB: 3 MB\nThreads:\t1\n"
	got, err := parseKB([]byte(text), "VmHWM", "Rss")
	if err != nil || got["VmHWM"] != 2044*1024 || got["Rss"] != 12*1024 || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for _, name := range []string{"Pss", "Bad", "Huge", "MiB", "Threads", "Name", ""} {
		if got, err := parseKB([]byte(text), name); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzParseKB(f *testing.F) {
	f.Add([]byte("55d1c0000000-7ffd2ad6e000 ---p 00000000 00:00 0 [rollup]\nRss:  2044 kB\nPss: 2036 kB\nPrivate_Dirty:  572 kB\n"))
	f.Add([]byte("VmHWM:\t2044 kB\r\n:: kB\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parseKB(text, "Rss", "Pss")
		if err == nil && (len(got) != 2 || got["Rss"] < 0 || got["Pss"] < 0) {
			t.Errorf("%v", got)
		}
	})
}
