package recovery

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
)

// linkInputs are what the go command hashes into the action ID of a link
// (cmd/go/internal/work.(*Builder).linkActionID), taken from its own account
// (GODEBUG=gocachehash=1). One of the inputs is the list of the linker's flags.
// With another list in its place, the action ID of a link with these flags is
// known without running it.
type linkInputs struct {
	state []byte // of a hash of all before the flags
	after []byte
}

// linkFlags is how cmd/go writes the list.
func linkFlags(flags []string) string { return fmt.Sprintf("linkflags %q\n", flags) }

// newLinkInputs takes the list of flags out of what was hashed for a link. Whether
// these inputs come to the action ID of a link that was run says whether this
// release of Go hashes in a way that is known here.
func newLinkInputs(inputs []string) (*linkInputs, error) {
	if len(inputs) == 0 {
		return nil, errors.New("the go command does not say what it hashes")
	}
	i := slices.IndexFunc(inputs, func(text string) bool { return strings.HasPrefix(text, "linkflags ") })
	if i < 0 {
		return nil, errors.New("this go command does not hash the linker's flags by themselves")
	}
	h := sha256.New()
	io.WriteString(h, strings.Join(inputs[:i], ""))
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, err
	}
	return &linkInputs{state: state, after: []byte(strings.Join(inputs[i+1:], ""))}, nil
}

// ActionID is the first part of the build ID of a link with these flags: 120
// bits of the hash in base64url (cmd/internal/buildid.HashToString).
func (l *linkInputs) ActionID(flags []string) string {
	h := sha256.New()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(l.state); err != nil {
		return ""
	}
	return actionID(h, linkFlags(flags), l.after)
}

func actionID(h hash.Hash, flags string, after []byte) string {
	h.Write([]byte(flags))
	h.Write(after)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:15])
}

// Ignored are the variables that the flags set in packages which are not linked.
func (l *linkInputs) Ignored(flags []string) (names []string) {
	for i, f := range flags {
		if f == "-X" && i+1 < len(flags) {
			f = "-X=" + flags[i+1]
		}
		name, ok := strings.CutPrefix(f, "-X=")
		name, _, _ = strings.Cut(name, "=")
		dot := strings.LastIndex(name, ".")
		if !ok || dot <= 0 || name[:dot] == "main" {
			continue
		}
		if !bytes.Contains(l.after, []byte("packagefile "+name[:dot]+"=")) {
			names = append(names, name)
		}
	}
	return names
}
