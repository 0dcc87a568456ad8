package startup

import (
	"time"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/stats"
)

// copyRounds is after how many rounds all programs are copied anew.
const copyRounds = 20

// Program is one program to be measured.
type Program struct {
	Name string // for people; of several programs of one name only the first is taken
	Path string
}

// Workload is what every program is started with.
type Workload struct {
	Args []string `json:"args"` // without the program's name
	// Env is the whole environment, as NAME=VALUE.
	Env []string `json:"env"`
	// Stdin is a file that standard input comes from; "" is an empty input.
	Stdin string `json:"stdin,omitempty"`
	Ready Ready  `json:"-"`
	// Exit is the status it has to end with, where readiness is its exit.
	Exit int `json:"exit,omitempty"`
	// Timeout is how long one start may take; 0 is 30 s.
	Timeout time.Duration `json:"-"`
}

// Config is what [Measure] works on.
type Config struct {
	Programs []Program // the first is the base that the others are compared with
	Workload Workload
	// Dir is the programs' working directory; "" is the caller's.
	Dir string
	// Work is an existing directory for copies of the programs, absolute, on a
	// file system that programs can be started from.
	Work string
	// SkipCold leaves out cold starts, SkipMemory the memory.
	SkipCold, SkipMemory bool
	// Realtime starts the programs, and waits for them, before everything else
	// that the machine has to do (SCHED_FIFO; Linux, root). On a busy machine it
	// makes of a spread of 100 % one of 10 %. It also changes what is measured:
	// a program that leaves work to threads of its own has them scheduled so too.
	Realtime bool
	// Rule says when to stop; zero is ±2 % after at least 20 rounds, at most 1000.
	Rule stats.Rule
	// Time is how long the rounds may take, warm and cold each; 0 is 20 s.
	Time time.Duration
	// Confidence of intervals; 0 is 0.95.
	Confidence float64
	// Seed decides the order in rounds.
	Seed uint64
	// MemoryRuns is how often each program's memory is read; 0 is 5.
	MemoryRuns int
	// Emulators are the directories in which qemu is looked for, as a PATH.
	Emulators []string
	// Plugin is qemu's plugin that counts instructions, libinsn.so; "" is none.
	// With one, also programs of this machine are run once under emulation. Static
	// builds of qemu cannot load it.
	Plugin string
	// Event, if not nil, is told what is being done.
	Event func(text string)

	// took, if not nil, says how long a launch took in place of the clock: for
	// tests of what is made of times, whatever else the machine is doing.
	took func(program string, round int) time.Duration
}

// Result is everything that was measured, and what was not.
type Result struct {
	Schema   fact.Schema `json:"schema"`
	Host     Host        `json:"host"`
	Workload Workload    `json:"workload"`
	Ready    string      `json:"ready"` // see [ParseReady]
	Seed     uint64      `json:"seed"`
	Realtime bool        `json:"realtime,omitempty"` // see [Config]
	// Confidence is the least coverage of all intervals.
	Confidence float64   `json:"confidence"`
	Programs   []Subject `json:"programs"` // as configured; the first is the base
	Runs       []Run     `json:"runs"`     // warm, then cold
	Notes      []string  `json:"notes,omitempty"`

	// Samples are all measured starts in the order in which they were made.
	Samples []Sample `json:"-"`
}

// Host is where it was measured.
type Host struct {
	Platform string `json:"platform"`
	CPUs     int    `json:"cpus"`
	Kernel   string `json:"kernel,omitempty"`
	// Load is the load average over one minute, before and after; absent where
	// the system has none. More than there are processors means that times are
	// as much about others.
	Load []float64 `json:"load,omitempty"`
}

// Subject is one program.
type Subject struct {
	Name string `json:"name"`
	File
	// NotMeasured is why there are no times; its smoke run may still say something.
	NotMeasured string  `json:"not_measured,omitempty"`
	Memory      *Memory `json:"memory,omitempty"`
	// Smoke is the run under emulation: of a program of another platform, or of
	// any where instructions are counted.
	Smoke *Smoke `json:"smoke,omitempty"`
}

// Cache states of a [Run].
const (
	Warm = "warm"
	Cold = "cold"
)

