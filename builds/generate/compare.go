package generate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// Difference is a file that came out different in two places, or in one alone.
type Difference struct {
	Name    string
	Command int // that made it
	// Text says what differs: the digests and where the files first differ.
	Text string
}

func (d Difference) String() string { return d.Name + ": " + d.Text }

// Compare holds the files of two places against each other, bit for bit. An empty
// result means that they are the same. Where they first differ is not known if one
// of them has no directory.
func Compare(ctx context.Context, a, b *Made) ([]Difference, error) {
	other := map[string]fact.GeneratedFile{}
	for _, f := range b.Files {
		other[f.Name] = f
	}
	var list []Difference
	for _, f := range a.Files {
		g, ok := other[f.Name]
		delete(other, f.Name)
		switch {
		case !ok:
			list = append(list, Difference{f.Name, f.Command, fmt.Sprintf("only in the %s, sha256 %s", a.Place, f.SHA256)})
			continue
		case f.SHA256 == g.SHA256 && f.Mode != g.Mode:
			list = append(list, Difference{f.Name, f.Command, fmt.Sprintf("mode %s in the %s, %s in the %s", f.Mode, a.Place, g.Mode, b.Place)})
			continue
		case f.SHA256 == g.SHA256:
			continue
		}
		at := ""
		if local := filepath.FromSlash(f.Name); a.Dir != "" && b.Dir != "" {
			where, err := firstDifference(ctx, filepath.Join(a.Dir, local), filepath.Join(b.Dir, local))
			if err != nil {
				return nil, err
			}
			at = "; they first differ " + where
		}
		list = append(list, Difference{f.Name, f.Command, fmt.Sprintf("sha256 %s in the %s, %s in the %s%s", f.SHA256, a.Place, g.SHA256, b.Place, at)})
	}
	for _, g := range b.Files {
		if _, left := other[g.Name]; left {
			list = append(list, Difference{g.Name, g.Command, fmt.Sprintf("only in the %s, sha256 %s", b.Place, g.SHA256)})
		}
	}
	return list, nil
}

// firstDifference says where two files begin to differ.
func firstDifference(ctx context.Context, a, b string) (string, error) {
	fa, err := files.Open(a)
	if err != nil {
		return "", err
	}
	defer fa.Close()
	fb, err := files.Open(b)
	if err != nil {
		return "", err
	}
	defer fb.Close()
	ra, rb := bufio.NewReader(files.Reader(ctx, fa)), bufio.NewReader(files.Reader(ctx, fb))
	offset, line := int64(0), 1
	for {
		x, errA := ra.ReadByte()
		y, errB := rb.ReadByte()
		for _, err := range []error{errA, errB} {
			if err != nil && !errors.Is(err, io.EOF) {
				return "", err
			}
		}
		switch {
		case errA != nil && errB != nil:
			return "", fmt.Errorf("%s changed while it was read", a)
		case errA != nil || errB != nil:
			return fmt.Sprintf("at byte %d (line %d), where one of them ends", offset, line), nil
		case x != y:
			return fmt.Sprintf("at byte %d (line %d)", offset, line), nil
		}
		offset++
		if x == '\n' {
			line++
		}
	}
}
