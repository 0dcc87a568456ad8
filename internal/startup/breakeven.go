package startup

import (
	"fmt"
	"math"
	"strconv"
)

// Footprint is what a program takes before and while it runs.
type Footprint struct {
	Disk       int64   // bytes of the file
	Gzip, Zstd int64   // bytes of it compressed for the way to the user; 0 if not known
	Start      float64 // nanoseconds until ready
	// PrivateDirty is memory of each process, in bytes; see [Memory].
	PrivateDirty int64
	HasMemory    bool // PrivateDirty is known
}

// Forms in which a program gets to where it is started.
const (
	FormRaw  = "file" // as it is
	FormGzip = "gzip"
	FormZstd = "zstd"
)

// Pays says when packing pays in time.
type Pays string

// Whether packing pays.
const (
	Never  Pays = "never"  // more bytes, and slower; or as many, and slower
	Always Pays = "always" // fewer bytes, and not slower
	Below  Pays = "below"  // a bandwidth
	Above  Pays = "above"  // a bandwidth: it takes more bytes and starts faster
)

// BreakEven says from which bandwidth on one form of a packed program takes
// longer to get there and be started than the plain one.
type BreakEven struct {
	Form   string `json:"form"`
	Plain  int64  `json:"plain"` // bytes transferred
	Packed int64  `json:"packed"`
	Saved  int64  `json:"saved"`  // bytes; negative when packed is larger
	Starts int    `json:"starts"` // for each transfer
	Pays   Pays   `json:"pays"`
	// Bandwidth in bytes per second, of Below and Above.
	Bandwidth float64 `json:"bandwidth,omitempty"`
	// BandwidthLow and BandwidthHigh are its interval; both 0 where there is none, as
	// where an extra time of nothing is possible.
	BandwidthLow  float64 `json:"bandwidth_low,omitempty"`
	BandwidthHigh float64 `json:"bandwidth_high,omitempty"`
}

// Packing is the whole account of packing one program.
type Packing struct {
	// DiskSaved are bytes of storage, of one copy.
	DiskSaved int64 `json:"disk_saved"`
	// Extra is what each start takes longer, in nanoseconds.
	Extra float64 `json:"extra_ns"`
	// ExtraLow and ExtraHigh are its interval; both 0 where it is not known.
	ExtraLow  float64 `json:"extra_low_ns,omitempty"`
	ExtraHigh float64 `json:"extra_high_ns,omitempty"`
	// ExtraMemory are bytes that each process has for itself more than the plain
	// one; nil when memory was not measured.
	ExtraMemory *int64      `json:"extra_private_dirty,omitempty"`
	Rows        []BreakEven `json:"rows"`
}

// Answer is the part of an account about so many starts for each transfer.
type Answer struct {
	Starts int
	Forms  [3]string // whether packing pays: of the file, gzipped, zstd-compressed
}

// Answers are the rows of an account by the number of starts.
func (p Packing) Answers() (list []Answer) {
	for _, r := range p.Rows {
		if r.Form != FormRaw {
			continue
		}
		a := Answer{Starts: r.Starts}
		for i, form := range []string{FormRaw, FormGzip, FormZstd} {
			a.Forms[i] = "not known"
			for _, q := range p.Rows {
				if q.Form == form && q.Starts == r.Starts {
					a.Forms[i] = q.String()
				}
			}
		}
		list = append(list, a)
	}
	return list
}

// NewPacking computes whether packing pays: for the file as it is, gzipped and
// zstd-compressed (plain and packed in the same form each), and for some numbers
// of starts per transfer. The time to decompress the form is taken as equal for
// both. That is a little against packing, since the plain program has more to
// decompress; but at hundreds of megabytes a second this hides behind any
// network for which the answer matters.
//
// The bandwidth is saved bytes / (extra seconds × starts): below it, packing
// saves more time on the way than it costs at the starts. A form whose sizes are
// not known has no rows.
func NewPacking(plain, packed Footprint, starts ...int) Packing {
	p := Packing{DiskSaved: plain.Disk - packed.Disk, Extra: packed.Start - plain.Start}
	if plain.HasMemory && packed.HasMemory {
		extra := packed.PrivateDirty - plain.PrivateDirty
		p.ExtraMemory = &extra
	}
	for _, form := range []struct {
		name          string
		plain, packed int64
	}{{FormRaw, plain.Disk, packed.Disk}, {FormGzip, plain.Gzip, packed.Gzip}, {FormZstd, plain.Zstd, packed.Zstd}} {
		if form.plain <= 0 || form.packed <= 0 {
			continue
		}
		for _, n := range starts {
			p.Rows = append(p.Rows, breakEven(form.name, form.plain, form.packed, p.Extra, n))
		}
	}
	return p
}

// Between adds what the interval of the extra time makes of the answers.
func (p *Packing) Between(low, high float64) {
	p.ExtraLow, p.ExtraHigh = low, high
	for i := range p.Rows {
		r := &p.Rows[i]
		if r.Pays != Below && r.Pays != Above || low <= 0 && high >= 0 {
			continue
		}
		a, b := float64(r.Saved)/(low/1e9*float64(r.Starts)), float64(r.Saved)/(high/1e9*float64(r.Starts))
		r.BandwidthLow, r.BandwidthHigh = min(a, b), max(a, b)
	}
}

// Row is the answer about one form and one number of starts; nil without one.
func (p *Packing) Row(form string, starts int) *BreakEven {
	for i := range p.Rows {
		if p.Rows[i].Form == form && p.Rows[i].Starts == starts {
			return &p.Rows[i]
		}
	}
	return nil
}

// Interval is that of the bandwidth, as in " (99 MB/s to 110 MB/s)"; "" without one.
func (b BreakEven) Interval() string {
	if b.BandwidthLow == 0 && b.BandwidthHigh == 0 {
		return ""
	}
	return " (" + formatBandwidth(b.BandwidthLow) + " to " + formatBandwidth(b.BandwidthHigh) + ")"
}

func breakEven(form string, plain, packed int64, extra float64, starts int) BreakEven {
	b := BreakEven{Form: form, Plain: plain, Packed: packed, Saved: plain - packed, Starts: starts}
	cost := extra / 1e9 * float64(starts) // seconds
	switch {
	case b.Saved > 0 && cost <= 0:
		b.Pays = Always
	case b.Saved <= 0 && cost >= 0:
		b.Pays = Never
	default:
		b.Pays, b.Bandwidth = Below, float64(b.Saved)/cost
		if b.Saved < 0 {
			b.Pays = Above
		}
	}
	return b
}

// String is the row's answer: "below 5.5 MB/s", "never", "always". Units of
// bandwidth are powers of ten, as networks have them.
func (b BreakEven) String() string {
	if b.Pays != Below && b.Pays != Above {
		return string(b.Pays)
	}
	return string(b.Pays) + " " + formatBandwidth(b.Bandwidth)
}

// formatBandwidth writes bytes per second for people, with two digits that count.
func formatBandwidth(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return fmt.Sprint(v)
	}
	units := []string{"B/s", "kB/s", "MB/s", "GB/s", "TB/s"}
	i := 0
	for i < len(units)-1 && twoDigits(v) >= 1000 {
		v /= 1000
		i++
	}
	v = twoDigits(v)
	decimals := 0
	if v > 0 && v < 10 {
		decimals = 1
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + " " + units[i]
}

// twoDigits rounds to two digits that count, values below 1 to tenths.
func twoDigits(v float64) float64 {
	if v < 10 {
		return math.Round(v*10) / 10
	}
	step := math.Pow(10, math.Floor(math.Log10(v))-1)
	return math.Round(v/step) * step
}
