package images

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// parents are the directories that a path of an image is in, the highest first.
func parents(name string) (list []string) {
	for d := path.Dir(name); d != "."; d = path.Dir(d) {
		list = append(list, d)
	}
	slices.Reverse(list)
	return list
}

// below are the directories of these files that the base has, none without one. Where one
// of them is no directory, but a link to one or a file, that is an error: what is put
// there would replace it.
func (m *maker) below(base *layered, list []archive.Member) (has map[string]bool, err error) {
	t := &tree{of: map[string]archive.Type{}, wanted: map[string]bool{}}
	for _, f := range list {
		for _, d := range parents(f.Name) {
			t.wanted[d] = true
		}
	}
	if base != nil {
		for n, d := range base.manifest.Layers {
			if err := m.walk(t, d); err != nil {
				return nil, fmt.Errorf("base %s: layer %d: %w", m.base, n+1, err)
			}
		}
	}
	has = map[string]bool{}
	for d, is := range t.of {
		if is != archive.TypeDirectory {
			where := cmp.Or(t.links[d], "elsewhere")
			return nil, fault.Errorf(fmt.Sprintf("name where it really is, with bin or files: /%s leads to %s", d, where), "base %s: /%s is a %s, which a directory of the image would replace", m.base, d, is)
		}
		has[d] = true
	}
	return has, nil
}

// tree is what some paths are, after layers were put upon each other.
type tree struct {
	wanted map[string]bool
	of     map[string]archive.Type // of those that there are
	links  map[string]string       // where links lead
}

// Names by which a layer hides what is below it
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts).
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// walk puts a layer of the base on a tree.
func (m *maker) walk(t *tree, d Descriptor) error {
	hex, err := d.hex()
	if err != nil {
		return err
	}
	f, err := files.OpenOwn(m.Cache.path(hex), 0, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var members []archive.Header
	_, err = archive.WalkReader(m.ctx, f, d.Size, archive.Visitor{Member: func(h archive.Header, _ io.Reader) error {
		h.Name = strings.TrimLeft(path.Clean("/"+h.Name), "/") // as it is taken by who unpacks it
		members = append(members, h)
		return nil
	}, Spend: m.Cache.spend})
	if err != nil {
		return err
	}
	// What it hides is below the layer, whatever comes first in it.
	for _, h := range members {
		dir, name := path.Split(h.Name)
		if name == opaque {
			t.remove(path.Clean(dir), false)
		} else if hidden, ok := strings.CutPrefix(name, whiteout); ok {
			t.remove(dir+hidden, true)
		}
	}
	for _, h := range members {
		if strings.HasPrefix(path.Base(h.Name), whiteout) {
			continue
		}
		for _, p := range parents(h.Name) {
			if _, ok := t.of[p]; !ok && t.wanted[p] {
				t.of[p] = archive.TypeDirectory
			}
		}
		if h.Type != archive.TypeDirectory {
			t.remove(h.Name, false)
		}
		if t.wanted[h.Name] {
			t.of[h.Name] = h.Type
			if h.Link != "" {
				if t.links == nil {
					t.links = map[string]string{}
				}
				t.links[h.Name] = h.Link
			}
		}
	}
	return nil
}

// remove takes away what is in a directory, and that itself if it is meant.
func (t *tree) remove(name string, itself bool) {
	for p := range t.of {
		if strings.HasPrefix(p, name+"/") || name == "." || itself && p == name {
			delete(t.of, p)
		}
	}
}
