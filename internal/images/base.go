package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Blobs is a directory with content by its digest. What is in it is believed only as far
// as it has its digest, whoever has put it there.
type Blobs struct {
	Dir string
	// Complete says that all layers that there can be are in it: none is fetched.
	Complete bool
	// Unpack is how many bytes of layers may still be unpacked, nil for any number. A
	// stranger's images can have one layer many times.
	Unpack *int64
}

// spend counts bytes of layers that were unpacked.
func (b Blobs) spend(n int64) error {
	if b.Unpack == nil {
		return nil
	}
	if *b.Unpack -= n; *b.Unpack < 0 {
		return errors.New("the layers of the bases of all images unpack to more than is read of a stranger's")
	}
	return nil
}

// Take puts layers into the directory that an image's file has. What else a base has is
// small, and the registry's to say.
func (b Blobs) Take(ctx context.Context, file string, layers []string) error {
	_, err := archive.Scan(ctx, file, func(h archive.Header, r io.Reader) error {
		hex, ok := strings.CutPrefix(h.Name, blobDir)
		if !ok || !slices.Contains(layers, hex) {
			return nil
		}
		return files.WriteFrom(b.path(hex), r, 0o644)
	})
	return err
}

// path is where content lies.
func (b Blobs) path(hex string) string { return filepath.Join(b.Dir, hex) }

// json is a small content, whose digest is compared.
func (b Blobs) json(hex string, limit int64) ([]byte, error) {
	data, err := files.ReadOwn(b.path(hex), limit)
	if err != nil {
		return nil, err
	}
	if sum := files.DigestBytes(data); sum != hex {
		return nil, fault.Errorf("remove it: it is fetched again", "%s: has the SHA-256 %s", b.path(hex), sum)
	}
	return data, nil
}

// Getter gets content of a base's repository, by its digest: a manifest or an index, or
// else a configuration or a layer. It need not compare the digest.
type Getter func(ctx context.Context, hex string, manifest bool, to io.Writer) error

// layered is the base of one platform.
type layered struct {
	manifest Manifest
	config   map[string]any
	diffs    []string // digests of the layers when they are unpacked
}

// Fetch brings what a base has for some platforms into the directory, if it is not there.
// All of it is compared with the digests that lead to it from ref.
func (b Blobs) Fetch(ctx context.Context, ref *fact.ImageRef, platforms []Platform, get Getter) error {
	_, err := b.read(ctx, ref, platforms, get)
	return err
}

// Read is what the directory has of a base, for some platforms in their order.
func (b Blobs) read(ctx context.Context, ref *fact.ImageRef, platforms []Platform, get Getter) (list []layered, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("base %s: %w", ref, err)
		}
	}()
	top, err := b.manifest(ctx, ref.SHA256, get)
	if err != nil {
		return nil, err
	}
	var head struct {
		MediaType string            `json:"mediaType"`
		Manifests []json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(top, &head); err != nil {
		return nil, err
	}
	if typeOf(head.MediaType) != typeIndex && (head.MediaType != "" || head.Manifests == nil) {
		if len(platforms) > 1 {
			return nil, fault.Errorf("name the index of several platforms, or one platform with platforms", "it is the image of one platform, and there are %d", len(platforms))
		}
		one, err := b.layered(ctx, top, platforms[0], get)
		if err == nil {
			is := Platform{OS: platforms[0].OS, Architecture: platforms[0].Architecture, Variant: textOf(one.config["variant"])}
			_, has := is.level()
			if _, want := platforms[0].level(); is.Variant != "" && levelNumber(has) > levelNumber(want) {
				err = fmt.Errorf("it is of %s, not of %s", is, platforms[0])
			}
		}
		return []layered{one}, err
	}
	var index Index
	if err := json.Unmarshal(top, &index); err != nil {
		return nil, err
	}
	for _, p := range platforms {
		d, err := pick(index.Manifests, p)
		if err != nil {
			return nil, err
		}
		hex, err := d.hex()
		if err != nil {
			return nil, err
		}
		data, err := b.manifest(ctx, hex, get)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		one, err := b.layered(ctx, data, p, get)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		list = append(list, one)
	}
	return list, nil
}

// pick is the image of an index that a machine of a platform takes: the highest variant
// that it can run.
func pick(list []Descriptor, p Platform) (Descriptor, error) {
	base, want := p.level()
	best, at := "", -1
	var has []string
	for n, d := range list {
		if d.Platform == nil || typeOf(d.MediaType) != typeManifest {
			continue
		}
		has = append(has, d.Platform.String())
		other, level := d.Platform.level()
		if other == base && levelNumber(level) <= levelNumber(want) && (at < 0 || levelNumber(level) > levelNumber(best)) {
			best, at = level, n
		}
	}
	if at < 0 {
		slices.Sort(has)
		return Descriptor{}, fault.Errorf("leave the platform out with platforms, or take another base", "it has no image for %s, but for %.500s", p, strings.Join(slices.Compact(has), ", "))
	}
	return list[at], nil
}

// levelNumber is a variant as a number, so that one that runs on more machines is lower.
func levelNumber(level string) float64 {
	n, _ := strconv.ParseFloat(strings.TrimPrefix(level, "v"), 64)
	return n
}

