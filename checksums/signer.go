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

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/secret"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// PasswordFunc returns the passphrase of a private key. It is called only for
// an encrypted key, and once. No bytes and no error is the empty passphrase.
type PasswordFunc func() ([]byte, error)

// keySigner is the [Signer] with one private key.
type keySigner struct {
	public        *publicKey
	sign          func(ctx context.Context, message []byte) ([]byte, error)
	deterministic bool
}

func (s *keySigner) ID() fact.SignerID { return s.public.ID() }
func (s *keySigner) Trust() Trust      { return s.public }

// Deterministic is true of every key from a file. What a KMS does is unknown.
func (s *keySigner) Deterministic() bool { return s.deterministic }

// Caveat is "" for ECDSA P-256 and RSA.
func (s *keySigner) Caveat() string {
	switch s.public.hash {
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
// variable, or one in a KMS. The kinds of keys are those of [NewTrust]; a
// key that mintmark makes is ECDSA P-256. It may be cosign's, encrypted or not,
// or PKCS #8, SEC 1 or PKCS #1.
func LoadSigner(ctx context.Context, ref KeyRef, pass PasswordFunc) (Signer, error) {
	if ref.kind == refKMS {
		k, err := openKMS(ctx, ref, privateRole())
		if err != nil {
			return nil, err
		}
		return &keySigner{public: k.public, sign: k.sign}, nil
	}
	data, err := ref.read(privateRole())
	if err != nil {
		return nil, err
	}
	return ref.parsePrivate(data, pass)
}

func parsePrivateKey(data []byte, pass PasswordFunc) (Signer, error) {
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
func NewSigner(priv crypto.PrivateKey) (Signer, error) {
	key, ok := priv.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", priv)
	}
	public, err := newPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	switch key.(type) {
	case *ecdsa.PrivateKey, ed25519.PrivateKey, *rsa.PrivateKey:
	default:
		return nil, fmt.Errorf("a key of type %T is not supported; want ECDSA, Ed25519 or RSA", priv)
	}
	return &keySigner{
		public:        public,
		deterministic: true,
		sign: func(_ context.Context, message []byte) ([]byte, error) {
			// Without a source of random numbers ECDSA is deterministic
			// (RFC 6979, Go 1.24); PKCS #1 v1.5 and Ed25519 always are.
			return key.Sign(nil, public.digest(message), public.hash)
		},
	}, nil
}

// Sign signs and checks the signature: that of a faulty KMS or of another key
// is told apart from a bundle that was made wrongly.
func (s *keySigner) Sign(ctx context.Context, p Payload) (Signature, error) {
	if err := ctx.Err(); err != nil {
		return Signature{}, err
	}
	sig, err := s.sign(ctx, p.Message())
	if err != nil {
		return Signature{}, err
	}
	if !s.public.signed(p.Message(), sig) {
		return Signature{}, fmt.Errorf("the signature just made is not one of %s", s.ID())
	}
	// Ed25519 hashes for itself: its hash is 0, yet clients refuse a bundle
	// without a digest, and so it gets that of SHA-256.
	return Signature{Bytes: sig, Hash: s.public.hash, Material: &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: s.public.keyID}},
	}}, nil
}

// kmsKey is a key that a plugin holds.
type kmsKey struct {
	ref    KeyRef
	plugin *plugin
	public *publicKey
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
		if k.public == nil {
			if k.public, err = k.publicKey(ctx); err != nil {
				return nil, kmsError(ref, err)
			}
		}
		if k.public.hash == hash || k.public.hash == 0 {
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

func (k *kmsKey) publicKey(ctx context.Context) (*publicKey, error) {
	pub, err := k.plugin.publicKey(ctx)
	if err != nil {
		return nil, err
	}
	return newPublicKey(pub)
}

func (k *kmsKey) sign(ctx context.Context, message []byte) ([]byte, error) {
	sig, err := k.plugin.sign(ctx, message)
	if err != nil {
		return nil, kmsError(k.ref, err)
	}
	return sig, nil
}
