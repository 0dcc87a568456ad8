package sbom

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// MaxSize bounds a document that is read.
const MaxSize = 64 << 20

// maxDifferences bounds how many of them are named.
const maxDifferences = 20

// A published document is read as far as it has at most times as many values as the one
// made here, and so many more: each takes memory, and no two documents about the same
// programs are further apart.
const (
	times = 4
	more  = 1 << 16
)

// maxDepth bounds how deep a document is nested; those that are written here are not half
// as deep.
const maxDepth = 32

// Differences says in what a published document differs from the one that was made here,
// by the components that are concerned: at least one line, however the bytes differ. The
// published one is a stranger's.
func Differences(published, made []byte) []string {
	ours, has, err := read(made, math.MaxInt)
	if err != nil {
		return []string{"the document made here cannot be read: " + err.Error()}
	}
	theirs, _, err := read(published, times*has+more)
	if err != nil {
		return []string{fmt.Sprintf("the published document cannot be read: %.200s", err)}
	}
	var lines []string
	for _, subject := range slices.Sorted(maps.Keys(union(theirs.says, ours.says))) {
		a, b := theirs.says[subject], ours.says[subject]
		switch {
		case a == nil:
			lines = append(lines, plain(subject)+": is not in the published document")
		case b == nil:
			lines = append(lines, plain(subject)+": is in the published document alone")
		default:
			for _, field := range slices.Sorted(maps.Keys(union(a, b))) {
				if line := difference(field, a, b); line != "" {
					lines = append(lines, plain(subject)+": "+line)
				}
			}
		}
	}
	switch {
	case len(lines) == 0 && theirs.serial != ours.serial:
		return []string{fmt.Sprintf("its serial number is %.100q, that of its content %.100q", theirs.serial, ours.serial)}
	case len(lines) == 0:
		return []string{"it says the same, in other bytes"}
	case len(lines) > maxDifferences:
		lines = append(lines[:maxDifferences], fmt.Sprintf("and %d more", len(lines)-maxDifferences))
	}
	return lines
}

// difference says what two documents have of a field of the same component; "" for the
// same.
func difference(field string, published, made map[string]string) string {
	a, isTheirs := published[field]
	b, isOurs := made[field]
	field = plain(field)
	switch {
	case a == b && isTheirs == isOurs:
		return ""
	case !isTheirs && b == "":
		return field + " is not in the published document"
	case !isTheirs:
		return fmt.Sprintf("%s is not in the published document, here %.100s", field, b)
	case !isOurs && a == "":
		return field + " is in the published document alone"
	case !isOurs:
		return fmt.Sprintf("%s is %.100s in the published document alone", field, a)
	}
	return fmt.Sprintf("%s is %.100s, here %.100s", field, a, b)
}

// plain is a name of a stranger's as it can be shown.
func plain(name string) string { return fact.Plain(fmt.Sprintf("%.200s", name)) }

