package startup

import (
	"math"
	"slices"
	"testing"
)

// TestAccount: a program of 8.36 MB that gets 2.98 MB, 60 ms slower.
func TestAccount(t *testing.T) {
	plain := Footprint{Disk: 8_360_000, Gzip: 3_390_000, Zstd: 2_890_000, Start: 2.5e6, PrivateDirty: 852 << 10, HasMemory: true}
	packed := Footprint{Disk: 2_980_000, Gzip: 2_950_000, Zstd: 2_920_000, Start: 62.5e6, PrivateDirty: 8980 << 10, HasMemory: true}
	p := NewPacking(plain, packed, 1, 10)
	if p.DiskSaved != 5_380_000 || p.Extra != 60e6 || p.ExtraMemory == nil || *p.ExtraMemory != 8128<<10 {
		t.Errorf("%+v", p)
	}
	want := []struct {
		form   string
		starts int
		saved  int64
		text   string
	}{
		{FormRaw, 1, 5_380_000, "below 90 MB/s"}, // 5.38 MB / 60 ms
		{FormRaw, 10, 5_380_000, "below 9.0 MB/s"},
		{FormGzip, 1, 440_000, "below 7.3 MB/s"},
		{FormGzip, 10, 440_000, "below 730 kB/s"},
		{FormZstd, 1, -30_000, "never"},
		{FormZstd, 10, -30_000, "never"},
	}
	if len(p.Rows) != len(want) {
		t.Fatalf("%d rows: %+v", len(p.Rows), p.Rows)
	}
	for i, w := range want {
		if r := p.Rows[i]; r.Form != w.form || r.Starts != w.starts || r.Saved != w.saved || r.String() != w.text {
			t.Errorf("row %d: %+v (%s), want %+v", i, r, r, w)
		}
	}
	plain.HasMemory, plain.Zstd = false, 0
	if p := NewPacking(plain, packed, 1); p.ExtraMemory != nil || len(p.Rows) != 2 {
		t.Errorf("memory and zstd are not known: %+v", p)
	}
	if p := NewPacking(plain, packed); len(p.Rows) != 0 {
		t.Errorf("no starts: %+v", p.Rows)
	}
}

func TestBreakEven(t *testing.T) {
	for _, c := range []struct {
		plain, packed int64
		extra         float64
		text          string
	}{
		{100, 50, 1e9, "below 50 B/s"},
		{100, 50, 0, "always"},
		{100, 50, -1e6, "always"},
		{100, 100, 1, "never"},
		{100, 100, 0, "never"}, // nothing gained
		{100, 150, 1e6, "never"},
		{100, 150, -1e9, "above 50 B/s"},
	} {
		if got := breakEven(FormRaw, c.plain, c.packed, c.extra, 1); got.String() != c.text {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestFormatBandwidth(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{
		{0, "0 B/s"}, {0.04, "0 B/s"}, {1, "1.0 B/s"}, {9.94, "9.9 B/s"}, {9.96, "10 B/s"}, {99.9, "100 B/s"},
		{994, "990 B/s"}, {996, "1.0 kB/s"}, {1234, "1.2 kB/s"}, {5.5e6, "5.5 MB/s"}, {106e6, "110 MB/s"}, {2.2e9, "2.2 GB/s"}, {5e15, "5000 TB/s"},
	} {
		if got := formatBandwidth(c.v); got != c.want {
			t.Errorf("%v: %q, want %q", c.v, got, c.want)
		}
	}
	formatBandwidth(math.NaN())
	formatBandwidth(math.Inf(1))
}

// TestAnswers: a form whose sizes are not known has an answer too, and it says so.
func TestAnswers(t *testing.T) {
	p := NewPacking(Footprint{Disk: 4000, Gzip: 2000, Start: 1e6}, Footprint{Disk: 1000, Gzip: 1000, Start: 2e6}, 1, 10)
	got := p.Answers()
	want := []Answer{{1, [3]string{"below 3.0 MB/s", "below 1.0 MB/s", "not known"}}, {10, [3]string{"below 300 kB/s", "below 100 kB/s", "not known"}}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestBetween: a longer extra time makes the bandwidth smaller below which packing pays;
// where it may cost nothing there is no bandwidth to be sure of.
func TestBetween(t *testing.T) {
	plain, packed := Footprint{Disk: 3e6, Gzip: 1e6, Start: 1e6}, Footprint{Disk: 1e6, Gzip: 2e6, Start: 11e6}
	p := NewPacking(plain, packed, 1, 10)
	p.Between(8e6, 20e6)
	if r := p.Row(FormRaw, 10); r == nil || r.Bandwidth != 2e7 || r.BandwidthLow != 1e7 || r.BandwidthHigh != 2.5e7 || r.Interval() != " (10 MB/s to 25 MB/s)" {
		t.Errorf("%+v", r)
	}
	if r := p.Row(FormGzip, 1); r == nil || r.Pays != Never || r.Interval() != "" {
		t.Errorf("%+v", r)
	}
	if r := p.Row(FormZstd, 1); r != nil {
		t.Errorf("sizes are not known: %+v", r)
	}
	p = NewPacking(plain, packed, 1)
	p.Between(-1, 20e6)
	if r := p.Row(FormRaw, 1); r.Interval() != "" || p.ExtraLow != -1 {
		t.Errorf("%+v", r)
	}
	// Larger and faster: the other way round.
	p = NewPacking(packed, plain, 1)
	p.Between(-20e6, -8e6)
	if r := p.Row(FormRaw, 1); r.Pays != Above || r.BandwidthLow != 1e8 || r.BandwidthHigh != 2.5e8 {
		t.Errorf("%+v", r)
	}
}
