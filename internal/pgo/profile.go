package pgo

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Kinds of values that the compiler takes, as type and unit.
const (
	samplesCount = "samples/count"
	cpuTime      = "cpu/nanoseconds"
)

// Profile is a CPU profile, reduced to what the compiler looks at.
type Profile struct {
	// Kinds are what the values of samples are: samples/count or cpu/nanoseconds
	// or both. The compiler takes the first.
	Kinds  []string
	Stacks []Stack
	// Period is between two samples, in nanoseconds of CPU time; 0 if unknown.
	Period int64
	// Duration is how long was recorded, in nanoseconds; 0 if unknown.
	Duration int64
}

// Stack is a stack with how often it was seen.
type Stack struct {
	Frames []Frame // the innermost first; inlined calls are frames of their own
	Values []int64 // of the Kinds
}

// Frame is one call.
type Frame struct {
	Function  string // as the linker names it: example.com/m/pkg.(*T).Method
	File      string
	StartLine int64 // of the function
	Line      int64
	// Inlined is set of a frame that was inlined into the next one.
	Inlined bool
	// Place tells apart, within a stack, the instructions of one line: 0 is the
	// first of it that is met from the innermost frame, 1 another one. Frames that
	// were inlined into one another have the same.
	Place int
}

// decoder holds the tables of a profile while it is read. Fields may come in
// any order, so references are resolved at the end.
type decoder struct {
	strings   []string
	types     [][2]uint64
	samples   []rawSample
	locations map[uint64]rawLocation
	functions map[uint64]rawFunction
	steps     int // of all samples
	lines     int // of all locations
	period    int64
	duration  int64
	periodOf  [2]uint64
}

type rawSample struct {
	locations, values []uint64
	at                int
}

type rawLocation struct {
	address uint64
	lines   []rawLine
}

type rawLine struct {
	function uint64
	line     int64
}

type rawFunction struct {
	name, file uint64
	start      int64
}

// Parse reads a profile and refuses what the compiler could make nothing of.
func Parse(data []byte) (*Profile, error) {
	if len(data) == 0 {
		return nil, errors.New("is empty: the go command would build without it and say nothing")
	}
	data, err := decompress(data)
	if err != nil {
		return nil, err
	}
	d := &decoder{locations: map[uint64]rawLocation{}, functions: map[uint64]rawFunction{}}
	if err := fields(data, 0, d.field); err != nil {
		return nil, fmt.Errorf("is no CPU profile of pprof, or damaged: %w", err)
	}
	p, err := d.profile()
	if err != nil {
		return nil, err
	}
	return p, p.check()
}

func (d *decoder) field(f field) (err error) {
	room := func(n int) error {
		if n >= maxItems {
			return &syntaxError{f.at, "too many entries"}
		}
		return nil
	}
	switch f.num {
	case 1, 11: // sample_type, period_type
		var t [2]uint64
		err = f.record(&t[0], &t[1])
		if f.num == 11 {
			d.periodOf = t
			return err
		}
		d.types = append(d.types, t)
		return errors.Join(err, room(len(d.types)))
	case 2:
		s := rawSample{at: f.at}
		err = f.message(func(f field) (err error) {
			switch f.num {
			case 1:
				s.locations, err = f.numbers(s.locations)
			case 2:
				s.values, err = f.numbers(s.values)
			}
			return err
		})
		d.samples = append(d.samples, s)
		if d.steps += len(s.locations); d.steps > maxFrames {
			return &syntaxError{f.at, "too many frames in all stacks"}
		}
		return errors.Join(err, room(len(d.samples)))
	case 4:
		return errors.Join(d.location(f), room(max(len(d.locations), d.lines)))
	case 5:
		return errors.Join(d.function(f), room(len(d.functions)))
	case 6:
		d.strings = append(d.strings, string(f.data))
		return errors.Join(f.is(protowire.BytesType), room(len(d.strings)))
	case 10, 12:
		n, err := f.number()
		if f.num == 10 {
			d.duration = int64(n)
		} else {
			d.period = int64(n)
		}
		return err
	}
	return nil // mappings, comments and what newer writers add
}

func (d *decoder) location(f field) error {
	var id uint64
	var loc rawLocation
	err := f.message(func(f field) (err error) {
		switch f.num {
		case 1:
			id, err = f.number()
		case 3:
			loc.address, err = f.number()
		case 4:
			var l rawLine
			var n uint64
			err = f.record(&l.function, &n)
			l.line = int64(n)
			loc.lines = append(loc.lines, l)
		}
		return err
	})
	if _, twice := d.locations[id]; err == nil && (id == 0 || twice) {
		err = &syntaxError{f.at, fmt.Sprintf("location %d is there twice, or has no number", id)}
	}
	d.locations[id] = loc
	d.lines += len(loc.lines)
	return err
}

func (d *decoder) function(f field) error {
	var id uint64
	var fn rawFunction
	var start uint64
	err := f.record(&id, &fn.name, nil, &fn.file, &start)
	fn.start = int64(start)
	if _, twice := d.functions[id]; err == nil && (id == 0 || twice) {
		err = &syntaxError{f.at, fmt.Sprintf("function %d is there twice, or has no number", id)}
	}
	d.functions[id] = fn
	return err
}

func (d *decoder) text(i uint64) (string, error) {
	if i >= uint64(len(d.strings)) {
		return "", fmt.Errorf("string %d of %d", i, len(d.strings))
	}
	if s := d.strings[i]; utf8.ValidString(s) {
		return s, nil
	}
	return "", fmt.Errorf("string %d is not UTF-8", i)
}

