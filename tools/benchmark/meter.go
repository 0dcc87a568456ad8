package main

import (
	"runtime"
	"time"
)

// job is one command to be measured, with nothing inherited.
type job struct {
	dir  string
	env  []string
	args []string // args[0] is the program's path

	group *group // that it runs in; nil: this process's
}

// sample is one measurement: one side, once.
type sample struct {
	CPU    time.Duration // user+sys of all processes
	Wall   time.Duration
	Peak   int64   // bytes; largest sum of the resident memory of all processes at one time
	Anon   int64   // the same without what files are behind, such as programs' text
	Idle   float64 // part of the processors' time not used between the first and the last compile or link; negative: none was seen
	Unused float64 // the same, not used by anybody
	Others float64 // part of the processors' time that other processes took meanwhile
	Looks  int     // at the process tree

	InGo    time.Duration // mintmark: CPU in its builds, by its own account
	Actions time.Duration // the loop: CPU of the tools of all actions that ran, each action once
	Digests []string      // of the products, where the sides are compared
	Limited *limited      `json:",omitempty"` // of a run in a group
}

func cores() int { return runtime.NumCPU() }
