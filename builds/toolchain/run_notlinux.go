//go:build !linux

package toolchain

import "context"

// CanSetHostname is false: only Linux gives one command a host name of its own.
func CanSetHostname(context.Context, string) bool { return false }
