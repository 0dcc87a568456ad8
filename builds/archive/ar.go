package archive

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// ArMagic is how an ar archive begins.
const ArMagic = "!<arch>\n"

// ArMember is a file in an ar archive (ar(5)).
type ArMember struct {
	Name         string
	Offset, Size int64
}

// ReadAr lists an ar archive, and what of it is in no member.
func ReadAr(r io.ReaderAt, size int64) (out []ArMember, loose []Loose, err error) {
	const header, most = 60, 1024
	at := int64(len(ArMagic))
	for at < size {
		var h [header]byte
		if n, _ := r.ReadAt(h[:], at); n < header {
			return nil, nil, errors.New("truncated header")
		}
		var length int64
		if _, err := fmt.Sscanf(strings.TrimSpace(string(h[48:58])), "%d", &length); err != nil || length < 0 || string(h[58:]) != "`\n" {
			return nil, nil, errors.New("malformed header")
		}
		m := ArMember{strings.TrimSuffix(strings.TrimSpace(string(h[:16])), "/"), at + header, length}
		if length > size-m.Offset {
			return nil, nil, fmt.Errorf("%q ends beyond its end", m.Name)
		}
		if out = append(out, m); len(out) > most {
			return nil, nil, fmt.Errorf("more than %d members", most)
		}
		at = m.Offset + length
		if length%2 == 1 && at < size {
			var pad [1]byte
			if _, err := r.ReadAt(pad[:], at); err != nil {
				return nil, nil, err
			}
			if pad[0] != '\n' {
				loose = append(loose, Loose{What: LoosePadding, Member: m.Name, Offset: at, Size: 1})
			}
			at++
		}
	}
	return out, loose, nil
}
