package actions

import (
	"bufio"
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// HashInputs reads what the go command prints with GODEBUG=gocachehash=1 and
// returns the inputs of the given actions (keys as in [Graph]), in order, to the
// byte as cmd/go hashed them: lines mostly, with their ends. Of an action that was
// hashed several times these are the last ones. The format is cmd/go's own
// debugging output and no promise: what cannot be read is left out.
func HashInputs(stderr []byte, keys []Key) map[Key][]string {
	want := map[string]Key{} // by heading
	for _, k := range keys {
		if k.Link {
			want["HASH[link "+k.Package+"]"] = k
		} else {
			want["HASH[build "+k.Package+"]"] = k
		}
	}
	out := map[Key][]string{}
	sc := bufio.NewScanner(bytes.NewReader(stderr))
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		head, text, ok := strings.Cut(sc.Text(), ": ")
		if !ok { // the beginning of a hash
			delete(out, want[sc.Text()])
			continue
		}
		key, ok := want[head]
		if !ok {
			continue
		}
		if input, err := strconv.Unquote(text); err == nil {
			out[key] = append(out[key], input)
		}
	}
	return out
}

// ChangedInputs are the lines of two lists of inputs that only one of them has:
// prefixed with "A: " and "B: ".
func ChangedInputs(a, b []string) []string {
	var out []string
	for _, side := range []struct {
		name        string
		mine, other []string
	}{{"A: ", a, b}, {"B: ", b, a}} {
		rest := slices.Clone(side.other)
		for _, line := range side.mine {
			if i := slices.Index(rest, line); i >= 0 {
				rest = slices.Delete(rest, i, i+1)
				continue
			}
			out = append(out, side.name+line)
		}
	}
	return out
}
