package checksums

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

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
// reference is told by [KeyRef.Err].
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

// KeyRefError says why a text is no reference to a key. Its exit code is that
// of wrong usage.
type KeyRefError struct {
	Reason, Remedy string
	// Leaked says that the text was a private key, which is now in whatever
	// names it: a command line, a file, a log.
	Leaked bool
}

func (e *KeyRefError) Error() string { return e.Reason }

// Hint returns the remedy.
func (e *KeyRefError) Hint() string { return e.Remedy }

// ExitCode is that of wrong usage.
func (e *KeyRefError) ExitCode() int { return 2 }

// Err says what is wrong with the reference as a text; nil if nothing is.
// Whether there is such a key is not looked up.
func (r KeyRef) Err() error {
	switch r.kind {
	case refKey:
		return &KeyRefError{Leaked: true, Reason: "this is " + string(r.is) + ", not the name of one",
			Remedy: "name the file, as in MINTMARK_KEY=mintmark.key, or the variable that holds the key: MINTMARK_KEY=env://MINTMARK_KEY_PEM with MINTMARK_KEY_PEM=\"$(cat mintmark.key)\""}
	case refPublic:
		return &KeyRefError{Reason: "this is a public key, not the name of one", Remedy: "write the key into a file and name that, or the variable that holds it: -key=env://RELEASE_PUB"}
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
func (r KeyRef) read() ([]byte, error) {
	if err := r.Err(); err != nil {
		return nil, err
	}
	if r.kind != refEnv {
		data, err := readKey(r.text.Reveal())
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err // its text has the path as it was given
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r, secret.Error(err))
		}
		return data, nil
	}
	if r.lookup == nil {
		return nil, fmt.Errorf("%s: the environment is not read here", r)
	}
	value, ok := r.lookup(r.variable())
	switch {
	case !ok:
		return nil, &KeyRefError{Reason: fmt.Sprintf("%s: the variable is not set", r), Remedy: "its value is the key itself: " + r.variable() + "=\"$(cat mintmark.key)\""}
	case strings.TrimSpace(value) == "":
		return nil, &KeyRefError{Reason: fmt.Sprintf("%s: the variable is empty", r), Remedy: "a secret that this job may not read is empty; pull requests from forks get none"}
	case len(value) > maxKeySize:
		return nil, fmt.Errorf("%s: has more than %d bytes", r, maxKeySize)
	}
	return []byte(value), nil
}

// shape explains a key in a variable that is not as it was in its file.
func (r KeyRef) shape(data []byte, err error) error {
	if r.kind != refEnv || err == nil {
		return err
	}
	text := strings.TrimSpace(string(data))
	switch {
	case strings.HasPrefix(text, "LS0tLS1CRUdJTi"):
		return withHint("decode it: "+r.variable()+"=\"$(printf %s \"$"+r.variable()+"\" | base64 -d)\"", "the variable holds base64 of the key")
	case strings.HasPrefix(text, "-----BEGIN ") && strings.Count(text, "\n") < 2:
		return withHint("keep its line ends: "+r.variable()+"=\"$(cat mintmark.key)\", with the quotes", "the key has lost its line ends")
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
	data, err := r.read()
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
		return r.Err()
	case refKMS:
		if err := r.Err(); err != nil {
			return err
		}
		if _, err := openPlugin(ctx, r.text.Reveal()); err != nil {
			return kmsError(r, err)
		}
		return nil
	}
	data, err := r.read()
	if err != nil {
		return err
	}
	if given == nil {
		given = func() ([]byte, error) { return nil, errNotAsked }
	}
	if _, err := parsePrivateKey(data, given); err != nil && !errors.Is(err, errNotAsked) {
		return fmt.Errorf("%s: %w", r, r.shape(data, err))
	}
	return nil
}

var errNotAsked = errors.New("not asked")
