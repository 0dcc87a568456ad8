package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// Limits of what a layout has in JSON: all of it is held in memory.
const (
	maxJSON  = 16 << 20
	maxBlobs = 1 << 14
)

// layout is an image in a tar, of anybody's making.
type layout struct {
	ctx  context.Context
	r    io.ReaderAt
	at   map[string]archive.Header // content by its digest, lower-case hex
	json map[string][]byte         // of that, what is small
	used map[string]bool           // what something leads to
	// listed are the layers that were read: what several platforms have is read once.
	listed map[string]*listed
	out    Descriptor // of the index of all platforms
}

// listed is what is in a layer.
type listed struct {
	entries []archive.Entry
	dirs    []string
	sum     string // of the tar
	err     error
}

// Verify holds an image against what the manifest of its release says of it: only what
// [Image.Write] can have written is accepted, with those programs and files. The error is
// all that is wrong, as [fault.Leaves] has it. What is in the layers of the base is not
// looked at.
func Verify(ctx context.Context, want *checksums.Image, r io.ReaderAt, size int64) error {
	l, err := read(ctx, r, size)
	if err != nil {
		return err
	}
	if got := strings.TrimPrefix(l.out.Digest, "sha256:"); got != want.Digest {
		return fmt.Errorf("its index has the digest %s, the manifest says %s", got, want.Digest)
	}
	var index Index
	if err := l.own(l.out, typeIndex, &index); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	if len(index.Manifests) != len(want.Platforms) {
		return fmt.Errorf("it is for %d platforms, the manifest says %d", len(index.Manifests), len(want.Platforms))
	}
	var errs []error
	for n, d := range index.Manifests {
		if err := l.verify(d, want, &want.Platforms[n]); err != nil {
			for _, e := range fault.Leaves(err) {
				errs = append(errs, fmt.Errorf("%s: %w", fact.Plain(want.Platforms[n].Platform), e))
			}
		}
	}
	for _, hex := range slices.Sorted(maps.Keys(l.at)) {
		if !l.used[hex] {
			errs = append(errs, fmt.Errorf("%s%s is of no platform", blobDir, hex))
		}
	}
	return errors.Join(errs...)
}

