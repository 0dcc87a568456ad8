package ui

import (
	"math"
	"strconv"
)

// FormatNanoseconds writes a measured time with three digits that count.
func FormatNanoseconds(ns float64) string {
	if ns < 0 {
		return "-" + FormatNanoseconds(-ns)
	}
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		// 999.6 µs is 1.00 ms: the next unit starts where this one would be rounded to 1000.
		if v := ns / u.size; v >= 0.9995 {
			return strconv.FormatFloat(v, 'f', max(0, 2-int(math.Floor(math.Log10(v*1.0005)))), 64) + " " + u.name
		}
	}
	return strconv.FormatFloat(ns, 'f', 0, 64) + " ns"
}
