package startup

import "github.com/mintmark/mintmark/internal/stats"

// Memory is what a program had in memory when its workload was done: at its
// exit, or when it was ready. In bytes; medians of some runs.
type Memory struct {
	// At is when it was looked at: "exit" or "ready".
	At string `json:"at,omitempty"`
	// PeakVSZ is the largest address space (VmPeak): what was reserved, most of which a
	// Go program never touches.
	PeakVSZ int64 `json:"peak_vsz,omitempty"`
	// PeakRSS is the largest resident set (VmHWM), pages of files included.
	PeakRSS int64 `json:"peak_rss,omitempty"`
	// Anon and File are the parts of the resident set in the end: RssAnon, RssFile.
	Anon int64 `json:"anon,omitempty"`
	File int64 `json:"file,omitempty"`
	// PrivateDirty is what this process alone has and no file is behind: it
	// exists once per process and can only leave for swap.
	PrivateDirty int64 `json:"private_dirty,omitempty"`
	// PSS is the resident set with each shared page divided by its users.
	PSS  int64 `json:"pss,omitempty"`
	Runs int   `json:"runs,omitempty"`
	// NotMeasured is why there is nothing here.
	NotMeasured string `json:"not_measured,omitempty"`
}

// medians of several processes.
func medians(all []Memory) Memory {
	of := func(get func(Memory) int64) int64 {
		xs := make([]float64, len(all))
		for i, m := range all {
			xs[i] = float64(get(m))
		}
		return int64(stats.Median(xs))
	}
	return Memory{
		At: all[0].At, Runs: len(all),
		PeakVSZ:      of(func(m Memory) int64 { return m.PeakVSZ }),
		PeakRSS:      of(func(m Memory) int64 { return m.PeakRSS }),
		Anon:         of(func(m Memory) int64 { return m.Anon }),
		File:         of(func(m Memory) int64 { return m.File }),
		PrivateDirty: of(func(m Memory) int64 { return m.PrivateDirty }),
		PSS:          of(func(m Memory) int64 { return m.PSS }),
	}
}
