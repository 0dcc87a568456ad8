//go:build !linux

package main

import (
	"context"
	"errors"
	"os"
)

type meter struct{}

func newMeter() (*meter, error) {
	return nil, errors.New("the benchmark reads process trees from /proc: it runs on Linux only")
}

func (*meter) run(context.Context, *os.File, ...job) (sample, error) {
	return sample{}, errors.ErrUnsupported
}

func memoryAvailable() int64 { return 0 }

func fileSystemType(string) (int64, error) { return 0, errors.ErrUnsupported }
