package checksums

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/secret"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// maxKeySize is the most bytes a key file may have. An encrypted P-256 key has
// about 700, an RSA key 3500.
const maxKeySize = 64 << 10

// GenerateKey returns a new ECDSA P-256 key pair in PEM: the private key
// encrypted with the password ("ENCRYPTED SIGSTORE PRIVATE KEY", scrypt and
// NaCl secretbox, what `cosign generate-key-pair` writes) and the public key
// ("PUBLIC KEY", PKIX). An empty or nil password is allowed; the key is then
// encrypted with the empty password, as cosign does.
func GenerateKey(password []byte) (private, public []byte, err error) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("key: %w", err)
	}
	if password == nil {
		password = []byte{} // nil means "no encryption" to cryptoutils
	}
	der, err := cryptoutils.MarshalPrivateKeyToEncryptedDER(priv, func(bool) ([]byte, error) { return password, nil })
	if err != nil {
		return nil, nil, fmt.Errorf("key: %w", err)
	}
	private = cryptoutils.PEMEncode(cryptoutils.EncryptedSigstorePrivateKeyPEMType, der)
	public, err = cryptoutils.MarshalPublicKeyToPEM(priv.Public())
	if err != nil {
		return nil, nil, fmt.Errorf("key: %w", err)
	}
	return private, public, nil
}

// WriteKeyPair writes prefix.key, readable by its owner alone, and prefix.pub.
// It never overwrites: when either file exists, or the second cannot be
// written, it leaves behind what was there before and returns an error.
func WriteKeyPair(prefix string, private, public []byte) (keyPath, pubPath string, err error) {
	keyPath, pubPath = prefix+".key", prefix+".pub"
	if err := NoKeyPair(prefix); err != nil {
		return "", "", err
	}
	if err := writePair(keyPath, private, pubPath, public); err != nil {
		return "", "", err
	}
	return keyPath, pubPath, nil
}

// NoKeyPair returns an error if a file of the pair is there already.
func NoKeyPair(prefix string) error {
	var exist []error
	for _, p := range []string{prefix + ".key", prefix + ".pub"} {
		if _, err := os.Lstat(p); err == nil {
			exist = append(exist, fault.Errorf("a key that is overwritten is lost, and with it every release it could have signed; "+
				"choose another name or move the old pair away", "%s: %w", p, fs.ErrExist))
		}
	}
	return errors.Join(exist...)
}

// writePair writes both files or none.
func writePair(keyPath string, private []byte, pubPath string, public []byte) error {
	if err := writeNew(keyPath, private, 0o600); err != nil {
		return err
	}
	if err := writeNew(pubPath, public, 0o644); err != nil {
		return errors.Join(err, os.Remove(keyPath))
	}
	return nil
}

// writeNew creates a file that does not exist and removes it again when it
// cannot be written in full.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	return files.Create(path, mode, func(f *os.File) error {
		_, err := f.Write(data)
		return errors.Join(err, f.Sync())
	})
}

// publicKey is the [Trust] in the owner of one key.
type publicKey struct {
	key   crypto.PublicKey
	keyID string      // see [fact.KeySigner]; it is the hint that bundles carry
	hash  crypto.Hash // of the message, 0 for Ed25519, which hashes for itself
}

// NewTrust returns the trust in the owner of a public key: ECDSA on P-256, P-384
// or P-521 (with SHA-256, SHA-384, SHA-512), Ed25519, or RSA of 2048, 3072 or
// 4096 bits (PKCS #1 v1.5 with SHA-256). These are what Sigstore's clients use
// for such keys.
func NewTrust(public crypto.PublicKey) (Trust, error) {
	v, err := newPublicKey(public)
	if err != nil {
		return nil, err
	}
	return v, nil
}

func newPublicKey(pub crypto.PublicKey) (*publicKey, error) {
	v := &publicKey{key: pub}
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			v.hash = crypto.SHA256
		case elliptic.P384():
			v.hash = crypto.SHA384
		case elliptic.P521():
			v.hash = crypto.SHA512
		default:
			return nil, fmt.Errorf("ECDSA curve %s is not supported; want P-256, P-384 or P-521", k.Params().Name)
		}
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("the Ed25519 key has %d bytes, not %d", len(k), ed25519.PublicKeySize)
		}
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits != 2048 && bits != 3072 && bits != 4096 {
			return nil, fmt.Errorf("an RSA key of %d bits is not supported; want 2048, 3072 or 4096", bits)
		}
		v.hash = crypto.SHA256
	default:
		return nil, fmt.Errorf("a key of type %T is not supported; want ECDSA, Ed25519 or RSA", pub)
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	v.keyID = base64.StdEncoding.EncodeToString(sum[:])
	return v, nil
}

