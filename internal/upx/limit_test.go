package upx

import (
	"io"
	"strings"
	"testing"
)

// os/exec copies a program's output with io.Copy, which prefers ReadFrom to Write.
func TestOutputIsBounded(t *testing.T) {
	var b limitedBuffer
	n, err := io.Copy(&b, io.LimitReader(strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20))
	if n != 1<<20 || err != nil || len(b.String()) != 64<<10 {
		t.Errorf("%d read, %v, %d kept", n, err, len(b.String()))
	}
}
