package retained

import (
	"cmp"
	"slices"

	"github.com/mintmark/mintmark/internal/sizes"
)

// Amount is bytes of a package.
type Amount struct {
	Package string `json:"package"`
	Size    int64  `json:"size"`
}

// Cost is what of a program leaves with some of its packages. All is bytes of the
// file, without the padding between its parts: a file grows in steps of up to
// 64 KiB on some platforms, whatever is in it.
type Cost struct {
	// Own is what the packages themselves have in the program as it is.
	Own int64 `json:"own"`
	// Retained is what leaves: what the program with the packages emptied is
	// smaller, and what of them, and of packages that only they import, is still in it.
	Retained int64 `json:"retained"`
	// Stays is that last part: types and stubs that callers still refer to.
	Stays int64 `json:"stays"`
	// Along are the other packages that leave as a whole, the largest first, with
	// what they have in the program as it is.
	Along []Amount `json:"along,omitempty"`
}

// Compare says what leaves with the packages out, from a program and the same with
// these emptied. gone are the packages that are imported through them alone, and
// they themselves; see [Graph.Without].
func Compare(full, emptied *sizes.Breakdown, out []string, gone map[string]bool) Cost {
	had, before := byPackage(full)
	has, after := byPackage(emptied)
	var c Cost
	for path := range gone {
		c.Stays += has[path]
	}
	c.Retained = before - after + c.Stays
	for path, size := range had {
		switch {
		case slices.Contains(out, path):
			c.Own += size
		case path != "" && path != sizes.CCode && (gone[path] || has[path] == 0):
			c.Along = append(c.Along, Amount{path, size})
		}
	}
	slices.SortFunc(c.Along, func(a, b Amount) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Package, b.Package))
	})
	return c
}

// Content are the bytes of a file that are no padding.
func Content(l *sizes.Breakdown) int64 {
	_, all := byPackage(l)
	return all
}

// byPackage adds up what is no padding.
func byPackage(l *sizes.Breakdown) (by map[string]int64, all int64) {
	by = map[string]int64{}
	for _, r := range l.Ranges {
		if r.Kind != sizes.Padding {
			by[r.Package] += r.Size
			all += r.Size
		}
	}
	return by, all
}