// profile resolves all references.
func (d *decoder) profile() (*Profile, error) {
	if len(d.strings) == 0 || d.strings[0] != "" || len(d.types) == 0 {
		return nil, errors.New("is no CPU profile of pprof (it has no string table or no kinds of samples)")
	}
	p := &Profile{Duration: max(0, d.duration)}
	kind := func(t [2]uint64) (string, error) {
		a, err := d.text(t[0])
		b, err2 := d.text(t[1])
		return a + "/" + b, errors.Join(err, err2)
	}
	var columns []int
	var all []string
	for i, t := range d.types {
		k, err := kind(t)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
		if k == samplesCount || k == cpuTime {
			columns = append(columns, i)
			p.Kinds = append(p.Kinds, k)
		}
	}
	if len(columns) == 0 || len(columns) > 2 || len(columns) == 2 && p.Kinds[0] == p.Kinds[1] {
		return nil, fmt.Errorf("is no CPU profile: it holds %q, not %s or %s", all, samplesCount, cpuTime)
	}
	if k, err := kind(d.periodOf); err == nil && k == cpuTime {
		p.Period = max(0, d.period)
	}
	if err := d.stacks(p, columns); err != nil {
		return nil, err
	}
	return p, nil
}

// stacks resolves the samples, of which the values in the columns are kept.
func (d *decoder) stacks(p *Profile, columns []int) error {
	sites, err := d.sites()
	if err != nil {
		return err
	}
	all := 0
	for _, s := range d.samples {
		if len(s.values) != len(d.types) {
			return &syntaxError{s.at, fmt.Sprintf("a sample with %d values, not %d", len(s.values), len(d.types))}
		}
		st := Stack{}
		for _, c := range columns {
			if s.values[c] > math.MaxInt64/2 {
				return &syntaxError{s.at, "a sample with a negative value"}
			}
			st.Values = append(st.Values, int64(s.values[c]))
		}
		var of []*site
		n := 0
		for _, id := range s.locations {
			l, ok := sites[id]
			if !ok {
				return &syntaxError{s.at, fmt.Sprintf("a sample at location %d, which is not there", id)}
			}
			of = append(of, l)
			if n += len(l.frames); n > maxDepth {
				return &syntaxError{s.at, "a stack of thousands of frames"}
			}
		}
		if all += n; all > maxFrames {
			return &syntaxError{s.at, "too many frames in all stacks"}
		}
		st.Frames = unwind(of)
		p.Stacks = append(p.Stacks, st)
	}
	return nil
}

// sites resolves the locations.
func (d *decoder) sites() (map[uint64]*site, error) {
	sites := make(map[uint64]*site, len(d.locations))
	nodes := map[node]int32{}
	for _, id := range slices.Sorted(maps.Keys(d.locations)) { // of several errors always the same
		loc := d.locations[id]
		s := &site{address: loc.address}
		if len(loc.lines) == 0 {
			loc.lines = []rawLine{{}} // code that nothing is known about, and a frame all the same
		}
		for i, l := range loc.lines {
			fr, err := d.frame(l)
			if err != nil {
				return nil, fmt.Errorf("location %d: %w", id, err)
			}
			fr.Inlined = i < len(loc.lines)-1
			n, ok := nodes[fr.node()]
			if !ok {
				n = int32(len(nodes))
				nodes[fr.node()] = n
			}
			s.frames, s.nodes = append(s.frames, fr), append(s.nodes, n)
		}
		sites[id] = s
	}
	return sites, nil
}

// frame is what is known of a line of a location. Function 0 is that of code
// without a name: then the line is no line of anything, and not looked at.
func (d *decoder) frame(l rawLine) (Frame, error) {
	if l.function == 0 {
		return Frame{}, nil
	}
	fn, ok := d.functions[l.function]
	if !ok {
		return Frame{}, fmt.Errorf("function %d is not there", l.function)
	}
	name, err := d.text(fn.name)
	file, err2 := d.text(fn.file)
	if strings.ContainsAny(name, "\n\r") {
		err = fmt.Errorf("function %d: %q has a line break in it, and go tool preprofile writes names in lines", l.function, name)
	}
	return Frame{Function: name, File: file, StartLine: fn.start, Line: l.line}, errors.Join(err, err2)
}

// check refuses profiles that the compiler reads and optimises nothing with,
// mostly without a word.
func (p *Profile) check() error {
	samples, starts, calls := false, false, false
	for _, s := range p.Stacks {
		if s.Values[0] == 0 {
			continue
		}
		samples = true
		for _, f := range s.counted() {
			starts = starts || f.StartLine != 0
		}
		for range s.calls {
			calls = true
			break
		}
		if starts && calls {
			return nil
		}
	}
	switch {
	case !samples:
		return errors.New("has no samples: the go command would build without it and say nothing")
	case !starts:
		return errors.New("does not say where functions begin (start_line): record it with a program built by Go 1.20 or later")
	}
	return errors.New("has no calls that the compiler counts, only functions on their own or calling themselves in one place: it would optimise nothing")
}

// Totals are the number of samples and their CPU time in nanoseconds; 0 for
// what the profile does not have.
func (p *Profile) Totals() (samples, cpu int64) {
	for i, k := range p.Kinds {
		for _, s := range p.Stacks {
			if k == samplesCount {
				samples += s.Values[i]
			} else {
				cpu += s.Values[i]
			}
		}
	}
	return samples, cpu
}