// layered reads the base of one platform from its manifest.
func (b Blobs) layered(ctx context.Context, manifest []byte, p Platform, get Getter) (l layered, err error) {
	if err := json.Unmarshal(manifest, &l.manifest); err != nil {
		return l, err
	}
	m := &l.manifest
	if t := typeOf(m.MediaType); t != "" && t != typeManifest {
		return l, fmt.Errorf("its manifest is of type %.100q", m.MediaType)
	}
	if typeOf(m.Config.MediaType) != typeConfig {
		return l, fmt.Errorf("it is no container image: its configuration is of type %.100q", m.Config.MediaType)
	}
	if len(m.Layers) == 0 || len(m.Layers) > maxLayers {
		return l, fmt.Errorf("it has %d layers, want 1 to %d", len(m.Layers), maxLayers)
	}
	hex, err := m.Config.hex()
	if err != nil {
		return l, err
	}
	if err := b.get(ctx, m.Config, hex, maxConfig, get); err != nil {
		return l, fmt.Errorf("configuration: %w", err)
	}
	data, err := b.json(hex, maxConfig)
	if err != nil {
		return l, err
	}
	if l.config, l.diffs, err = readConfig(data, p); err != nil {
		return l, fmt.Errorf("configuration: %w", err)
	}
	if len(l.diffs) != len(m.Layers) {
		return l, fmt.Errorf("it has %d layers, its configuration has %d", len(m.Layers), len(l.diffs))
	}
	for n := range m.Layers {
		d := &m.Layers[n]
		d.MediaType = typeOf(d.MediaType)
		if !slices.Contains([]string{typeLayer, typeGzip, typeZstd}, d.MediaType) {
			return l, fmt.Errorf("layer %d is of type %.100q, which is not distributed, or not known", n+1, d.MediaType)
		}
		hex, err := d.hex()
		if err != nil {
			return l, err
		}
		if _, err := os.Lstat(b.path(hex)); err != nil && b.Complete {
			return l, fmt.Errorf("layer %d, %s, is not in the image", n+1, d.Digest)
		}
		if err := b.get(ctx, *d, hex, maxLayer, get); err != nil {
			return l, fmt.Errorf("layer %d: %w", n+1, err)
		}
		*d = Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}
	}
	return l, nil
}

// manifest is a manifest or an index, fetched if it is not there.
func (b Blobs) manifest(ctx context.Context, hex string, get Getter) ([]byte, error) {
	if err := b.fetch(ctx, hex, MaxManifest, func(w io.Writer) error { return get(ctx, hex, true, w) }, get != nil); err != nil {
		return nil, err
	}
	return b.json(hex, MaxManifest)
}

// get fetches content that is not there with its size. Its digest is compared here if it
// is fetched, and by whoever reads it.
func (b Blobs) get(ctx context.Context, d Descriptor, hex string, limit int64, get Getter) error {
	if d.Size < 0 || d.Size > limit {
		return fmt.Errorf("has %d bytes, more than %d", d.Size, limit)
	}
	if err := b.fetch(ctx, hex, d.Size, func(w io.Writer) error { return get(ctx, hex, false, w) }, get != nil); err != nil {
		return err
	}
	fi, err := os.Lstat(b.path(hex))
	if err != nil {
		return err
	}
	if fi.Size() != d.Size {
		return fmt.Errorf("has %d bytes, its manifest says %d", fi.Size(), d.Size)
	}
	return nil
}

// fetch puts content that is not there into the directory.
func (b Blobs) fetch(ctx context.Context, hex string, limit int64, get func(io.Writer) error, may bool) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if sum, _, err := files.DigestOwn(ctx, b.path(hex), limit); err == nil && sum == hex {
		return nil
	} else if !may {
		if err == nil {
			err = fmt.Errorf("has the SHA-256 %s", sum)
		}
		return fault.Errorf("run it once with the network", "%s is not here: %w", digestOf(hex), err)
	}
	return files.Replace(b.path(hex), 0o644, func(f *os.File) error {
		if err := get(Limit(f, limit)); err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		sum, _, err := files.DigestOf(ctx, f)
		if err == nil && sum != hex {
			err = fault.Refusedf("the registry, or what lies between, is not to be trusted", "what was asked for by the digest %s has the SHA-256 %s", digestOf(hex), sum)
		}
		return err
	})
}

// Limit passes so many bytes on to w, and refuses more.
func Limit(w io.Writer, bytes int64) io.Writer { return &limitedWriter{w, bytes} }

type limitedWriter struct {
	w    io.Writer
	left int64
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, errors.New("there is more than was announced")
	}
	return l.w.Write(p)
}

// readConfig reads the configuration of an image of that platform.
func readConfig(data []byte, p Platform) (config map[string]any, diffs []string, err error) {
	data, err = canonical(data)
	if err != nil {
		return nil, nil, err
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	if err := dec.Decode(&config); err != nil {
		return nil, nil, err
	}
	is := Platform{Architecture: textOf(config["architecture"]), OS: textOf(config["os"]), Variant: textOf(config["variant"])}
	if is.OS != p.OS || is.Architecture != p.Architecture {
		return nil, nil, fmt.Errorf("it is of %s, not of %s", is, p)
	}
	rootfs, _ := config["rootfs"].(map[string]any)
	list, _ := rootfs["diff_ids"].([]any)
	for _, d := range list {
		diffs = append(diffs, textOf(d))
	}
	return config, diffs, nil
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}