// read reads the form of a layout: which content there is.
func read(ctx context.Context, r io.ReaderAt, size int64) (*layout, error) {
	l := &layout{ctx: ctx, r: r, at: map[string]archive.Header{}, json: map[string][]byte{}, used: map[string]bool{}, listed: map[string]*listed{}}
	top := map[string][]byte{}
	held, blobs := int64(0), 0
	hold := func(h archive.Header, r io.Reader) ([]byte, error) {
		if held += h.Size; held > maxJSON {
			return nil, fmt.Errorf("more than %d bytes of JSON", maxJSON)
		}
		return io.ReadAll(r)
	}
	sum, err := archive.WalkReader(ctx, r, size, archive.Visitor{Member: func(h archive.Header, r io.Reader) (err error) {
		hex, isBlob := strings.CutPrefix(h.Name, blobDir)
		switch {
		case h.Type != archive.TypeFile:
			return fmt.Errorf("is a %s: an image has files alone", h.Type)
		case h.Name == layoutFile || h.Name == indexFile:
			top[h.Name], err = hold(h, r)
			return err
		case !isBlob:
			return errors.New("is no member of an image")
		}
		if _, err := (Descriptor{Digest: "sha256:" + hex}).hex(); err != nil {
			return err
		}
		if blobs++; blobs > maxBlobs {
			return fmt.Errorf("more than %d members", maxBlobs)
		}
		if h.Size <= MaxManifest {
			head := make([]byte, 1)
			n, err := io.ReadFull(r, head)
			if n == 1 && head[0] == '{' {
				if l.json[hex], err = hold(h, io.MultiReader(strings.NewReader("{"), r)); err != nil {
					return err
				}
			} else if err != nil && err != io.EOF {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	if sum.Format != archive.Tar {
		return nil, fmt.Errorf("is a %s, not a tar", sum.Format)
	}
	for _, loose := range sum.Loose {
		return nil, errors.New(loose.String())
	}
	for _, h := range sum.Members {
		hex, ok := strings.CutPrefix(h.Name, blobDir)
		if !ok {
			continue
		}
		if h.SHA256 != hex {
			return nil, fmt.Errorf("%s has the digest %s", h.Name, h.SHA256)
		}
		l.at[hex] = h
	}
	if string(top[layoutFile]) != layoutContent {
		return nil, fmt.Errorf("%s is not %s", layoutFile, layoutContent)
	}
	var index Index
	if err := decodeOwn(top[indexFile], &index); err != nil {
		return nil, fmt.Errorf("%s: %w", indexFile, err)
	}
	if len(index.Manifests) != 1 || index.SchemaVersion != 2 || index.MediaType != typeIndex {
		return nil, fmt.Errorf("%s does not lead to one index", indexFile)
	}
	l.out = index.Manifests[0]
	return l, nil
}

// own reads JSON that mintmark has written, and that has the type.
func (l *layout) own(d Descriptor, mediaType string, to any) error {
	data, err := l.data(d, mediaType)
	if err != nil {
		return err
	}
	return decodeOwn(data, to)
}

// data is content in memory, which has the type.
func (l *layout) data(d Descriptor, mediaType string) ([]byte, error) {
	if d.MediaType != mediaType {
		return nil, fmt.Errorf("is of type %.100q, not %s", d.MediaType, mediaType)
	}
	hex, err := l.has(d)
	if err != nil {
		return nil, err
	}
	data, ok := l.json[hex]
	if !ok {
		return nil, fmt.Errorf("%s is no JSON of at most %d bytes", d.Digest, MaxManifest)
	}
	return data, nil
}

// has finds the content that something leads to.
func (l *layout) has(d Descriptor) (hex string, err error) {
	if hex, err = d.hex(); err != nil {
		return "", err
	}
	h, ok := l.at[hex]
	switch {
	case !ok:
		return "", fmt.Errorf("%s is not here", d.Digest)
	case h.Size != d.Size:
		return "", fmt.Errorf("%s has %d bytes, what leads to it says %d", d.Digest, h.Size, d.Size)
	}
	l.used[hex] = true
	return hex, nil
}

// verify holds the image of one platform against the manifest.
func (l *layout) verify(d Descriptor, image *checksums.Image, want *checksums.ImagePlatform) error {
	p, err := profiles.ParsePlatform(want.Platform)
	if err != nil {
		return err
	}
	as, err := platformOf(p)
	if err != nil {
		return err
	}
	if d.Platform == nil || *d.Platform != as {
		return fmt.Errorf("the index has %v in its place", d.Platform)
	}
	if got := strings.TrimPrefix(d.Digest, "sha256:"); got != want.Digest {
		return fmt.Errorf("its manifest has the digest %.100s, the release's manifest says %s", got, want.Digest)
	}
	var m Manifest
	if err := l.own(d, typeManifest, &m); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	if m.ArtifactType != "" || m.Subject != nil || m.SchemaVersion != 2 || m.MediaType != typeManifest {
		return errors.New("its manifest is not that of a container image")
	}
	data, err := l.data(m.Config, typeConfig)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if again, err := canonical(data); err != nil || string(again) != string(data) {
		return errors.New("configuration: is not written as mintmark writes it")
	}
	config, diffs, err := readConfig(data, as)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if textOf(config["variant"]) != as.Variant {
		return fmt.Errorf("configuration: is of variant %.100q", textOf(config["variant"]))
	}
	above := [][]checksums.Member{want.Programs}
	if len(image.Files) > 0 {
		above = [][]checksums.Member{image.Files, want.Programs}
	}
	if len(m.Layers) != len(want.BaseLayers)+len(above) || len(diffs) != len(m.Layers) {
		return fmt.Errorf("it has %d layers, and its configuration %d; the manifest says %d, of which %d are the base's", len(m.Layers), len(diffs), len(want.BaseLayers)+len(above), len(want.BaseLayers))
	}
	var errs []error
	for n, d := range m.Layers {
		if n < len(want.BaseLayers) {
			errs = append(errs, l.baseLayer(d, want.BaseLayers[n]))
			continue
		}
		if err := l.layer(d, diffs[n], above[n-len(want.BaseLayers)]); err != nil {
			for _, e := range fault.Leaves(err) {
				errs = append(errs, fmt.Errorf("layer %d: %w", n+1, e))
			}
		}
	}
	return errors.Join(errs...)
}

func (l *layout) baseLayer(d Descriptor, want string) error {
	hex, err := l.has(d)
	if err == nil && hex != want {
		err = fmt.Errorf("a layer of the base is %s, the manifest says %s", hex, want)
	}
	return err
}

// layer holds a layer of the release's own against what is in it.
func (l *layout) layer(d Descriptor, diff string, want []checksums.Member) error {
	if d.MediaType != typeGzip {
		return fmt.Errorf("is of type %.100q, not %s", d.MediaType, typeGzip)
	}
	hex, err := l.has(d)
	if err != nil {
		return err
	}
	in := l.listed[hex]
	if in == nil {
		h := l.at[hex]
		in = &listed{}
		in.entries, in.dirs, in.sum, in.err = archive.ListLayer(l.ctx, io.NewSectionReader(l.r, h.Offset, h.Size), h.Size, archive.TarGz)
		l.listed[hex] = in
	}
	if in.err != nil {
		return in.err
	}
	if digestOf(in.sum) != diff {
		return fmt.Errorf("unpacks to %s, the configuration says %.100s", in.sum, diff)
	}
	for _, d := range in.dirs {
		if !slices.ContainsFunc(want, func(m checksums.Member) bool { return strings.HasPrefix(m.Name, d+"/") }) {
			return fmt.Errorf("%s is a directory of none of its files", fact.Plain(d))
		}
	}
	if len(in.entries) != len(want) {
		return fmt.Errorf("holds %d files, the manifest lists %d", len(in.entries), len(want))
	}
	var errs []error
	for n, e := range in.entries {
		if w := want[n]; w.Name != e.Name || w.SHA256 != e.SHA256 || w.Size != e.Size || w.Mode != fmt.Sprintf("%04o", e.Mode.Perm()) {
			errs = append(errs, fmt.Errorf("%s is not the file that the manifest lists", fact.Plain(e.Name)))
		}
	}
	return errors.Join(errs...)
}

// Unpack writes the members of an image into an empty directory, as a layout that is one.
// It gives the index of all platforms, which has the digest that is wanted, lower-case
// hex.
func Unpack(ctx context.Context, r io.ReaderAt, size int64, dir, wanted string) (index []byte, err error) {
	l, err := read(ctx, r, size) // which names there are
	if err != nil {
		return nil, err
	}
	if l.out.Digest != digestOf(wanted) {
		return nil, fmt.Errorf("its index has the digest %.100s, the manifest says %s", l.out.Digest, digestOf(wanted))
	}
	if index, err = l.data(l.out, typeIndex); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(blobDir)), 0o700); err != nil {
		return nil, err
	}
	_, err = archive.WalkReader(ctx, r, size, archive.Visitor{Member: func(h archive.Header, r io.Reader) error {
		if !filepath.IsLocal(filepath.FromSlash(h.Name)) || r == nil {
			return errors.New("was changed while it was read")
		}
		return files.WriteFrom(filepath.Join(dir, filepath.FromSlash(h.Name)), r, 0o644)
	}})
	return index, err
}

// Assemble writes the file of an image from what a registry has, as a release has it. All
// content is compared with the digests that lead to it from the manifest's. when is the
// time of the release's commit.
func (b Blobs) Assemble(ctx context.Context, w io.Writer, of *checksums.Image, when time.Time, get Getter) error {
	members := map[string]archive.Member{}
	add := func(d Descriptor, isManifest bool, limit int64) ([]byte, error) {
		hex, err := d.hex()
		if err != nil {
			return nil, err
		}
		members[hex] = archive.Member{Name: blobDir + hex, SHA256: hex, Open: archive.Opener(b.path(hex))}
		if isManifest {
			return b.manifest(ctx, hex, get)
		}
		return nil, b.get(ctx, d, hex, limit, get)
	}
	top := Descriptor{MediaType: typeIndex, Digest: digestOf(of.Digest)}
	data, err := add(top, true, 0)
	if err != nil {
		return err
	}
	top.Size = int64(len(data))
	var index Index
	if err := decodeOwn(data, &index); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	for _, d := range index.Manifests {
		data, err := add(d, true, 0)
		if err != nil {
			return err
		}
		var m Manifest
		if err := decodeOwn(data, &m); err != nil {
			return fmt.Errorf("manifest %s: %w", d.Digest, err)
		}
		if _, err := add(m.Config, false, maxConfig); err != nil {
			return fmt.Errorf("configuration %s: %w", m.Config.Digest, err)
		}
		for _, l := range m.Layers {
			if _, err := add(l, false, maxLayer); err != nil {
				return fmt.Errorf("layer %s: %w", l.Digest, err)
			}
		}
	}
	return writeLayout(ctx, w, top, of, members, when)
}
