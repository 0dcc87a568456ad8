package startup

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteSamples writes all samples as JSON, one per line, in the order in which
// they were made.
func (r *Result) WriteSamples(w io.Writer) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	for _, s := range r.Samples {
		if err := enc.Encode(s); err != nil {
			return err
		}
	}
	return b.Flush()
}

// WriteGoBench writes all samples in Go's benchmark format, one line each, so
// that benchstat reads them (benchstat -col /bin FILE). benchstat takes the
// samples of two programs as unpaired, so its intervals are wider than ours. The
// control is a program of its own, named NAME-copy.
func (r *Result) WriteGoBench(w io.Writer) error {
	b := bufio.NewWriter(w)
	goos, goarch, _ := strings.Cut(r.Host.Platform, "/")
	fmt.Fprintf(b, "goos: %s\ngoarch: %s\n", goos, goarch)
	for _, s := range r.Samples {
		name := benchName(s.Program)
		if s.Control {
			name += "-copy"
		}
		// The last "-N" of a name is the number of processors.
		fmt.Fprintf(b, "BenchmarkStartup/bin=%s/cache=%s-%d 1 %d ns/op %d cpu-ns/op %d minor-faults/op %d major-faults/op\n",
			name, s.Cache, r.Host.CPUs, s.Wall, s.CPU, s.Minor, s.Major)
	}
	return b.Flush()
}

// benchName makes a part of a benchmark's name: no spaces, no separators.
func benchName(s string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c == '/' || c == '=' || c > '~' {
			return '_'
		}
		return c
	}, s)
}
