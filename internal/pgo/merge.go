package pgo

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Merge adds profiles up: of each stack the values of all. A profile that was
// recorded twice as long counts twice.
//
// Where they were sampled at different rates, only CPU time is kept, since
// samples of two rates cannot be added. Profiles without a kind of value in
// common cannot be merged.
func Merge(ps ...*Profile) (*Profile, error) {
	if len(ps) == 0 {
		return nil, errors.New("no profiles to merge")
	}
	out := &Profile{Period: ps[0].Period}
	order := []string{samplesCount, cpuTime}
	if !slices.ContainsFunc(ps, func(p *Profile) bool { return len(p.Kinds) == 0 || p.Kinds[0] != cpuTime }) {
		slices.Reverse(order) // the compiler takes the first, so it stays the first
	}
	for _, k := range order {
		if !slices.ContainsFunc(ps, func(p *Profile) bool { return !slices.Contains(p.Kinds, k) }) {
			out.Kinds = append(out.Kinds, k)
		}
	}
	if slices.ContainsFunc(ps, func(p *Profile) bool { return p.Period != out.Period }) {
		out.Period = 0
		out.Kinds = slices.DeleteFunc(out.Kinds, func(k string) bool { return k == samplesCount })
	}
	if len(out.Kinds) == 0 {
		return nil, fmt.Errorf("the profiles have no kind of value in common that can be added: %s, or %s at one rate", cpuTime, samplesCount)
	}
	sums := map[string]*Stack{}
	var durations, total uint64
	for _, p := range ps {
		durations += uint64(p.Duration)
		for _, s := range p.Stacks {
			key := s.key()
			sum := sums[key]
			if sum == nil {
				sum = &Stack{Frames: s.Frames, Values: make([]int64, len(out.Kinds))}
				sums[key] = sum
			}
			for i, k := range out.Kinds {
				v := s.Values[slices.Index(p.Kinds, k)]
				if total += uint64(v); total > math.MaxInt64 || durations > math.MaxInt64 {
					return nil, errors.New("the values are too large to be added")
				}
				sum.Values[i] += v
			}
		}
	}
	out.Duration = int64(durations)
	for _, key := range slices.Sorted(maps.Keys(sums)) {
		if s := sums[key]; slices.ContainsFunc(s.Values, func(v int64) bool { return v != 0 }) {
			out.Stacks = append(out.Stacks, *s)
		}
	}
	return out, out.check()
}

// key is the same for the same stack only.
func (s Stack) key() string {
	var b []byte
	for _, f := range s.Frames {
		b = strconv.AppendQuote(b, f.Function)
		b = strconv.AppendQuote(b, f.File)
		for _, n := range []int64{f.StartLine, f.Line, int64(f.Place)} {
			b = append(strconv.AppendInt(b, n, 10), ' ')
		}
		b = append(strconv.AppendBool(b, f.Inlined), '\n')
	}
	return string(b)
}

// Encode writes the protocol buffer, not compressed. The same profile gives the
// same bytes; stacks are written in their order, tables in that of first use.
func (p *Profile) Encode() []byte {
	e := &encoder{strings: map[string]uint64{"": 0}, table: []string{""}, functions: map[rawName]uint64{}, locations: map[string]uint64{}}
	for _, k := range p.Kinds {
		e.kind(1, k)
	}
	for _, s := range p.Stacks {
		var ids, values []uint64
		for at := 0; at < len(s.Frames); {
			n := at + 1
			for n < len(s.Frames) && s.Frames[n-1].Inlined {
				n++
			}
			ids = append(ids, e.location(s.Frames[at:n]))
			at = n
		}
		for _, v := range s.Values {
			values = append(values, uint64(v))
		}
		e.top.message(2, func(w *writer) {
			if len(ids) > 0 {
				w.packed(1, ids)
			}
			w.packed(2, values)
		})
	}
	e.top.b = append(e.top.b, e.tables.b...)
	if p.Period != 0 {
		e.kind(11, cpuTime)
	}
	for _, s := range e.table {
		e.top.bytes(6, []byte(s))
	}
	e.top.number(10, uint64(p.Duration))
	e.top.number(12, uint64(p.Period))
	return e.top.b
}

type rawName struct {
	name, file string
	start      int64
}

type encoder struct {
	top       writer
	tables    writer // of locations and functions
	strings   map[string]uint64
	table     []string
	functions map[rawName]uint64
	locations map[string]uint64
}

func (e *encoder) text(s string) uint64 {
	i, ok := e.strings[s]
	if !ok {
		i = uint64(len(e.table))
		e.strings[s] = i
		e.table = append(e.table, s)
	}
	return i
}

func (e *encoder) kind(num protowire.Number, kind string) {
	typ, unit, _ := strings.Cut(kind, "/")
	e.top.message(num, func(w *writer) {
		w.number(1, e.text(typ))
		w.number(2, e.text(unit))
	})
}

// location is the number of some frames, all but the last inlined.
func (e *encoder) location(frames []Frame) uint64 {
	key := Stack{Frames: frames}.key()
	if id, ok := e.locations[key]; ok {
		return id
	}
	id := uint64(len(e.locations) + 1)
	e.locations[key] = id
	var loc writer
	loc.number(1, id)
	loc.number(3, uint64(frames[0].Place)) // what the compiler needs of an address
	for _, f := range frames {
		if f.node() == (node{}) && f.File == "" {
			if len(frames) > 1 {
				loc.message(4, func(*writer) {})
			}
			continue
		}
		fn := e.function(rawName{f.Function, f.File, f.StartLine})
		loc.message(4, func(w *writer) {
			w.number(1, fn)
			w.number(2, uint64(f.Line))
		})
	}
	e.tables.bytes(4, loc.b)
	return id
}

func (e *encoder) function(n rawName) uint64 {
	if id, ok := e.functions[n]; ok {
		return id
	}
	id := uint64(len(e.functions) + 1)
	e.functions[n] = id
	e.tables.message(5, func(w *writer) {
		w.number(1, id)
		w.number(2, e.text(n.name))
		w.number(3, e.text(n.name))
		w.number(4, e.text(n.file))
		w.number(5, uint64(n.start))
	})
	return id
}
