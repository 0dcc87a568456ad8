package checksums

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/secret"
)

// KeyRef names a key: the path of a file, the URI NAME://… of a key that
// sigstore-kms-NAME holds, or env://NAME, a variable whose value is the key, as
// cosign writes it. The zero value names none.
//
// A reference that is a key itself is noticed where it is made, and the key is
// not kept: MINTMARK_KEY="$(cat mintmark.key)" is a common mistake. With
// whatever verb, and as JSON, a reference is written without the secrets that
// can be recognised in it; the text itself is only read to open the key.
type KeyRef struct {
	kind   refKind
	text   secret.Text
	lookup func(name string) (string, bool)
	is     secret.Kind // of a refKey
}

type refKind int

const (
	refNone refKind = iota
	refFile
	refKMS
	refEnv
	refKey // a private key itself, which is not kept
	refPublic
)

const envScheme = "env://"

// NewKeyRef reads a reference. lookupEnv is what env://NAME reads, of whoever
// may read the environment; nil if there is none. What is wrong with the
// reference is told by who reads the key.
func NewKeyRef(text string, lookupEnv func(name string) (string, bool)) KeyRef {
	r := KeyRef{kind: refFile, lookup: lookupEnv}
	kind, isKey := secret.IsKey(text)
	switch {
	case text == "":
		return KeyRef{}
	case isKey:
		return KeyRef{kind: refKey, is: kind, text: secret.NewText("", "("+strings.TrimPrefix(strings.TrimPrefix(string(kind), "a "), "an ")+", not shown)")}
	case secret.IsPublicKey(text):
		return KeyRef{kind: refPublic, text: secret.NewText("", "(public key)")}
	case strings.HasPrefix(text, envScheme):
		r.kind = refEnv
	case strings.Contains(text, "://"):
		r.kind = refKMS
	}
	r.text = secret.NewText(text, secret.Name(text))
	return r
}

// KeyFile names the key in a file.
func KeyFile(path string) KeyRef { return NewKeyRef(path, nil) }

// IsZero reports whether no key is named.
func (r KeyRef) IsZero() bool { return r.kind == refNone }

// IsFile reports whether the reference is the path of a file.
func (r KeyRef) IsFile() bool { return r.kind == refFile }

// Path is the path of a file, and "" for anything else.
func (r KeyRef) Path() string {
	if r.kind != refFile {
		return ""
	}
	return r.text.Reveal()
}

// Beside is the reference as one in a file of the directory dir: a relative
// path is one from there.
func (r KeyRef) Beside(dir string) KeyRef {
	if p := r.Path(); p != "" && !filepath.IsAbs(p) {
		r.text = secret.NewText(filepath.Join(dir, p), secret.Name(filepath.Join(dir, p)))
	}
	return r
}

// String is the reference for messages, without secrets.
func (r KeyRef) String() string { return r.text.String() }

// Format writes the reference for messages, whatever the verb.
func (r KeyRef) Format(s fmt.State, verb rune) { r.text.Format(s, verb) }

// GoString is the reference for messages.
func (r KeyRef) GoString() string { return r.text.GoString() }

// MarshalText is the reference for messages, for JSON as well.
func (r KeyRef) MarshalText() ([]byte, error) { return r.text.MarshalText() }

// KeyRefError says why a reference to a key is of no use: as a text, or for what
// it leads to. Its exit code is that of wrong usage.
type KeyRefError struct {
	Reason, Remedy string
	// Leaked says that the text was a private key, which is now in whatever
	// names it: a command line, a file, a log.
	Leaked bool
	cause  error
}

func (e *KeyRefError) Error() string { return e.Reason }

// Unwrap returns the error of the file or of what is in it.
func (e *KeyRefError) Unwrap() error { return e.cause }

// Hint returns the remedy.
func (e *KeyRefError) Hint() string { return e.Remedy }

// Exit is that of wrong usage.
func (e *KeyRefError) Exit() int { return fault.Usage }

// Misnamed makes of an error about a key that somebody named on a command line
// one of wrong usage; who reads a public key has it so. What a KMS says of its
// key is no such error.
func Misnamed(ref KeyRef, err error) error {
	if _, ok := errors.AsType[*KeyRefError](err); ok || err == nil || ref.kind == refKMS {
		return err
	}
	return &KeyRefError{Reason: err.Error(), Remedy: fault.Hint(err), cause: err}
}

// role is what a key is read for. Every remedy is made of it, so that none
// leads to the other half of the pair.
type role struct {
	noun     string // of the key
	verb     string // what is done with it
	file     string // as keygen names it
	variable string // that may hold it
}

func publicRole() role  { return role{"public", "verify", "mintmark.pub", "MINTMARK_PUB"} }
func privateRole() role { return role{"private", "sign", "mintmark.key", "MINTMARK_KEY_PEM"} }

// set is the command that puts the key into a variable.
func (k role) set(variable string) string {
	return "export " + variable + "=\"$(cat " + k.file + ")\""
}

// names says how to name a key of this role.
func (k role) names() string {
	return k.verb + " with the " + k.noun + " key, and name its file, " + k.file + ", or the variable that holds it: " +
		envScheme + k.variable + ", after " + k.set(k.variable)
}

