package actions

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"
)

func hashOf(s string) ID { return sha256.Sum256([]byte(s)) }

func FuzzCacheEntry(f *testing.F) {
	f.Add(fmt.Appendf(nil, "v1 %s %s %20d %20d\n", hashOf("a"), hashOf("b"), 12, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		if e, err := parseEntry(data); err == nil && !bytes.Contains(data, []byte(e.Action.String())) {
			t.Errorf("%q: action %s", data, e.Action)
		}
	})
}
