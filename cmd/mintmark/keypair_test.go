package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// keypair PREFIX... makes key pairs as others make them: PREFIX.key is plain PEM.
// What keygen makes is decrypted by each program that signs, which takes some
// tenths of a second and 64 MiB each time; scripts that say nothing of that need
// only a key.
func keypair(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: keypair prefix...")
	}
	for _, prefix := range args {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ts.Check(err)
		private, err := cryptoutils.MarshalPrivateKeyToPEM(key)
		ts.Check(err)
		public, err := cryptoutils.MarshalPublicKeyToPEM(key.Public())
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(prefix)+".key", private, 0o600))
		ts.Check(os.WriteFile(ts.MkAbs(prefix)+".pub", public, 0o644))
	}
}
