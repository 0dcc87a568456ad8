package goflags

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// What follows is how the go command and its tools read flags, taken from Go
// 1.26.8 and not from this package: the checker is held against it. The parts
// named are under Go's BSD-style licence (https://go.dev/LICENSE).

// goSplit is cmd/internal/quoted.Split.
func goSplit(s string) ([]string, error) {
	isSpaceByte := func(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
	var f []string
	for len(s) > 0 {
		for len(s) > 0 && isSpaceByte(s[0]) {
			s = s[1:]
		}
		if len(s) == 0 {
			break
		}
		if s[0] == '"' || s[0] == '\'' {
			quote := s[0]
			s = s[1:]
			i := 0
			for i < len(s) && s[i] != quote {
				i++
			}
			if i >= len(s) {
				return nil, fmt.Errorf("unterminated %c string", quote)
			}
			f = append(f, s[:i])
			s = s[i+1:]
			continue
		}
		i := 0
		for i < len(s) && !isSpaceByte(s[i]) {
			i++
		}
		f = append(f, s[:i])
		s = s[i:]
	}
	return f, nil
}

// goPerPackage is cmd/go/internal/load.(*PerPackageFlag).set. old is that of
// releases before go1.22, which did not refuse a quote at the beginning.
func goPerPackage(v string, old bool) ([]string, error) {
	v = strings.TrimSpace(v)
	if v == "" {
		return nil, nil
	}
	if !strings.HasPrefix(v, "-") {
		i := strings.Index(v, "=")
		if i < 0 {
			return nil, fmt.Errorf("missing =<value> in <pattern>=<value>")
		}
		if i == 0 {
			return nil, fmt.Errorf("missing <pattern> in <pattern>=<value>")
		}
		if !old && (v[0] == '\'' || v[0] == '"') {
			return nil, fmt.Errorf("parameter may not start with quote character %c", v[0])
		}
		v = v[i+1:]
	}
	return goSplit(v)
}

// releases are those whose tools' lists of flags are in testdata, as go tool
// compile -h and so on print them: the tool, the name, and what a value stands
// for, which flags without a value lack.
var releases = []string{"go1.18.10", "go1.22.12", "go1.26.8"}

type toolFlag struct {
	tool, name string
	value      bool
}

var listed = sync.OnceValue(func() map[string][]toolFlag {
	all := map[string][]toolFlag{}
	for _, release := range releases {
		data, err := os.ReadFile("testdata/" + release + ".txt")
		if err != nil {
			panic(err)
		}
		for line := range strings.Lines(string(data)) {
			fields := strings.Fields(line)
			all[release] = append(all[release], toolFlag{fields[0], fields[1], len(fields) > 2})
		}
	}
	return all
})

// reached is a flag that the tool set.
type reached struct{ name, value string }

type recorder struct {
	name string
	bool
	to *[]reached
}

func (r recorder) String() string   { return "" }
func (r recorder) IsBoolFlag() bool { return r.bool }
func (r recorder) Set(value string) error {
	*r.to = append(*r.to, reached{r.name, value})
	return nil
}

// goReaches says which flags of the tool are set by the words, which files it is
// given, and whether it parses them at all. An argument that begins with "@"
// names a file with arguments (cmd/internal/objabi.expandArgs).
func goReaches(release string, tool Tool, words []string) (set []reached, files []string, err error) {
	fs := flag.NewFlagSet(string(tool), flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	for _, f := range listed()[release] {
		if f.tool == string(tool) {
			fs.Var(recorder{f.name, !f.value, &set}, f.name, "")
		}
	}
	for _, w := range words {
		if strings.HasPrefix(w, "@") {
			files = append(files, w)
		}
	}
	err = fs.Parse(words)
	return set, append(files, fs.Args()...), err
}
