//go:build !linux

package startup

func kernel() string { return "" }

func load() (float64, bool) { return 0, false }
