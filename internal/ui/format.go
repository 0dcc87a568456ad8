package ui

import (
	"fmt"
	"time"
)

// FormatBytes writes a number of bytes for people: exact below 1 KiB ("512 B"),
// else with one decimal, rounded to nearest, in units of 1024 ("8.4 MiB").
// A negative number, such as a saving, keeps its sign.
func FormatBytes(n int64) string {
	sign, u := "", uint64(n)
	if n < 0 {
		sign, u = "-", -u // also right for the smallest int64, which has no positive
	}
	if u < 1024 {
		return fmt.Sprintf("%s%d B", sign, u)
	}
	const units = "KMGTPE"
	i, div := 0, uint64(1024)
	// 1023.95 of one unit would be printed as 1024.0: the next unit starts there.
	for i < len(units)-1 && tenths(u, div) >= 10240 {
		div *= 1024
		i++
	}
	t := tenths(u, div)
	return fmt.Sprintf("%s%d.%d %ciB", sign, t/10, t%10, units[i])
}

// tenths is u/div in tenths, rounded; div is a power of 1024.
func tenths(u, div uint64) uint64 {
	return u/div*10 + (u%div*10+div/2)/div // u%div*10 stays below 2^64 for div up to 2^60
}

// FormatDuration writes a duration for people: "350 ms", "3.2 s", "12 s",
// "2 min 05 s", "1 h 02 min". Milliseconds below 1 s, tenths of a second below
// 10 s, whole seconds below 1 h, minutes above, always rounded to nearest.
// "0 s" is exactly nothing; more than nothing but less than half a millisecond
// is "<1 ms". A negative duration keeps its sign.
func FormatDuration(d time.Duration) string {
	if d < 0 {
		if d == -1<<63 { // has no positive
			d++
		}
		return "-" + FormatDuration(-d)
	}
	switch {
	case d == 0:
		return "0 s"
	case d < 500*time.Microsecond:
		return "<1 ms"
	case d.Round(time.Millisecond) < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond)/time.Millisecond)
	case d.Round(time.Second/10) < 10*time.Second:
		t := d.Round(time.Second/10) / (time.Second / 10)
		return fmt.Sprintf("%d.%d s", t/10, t%10)
	case d.Round(time.Second) < time.Hour:
		return clock(d.Round(time.Second))
	}
	return clock(d.Round(time.Minute))
}

// clock writes a duration in whole seconds, cut and not rounded, as a running
// clock does: "0 s", "12 s", "2 min 05 s", "1 h 02 min".
func clock(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %02d min", s/3600, s%3600/60)
}

// roughly writes an estimate as coarsely as it is known: steps of 5 s below a
// minute, whole minutes below an hour, then 10 minutes; rounded up.
func roughly(d time.Duration) string {
	step := 10 * time.Minute
	switch {
	case d <= 55*time.Second:
		step = 5 * time.Second
	case d <= 59*time.Minute:
		step = time.Minute
	}
	d = (d + step - 1).Truncate(step)
	if d >= time.Minute && d < time.Hour {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return clock(d)
}
