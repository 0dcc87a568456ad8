//go:build !linux

package main

import "os"

func forbidding() { os.Exit(1) }

func confines() bool { return false }

func mounts() bool { return false }
