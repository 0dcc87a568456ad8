package bindiff

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Passes about texts in the data: values the linker put there, and lines.

// linkerTexts are variables that the linker and cmd/go set themselves.
var linkerTexts = []string{"runtime.buildVersion", "runtime.modinfo", "runtime.defaultGOROOT", "runtime.godebugDefault", "internal/buildcfg.defaultGOROOT"}

// maxValues bounds how many values of -X are read of one file.
const maxValues = 1024

// values returns the variables that -X has set, by the symbols NAME.str which
// the linker makes for their texts (cmd/link/internal/ld.addstrdata). A variable,
// a function or a method of the program may be called str as well: NAME has to be
// a variable whose length is that of the text. ok is false when the file has no
// symbol table.
func (s *side) values() (values map[string]string, ok bool, err error) {
	if s.r == nil {
		return nil, false, nil
	}
	texts := map[string]uint64{} // addresses, by NAME
	err = s.file.Symbols(func(name []byte, addr uint64) bool {
		ok = ok || bytes.HasPrefix(name, []byte("runtime."))
		if v, isText := bytes.CutSuffix(name, []byte(".str")); isText && bytes.IndexByte(v, '.') >= 0 && len(v) <= 200 && !slices.Contains(linkerTexts, string(v)) {
			texts[string(v)] = addr
		}
		return len(texts) < maxValues
	})
	if err != nil || len(texts) == 0 {
		return nil, ok, err
	}
	values = map[string]string{}
	var inner error
	err = s.file.Symbols(func(name []byte, addr uint64) bool {
		at, isSet := texts[string(name)]
		if !isSet {
			return true
		}
		var text string
		if text, isSet, inner = s.valueOf(addr, at); isSet {
			values[string(name)] = text
		}
		return inner == nil
	})
	if err == nil {
		err = inner
	}
	return values, ok, err
}

// valueOf is the text at an address if the string variable at another has its
// length. Where the variable points is not compared: it may be filled in only
// when the program is loaded.
func (s *side) valueOf(variable, text uint64) (string, bool, error) {
	word := int64(s.file.PtrSize)
	header, at := s.file.At(variable)
	sec, off := s.file.At(text)
	if word == 0 || header == nil || sec == nil || header.Kind != gobin.KindData || sec.Kind == gobin.KindCode || at+2*word > header.Offset+header.Size {
		return "", false, nil
	}
	b := make([]byte, word)
	if _, err := s.r.ReadAt(b, at+word); err != nil {
		return "", false, err
	}
	n := s.file.Word(b)
	if n >= uint64(sec.Offset+sec.Size-off) {
		return "", false, nil
	}
	b = make([]byte, min(n+1, maxText)) // with the zero byte behind it
	if _, err := s.r.ReadAt(b, off); err != nil {
		return "", false, err
	}
	if end := bytes.IndexByte(b, 0); end >= 0 && uint64(end) != n || end < 0 && n < maxText {
		return "", false, nil
	}
	return string(b[:min(n, maxText)]), true, nil
}

// described is change with what the values look like.
func described(what, a, b string) string {
	text := change(what, a, b)
	x, y := shape(a), shape(b)
	switch {
	case x != "" && (x == y || b == ""):
		text += ": " + x
	case y != "" && a == "":
		text += ": " + y
	}
	return text
}

const remedyValue = "set variables to what the commit determines (version, revision, commit date), never to the time, the host or the user"

// linkOnly reports whether package main was compiled from the same inputs, so
// that only the link or another package can differ. Without build IDs it is
// what the build information does not contradict.
func (p *pair) linkOnly() bool {
	return len(p.diff.BuildInfo) == 0 && !slices.Contains(p.diff.BuildIDParts, "mainAction") && !slices.Contains(p.diff.BuildIDParts, "mainContent")
}

