package recovery

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
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

// parseLinkInputs reads the go command's account of the link of pkg. It is an
// error if the inputs do not come to the action ID it says itself: then this
// release of Go hashes in a way not known here.
func parseLinkInputs(stderr []byte, pkg string) (*linkInputs, error) {
	head := "HASH[link " + pkg + "]"
	var inputs []string
	sum := ""
	sc := bufio.NewScanner(bytes.NewReader(stderr))
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		rest, ok := strings.CutPrefix(sc.Text(), head)
		if !ok {
			continue
		}
		if rest == "" { // begins anew
			inputs, sum = nil, ""
			continue
		}
		rest, ok = strings.CutPrefix(rest, ": ")
		if !ok {
			continue
		}
		if text, err := strconv.Unquote(rest); err == nil && strings.HasPrefix(rest, `"`) {
			inputs = append(inputs, text)
		} else if len(rest) == 2*sha256.Size {
			sum = rest
		}
	}
	if err := sc.Err(); err != nil {
		return nil, err
	}
	if sum == "" || len(inputs) == 0 {
		return nil, errors.New("the go command does not say what it hashes for the link of " + pkg)
	}
	all := sha256.New()
	h := sha256.New()
	in := &linkInputs{}
	found := false
	for _, text := range inputs {
		all.Write([]byte(text))
		switch {
		case found:
			in.after = append(in.after, text...)
		case strings.HasPrefix(text, "linkflags "):
			found = true
		default:
			h.Write([]byte(text))
		}
	}
	if got := hex.EncodeToString(all.Sum(nil)); got != sum {
		return nil, fmt.Errorf("the inputs of the link of %s hash to %s, the go command says %s", pkg, got, sum)
	}
	if !found {
		return nil, errors.New("this go command does not hash the linker's flags by themselves")
	}
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, err
	}
	in.state = state
	return in, nil
}

// ActionID is the first part of the build ID of a link with these flags: 120
// bits of the hash in base64url (cmd/internal/buildid.HashToString).
func (in *linkInputs) ActionID(flags []string) string {
	h := sha256.New()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(in.state); err != nil {
		return ""
	}
	return actionID(h, linkFlags(flags), in.after)
}

func actionID(h hash.Hash, flags string, after []byte) string {
	h.Write([]byte(flags))
	h.Write(after)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:15])
}

// Ignored are the variables that the flags set in packages which are not linked.
func (in *linkInputs) Ignored(flags []string) (names []string) {
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
		if !bytes.Contains(in.after, []byte("packagefile "+name[:dot]+"=")) {
			names = append(names, name)
		}
	}
	return names
}