// LoadTrust returns the trust in the owner of a public key: one in PEM in a file
// or a variable, or that of a key in a KMS. The kinds of keys are those of
// [NewTrust].
func LoadTrust(ctx context.Context, ref KeyRef) (Trust, error) {
	if ref.kind == refKMS {
		k, err := openKMS(ctx, ref, publicRole())
		if err != nil {
			return nil, err
		}
		return k.public, nil
	}
	data, err := ref.read(publicRole())
	if err != nil {
		return nil, Misnamed(ref, err)
	}
	v, err := parsePublicKey(data)
	if err != nil {
		return nil, Misnamed(ref, fmt.Errorf("%s: %w", ref, ref.shape(publicRole(), data, err, func(data []byte) error {
			_, err := parsePublicKey(data)
			return err
		})))
	}
	return v, nil
}

// parsePublicKey reads one public key in PEM.
func parsePublicKey(data []byte) (*publicKey, error) {
	block, rest := pem.Decode(data)
	switch {
	case block == nil:
		return nil, fault.Errorf("mintmark keygen and cosign generate-key-pair write such a file, NAME.pub", "is not a public key in PEM")
	case strings.Contains(block.Type, "PRIVATE KEY"):
		return nil, fault.Errorf("verify with the public key, NAME.pub, and keep the private one to yourself", "is a private key")
	case block.Type == "CERTIFICATE":
		return nil, fault.Errorf("openssl x509 -noout -pubkey -in FILE prints its public key", "is a certificate, not a public key")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, fault.Errorf("leave in it the one key that is trusted", "holds more than one key; it is not clear which one is trusted")
	}
	pub, err := cryptoutils.UnmarshalPEMToPublicKey(data)
	if err != nil {
		return nil, fmt.Errorf("is not a public key: %w", secret.Error(err))
	}
	return newPublicKey(pub)
}

func (v *publicKey) ID() fact.SignerID { return fact.KeyID(v.keyID) }

// Verify needs nothing but the key: log entries and timestamps are not looked at.
func (v *publicKey) Verify(p Payload, s Signature) (Evidence, error) {
	named, ok := s.Material.GetContent().(*protobundle.VerificationMaterial_PublicKey)
	if !ok {
		r := refusef("", "it is a keyless signature; verify it with cosign, an identity and an issuer",
			"the bundle was signed with a certificate; a public key was given to verify it")
		r.OtherKind = true
		return Evidence{}, r
	}
	if v.signed(p.Message(), s.Bytes) {
		return Evidence{}, nil
	}
	// A wrong key is told from changed bytes as far as the hint, which anybody
	// may change, lets one tell.
	if hint := named.PublicKey.GetHint(); hint != "" && hint != v.keyID {
		return Evidence{}, refusef("", "get the publisher's key from a place you trust, not from the place of the download",
			"the bundle names key %q, the key given is %s", hint, v.keyID)
	}
	return Evidence{}, refusef("", "", "the signature is not by %s over these bytes", v.ID())
}

// digest returns the digest of message that this kind of key signs; Ed25519
// signs the message itself.
func (v *publicKey) digest(message []byte) []byte {
	if v.hash == 0 {
		return message
	}
	h := v.hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// signed reports whether sig is this key's signature of message. ECDSA
// signatures are ASN.1 DER and nothing else.
func (v *publicKey) signed(message, sig []byte) bool {
	switch k := v.key.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, v.digest(message), sig)
	case ed25519.PublicKey:
		return ed25519.Verify(k, message, sig)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, v.hash, v.digest(message), sig) == nil
	}
	return false
}

// readKey reads the file of a key. Its errors are without the name, which is said
// as it was given.
func readKey(name string, k role) ([]byte, error) {
	data, err := files.Read(name, maxKeySize)
	hint := "name the file of a " + k.noun + " key, such as " + k.file
	if e, ok := errors.AsType[*files.NotRegularError](err); ok {
		if e.Mode&fs.ModeNamedPipe != 0 {
			hint = "a key that should be in no file can be in a variable of the environment: env://NAME"
		}
		return nil, fault.Errorf(hint, "%w", &files.NotRegularError{Mode: e.Mode})
	}
	if e, ok := errors.AsType[*files.TooLargeError](err); ok {
		return nil, fault.Errorf(hint, "%w", &files.TooLargeError{Limit: e.Limit})
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fault.Errorf(hint, "%w", e.Err)
	}
	return data, err
}