func union[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// said is what a document says, whatever its format and order: of each component its
// fields and what it is related to, each with its value as JSON, "" for a relation.
type said struct {
	says   map[string]map[string]string
	serial string
	labels map[string]string // what a component is called here, by its identifier
	times  map[string]int    // how often a field of a component was there
}

// document is the subject of what is said of no component.
const document = "the document"

func read(data []byte, values int) (_ *said, has int, err error) {
	r := reader{json.NewDecoder(bytes.NewReader(data)), values}
	r.UseNumber()
	v, err := r.value(0)
	if err != nil {
		return nil, 0, err
	}
	top, ok := v.(map[string]any)
	if !ok {
		return nil, 0, errors.New("it is no object")
	}
	if _, err := r.Token(); err != io.EOF {
		return nil, 0, errors.New("there is something behind it")
	}
	s := &said{says: map[string]map[string]string{}, labels: map[string]string{}, times: map[string]int{}}
	for _, key := range []string{"serialNumber", "documentNamespace"} { // they follow from all the rest
		if text, ok := top[key].(string); ok {
			s.serial = text
			delete(top, key)
		}
	}
	s.label(top)
	s.note(document, "", top)
	return s, values - r.left, nil
}

// reader reads JSON in which what is said twice is kept: readers differ in which of the
// two they take.
type reader struct {
	*json.Decoder
	left int // values that there may still be
}

func (r *reader) value(depth int) (any, error) {
	t, err := r.Token()
	if err != nil {
		return nil, err
	}
	if r.left--; r.left < 0 {
		return nil, errors.New("it has many times the values of the one made here")
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d", maxDepth)
	}
	switch t {
	case json.Delim('{'):
		all := map[string]any{}
		for r.More() {
			key, err := r.Token()
			if err != nil {
				return nil, err
			}
			v, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			name := key.(string) // the decoder has no other key
			if _, twice := all[name]; twice {
				name = fmt.Sprintf("%s, again at byte %d", name, r.InputOffset())
			}
			all[name] = v
		}
		_, err = r.Token()
		return all, err
	case json.Delim('['):
		list := []any{}
		for r.More() {
			v, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = r.Token()
		return list, err
	}
	return t, nil
}

// maxName bounds what something is called here.
const maxName = 300

// short is a name of bounded length, another one for each other name: many values can
// have one that is as long as the document.
func short(name string) string {
	if len(name) <= maxName {
		return name
	}
	return fmt.Sprintf("%.100s… (SHA-256 %x)", name, sha256.Sum256([]byte(name)))
}

// label names the components: those of CycloneDX by their bom-ref, and those of SPDX,
// whose identifiers are numbered, by package URL or name.
func (s *said) label(top map[string]any) {
	packages, _ := top["packages"].([]any)
	used := map[string]int{}
	for _, x := range packages {
		p, _ := x.(map[string]any)
		id, _ := p["SPDXID"].(string)
		name, _ := p["name"].(string)
		refs, _ := p["externalRefs"].([]any)
		for _, x := range refs {
			if r, ok := x.(map[string]any); ok && r["referenceType"] == "purl" {
				if u, ok := r["referenceLocator"].(string); ok {
					name = u
				}
			}
		}
		name = short(name)
		if used[name]++; used[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, used[name])
		}
		s.labels[id] = name
	}
}

func (s *said) called(id any) string {
	text, _ := id.(string)
	if label := s.labels[text]; label != "" {
		return label
	}
	return short(text)
}

// put keeps what is said twice of one field apart.
func (s *said) put(subject, field, value string) {
	field = short(strings.TrimPrefix(field, "."))
	s.times[subject+"\x00"+field]++
	if n := s.times[subject+"\x00"+field]; n > 1 {
		field = fmt.Sprintf("%s (%d)", field, n)
	}
	s.of(subject)[field] = value
}

func (s *said) of(subject string) map[string]string {
	if s.says[subject] == nil {
		s.says[subject] = map[string]string{}
	}
	return s.says[subject]
}

// note says what a value says of the subject in that field.
func (s *said) note(subject, field string, v any) {
	switch v := v.(type) {
	case map[string]any:
		switch {
		case v["spdxElementId"] != nil && v["relationshipType"] != nil && v["relatedSpdxElement"] != nil && len(v) == 3:
			s.put(s.called(v["spdxElementId"]), fmt.Sprint(v["relationshipType"], " ", s.called(v["relatedSpdxElement"])), "")
			return
		case v["aggregate"] != nil && v["dependencies"] != nil && len(v) == 2: // a composition
			refs, _ := v["dependencies"].([]any)
			aggregate := text(v["aggregate"])
			for _, ref := range refs {
				s.put(s.called(ref), "aggregate", aggregate)
			}
			return
		case v["name"] != nil && v["value"] != nil && len(v) == 2: // a property
			s.put(subject, fmt.Sprint("property ", v["name"]), text(v["value"]))
			return
		}
		for _, key := range []string{"bom-ref", "ref", "SPDXID"} {
			if id, ok := v[key].(string); ok && id != "SPDXRef-DOCUMENT" {
				v = maps.Clone(v)
				delete(v, key)
				subject, field = s.called(id), ""
				s.of(subject)
				break
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			s.note(subject, short(field+"."+key), v[key])
		}
	case []any:
		for i, x := range v {
			if word, ok := x.(string); ok {
				s.put(subject, field+" "+s.called(word), "")
				continue
			}
			s.note(subject, fmt.Sprintf("%s[%d]", field, i), x)
		}
	default:
		s.put(subject, field, text(v))
	}
}

// text is a value as JSON.
func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}
