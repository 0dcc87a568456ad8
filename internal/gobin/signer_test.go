package gobin

import (
	"testing"

	"github.com/mintmark/mintmark/internal/gobin/gobintest"
)

// TestSigner: the signer is the one that the signature names, not just any of the
// certificates that come with it.
func TestSigner(t *testing.T) {
	good := gobintest.SignedBy(t, 2)
	if got := signer(good); got != "CN=Example Software" {
		t.Errorf("%q", got)
	}
	if got := signer(gobintest.SignedBy(t, 7)); got != "" {
		t.Errorf("a signer without a certificate is %q", got)
	}
	if got := signer(append(good[:len(good):len(good)], 0, 0, 0)); got == "" {
		t.Error("padding hides the signer")
	}
	for _, behind := range []string{"junk", "\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if got := signer(append(good[:len(good):len(good)], behind...)); got != "" {
			t.Errorf("with %q behind it: %q", behind, got)
		}
	}
	for n := range good {
		if got := signer(good[:n]); got != "" {
			t.Errorf("the first %d bytes: %q", n, got)
		}
	}
}

func FuzzSigner(f *testing.F) {
	f.Add(gobintest.SignedBy(f, 2))
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, der []byte) { signer(der) })
}