// err says what is wrong with the reference as a text; nil if nothing is.
// Whether there is such a key is not looked up.
func (r KeyRef) err(k role) error {
	switch r.kind {
	case refKey:
		return &KeyRefError{Leaked: true, Reason: "this is " + string(r.is) + ", not the name of one", Remedy: k.names()}
	case refPublic:
		return &KeyRefError{Reason: "this is a public key, not the name of one", Remedy: k.names()}
	case refEnv:
		if name := r.variable(); !isVariable(name) {
			return &KeyRefError{Reason: fmt.Sprintf("key %s: no variable is named so", r), Remedy: "write env://NAME, without $"}
		}
	case refKMS:
		if name, _, _ := strings.Cut(r.text.Reveal(), "://"); !isPluginName(name) {
			return &KeyRefError{Reason: fmt.Sprintf("key %s: %q is not the name of a KMS plugin", r, secret.Name(name)), Remedy: "a key is a file, env://NAME, or NAME://… with a program sigstore-kms-NAME"}
		}
	}
	return nil
}

func (r KeyRef) variable() string { return strings.TrimPrefix(r.text.Reveal(), envScheme) }

// isVariable accepts the names of environment variables that shells can set.
func isVariable(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || i > 0 && '0' <= c && c <= '9') {
			return false
		}
	}
	return name != ""
}

// read returns the bytes of a key in a file or a variable.
func (r KeyRef) read(k role) ([]byte, error) {
	if err := r.err(k); err != nil {
		return nil, err
	}
	if r.kind != refEnv {
		data, err := readKey(r.text.Reveal(), k)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r, secret.Error(err))
		}
		return data, nil
	}
	if r.lookup == nil {
		return nil, fmt.Errorf("%s: the environment is not read here", r)
	}
	value, ok := r.lookup(r.variable())
	set := "its value is the key itself: " + k.set(r.variable())
	switch empty := strings.TrimSpace(value) == ""; {
	case !ok:
		return nil, &KeyRefError{Reason: fmt.Sprintf("%s: the variable is not set", r), Remedy: set}
	case empty && k == privateRole():
		return nil, &KeyRefError{Reason: fmt.Sprintf("%s: the variable is empty", r), Remedy: "a secret that this job may not read is empty, and pull requests from forks get none; " + set}
	case empty:
		return nil, &KeyRefError{Reason: fmt.Sprintf("%s: the variable is empty", r), Remedy: set}
	case len(value) > maxKeySize:
		return nil, fault.Errorf(set, "%s: has more than %d bytes", r, maxKeySize)
	}
	return []byte(value), nil
}

// shape explains a key in a variable that is not as it was in its file. check
// tells whether other bytes would do better.
func (r KeyRef) shape(k role, data []byte, err error, check func(data []byte) error) error {
	if r.kind != refEnv || err == nil {
		return err
	}
	text, set := strings.TrimSpace(string(data)), k.set(r.variable())
	switch {
	case strings.HasPrefix(text, "LS0tLS1CRUdJTi"):
		decoded, derr := base64.StdEncoding.DecodeString(text)
		if derr != nil || check(decoded) != nil { // decoding it would be of no use
			return fault.Errorf(set, "the variable holds base64, and not of a %s key", k.noun)
		}
		return fault.Errorf("decode it: export "+r.variable()+"=\"$(printf %s \"$"+r.variable()+"\" | base64 -d)\"", "the variable holds base64 of the key")
	case strings.HasPrefix(text, "-----BEGIN ") && strings.Count(text, "\n") < 2:
		return fault.Errorf("keep its line ends: "+set+", with the quotes", "the key has lost its line ends")
	}
	return err
}

// Sums are the sums of the private keys that the reference names, as
// [secret.Found] has them, to find out whether they lie somewhere else as well.
// A key that cannot be read has none, nor has one in a KMS.
func (r KeyRef) Sums() (sums [][sha256.Size]byte) {
	if r.kind != refFile && r.kind != refEnv {
		return nil
	}
	data, err := r.read(privateRole())
	if err != nil {
		return nil
	}
	for _, k := range secret.Keys(string(data)) {
		sums = append(sums, k.Sum)
	}
	return sums
}

// Check reports whether there is such a key, and whether the passphrase that given
// returns, if it is not nil, opens it. Nobody is asked for one, nor is a KMS asked
// for its key: of that, it is known whether its program is installed.
func (r KeyRef) Check(ctx context.Context, given PasswordFunc) error {
	switch r.kind {
	case refNone:
		return r.err(privateRole())
	case refKMS:
		if err := r.err(privateRole()); err != nil {
			return err
		}
		if _, err := openPlugin(ctx, r.text.Reveal()); err != nil {
			return kmsError(r, err)
		}
		return nil
	}
	data, err := r.read(privateRole())
	if err != nil {
		return err
	}
	if given == nil {
		given = func() ([]byte, error) { return nil, errNotAsked }
	}
	if _, err := r.parsePrivate(data, given); err != nil && !errors.Is(err, errNotAsked) {
		return err
	}
	return nil
}

// parsePrivate is the signer of the private key that was read.
func (r KeyRef) parsePrivate(data []byte, pass PasswordFunc) (Signer, error) {
	s, err := parsePrivateKey(data, pass)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, r.shape(privateRole(), data, err, func(data []byte) error {
			_, err := parsePrivateKey(data, func() ([]byte, error) { return nil, errNotAsked })
			if errors.Is(err, errNotAsked) {
				return nil
			}
			return err
		}))
	}
	return s, nil
}

var errNotAsked = errors.New("not asked")