// ldflagsText finds values of -X that are recorded nowhere: by the symbols the
// linker makes for them, or else as texts of the data that differ while the
// code does not.
func ldflagsText(p *pair) []finding {
	if p.a.r == nil || p.sameBuildID() || p.a.file.Format != p.b.file.Format || p.a.file.Packed != "" || p.b.file.Packed != "" {
		return nil
	}
	va, okA, errA := p.a.values()
	vb, okB, errB := p.b.values()
	if errA != nil || errB != nil {
		okA, okB = false, false
	}
	if okA && okB {
		var evidence []string
		var n int64
		p.diff.Values = nil // other passes ask too
		for _, name := range union(va, vb) {
			a, inA := va[name]
			b, inB := vb[name]
			if a != b || inA != inB {
				p.diff.Values = append(p.diff.Values, Value{name, a, b, inA, inB})
				evidence = append(evidence, described("-X "+name, a, b))
				n += differing(a, b)
			}
		}
		return stated(fact.Certain, n, remedyValue, shorten(evidence)...)
	}
	c := p.code()
	if c != nil && (len(c.packages) > 0 || c.used > 0) || !p.linkOnly() {
		return nil
	}
	t := p.texts()
	if t == nil || t.more || len(t.onlyA) != len(t.onlyB) || len(t.onlyA) == 0 || len(t.onlyA) > 8 {
		return nil
	}
	known := va
	if okB {
		known = vb
	}
	var evidence []string
	var n int64
	a, b := slices.Clone(t.onlyA), slices.Clone(t.onlyB)
	for _, x := range a {
		i := closest(x, b)
		y := b[i]
		b = slices.Delete(b, i, i+1)
		what := "text of the data"
		for name, v := range known {
			if v == x || v == y {
				what = "-X " + name
			}
		}
		evidence = append(evidence, described(what, x, y))
		n += differing(x, y)
	}
	slices.Sort(evidence)
	confidence := fact.Likely
	switch {
	case c == nil:
		confidence = fact.Possible // wasm: there is no table to compare the code by
	case c.same():
		evidence = append(evidence, fmt.Sprintf("the code and the lines of all %d functions are the same", c.functions))
	}
	return oneFinding(confidence, n, remedyValue, evidence...)
}

// union returns the sorted keys of both.
func union(a, b map[string]string) []string {
	var names []string
	for n := range a {
		names = append(names, n)
	}
	for n := range b {
		if _, ok := a[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// differing counts the bytes in which two values differ, which is what a
// difference in place has at least.
func differing(a, b string) int64 {
	if len(a) != len(b) {
		return 0 // then they are in other places
	}
	var n int64
	for i := range len(a) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// closest finds the text of the same shape, or else of the nearest length.
func closest(x string, list []string) int {
	best, score := 0, 1<<30
	for i, y := range list {
		d := max(len(x)-len(y), len(y)-len(x))
		if shape(x) != shape(y) {
			d += 1000
		}
		if d < score {
			best, score = i, d
		}
	}
	return best
}

// lineEndings: the lines of the data are the same but for how they end.
func lineEndings(p *pair) []finding {
	if p.a.r == nil || p.sameBuildID() || p.a.file.Format != p.b.file.Format || p.compiledDifferently() {
		return nil
	}
	t := p.texts()
	if t == nil || t.crlfA+t.crlfB == 0 {
		return nil
	}
	where := "A"
	n := t.crlfA
	if t.crlfB > t.crlfA {
		where, n = "B", t.crlfB
	}
	evidence := []string{fmt.Sprintf("%d lines of the data end with CR LF in %s and with LF in the other", n, where)}
	c := fact.Possible
	if !t.otherLines && !t.more {
		c = fact.Likely
		evidence = append(evidence, "with the same line endings, all lines of the data are the same")
		if d := p.code(); d.same() && (t.crlfA == 0) != (t.crlfB == 0) {
			evidence = append(evidence, fmt.Sprintf("the code and the lines of all %d functions are the same", d.functions))
		}
		// Not certain: a program may also write its line ends otherwise, "\r\n" for "\n".
		evidence = append(evidence, "they are lines of embedded files, or texts that the source itself ends so")
	}
	return oneFinding(c, 0, "give embedded text files fixed line endings in .gitattributes (`*.txt text eol=lf`, or `-text`): git calls such a checkout clean", evidence...)
}
