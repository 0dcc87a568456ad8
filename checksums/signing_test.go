package checksums

import (
	"bytes"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// TestPreAuthEncoding holds what is signed against DSSE's reference implementation.
func TestPreAuthEncoding(t *testing.T) {
	for _, payload := range []string{"", "{}", "ü %d\x00\n", string(bytes.Repeat([]byte("a"), 1000))} {
		for _, typ := range []string{"", PayloadType, "é"} {
			if got, want := preAuthEncoding(typ, []byte(payload)), dsse.PAE(typ, []byte(payload)); !bytes.Equal(got, want) {
				t.Errorf("%q, %q: got %q, want %q", typ, payload, got, want)
			}
		}
	}
}
