package checksums

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/secret"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// PasswordFunc returns the passphrase of a private key. It is called only for
// an encrypted key, and once. No bytes and no error is the empty passphrase.
type PasswordFunc func() ([]byte, error)

// Signer signs with one private key. It is safe for concurrent use.
type Signer struct {
	verifier      *Verifier
	sign          func(ctx context.Context, message []byte) ([]byte, error)
	deterministic bool
}

// KeyID returns the name of the key; see [Verifier.KeyID].
func (s *Signer) KeyID() string { return s.verifier.keyID }

// PublicKey returns the public half of the key.
func (s *Signer) PublicKey() crypto.PublicKey { return s.verifier.pub }

// Verifier returns the verifier of the signatures made here.
func (s *Signer) Verifier() *Verifier { return s.verifier }

// Deterministic reports whether signing the same bytes twice gives the same
// signature. It does with every key from a file. What a KMS does is unknown.
func (s *Signer) Deterministic() bool { return s.deterministic }

// Caveat returns what the users of this kind of key should know, "" for ECDSA
// P-256 and RSA. It is a sentence to print when signing.
func (s *Signer) Caveat() string {
	switch s.verifier.hash {
	case crypto.SHA384, crypto.SHA512:
		// Sigstore's algorithm registry pairs P-384 with SHA-384 and P-521 with
		// SHA-512, and cosign signs so; its verify-blob --key then checks with SHA-256.
		return "cosign v3.1.3 cannot verify with an ECDSA key on P-384 or P-521, not even what it signed itself; mintmark and openssl can"
	case 0:
		return "Ed25519 signatures cannot be entered in a transparency log by cosign v3.1.3"
	}
	return ""
}

// LoadSigner returns a signer for ref: a private key in PEM in a file or a
// variable, or one in a KMS. The kinds of keys are those of [NewVerifier]; a
// key that mintmark makes is ECDSA P-256. It may be cosign's, encrypted or not,
// or PKCS #8, SEC 1 or PKCS #1.
func LoadSigner(ctx context.Context, ref KeyRef, pass PasswordFunc) (*Signer, error) {
	if ref.kind == refKMS {
		k, err := openKMS(ctx, ref, privateRole())
		if err != nil {
			return nil, err
		}
		return &Signer{verifier: k.verifier, sign: k.sign}, nil
	}
	data, err := ref.read(privateRole())
	if err != nil {
		return nil, err
	}
	return ref.parsePrivate(data, pass)
}

func parsePrivateKey(data []byte, pass PasswordFunc) (*Signer, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fault.Errorf("mintmark keygen writes such a file, NAME.key", "is not a private key in PEM")
	}
	if strings.Contains(block.Type, "PUBLIC KEY") {
		return nil, fault.Errorf("sign with the private key, NAME.key", "is a public key")
	}
	var asked bool // the passphrase was wanted and given
	var passErr error
	priv, err := cryptoutils.UnmarshalPEMToPrivateKey(data, func(bool) ([]byte, error) {
		if pass == nil {
			passErr = errors.New("is encrypted and no passphrase was given")
			return nil, passErr
		}
		password, err := pass()
		if err != nil {
			passErr = fmt.Errorf("passphrase: %w", err)
			return nil, passErr
		}
		asked = true
		if password == nil {
			password = []byte{} // nil means "not encrypted" to cryptoutils
		}
		return password, nil
	})
	switch {
	case passErr != nil:
		return nil, passErr
	case err != nil && asked:
		return nil, fault.Errorf("the passphrase is wrong, or the file was damaged", "cannot be decrypted: %w", secret.Error(err))
	case err != nil:
		return nil, fmt.Errorf("is not a private key that can be read: %w", secret.Error(err))
	}
	return NewSigner(priv)
}

// NewSigner returns a signer for a private key in memory.
func NewSigner(priv crypto.PrivateKey) (*Signer, error) {
	key, ok := priv.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", priv)
	}
	v, err := NewVerifier(key.Public())
	if err != nil {
		return nil, err
	}
	switch key.(type) {
	case *ecdsa.PrivateKey, ed25519.PrivateKey, *rsa.PrivateKey:
	default:
		return nil, fmt.Errorf("a key of type %T is not supported; want ECDSA, Ed25519 or RSA", priv)
	}
	return &Signer{
		verifier:      v,
		deterministic: true,
		sign: func(_ context.Context, message []byte) ([]byte, error) {
			// Without a source of random numbers ECDSA is deterministic
			// (RFC 6979, Go 1.24); PKCS #1 v1.5 and Ed25519 always are.
			return key.Sign(nil, v.digest(message), v.hash)
		},
	}, nil
}

// signMessage signs and checks the signature before anybody sees it: a faulty
// KMS or a wrong key would otherwise show only at the user who verifies.
func (s *Signer) signMessage(ctx context.Context, message []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sig, err := s.sign(ctx, message)
	if err != nil {
		return nil, err
	}
	if !s.verifier.verify(message, sig) {
		return nil, fmt.Errorf("the signature just made is not one of key %s", s.KeyID())
	}
	return sig, nil
}

// kmsKey is a key that a plugin holds.
type kmsKey struct {
	ref      KeyRef
	plugin   *plugin
	verifier *Verifier
}

func openKMS(ctx context.Context, ref KeyRef, as role) (*kmsKey, error) {
	if err := ref.err(as); err != nil {
		return nil, err
	}
	k := &kmsKey{ref: ref}
	// The plugin has to know the hash before it tells its key, and the key
	// decides the hash. Most keys are P-256 or RSA.
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		p, err := openPlugin(ctx, ref.text.Reveal())
		if err != nil {
			return nil, kmsError(ref, err)
		}
		p.hash = hash
		k.plugin = p
		if k.verifier == nil {
			if k.verifier, err = k.publicKey(ctx); err != nil {
				return nil, kmsError(ref, err)
			}
		}
		if k.verifier.hash == hash || k.verifier.hash == 0 {
			return k, nil
		}
	}
	return nil, fmt.Errorf("key %s: no hash for this kind of key", ref)
}

// isPluginName accepts what may stand after sigstore-kms- in the name of a
// program; in particular no path.
func isPluginName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || strings.IndexByte("-_+", c) < 0) {
			return false
		}
	}
	return name != ""
}

// kmsError is an error of a plugin, or about it. Either may repeat the URI,
// credentials included, as it was given.
func kmsError(ref KeyRef, err error) error {
	uri := ref.text.Reveal()
	name, rest, _ := strings.Cut(uri, "://")
	if errors.Is(err, errNoPlugin) {
		program := pluginPrefix + name
		return fault.Errorf("install the program "+program+" in a directory of PATH; it speaks Sigstore's KMS plugin protocol v1",
			"key %s: no program %s", ref, program)
	}
	credentials := ""
	if i := strings.LastIndexByte(rest, '@'); i >= 0 && ref.String() != uri {
		credentials = rest[:i]
	}
	user, password, _ := strings.Cut(credentials, ":")
	return fmt.Errorf("key %s: %w", ref, secret.Without(err, credentials, password, user))
}

func (k *kmsKey) publicKey(ctx context.Context) (*Verifier, error) {
	pub, err := k.plugin.publicKey(ctx)
	if err != nil {
		return nil, err
	}
	return NewVerifier(pub)
}

func (k *kmsKey) sign(ctx context.Context, message []byte) ([]byte, error) {
	sig, err := k.plugin.sign(ctx, message)
	if err != nil {
		return nil, kmsError(k.ref, err)
	}
	return sig, nil
}
