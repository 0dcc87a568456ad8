package ui

import (
	"math"
	"testing"
	"time"
)

func TestFormatBytes(t *testing.T) {
	for _, tt := range []struct {
		n    int64
		want string
	}{
		{0, "0 B"}, {1, "1 B"}, {1023, "1023 B"}, {1024, "1.0 KiB"}, {1536, "1.5 KiB"}, {8808038, "8.4 MiB"},
		{1024*1024 - 1, "1.0 MiB"}, {1024*1024 - 52, "1023.9 KiB"}, {1 << 20, "1.0 MiB"}, {5 << 30, "5.0 GiB"},
		{-512, "-512 B"}, {-8808038, "-8.4 MiB"}, {math.MaxInt64, "8.0 EiB"}, {math.MinInt64, "-8.0 EiB"},
		{1<<60 - 1, "1.0 EiB"},
	} {
		if got := FormatBytes(tt.n); got != tt.want {
			t.Errorf("FormatBytes(%d) = %q, want %q", tt.n, got, tt.want)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	const ms, s, m, h = time.Millisecond, time.Second, time.Minute, time.Hour
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 s"}, {1, "<1 ms"}, {500 * time.Microsecond, "1 ms"}, {350 * ms, "350 ms"}, {999*ms + 600*time.Microsecond, "1.0 s"},
		{3200 * ms, "3.2 s"}, {9940 * ms, "9.9 s"}, {9960 * ms, "10 s"}, {12 * s, "12 s"}, {59*s + 600*ms, "1 min 00 s"},
		{2*m + 5*s, "2 min 05 s"}, {h - 1, "1 h 00 min"}, {h + 2*m, "1 h 02 min"}, {25*h + 59*m + 40*s, "26 h 00 min"},
		{-3200 * ms, "-3.2 s"}, {math.MinInt64, "-2562047 h 47 min"},
	} {
		if got := FormatDuration(tt.d); got != tt.want {
			t.Errorf("FormatDuration(%d) = %q, want %q", tt.d, got, tt.want)
		}
	}
}

func TestRoughly(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{1, "5 s"}, {31 * time.Second, "35 s"}, {55 * time.Second, "55 s"}, {56 * time.Second, "1 min"},
		{61 * time.Second, "2 min"}, {59 * time.Minute, "59 min"}, {59*time.Minute + 1, "1 h 00 min"}, {70 * time.Minute, "1 h 10 min"}, {71 * time.Minute, "1 h 20 min"},
	} {
		if got := roughly(tt.d); got != tt.want {
			t.Errorf("roughly(%v) = %q, want %q", tt.d, got, tt.want)
		}
	}
}