// Run is the starts of all programs with the page cache in one state.
type Run struct {
	Cache       string `json:"cache"` // warm or cold
	NotMeasured string `json:"not_measured,omitempty"`

	Rounds int `json:"rounds,omitempty"`
	// Stopped is why it ended: tight, time or rounds (package stats).
	Stopped string    `json:"stopped,omitempty"`
	Times   []Summary `json:"times,omitempty"` // of the measured programs
	// Control compares a fresh copy of the base with the base.
	Control *Comparison `json:"control,omitempty"`
	// NoiseFloor is what the control leaves possible, relative: 0.03 is 3 %.
	// Absent when the control has too few rounds for an interval.
	NoiseFloor *float64 `json:"noise_floor,omitempty"`
	// Comparisons are of all pairs of measured programs, the earlier as base.
	Comparisons []Comparison `json:"comparisons,omitempty"`
	// CPU compares user and system time in the same way. Others on the machine move it
	// less than the time on the clock.
	CPU *CPU `json:"cpu,omitempty"`
}

// CPU is what [Run] has of times on the clock, of user and system time together.
type CPU struct {
	NotMeasured string       `json:"not_measured,omitempty"` // why there is nothing here
	Control     *Comparison  `json:"control,omitempty"`
	NoiseFloor  *float64     `json:"noise_floor,omitempty"`
	Comparisons []Comparison `json:"comparisons,omitempty"`
}

// Compare is the comparison of two programs; nil without one.
func (c *CPU) Compare(base, program string) *Comparison {
	if c == nil {
		return nil
	}
	for i := range c.Comparisons {
		if c.Comparisons[i].Base == base && c.Comparisons[i].Program == program {
			return &c.Comparisons[i]
		}
	}
	return nil
}

// Summary is one program's starts in a [Run]. Times are in nanoseconds.
type Summary struct {
	Program string  `json:"program"`
	Median  float64 `json:"median_ns"`
	// Low and High are the interval of the median; absent with too few rounds.
	Low         float64 `json:"low_ns,omitempty"`
	High        float64 `json:"high_ns,omitempty"`
	MAD         float64 `json:"mad_ns"` // median distance from the median
	Min         float64 `json:"min_ns"`
	CPU         float64 `json:"cpu_ns"`                 // median of user and system time together
	MinorFaults float64 `json:"minor_faults,omitempty"` // median
	MajorFaults float64 `json:"major_faults,omitempty"` // median
}

// Comparison is the ratio of one program's start-up time to another's.
type Comparison struct {
	Base    string        `json:"base"`
	Program string        `json:"program"`
	Ratio   float64       `json:"ratio"`
	Low     float64       `json:"low,omitempty"`
	High    float64       `json:"high,omitempty"`
	Pairs   int           `json:"pairs"`
	Verdict stats.Verdict `json:"verdict"`
	// HodgesLehmann is a second opinion on Ratio.
	HodgesLehmann float64 `json:"hodges_lehmann"`
	// Extra is the median of the differences within a round, in nanoseconds.
	Extra float64 `json:"extra_ns"`
	// ExtraLow and ExtraHigh are the interval of Extra; both 0 with too few rounds.
	ExtraLow  float64 `json:"extra_low_ns,omitempty"`
	ExtraHigh float64 `json:"extra_high_ns,omitempty"`
}

// Sample is one start.
type Sample struct {
	Program string `json:"program"`
	Control bool   `json:"control,omitempty"` // a fresh copy of the base
	Cache   string `json:"cache"`
	Round   int    `json:"round"` // from 0
	Place   int    `json:"place"` // in the round, from 0
	Copy    int    `json:"copy"`  // which copy of the files, from 0
	Wall    int64  `json:"wall_ns"`
	CPU     int64  `json:"cpu_ns"`
	Minor   int64  `json:"minor_faults"`
	Major   int64  `json:"major_faults"`
}

// Run finds the run with the page cache in that state; nil if there is none.
func (r *Result) Run(cache string) *Run {
	for i := range r.Runs {
		if r.Runs[i].Cache == cache {
			return &r.Runs[i]
		}
	}
	return nil
}

// Time finds a program's summary; nil if it was not measured.
func (r *Run) Time(program string) *Summary {
	if r == nil {
		return nil
	}
	for i := range r.Times {
		if r.Times[i].Program == program {
			return &r.Times[i]
		}
	}
	return nil
}

// Compare finds the comparison of a program with a base; nil if there is none.
func (r *Run) Compare(base, program string) *Comparison {
	if r == nil {
		return nil
	}
	for i := range r.Comparisons {
		if c := &r.Comparisons[i]; c.Base == base && c.Program == program {
			return c
		}
	}
	return nil
}
