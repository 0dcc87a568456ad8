package images

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/files"
)

// Differences says in what two files of an image differ that are for the same platforms,
// with the same files, programs and base: all that an image says of itself, in
// configurations, manifests and index, but for digest and size of what somebody has
// compressed. of is what is known of either.
func Differences(ctx context.Context, of *checksums.Image, published, made string) (list []string, err error) {
	theirs, err := says(ctx, of, published)
	if err != nil {
		return nil, err
	}
	ours, err := says(ctx, of, made)
	if err != nil {
		return nil, err
	}
	for _, what := range slices.Sorted(maps.Keys(ours)) {
		if theirs[what] != ours[what] {
			list = append(list, what)
		}
	}
	return list, nil
}

// says is what an image says of itself, in the one form that is written, by what says it.
func says(ctx context.Context, of *checksums.Image, file string) (map[string]string, error) {
	f, err := files.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	l, err := read(ctx, f, fi.Size())
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	add := func(what string, v any) error {
		data, err := encode(v)
		all[what] = string(data)
		return err
	}
	var index Index
	if err := l.own(l.out, typeIndex, &index); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	if len(index.Manifests) != len(of.Platforms) {
		return nil, fmt.Errorf("it is for %d platforms, not for %d", len(index.Manifests), len(of.Platforms))
	}
	for n, p := range of.Platforms {
		var m Manifest
		if err := l.own(index.Manifests[n], typeManifest, &m); err != nil {
			return nil, fmt.Errorf("manifest: %w", err)
		}
		// The configuration has the digests of what is in the layers, however it is compressed.
		all["the configuration for "+p.Platform] = m.Config.Digest
		for i := len(p.BaseLayers); i < len(m.Layers); i++ {
			m.Layers[i].Digest, m.Layers[i].Size = "", 0
		}
		m.Config.Digest, m.Config.Size = "", 0
		index.Manifests[n].Digest, index.Manifests[n].Size = "", 0
		if err := add("the manifest for "+p.Platform, m); err != nil {
			return nil, err
		}
	}
	top := l.out
	top.Digest, top.Size = "", 0
	if err := add("the index", index); err != nil {
		return nil, err
	}
	return all, add(indexFile, top)
}
